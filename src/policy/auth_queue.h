/* auth_queue.h: whose password is checked when.
 *
 * A check takes up to a few seconds of a processor (auth_hash.h), and anybody can ask for one. It is made on the
 * blocking pool, two at a time, as long as that leaves a thread to those who read files; 64 more wait for their turn,
 * in the order in which they came. Of all these a client has two, be it with wrong passwords or with right ones, so
 * that nobody who guesses keeps others out. Clients are told apart by cidr_client_of(). A peer on the same machine may
 * be a proxy that speaks for many: it has half of all the places.
 *
 * Who asks what is being found out already waits for that answer, and takes no place: browsers send several requests
 * with the same password at once.
 */
#ifndef TERN_POLICY_AUTH_QUEUE_H
#define TERN_POLICY_AUTH_QUEUE_H

#include "green/green.h"
#include "net/addr.h"

/* Who asks, and what. */
struct auth_question {
    const struct peer *peer;
    const uint64_t *id;          /* 128 bits that are those of this password and hash alone; NULL: not known */
    const char *password, *hash; /* NUL-terminated */
};

/* Whether the password has the hash, as auth_hash_check() says. -EBUSY, at once: the places are taken. -ETIMEDOUT: ten
 * seconds were not enough for those who came before; -EAGAIN: nor is there a thread; -ECANCELED. */
int auth_queue_ask(const struct auth_question *question) GREEN_WAITS;

#endif
