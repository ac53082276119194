/* encoder.c: see encoder.h. */
#include "http/encoder.h"

#include <errno.h>

#include "http/quality.h"

static const struct encoder_kind *const kinds[CODING_COUNT] = {
    [CODING_BR] = &encoder_brotli,
    [CODING_ZSTD] = &encoder_zstd,
    [CODING_GZIP] = &encoder_gzip,
};

struct str coding_name(enum coding coding)
{
    return kinds[coding]->name;
}

struct str coding_suffix(enum coding coding)
{
    return kinds[coding]->suffix;
}

const char *encoder_library(enum coding coding)
{
    return kinds[coding]->library();
}

/* "identity" has a weight of its own only where the request gives it one; else it is what remains. */
enum coding coding_choose(const struct http_request *request, unsigned available)
{
    struct str names[CODING_COUNT + 1] = {[CODING_NONE] = STR_INIT("identity")};
    unsigned weights[CODING_COUNT + 1];
    if (!available)
        return CODING_NONE;
    for (enum coding coding = 0; coding < CODING_COUNT; coding++)
        names[coding] = kinds[coding]->name;
    http_qualities(request, STR("Accept-Encoding"), names, CODING_COUNT + 1, weights);
    enum coding best = CODING_NONE;
    unsigned weight = 0;
    for (enum coding coding = 0; coding < CODING_COUNT; coding++)
        if (available & CODING_BIT(coding) && weights[coding] > weight) {
            weight = weights[coding];
            best = coding;
        }
    return weights[CODING_NONE] > weight ? CODING_NONE : best;
}

unsigned encoder_window(int64_t size, unsigned least, unsigned most)
{
    unsigned bits = least;
    while (bits < most && (size == HTTP_LENGTH_UNKNOWN || size > (int64_t)1 << bits))
        bits++;
    return bits;
}

int encoder_open(struct encoder **encoder, enum coding coding, enum encoder_level level, int64_t size)
{
    *encoder = kinds[coding]->open(level, size);
    if (!*encoder)
        return -ENOMEM;
    (*encoder)->kind = kinds[coding];
    return 0;
}

int encoder_run(struct encoder *encoder, struct str *in, enum encoder_op op, struct out *to)
{
    return encoder->kind->run(encoder, in, op, to);
}

void encoder_close(struct encoder *encoder)
{
    if (encoder)
        encoder->kind->close(encoder);
}

ssize_t encoder_whole(enum coding coding, enum encoder_level level, struct str content, void *to)
{
    struct encoder *encoder;
    int result = content.n ? encoder_open(&encoder, coding, level, (int64_t)content.n) : 1;
    if (result)
        return result < 0 ? result : 0;
    struct out o = out_on(to, content.n - 1);
    result = encoder_run(encoder, &content, ENCODER_END, &o);
    encoder_close(encoder);
    return result < 0 ? result : result > 0 ? 0 : (ssize_t)out_len(&o);
}
