/* times.h: when a request came and was answered, and where its time went.
 *
 * All of it rests on the accounts of green threads (green/spent.h), and is zero while none are kept. The clock is read
 * once for each request, at its end, and when a thread goes on after a wait; the rest is told by these readings:
 *
 *   begun      a poll, or an accept, has told of the first byte. Behind another request on the same connection: that
 *              one has ended, and the thread was still running.
 *   read       the same of the byte that made the head whole. Until here is `header`, and from here on the thread works
 *              for this request alone, so that its accounts are the request's.
 *   end        the answer has been sent, as far as the kernel took it. Where several answers go out together, the
 *              last of them sends them all; with HTTP/2 the thread of the connection does, and the end is when all was
 *              handed to it.
 *
 * What a thread spends that it has joined counts as its own (green/scope.h).
 */
#ifndef TERN_HTTP_TIMES_H
#define TERN_HTTP_TIMES_H

#include "base/out.h"
#include "green/spent.h"

struct access_times;

struct http_times {
    nsec begun;                /* 0: not yet */
    nsec read;                 /* 0: not yet */
    nsec handled;              /* its handler was called; where somebody asks (http/slow.h), else 0 */
    nsec answered;             /* the head of its answer was written; the same */
    struct green_spent before; /* what its thread had spent by `read`; `at` is 0: no thread serves it yet */
};

/* The head is whole, and the running thread serves it, which has waited for its turn since then; 0: it had it. */
void http_times_start(struct http_times *times, nsec since);

/* Where the time went until now: until `now.at`, when the running thread had spent all of that. */
struct access_times http_times_until(const struct http_times *times, const struct green_spent *now);

/* Time that is in none of the accounts: spent waiting for something else. */
nsec http_times_other(const struct access_times *times);

/* Writes a duration, in milliseconds; all accounts with their names, `between` a name and its value: "header 0.1, queue
 * 0.0, cpu 0.3 ...". */
void http_times_put(struct out *o, nsec duration);
void http_times_put_all(struct out *o, const struct access_times *times, struct str between);

#endif
