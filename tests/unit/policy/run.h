/* run.h: what the tests of policy/ share: a site or a route is read from a text, and a request meets it. */
#ifndef TERN_TESTS_POLICY_RUN_H
#define TERN_TESTS_POLICY_RUN_H

#include "conf/schema.h"
#include "http/route.h"
#include "net/addr.h"

/* Between these everything below lives; a suite names them as its .init and .fini. */
void run_begin(void);
void run_end(void);

/* Reads a mapping by a policy's table, as the file "t", and prepares it. The settings, or NULL after an error. */
const void *run_read(const struct http_policy *policy, const char *yaml, const void *outer);

/* The messages of the last reading, as they are printed, and the mapping as it is dumped. */
const char *run_errors(void);
const char *run_dump(void);

/* The same as run_read(), of which nothing must be wrong. */
const void *run_good(const struct http_policy *policy, const char *yaml, const void *outer);

/* The answer of a policy to a request. */
struct run_answer {
    int error;
    int status;         /* 0: it is let in */
    const char *fields; /* of the answer, NUL-terminated; "" */
    const char *user;   /* who has logged in; "" */
};

/* A peer by its address; "unix" is one on a unix socket. */
struct peer run_peer(const char *address);

/* Asks for something. `authorization`: the value of that field, or of two, apart by an LF; or NULL. It may wait if the
 * policy does. */
struct run_answer run_ask(const struct http_policy *policy, const void *settings, const char *address,
                          const char *authorization);

#endif
