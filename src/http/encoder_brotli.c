/* encoder_brotli.c: brotli, by libbrotlienc.
 *
 * The library keeps the commands of a metablock until it is complete, at up to 12 bytes for a byte of content. So
 * metablocks are ended after a fixed amount, which makes the result 3 % larger and a stream a third smaller: 650 KiB at
 * most, but 940 KiB for ENCODER_SMALL, whose hash table is larger.
 *
 * As Debian builds it, the library ends the process when it gets no memory. So its allocator is ours: it leaves the
 * library by longjmp() then, and knows every block, so that nothing is lost with what the library was about to do.
 */
#include <brotli/encode.h>
#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/list.h"
#include "http/encoder.h"

enum {
    LEAST_WINDOW = BROTLI_MIN_WINDOW_BITS,
    MOST_WINDOW = 16,
    METABLOCK = 16 * 1024,
};

struct brotli {
    struct encoder encoder;
    BrotliEncoderState *state;
    size_t metablock;   /* bytes of content in the present one */
    struct list blocks; /* of memory that the library has: a link, then its bytes */
    jmp_buf no_memory;
};

_Static_assert(sizeof(struct list) % _Alignof(max_align_t) == 0, "what follows a link is aligned for any type");

static void *allocate(void *opaque, size_t n)
{
    struct brotli *brotli = opaque;
    struct list *block = malloc(sizeof *block + n);
    if (!block)
        longjmp(brotli->no_memory, 1);
    list_push_back(&brotli->blocks, block);
    return block + 1;
}

static void release(void *opaque, void *bytes)
{
    (void)opaque;
    if (!bytes)
        return;
    struct list *block = (struct list *)bytes - 1;
    list_unlink(block);
    free(block);
}

static void close_stream(struct encoder *encoder)
{
    struct brotli *brotli = container_of(encoder, struct brotli, encoder);
    list_each (block, next, &brotli->blocks)
        free(block);
    free(brotli);
}

static bool start(struct brotli *brotli, uint32_t quality, uint32_t window)
{
    list_init(&brotli->blocks);
    if (setjmp(brotli->no_memory))
        return false;
    brotli->state = BrotliEncoderCreateInstance(allocate, release, brotli);
    return brotli->state && BrotliEncoderSetParameter(brotli->state, BROTLI_PARAM_QUALITY, quality) &&
           BrotliEncoderSetParameter(brotli->state, BROTLI_PARAM_LGWIN, window);
}

static struct encoder *open_stream(enum encoder_level level, int64_t size)
{
    static const uint32_t qualities[] = {[ENCODER_FAST] = 2, [ENCODER_BALANCED] = 3, [ENCODER_SMALL] = 5};
    struct brotli *brotli = calloc(1, sizeof *brotli);
    if (!brotli)
        return NULL;
    if (start(brotli, qualities[level], encoder_window(size, LEAST_WINDOW, MOST_WINDOW)))
        return &brotli->encoder;
    close_stream(&brotli->encoder);
    return NULL;
}

/* Takes n bytes of input. 1: there is more output. */
static int take(struct brotli *brotli, struct str *in, size_t n, BrotliEncoderOperation operation, struct out *to)
{
    const uint8_t *from = (const uint8_t *)in->p;
    uint8_t *at = (uint8_t *)to->at;
    size_t left = n, room = out_room(to);
    if (setjmp(brotli->no_memory))
        return -ENOMEM;
    if (!BrotliEncoderCompressStream(brotli->state, operation, &left, &from, &room, &at, NULL))
        return -EIO;
    brotli->metablock += n - left;
    *in = str_skip(*in, n - left);
    to->at = (char *)at;
    return BrotliEncoderHasMoreOutput(brotli->state);
}

static int run(struct encoder *encoder, struct str *in, enum encoder_op op, struct out *to)
{
    static const BrotliEncoderOperation operations[] = {[ENCODER_TAKE] = BROTLI_OPERATION_PROCESS,
                                                        [ENCODER_FLUSH] = BROTLI_OPERATION_FLUSH,
                                                        [ENCODER_END] = BROTLI_OPERATION_FINISH};
    struct brotli *brotli = container_of(encoder, struct brotli, encoder);
    for (;;) {
        size_t left = METABLOCK - brotli->metablock;
        bool full = in->n >= left;
        BrotliEncoderOperation operation = full ? BROTLI_OPERATION_FLUSH : operations[op];
        int more = take(brotli, in, full ? left : in->n, operation, to);
        if (more)
            return more;
        if (operation != BROTLI_OPERATION_PROCESS)
            brotli->metablock = 0;
        if (!full)
            return 0;
    }
}

static const char *library(void)
{
    static char text[32];
    uint32_t version = BrotliEncoderVersion();
    snprintf(text, sizeof text, "brotli %u.%u.%u", version >> 24, version >> 12 & 0xfff, version & 0xfff);
    return text;
}

const struct encoder_kind encoder_brotli = {
    .name = STR_INIT("br"),
    .suffix = STR_INIT(".br"),
    .open = open_stream,
    .run = run,
    .close = close_stream,
    .library = library,
};
