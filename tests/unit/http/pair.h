/* pair.h: a connection that is served, and its peer, which is the test's; for the tests of connections.
 *
 * The server answers each request with its path. There is one set of connections to a test.
 */
#ifndef TERN_TESTS_HTTP_PAIR_H
#define TERN_TESTS_HTTP_PAIR_H

#include <criterion/criterion.h>

#include "http/h1.h"

#define PAIR_LIMIT (20 * NSEC_SEC) /* how long anything may take: a safety net, no assertion */

extern struct http_server pair_server;
extern struct conns pair_conns;

/* Where they count: requests under route 0, as long as a test makes no other. */
enum { PAIR_ROUTES = 4 };
extern struct score pair_score;
extern struct route_score pair_routes[PAIR_ROUTES];

/* No accounts of green threads are kept; set before the body of a test is run. */
extern bool pair_untimed;

struct pair {
    struct conn *conn; /* ours; ended as soon as pair_conns.count says so */
    int peer;
};

/* Waits until the condition has come true, and asserts that it has. */
#define wait_for(condition)                                                                                            \
    do {                                                                                                               \
        nsec wait_end = nsec_add(green_now(), PAIR_LIMIT);                                                             \
        while (!(condition) && green_now() < wait_end)                                                                 \
            cr_assert_eq(green_sleep(NSEC_MS), 0);                                                                     \
        cr_assert(condition);                                                                                          \
    } while (0)

/* A new pair, of which the connection is idle. */
struct pair pair_open(void);

/* What is kept of a head that has begun. */
const struct h1_begun *pair_begun(const struct pair *p);

/* Sends bytes; a piece of a head, which is `n` bytes long then. */
void pair_say(const struct pair *p, const char *bytes);
void pair_say_piece(const struct pair *p, const char *bytes, size_t n);

/* What has come by now. */
const char *pair_hear(const struct pair *p);

/* Waits for an answer, which is to have that status. */
void pair_expect_status(const struct pair *p, int status);

/* Whether our end of it is closed. */
bool pair_is_over(const struct pair *p);

/* How many green threads are alive. */
size_t pair_threads(void);

/* Runs the body of a test with room for so many green threads. */
void pair_run(size_t threads, void (*body)(void));

#define PairTest(suite, threads, name)                                                                                 \
    static void name(void);                                                                                            \
    Test(suite, name)                                                                                                  \
    {                                                                                                                  \
        pair_run(threads, name);                                                                                       \
    }                                                                                                                  \
    static void name(void)

#endif
