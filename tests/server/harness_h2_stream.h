/* harness_h2_stream.h: what has come on a stream of HTTP/2, read by the letter.
 *
 * A stream takes the header blocks and the octets of DATA frames that its connection (harness_h2.h) has read. Each
 * gives NULL, or what is wrong with it by RFC 9110 or 9113: a test says what follows from that.
 */
#ifndef TERN_TESTS_SERVER_HARNESS_H2_STREAM_H
#define TERN_TESTS_SERVER_HARNESS_H2_STREAM_H

#include "harness_response.h"

#include <nghttp2/nghttp2.h>

struct h2c_stream {
    uint32_t id;
    int interim;         /* the last status below 200; 0: none yet */
    int status;          /* the final one; 0: none yet */
    struct str head;     /* a first line, and the fields, as struct response has them */
    struct str trailers; /* lines of "name: value"; p is NULL: none */
    char *body;
    size_t n, room;      /* octets of it that have come, and room for how many */
    unsigned frames;     /* of DATA, so far */
    int64_t window;      /* octets that the server may still send ... */
    int64_t send_window; /* ... and those that we may */
    uint32_t error;      /* why it was reset */
    bool reset, ended;   /* by RST_STREAM, by END_STREAM */
    bool to_head;        /* it answers HEAD */
};

/* In the test's memory, open in both directions with these windows. */
struct h2c_stream *h2c_stream_new(uint32_t id, int64_t window, int64_t send_window) __attribute__((returns_nonnull));

const char *h2c_stream_block(struct h2c_stream *s, nghttp2_hd_inflater *inflater, struct str block, bool last);
const char *h2c_stream_data(struct h2c_stream *s, struct str octets, bool last);
const char *h2c_stream_reset(struct h2c_stream *s, uint32_t error);

/* Whether nothing more comes. */
static inline bool h2c_stream_is_over(const struct h2c_stream *s)
{
    return s->ended || s->reset;
}

/* What has come so far, for the functions and assertions of harness_response.h. */
struct response h2c_stream_response(const struct h2c_stream *s);

#endif
