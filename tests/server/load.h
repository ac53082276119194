/* load.h: a steady load on the server, by a client that checks all it gets.
 *
 * It runs in a thread of the test: some connections are kept and have one request at a time, others are opened at a
 * steady rate, each for a single request, and read to their end. Every octet of every body is compared with what it
 * must be. Whatever goes differently is counted, for the test to judge; nothing in here fails it.
 *
 * A load ends with the test at the latest. It is bounded in time too: after LOAD_LIMIT it asks for nothing more.
 */
#ifndef TERN_TESTS_SERVER_LOAD_H
#define TERN_TESTS_SERVER_LOAD_H

#include "base/clock.h"
#include "base/str.h"

#define LOAD_LIMIT (60 * NSEC_SEC)
#define LOAD_PATIENCE (20 * NSEC_SEC) /* for an answer, its connection included; beyond it something is stuck */

struct load_target {
    const char *path;
    struct str upload; /* sent by POST if there is any */
    struct str body;   /* what comes with 200 */
};

struct load_setup {
    int port;                          /* on 127.0.0.1 ... */
    const char *unix_path;             /* ... unless this is a path */
    unsigned kept;                     /* connections */
    unsigned pause_ms;                 /* the longest pause on a kept one between an answer and the next request */
    unsigned fresh;                    /* connections a second for one request each */
    uint64_t most;                     /* requests; 0: until it is stopped */
    const struct load_target *targets; /* asked for in turn */
    size_t count;
};

struct load_counts {
    uint64_t requests;    /* sent completely */
    uint64_t connections; /* established */
    uint64_t answers;     /* complete, with 200 and the right body */
    uint64_t closes;      /* kept connections that ended as their last answer had said */
    uint64_t partings;    /* kept connections that ended without a word, but with no request under way */
    /* What a client takes for a failure. */
    uint64_t refused; /* connections that did not come about */
    uint64_t late;    /* what took longer than LOAD_PATIENCE */
    uint64_t dropped; /* first requests of a connection that ended before any of the answer came */
    uint64_t raced;   /* the same of a later request: the server has closed without a word at that moment */
    uint64_t cut;     /* answers that ended, or whose connection was reset, before they were whole */
    uint64_t wrong;   /* other statuses, other bodies, what is not HTTP, and what nobody asked for */
    uint64_t failed;  /* 5xx */
    nsec slowest;     /* from the connect, or the request on a kept connection, to the end of the answer */
};

struct load;

/* Starts it. The result belongs to the test's memory. */
struct load *load_start(const struct load_setup *setup) __attribute__((returns_nonnull));

/* Waits for so many further right answers; false when they do not come within HARNESS_LIMIT. */
bool load_goes_on(struct load *load, uint64_t answers);

/* Stops it, or waits for the last request if there is to be a certain number, and lets what is under way end. A second
 * time gives the same counts again. */
struct load_counts load_stop(struct load *load);

/* The sum of all failures. */
uint64_t load_failures(const struct load_counts *counts);

/* All counts as text, in the test's memory. */
const char *load_text(const struct load_counts *counts) __attribute__((returns_nonnull));

/* Waits for so many further right answers, or fails the test. */
#define assert_load_goes_on(load, answers)                                                                             \
    do {                                                                                                               \
        if (!load_goes_on((load), (answers))) {                                                                        \
            struct load_counts stuck = load_stop(load);                                                                \
            cr_assert_fail("the load stands still: %s", load_text(&stuck));                                            \
        }                                                                                                              \
    } while (0)

/* Ends the load, which must have met no failure, and must have had answers. */
#define assert_no_loss(load)                                                                                           \
    do {                                                                                                               \
        struct load_counts lossless = load_stop(load);                                                                 \
        cr_assert(load_failures(&lossless) == 0 && lossless.answers > 0, "%s", load_text(&lossless));                  \
    } while (0)

#endif
