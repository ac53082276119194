/* print_explain.h: the answer to `explain`, for people.
 *
 *     GET https://example.org/api/v1?x=1
 *     listener   [::]:443 (TLS, HTTP/2)                            tern.yaml:3
 *     site       example.org (by name)                             tern.yaml:12
 *
 * A line for each thing that the request meets, with its place; what is set to its default is left out.
 */
#ifndef TERN_CTL_PRINT_EXPLAIN_H
#define TERN_CTL_PRINT_EXPLAIN_H

#include <stdio.h>

#include "ctl/answer.h"

/* 0 or -ENOMEM. */
int print_explain(FILE *f, const struct answer *answer) __attribute__((warn_unused_result));

#endif
