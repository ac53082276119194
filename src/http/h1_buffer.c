/* h1_buffer.c: what responses gather in; see h1.h. The buffer that was given back last is the warmest. */
#include <stdlib.h>

#include "http/h1.h"

enum { KEPT = 64 }; /* buffers that nobody holds; more are given back to the system */

static struct {
    char *free[KEPT];
    size_t count;
} buffers;

char *h1_buffer_take(void)
{
    return buffers.count ? buffers.free[--buffers.count] : malloc(H1_OUT_SIZE);
}

void h1_buffer_give(char *buffer)
{
    if (buffers.count < KEPT)
        buffers.free[buffers.count++] = buffer;
    else
        free(buffer);
}
