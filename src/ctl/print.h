/* print.h: answers for people.
 *
 * What a server says may hold what its peers or its configuration have put there; on its way to a terminal every
 * control character, also one that turns the direction of text, becomes a question mark.
 */
#ifndef TERN_CTL_PRINT_H
#define TERN_CTL_PRINT_H

#include <stdio.h>

#include "ctl/answer.h"
#include "ctl/verb.h"

/* Prints the answer to a verb. 0; or -ENOMEM, and it is not printed whole; -ENOENT: nobody knows how. */
int print_answer(FILE *f, const struct verb *verb, const struct answer *answer) __attribute__((warn_unused_result));

/* Prints why it was not done: the server's messages, then its error. */
void print_refusal(FILE *f, const struct answer *answer);

#endif
