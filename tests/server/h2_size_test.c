/* Header blocks of HTTP/2 that are large, where limits.header_size would have them: what bounds them besides. */
#include "harness.h"
#include "harness_file.h"
#include "harness_h2.h"
#include "harness_server.h"

#include <criterion/criterion.h>

#define CONFIG                                                                                                         \
    "listen: 127.0.0.1:@PORT@\n"                                                                                       \
    "workers: 1\n"                                                                                                     \
    "limits: {header_size: 1m}\n"                                                                                      \
    "sites: [{routes: [{exact: /hello, respond: {type: text/plain, body: hello}}]}]\n"

TestSuite(h2_size, .init = harness_begin, .fini = harness_end);

enum { LARGEST_FIELD = 65536 };

static struct str block_of(size_t count, size_t octets)
{
    const char *fields = H2C_GET("/hello"), *value = file_fill('v', octets).p;
    for (size_t i = 0; i < count; i++)
        fields = harness_text("%sx: %s\n", fields, value);
    return h2c_block(str_of(fields));
}

/* In as few frames as there may be, or in more, of which some have nothing; how many. */
static unsigned send_block(struct h2c *h, struct str block, unsigned least)
{
    unsigned frames = 0;
    for (struct str rest = block; rest.n || frames < least; frames++) {
        size_t n = rest.n < H2C_FRAME_MAX ? rest.n : H2C_FRAME_MAX;
        bool last = n == rest.n && frames + 1 >= least;
        h2c_send(h, .type = frames ? NGHTTP2_CONTINUATION : NGHTTP2_HEADERS, .stream = 1, .start = {rest.p, n},
                 .flags = (last ? NGHTTP2_FLAG_END_HEADERS : 0) | (frames ? 0 : NGHTTP2_FLAG_END_STREAM));
        rest = str_skip(rest, n);
    }
    return frames;
}

static const struct row {
    size_t count, octets; /* of fields, and of the value of each */
    unsigned least;       /* frames */
    uint32_t error;       /* NO_ERROR: it is answered */
} rows[] = {
    {1, LARGEST_FIELD + 1, 0, NGHTTP2_COMPRESSION_ERROR},
    {2, 60000, 10, NGHTTP2_ENHANCE_YOUR_CALM},
    {4, 40000, 0, NGHTTP2_ENHANCE_YOUR_CALM},
    {1, LARGEST_FIELD, 0, NGHTTP2_NO_ERROR},
    {3, 48000, 9, NGHTTP2_NO_ERROR},
    {2, 100, 9, NGHTTP2_NO_ERROR},
};

Test(h2_size, header_blocks)
{
    struct server server = server_start(CONFIG);
    for (const struct row *row = rows; row < rows + sizeof rows / sizeof *rows; row++) {
        struct h2c *h = h2c_open(server.port);
        unsigned frames = send_block(h, block_of(row->count, row->octets), row->least);
        cr_assert_eq(row->error == NGHTTP2_ENHANCE_YOUR_CALM, frames > 9);
        struct response r = h2c_answer(h, 1);
        cr_expect_eq(h->error, row->error, "%zu fields of %zu octets, %u frames: %s", row->count, row->octets, frames,
                     nghttp2_http2_strerror(h->error));
        cr_expect_eq(r.status, row->error ? 0 : 200, "%zu fields of %zu octets: %d", row->count, row->octets, r.status);
        h2c_close(h);
    }
    assert_stop(&server, 0);
}
