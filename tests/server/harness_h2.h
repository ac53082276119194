/* harness_h2.h: the client's side of a connection of HTTP/2, frame by frame (RFC 9113, with prior knowledge).
 *
 * What is sent is said by hand: any frame, right or wrong (harness_h2_frame.h). What comes is read by the letter: the
 * first thing that a server must not do is the connection's `problem`, and fails the test, unless the function says
 * otherwise. Windows are counted in both directions, and content that arrives is granted again at once, unless the test
 * wants to say itself when: `thrifty`. SETTINGS and PING are acknowledged. Padding and CONTINUATION are not read: the
 * server has no use for them.
 *
 * Waiting fails the test when nothing comes for HARNESS_LIMIT.
 */
#ifndef TERN_TESTS_SERVER_HARNESS_H2_H
#define TERN_TESTS_SERVER_HARNESS_H2_H

#include "base/clock.h"
#include "harness_client.h"
#include "harness_h2_frame.h"
#include "harness_h2_stream.h"

struct h2c {
    struct client *client;
    struct str arrived; /* taken from the client, not looked at yet */
    nghttp2_hd_inflater *inflater;
    struct h2c_stream **streams; /* by half their id */
    size_t room;
    uint32_t next; /* the id of the next request */

    int64_t window, send_window;  /* as those of a stream, for the whole connection */
    uint32_t initial_window;      /* of a new stream */
    uint32_t next_window;         /* the same, as soon as the last SETTINGS are acknowledged ... */
    uint32_t table, next_table;   /* ... and so the size of HPACK's table */
    uint32_t send_initial_window; /* what the server says ... */
    uint32_t streams_max;         /* ... and how many streams it takes at once */
    uint32_t last_id, error;      /* of the last GOAWAY */
    unsigned goaways, settings;   /* how many have come ... */
    unsigned acks, pings;         /* ... and how many acknowledgements of ours */
    bool thrifty;                 /* windows are the test's own affair */
    bool ended, cut;              /* the connection has; within a frame */
    const char *problem;          /* NULL: none yet */
};

/* Connects, sends the preface and these settings (h2c_setting(), one behind the other), and waits until both sides have
 * acknowledged the other's. */
struct h2c *h2c_open(int port) __attribute__((returns_nonnull));
struct h2c *h2c_open_as(int port, struct str settings) __attribute__((returns_nonnull));

/* The same on a connection that is there, and on which nothing has been sent; and without waiting. */
struct h2c *h2c_open_on(struct client *client, struct str settings) __attribute__((returns_nonnull));
struct h2c *h2c_begin(struct client *client, struct str settings) __attribute__((returns_nonnull));

/* h2c_send(h, .type = NGHTTP2_PING, .fill = 8): sends one frame, whatever it says. */
#define h2c_send(h, ...) h2c_send_frames((h), &(struct h2c_frame){__VA_ARGS__}, 1)
void h2c_send_frames(struct h2c *h, const struct h2c_frame *frames, size_t count);

/* Knows of the streams that these frames open, for who sends them by other means. */
void h2c_expect(struct h2c *h, const struct h2c_frame *frames, size_t count);

/* Grants more octets, on a stream or (0) on the connection. */
void h2c_grant(struct h2c *h, uint32_t stream, uint32_t octets);

/* Changes one of our settings, and waits for the acknowledgement. */
void h2c_set(struct h2c *h, uint16_t id, uint32_t value);

/* Sends a request with these fields on a new stream, whose id it gives. `last`: it has no content. */
uint32_t h2c_request(struct h2c *h, const char *fields, bool last);

/* Sends content as the windows allow, and the end of the stream with its last octet. */
void h2c_content(struct h2c *h, uint32_t stream, struct str content);

/* The same, with these fields as the end of the stream. */
void h2c_content_and_trailers(struct h2c *h, uint32_t stream, struct str content, const char *fields);

enum h2c_event { H2C_FRAME, H2C_END, H2C_SILENCE };

/* The next frame, which has been acted on. Its whole payload is `start`. Does not fail: silence is what it gives when
 * nothing has come before the deadline, and the end, too, where there is a problem. */
enum h2c_event h2c_read_until(struct h2c *h, struct h2c_frame *frame, nsec deadline)
    __attribute__((warn_unused_result));

/* The same; false at the end of the connection. */
bool h2c_read(struct h2c *h, struct h2c_frame *frame);

/* Reads until the stream is over, or the connection; what came on it. */
struct response h2c_answer(struct h2c *h, uint32_t stream);

/* Sends a request without content and reads its answer. */
struct response h2c_ask(struct h2c *h, const char *fields);

/* GET of a path, and the same on a connection of its own. */
struct response h2c_get(struct h2c *h, const char *path);
struct response h2c_fetch(int port, const char *path);

/* What is known of a stream that has been opened. */
struct h2c_stream *h2c_stream(struct h2c *h, uint32_t stream) __attribute__((returns_nonnull));

/* Sends a PING and reads until it comes back: all that the server has sent before is read then. */
void h2c_ping(struct h2c *h);

/* Reads to the end of the connection. */
void h2c_drain(struct h2c *h);

/* Lets the connection go. */
void h2c_close(struct h2c *h);

/* The stream's reset, by this error. */
#define assert_reset(h, stream, expected)                                                                              \
    do {                                                                                                               \
        h2c_answer((h), (stream));                                                                                     \
        const struct h2c_stream *asserted = h2c_stream((h), (stream));                                                 \
        cr_assert(asserted->reset && asserted->error == (expected), "stream %u: %s %s, not a reset by %s",             \
                  asserted->id, asserted->reset ? "a reset by" : "no reset", nghttp2_http2_strerror(asserted->error),  \
                  nghttp2_http2_strerror(expected));                                                                   \
    } while (0)

/* The connection's end, which a GOAWAY with this error announces. */
#define assert_goaway(h, expected)                                                                                     \
    do {                                                                                                               \
        h2c_drain(h);                                                                                                  \
        cr_assert(!(h)->cut && (h)->goaways && (h)->error == (expected), "%u GOAWAY, the last with %s, not %s",        \
                  (h)->goaways, nghttp2_http2_strerror((h)->error), nghttp2_http2_strerror(expected));                 \
    } while (0)

#endif
