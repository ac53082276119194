/* message.h: what the master and a worker, or two masters, say to each other over their socket pair.
 *
 * A message is whole or not there (SOCK_SEQPACKET), and may carry a descriptor. The end of the pair is a message too:
 * the other one is gone. Neither side ever waits for the other: what does not fit into the socket's queue is not sent.
 */
#ifndef TERN_PROC_MESSAGE_H
#define TERN_PROC_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

enum message_kind {
    /* Between two masters during an upgrade. They are of different versions: these numbers, and the size of a message,
     * never change. */
    MESSAGE_READY = 1,  /* from the new one: it serves; `text` is its version */
    MESSAGE_FAILED = 2, /* it can't, and ends; `text` says why */
    MESSAGE_MAIN = 3,   /* from the old one: the service is yours, and the service manager knows */
    MESSAGE_REOPEN = 4, /* from the new one: open your logs anew */
    MESSAGE_TAKEN = 5,  /* from the old one: that is done */

    /* From a worker: the same, and ... MESSAGE_TAKEN: the log it was handed is the one it writes to now. */
    MESSAGE_PONG = 16, /* its loop turns */
    MESSAGE_RETIRED,   /* it takes no new connections any more */

    /* From the master. */
    MESSAGE_PING,
    MESSAGE_RETIRE,     /* others serve in your place: take no new connections, finish, end */
    MESSAGE_STOP,       /* the same, but nobody does */
    MESSAGE_HURRY,      /* idle connections need not be kept for long */
    MESSAGE_CUT,        /* end now */
    MESSAGE_ERROR_LOG,  /* the descriptor is the error log, opened anew */
    MESSAGE_ACCESS_LOG, /* the same for the access log */
    MESSAGE_LEVEL,      /* `number` is the least level to be logged */

    /* Either way: a question about green threads, which is a line of the control protocol in `question`, and the answer
     * to the one of that `number`: the descriptor is of a file in memory. */
    MESSAGE_INQUIRE,
    MESSAGE_REPORT,
};

enum { MESSAGE_TEXT = 248, MESSAGE_LINE = MESSAGE_TEXT - sizeof(nsec) };

struct message {
    uint32_t kind;
    uint32_t number;
    union {
        char text[MESSAGE_TEXT]; /* ends in NUL */
        struct {
            nsec until; /* nobody is to begin with it later, by the monotonic clock: who asked is told so */
            char line[MESSAGE_LINE]; /* ends in NUL */
        } question;
    };
};

_Static_assert(sizeof(struct message) == 8 + MESSAGE_TEXT, "masters of other versions have the same messages");

/* Both ends, close-on-exec and non-blocking. 0 or -errno. */
int message_pair(int pair[2]) __attribute__((warn_unused_result));

/* Sends a message with a descriptor, or without one: -1. Ours stays open. 0 or -errno. */
int message_send(int pair, const struct message *message, int fd) __attribute__((warn_unused_result));

/* The same for those that consist of a kind and a number. */
int message_tell(int pair, enum message_kind kind, uint32_t number) __attribute__((warn_unused_result));

/* The next message, and the descriptor that came with it, else -1; a NULL `fd` is for who expects none: then one that
 * comes is closed. 1; 0: the other end is gone; -EAGAIN: there is none now; -errno. */
int message_receive(int pair, struct message *message, int *fd) __attribute__((warn_unused_result));

#endif
