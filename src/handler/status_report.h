/* status_report.h: what the master knows and a worker does not: the green threads of all workers, and their stalls.
 *
 * The master is asked once for all who watch in a worker, at most once a second. An answer about many thousands of
 * threads takes each worker a while: then less often, down to once in three seconds, for a tenth of the time. Who finds
 * a report due starts the question in a scope of his own; when he leaves meanwhile, the next one asks anew.
 */
#ifndef TERN_HANDLER_STATUS_REPORT_H
#define TERN_HANDLER_STATUS_REPORT_H

#include "green/scope.h"
#include "green/sync.h"

/* An answer, counted by its users: it stays as it is, while a newer one may take its place. */
struct status_report {
    size_t refs;
    uint64_t number; /* of this answer; those to a question grow */
    size_t n;
    char text[]; /* the event that tells of it: an object of JSON; what is no answer is {"ok":false,"error":"why"} */
};

enum status_question { STATUS_THREADS, STATUS_STALLS, STATUS_QUESTIONS };

/* Starts a thread in the scope that asks, if it is time. `news` is told when there is another answer. */
void status_report_ask(enum status_question question, struct green_scope *scope, struct green_cond *news);

/* The last answer, for the caller to release; NULL: there is none yet, or its number is `known`. */
struct status_report *status_report_get(enum status_question question, uint64_t known);
void status_report_release(struct status_report *report);

/* Nobody watches any more: who comes next is not to be told what was. */
void status_reports_forget(void);

#endif
