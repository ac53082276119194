/* decode.h: what the decoders of the libraries themselves make of a content coding, for tests. */
#ifndef TERN_TESTS_DECODE_H
#define TERN_TESTS_DECODE_H

#include <brotli/decode.h>
#include <zlib.h>
#include <zstd.h>

#include "base/str.h"

struct decoded {
    size_t n;    /* bytes of content that could be made out */
    bool ended;  /* there was an end, and nothing behind it */
    bool broken; /* what was made out is worth nothing */
};

static inline struct decoded decode_gzip(struct str from, char *to, size_t room)
{
    z_stream z = {
        .next_in = (Bytef *)from.p, .avail_in = (uInt)from.n, .next_out = (Bytef *)to, .avail_out = (uInt)room};
    if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
        return (struct decoded){.broken = true};
    int result = inflate(&z, Z_SYNC_FLUSH);
    struct decoded d = {room - z.avail_out, result == Z_STREAM_END && z.avail_in == 0,
                        result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR};
    inflateEnd(&z);
    return d;
}

static inline struct decoded decode_brotli(struct str from, char *to, size_t room)
{
    BrotliDecoderState *state = BrotliDecoderCreateInstance(NULL, NULL, NULL);
    const uint8_t *in = (const uint8_t *)from.p;
    uint8_t *out = (uint8_t *)to;
    size_t left = from.n, free_room = room;
    if (!state)
        return (struct decoded){.broken = true};
    BrotliDecoderResult result = BrotliDecoderDecompressStream(state, &left, &in, &free_room, &out, NULL);
    BrotliDecoderDestroyInstance(state);
    return (struct decoded){room - free_room, result == BROTLI_DECODER_RESULT_SUCCESS && left == 0,
                            result == BROTLI_DECODER_RESULT_ERROR};
}

static inline struct decoded decode_zstd(struct str from, char *to, size_t room)
{
    ZSTD_DCtx *context = ZSTD_createDCtx();
    ZSTD_inBuffer in = {from.p, from.n, 0};
    ZSTD_outBuffer out = {to, room, 0};
    if (!context)
        return (struct decoded){.broken = true};
    size_t left;
    do
        left = ZSTD_decompressStream(context, &out, &in);
    while (!ZSTD_isError(left) && left && in.pos < in.size && out.pos < out.size);
    ZSTD_freeDCtx(context);
    return (struct decoded){out.pos, left == 0 && in.pos == in.size, ZSTD_isError(left)};
}

/* Decodes what has come so far in the coding of that name. */
static inline struct decoded decode(struct str coding, struct str from, char *to, size_t room)
{
    if (str_eq(coding, STR("gzip")))
        return decode_gzip(from, to, room);
    if (str_eq(coding, STR("br")))
        return decode_brotli(from, to, room);
    if (str_eq(coding, STR("zstd")))
        return decode_zstd(from, to, room);
    return (struct decoded){.broken = true};
}

#endif
