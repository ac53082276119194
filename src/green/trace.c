/* trace.c: see trace.h. */
#include "green/trace.h"

#include <errno.h>
#include <stdlib.h>

#include "green/core.h"
#include "green/offload.h"
#include "trace/unwind.h"

/* What green_switch() has left on the stack, from its pointer up; see switch_*.S. */
#if defined(__x86_64__)
static const uint8_t saved[] = {15, 14, 13, 12, 3, 6};
enum { SAVED_BYTES = 56, SAVED_PC = 48 };
#elif defined(__aarch64__)
static const uint8_t saved[] = {19, 20, 21, 22, 23, 24, 25, 26, 27, 28, TRACE_FP, TRACE_LINK};
enum { SAVED_BYTES = 160, SAVED_PC = 88 };
#endif

struct job {
    struct trace_capture *capture;
    char *text;
    size_t size, written;
};

static void unwind(void *arg)
{
    struct job *job = arg;
    job->written = trace_unwind(job->capture, job->text, job->size);
}

static void capture_parked(struct trace_capture *capture, const struct green *thread)
{
    uint64_t sp = (uint64_t)(uintptr_t)thread->sp, word;
    capture->registers.known = 0;
    trace_set(&capture->registers, TRACE_SP, sp);
    trace_copy_stack(capture);
    for (unsigned i = 0; i < sizeof saved; i++)
        if (trace_read(capture, sp + i * sizeof word, &word))
            trace_set(&capture->registers, saved[i], word);
    if (!trace_read(capture, sp + SAVED_PC, &capture->registers.pc))
        capture->registers.pc = 0;
    trace_set(&capture->registers, TRACE_SP, sp + SAVED_BYTES);
}

int green_trace(uint64_t number, char *text, size_t size, nsec deadline)
{
    struct green_view view;
    if (!green_find(number, &view))
        return -ESRCH;
    if (view.thread == green_self())
        return -EBUSY;
    text[0] = '\0';
    if (!view.thread->sp)
        return 0;
    struct trace_capture *capture = malloc(sizeof *capture);
    if (!capture)
        return -ENOMEM;
    capture_parked(capture, view.thread);
    struct job job = {capture, text, size, 0};
    int error = green_offload(unwind, &job, deadline);
    free(capture);
    return error ? error : (int)job.written;
}
