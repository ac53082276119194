/* help.h: how ternctl is used. */
#ifndef TERN_CTL_HELP_H
#define TERN_CTL_HELP_H

#include "ctl/verb.h"

#include <stdio.h>

void help_print(FILE *f);

void help_print_verb(FILE *f, const struct verb *verb);

#endif
