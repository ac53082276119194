/* encoder_gzip.c: gzip, by zlib. A stream takes (4 << window) + (512 << memory) bytes, 256 KiB at most. */
#include <errno.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/list.h"
#include "http/encoder.h"

enum {
    LEAST_WINDOW = 9, /* zlib makes 9 of 8, and then says so only in some formats */
    MOST_WINDOW = MAX_WBITS,
    FORMAT = 16, /* added to the window: a gzip header and trailer rather than zlib's */
};

struct gzip {
    struct encoder encoder;
    z_stream z;
};

static struct encoder *open_stream(enum encoder_level level, int64_t size)
{
    static const int levels[] = {[ENCODER_FAST] = 1, [ENCODER_BALANCED] = 4, [ENCODER_SMALL] = 6};
    int window = (int)encoder_window(size, LEAST_WINDOW, MOST_WINDOW);
    int memory = window - (MAX_WBITS - 8); /* zlib's default for its largest window is 8 */
    struct gzip *gzip = calloc(1, sizeof *gzip);
    if (!gzip)
        return NULL;
    if (deflateInit2(&gzip->z, levels[level], Z_DEFLATED, FORMAT + window, memory, Z_DEFAULT_STRATEGY) != Z_OK) {
        free(gzip);
        return NULL;
    }
    return &gzip->encoder;
}

static int run(struct encoder *encoder, struct str *in, enum encoder_op op, struct out *to)
{
    static const int flushes[] = {
        [ENCODER_TAKE] = Z_NO_FLUSH, [ENCODER_FLUSH] = Z_SYNC_FLUSH, [ENCODER_END] = Z_FINISH};
    z_stream *z = &container_of(encoder, struct gzip, encoder)->z;
    z->next_in = (Bytef *)in->p;
    z->avail_in = (uInt)in->n;
    z->next_out = (Bytef *)to->at;
    z->avail_out = (uInt)out_room(to);
    int result = deflate(z, flushes[op]);
    *in = str_skip(*in, in->n - z->avail_in);
    to->at = (char *)z->next_out;
    if (result == Z_STREAM_END)
        return 0;
    if (result != Z_OK && result != Z_BUF_ERROR) /* the latter: there was nothing to do, or no room to do it */
        return -EIO;
    return z->avail_out == 0;
}

static void close_stream(struct encoder *encoder)
{
    struct gzip *gzip = container_of(encoder, struct gzip, encoder);
    deflateEnd(&gzip->z);
    free(gzip);
}

static const char *library(void)
{
    static char text[32];
    struct out o = out_on(text, sizeof text - 1);
    out_text(&o, "zlib ");
    out_put(&o, str_of(zlibVersion()));
    return text;
}

const struct encoder_kind encoder_gzip = {
    .name = STR_INIT("gzip"),
    .suffix = STR_INIT(".gz"),
    .open = open_stream,
    .run = run,
    .close = close_stream,
    .library = library,
};
