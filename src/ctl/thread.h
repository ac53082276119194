/* thread.h: how green threads are named on the control socket, and picked.
 *
 * A thread is PID.NUMBER: the process of its worker, and its number there, which is never used again. Which ones to
 * list is said by words of the form KEY=VALUE, each of which leaves some out:
 *
 *     state=waiting wait=pool route=/api/ handler=files age=1s limit=100 sort=cpu
 *
 * The one value that may have a blank in it is the name of a module's handler: handler=module hello.
 */
#ifndef TERN_CTL_THREAD_H
#define TERN_CTL_THREAD_H

#include "base/clock.h"
#include "base/out.h"

struct thread_id {
    uint64_t pid, number;
};

/* "4711.52". False: it is no such name, and why has been written. */
bool thread_id_read(struct str text, struct thread_id *id, struct out *why) __attribute__((warn_unused_result));

/* What the threads that are listed first have most of. */
enum thread_sort { THREAD_SORT_AGE, THREAD_SORT_CPU, THREAD_SORT_STACK };

struct thread_filter {
    struct str state, wait, route, handler; /* empty: any */
    nsec age;                               /* at least, in its state; 0: any */
    uint64_t limit;                         /* how many at most */
    enum thread_sort sort;
};

/* A row of the table of keys. */
struct thread_key {
    const char *name;
    const char *takes;         /* in words: "a path" */
    const char *const *values; /* that there are, then NULL; NULL: see `takes` */
};

/* All of them; the last one has no name. */
extern const struct thread_key thread_keys[];

/* Reads the words; the filter points into them. False: they make no sense, and why has been written. */
bool thread_filter_read(struct str words, struct thread_filter *filter, struct out *why)
    __attribute__((warn_unused_result));

/* Whether a route, or a handler, is the one that is looked for. The route of one of several sites has the name of its
 * site before its path, the handler of a module "module " before its name; both may be left out. */
bool thread_filter_route(const struct thread_filter *filter, struct str route);
bool thread_filter_handler(const struct thread_filter *filter, struct str handler);

#endif
