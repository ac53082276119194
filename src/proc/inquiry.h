/* inquiry.h: the master asks workers about their green threads, on behalf of somebody.
 *
 * Each worker is asked the same line, over its socket pair, and has INQUIRY_PATIENCE to hand over its report
 * (report.h): one that does not, because a thread of it does not yield, is known as silent then. When it goes on it
 * does not begin with what it was asked: who was told that it is silent knows that nothing has been done. Meanwhile the
 * master goes on; any number of inquiries may be under way. When the last report is there, or is not to be expected any
 * more, the answer is made, unless whoever asked is gone.
 */
#ifndef TERN_PROC_INQUIRY_H
#define TERN_PROC_INQUIRY_H

#include "proc/report.h"
#include "proc/state.h"

#define INQUIRY_PATIENCE (2 * NSEC_SEC)
#define INQUIRY_MARGIN (250 * NSEC_MS) /* the end of it, in which no worker begins: a report takes its time to come */

/* INQUIRY_GONE: it has ended, and there is nothing left to be asked about. */
enum inquiry_reply_state { INQUIRY_DUE, INQUIRY_ANSWERED, INQUIRY_SILENT, INQUIRY_GONE };

struct inquiry_reply {
    enum inquiry_reply_state state;
    pid_t pid;
    size_t worker;       /* its index */
    unsigned generation; /* the number of it */
    struct report report;
};

struct inquiry;

/* Answers the request when all is known. */
typedef void inquiry_done(const struct inquiry *inquiry, struct control_request *request);

struct inquiry {
    struct list link;  /* in master.inquiries.all */
    struct list asked; /* the request; empty: nobody waits any more */
    struct master *master;
    struct alarm deadline;
    uint32_t number;
    inquiry_done *done;
    struct inquiry_reply *replies; /* one for each worker that was asked, the newest generation first */
    size_t count, due;
};

/* Whom to ask what. */
struct inquiry_plan {
    struct str line;
    pid_t pid;     /* 0: all that serve */
    bool draining; /* of these only those of generations that drain */
    inquiry_done *done;
};

/* Asks, and answers the request by and by, or refuses it. */
void inquiry_start(struct master *m, struct control_request *request, const struct inquiry_plan *plan);

/* A worker has handed over a report, or said that it has none. */
void inquiry_hear(const struct child *child, const struct message *message, int fd);

/* A process has ended. */
void inquiry_miss(struct master *m, pid_t pid);

void inquiry_init(struct master *m);

/* Forgets all of them: nobody may wait. */
void inquiry_free(struct master *m);

#endif
