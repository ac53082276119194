/* report.h: what a worker says of its green threads: a file in memory that it writes, seals, and hands to its master.
 *
 * It is a head and then a record for each thread, with the texts of that behind it, in no order. Whoever writes one may
 * have gone astray, or not be ours any more: so it is read as what a peer has sent. Nothing of it is waited for, its
 * size is bounded, and a report of which a single octet is wrong is none.
 */
#ifndef TERN_PROC_REPORT_H
#define TERN_PROC_REPORT_H

#include "base/out.h"
#include "green/view.h"

/* What became of the question. */
enum report_outcome {
    REPORT_FINE,
    REPORT_NO_THREAD, /* there is none of that number */
    REPORT_OWN,       /* the server can't do without it */
    REPORT_BUSY,      /* it can't be looked at now */
    REPORT_OUTCOMES
};

struct report_head {
    uint64_t outcome; /* enum report_outcome */
    uint64_t total;   /* green threads that live */
    nsec now;         /* when it was begun, by the monotonic clock, which all processes share */
};

enum report_text {
    REPORT_NAME,
    REPORT_PEER, /* of the descriptor that it waits for; empty: there is none */
    REPORT_HANDLER,
    REPORT_ROUTE,
    REPORT_REQUEST, /* with its query masked */
    REPORT_TRACE,   /* a line for each frame; empty: nobody has asked for it */
    REPORT_TEXTS
};

enum { REPORT_TEXT_MAX = 1024, REPORT_TRACE_MAX = 8192 }; /* bytes of a text; what is longer is cut */

/* What the numbers of a green_view (green/view.h) were. */
struct report_thread {
    uint64_t number;
    nsec until; /* the deadline of its wait; NSEC_NEVER: there is none */
    nsec since; /* when it began to stand so; 0: nobody knows */
    nsec running;
    uint64_t depth, high_water;
    int32_t fd;
    uint8_t standing, wait, cancelled;
    uint8_t unused; /* 0 */
    uint16_t lengths[REPORT_TEXTS];
};

/* ---- writing ---- */

enum { REPORT_ROOM = 64 * 1024 }; /* bytes that gather before they are written */

struct report_writer {
    int fd, error;
    size_t size; /* bytes written so far */
    struct out o;
    char room[REPORT_ROOM];
};

/* A new one, which is to be ended; NULL: no memory, or no descriptor. */
struct report_writer *report_begin(void) __attribute__((warn_unused_result));

/* Adds a thread, whose lengths are those of the texts. What would make the report too large is left out. */
void report_add(struct report_writer *writer, const struct report_thread *thread,
                const struct str texts[static REPORT_TEXTS]);

/* Ends the writing: the descriptor of a report that is whole, or -errno. */
int report_end(struct report_writer *writer, const struct report_head *head) __attribute__((warn_unused_result));

/* ---- reading ---- */

struct report {
    struct report_head head;
    char *bytes; /* all of it; NULL: there is none */
    size_t n;
    size_t count; /* threads */
};

struct report_entry {
    struct report_thread thread;
    struct str texts[REPORT_TEXTS]; /* in the report's bytes */
};

/* Reads the report from a descriptor, which stays open. 0; or -EBADMSG: it is none; -EFBIG: it is larger than any;
 * -ENOMEM. */
int report_read(struct report *report, int fd) __attribute__((warn_unused_result));

/* The thread at a place in it: 0 is the first, and the place of the next one is left in `at`. False: there are no
 * more. */
bool report_next(const struct report *report, size_t *at, struct report_entry *entry);

void report_free(struct report *report);

#endif
