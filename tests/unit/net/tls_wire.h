/* tls_wire.h: what the tests of net/tls_stream.c share: a stream whose handshake never was, and its peer, who speaks
 * records by hand. */
#ifndef TERN_TESTS_NET_TLS_WIRE_H
#define TERN_TESTS_NET_TLS_WIRE_H

#include "../../tls_peer.h"
#include "net/tls_core.h"

extern struct tls_stream *wire_tls; /* the one under test ... */
extern struct stream *wire_stream;  /* ... as a stream */
extern struct tls_ways wire_ways;   /* the peer's: in.sealer, out.opener */
extern int wire_peer;               /* its socket */

/* Runs a test on a green thread for each of the terms; of TLS 1.3 alone: `is13`, of TLS 1.2 alone: `is12`. */
struct wire_wanted {
    bool not12, not13;
};
void wire_run(void (*test)(void), struct wire_wanted wanted);

/* Both ends anew, for the same terms. */
void wire_again(void);

/* For messages. */
const char *wire_name(void);

/* The peer says a record, or whatever it is. */
void wire_say(enum tls_type type, struct str content);
void wire_say_raw(struct str bytes);

/* The next record that has come to the peer, opened; its size as it was sent. 0: nothing has come; -1: the end has. */
ssize_t wire_hear(enum tls_type *type, struct str *content);

/* The same, of which everything is known. */
void wire_expect(enum tls_type type, struct str content);
void wire_expect_silence(void);
void wire_expect_end(void);

/* What the stream reads: so much, as it is told by the operation. */
void wire_expect_read(ssize_t result, struct str content);

/* Stores the content of all records that have come to the peer, which are of data or of KeyUpdate. Bytes. */
size_t wire_drain(char *to, size_t room);

#endif
