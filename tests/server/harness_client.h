/* harness_client.h: a raw socket to the server, and what has arrived on it.
 *
 * A client keeps what has come and was not taken yet, so answers to pipelined requests are taken one by one. Waiting
 * fails the test when the server sends nothing for HARNESS_LIMIT.
 *
 * What is read and sent may go through a layer above the socket, such as TLS (harness_tls.h): whoever uses the client
 * does not notice.
 */
#ifndef TERN_TESTS_SERVER_HARNESS_CLIENT_H
#define TERN_TESTS_SERVER_HARNESS_CLIENT_H

#include "base/clock.h"
#include "base/str.h"

#include <stdarg.h>

struct client;

struct client_layer {
    bool (*receive)(struct client *c);       /* waits for more, and appends it; false at the end, which it notes */
    bool (*pending)(const struct client *c); /* whether something has come that the socket no longer has */
    void (*send)(struct client *c, struct str bytes);
    void (*finish)(struct client *c);
    void (*close)(struct client *c);
};

struct client {
    int fd;         /* -1: closed by us */
    char *bytes;    /* arrived, not taken yet */
    size_t n, size; /* how many, and room for how many */
    bool ended;     /* the server has closed the connection ... */
    bool reset;     /* ... by a reset */

    const struct client_layer *layer; /* NULL: the bytes go over the socket as they are */
    void *secret;                     /* the layer's own */
};

/* A connection to 127.0.0.1. */
struct client *client_open(int port) __attribute__((returns_nonnull));

/* The same with a small receive buffer, so that the server can't send far ahead of what is taken. */
struct client *client_open_slow(int port) __attribute__((returns_nonnull));

/* A connection to another IPv4 address. */
struct client *client_open_at(const char *address, int port) __attribute__((returns_nonnull));

struct client *client_open_ipv6(int port) __attribute__((returns_nonnull));
struct client *client_open_unix(const char *path) __attribute__((returns_nonnull));

/* One that has the socket of another, below a layer. */
struct client *client_above(const struct client *lower, const struct client_layer *layer, void *secret)
    __attribute__((returns_nonnull));

void client_close(struct client *c);

/* Whether the server has its end of the connection still open. */
bool client_is_held(const struct client *c);

/* Closes it so that the server receives a reset. */
void client_reset(struct client *c);

/* Adds to what has come. */
void client_append(struct client *c, struct str bytes);

/* Sends all of it, and receives what comes meanwhile. What a server that has closed does not take is dropped. */
void client_send(struct client *c, struct str bytes);

/* Sends as much of it as the server takes while nothing is received; how many bytes. Does not fail the test. */
size_t client_send_unread(const struct client *c, struct str bytes);

void client_printf(struct client *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
void client_vprintf(struct client *c, const char *format, va_list arguments) __attribute__((format(printf, 2, 0)));

/* Tells the server that nothing more will be sent. */
void client_finish(struct client *c);

/* The first n bytes, as soon as they have come, or fewer when the connection ends before. They stay untaken. */
struct str client_peek(struct client *c, size_t n);

/* Whether n bytes have come before the deadline; false, too, when the connection ends first. Does not fail the test. */
bool client_has(struct client *c, size_t n, nsec deadline);

/* The first n bytes of those that have come, in the test's memory. */
struct str client_take(struct client *c, size_t n);

/* The bytes up to and including the mark. n is 0 when the connection ends before it. */
struct str client_take_through(struct client *c, struct str mark);

/* Everything up to the end of the connection. */
struct str client_drain(struct client *c);

/* Waits for the end of the connection; whether nothing more has come before it. */
bool client_ends(struct client *c);

#endif
