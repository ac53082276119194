/* printers.h: answers whose print takes a file of its own; see print.h. */
#ifndef TERN_CTL_PRINTERS_H
#define TERN_CTL_PRINTERS_H

#include <stdio.h>

#include "ctl/answer.h"

int print_explain(FILE *f, const struct answer *answer) __attribute__((warn_unused_result));
int print_status(FILE *f, const struct answer *answer) __attribute__((warn_unused_result));
int print_threads(FILE *f, const struct answer *answer) __attribute__((warn_unused_result));
int print_stack(FILE *f, const struct answer *answer) __attribute__((warn_unused_result));
int print_kill(FILE *f, const struct answer *answer) __attribute__((warn_unused_result));
int print_drain(FILE *f, const struct answer *answer) __attribute__((warn_unused_result));
int print_stalls(FILE *f, const struct answer *answer) __attribute__((warn_unused_result));

#endif
