/* strict_outcome.h: what came of a row, from every byte that the server sent on its connection.
 *
 * An outcome is written in the words that rows use: the statuses in their order, interim ones too, and then how it
 * went on.
 *
 *   "200+"     200, and then the probe's answer: the connection was in step
 *   "200 400"  200, then 400 and the announced end of the connection (Connection: close)
 *   "200-"     200, and then an end that was not announced
 *   "-"        the end, without an answer
 *
 * Every answer has to be right in itself, whatever its status. What is wrong with one is a problem, and fails the row.
 */
#ifndef TERN_TESTS_SERVER_STRICT_OUTCOME_H
#define TERN_TESTS_SERVER_STRICT_OUTCOME_H

#include "harness_response.h"

/* The content of the answer to a probe, which no other answer has. */
#define STRICT_PROBE_CONTENT "the answer to the probe"

struct strict_outcome {
    char text[64];
    const char *problem;    /* NULL: none */
    struct response answer; /* the first final one; status 0: there is none */
    int last;               /* the status of the last one; 0: there is none */
};

/* Reads the answers. `to_head`: the first final one is to HEAD, and has no content. */
struct strict_outcome strict_outcome_read(struct str answers, bool to_head);

/* Whether it is one of those expected, which '|' separates. */
bool strict_outcome_is(const struct strict_outcome *outcome, const char *expected);

/* The outcome without interim answers: whether those are sent may depend on how much has arrived. */
const char *strict_outcome_final(const struct strict_outcome *outcome);

#endif
