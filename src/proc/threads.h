/* threads.h: the green threads that workers have reported, in an order, as JSON. */
#ifndef TERN_PROC_THREADS_H
#define TERN_PROC_THREADS_H

#include "base/json.h"
#include "ctl/thread.h"
#include "proc/inquiry.h"

struct thread_listed {
    const struct inquiry_reply *reply; /* of its worker */
    struct report_entry entry;
};

struct threads {
    struct thread_listed *all;
    struct thread_listed **order; /* of those in `all` */
    size_t count;
    uint64_t total; /* threads that live in the workers which have answered */
};

/* Which of them. */
struct threads_choice {
    unsigned generation; /* 0: of all */
    bool requests;       /* those alone that work on a request */
    enum thread_sort sort;
};

/* Gathers them from the reports of an inquiry, which must stay. 0 or -ENOMEM. */
int threads_gather(struct threads *threads, const struct inquiry *inquiry, const struct threads_choice *choice)
    __attribute__((warn_unused_result));

void threads_free(struct threads *threads);

/* The first `limit` of them: bytes that they take at most, and "threads":[...]. */
size_t threads_room(const struct threads *threads, uint64_t limit);
void threads_put(const struct threads *threads, uint64_t limit, struct json *j);

/* "silent":[...]: the workers that were asked and have not answered. */
size_t threads_silent_room(const struct inquiry *inquiry);
void threads_put_silent(const struct inquiry *inquiry, unsigned generation, struct json *j);

#endif
