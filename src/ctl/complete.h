/* complete.h: the command line of ternctl, for a shell that completes it. */
#ifndef TERN_CTL_COMPLETE_H
#define TERN_CTL_COMPLETE_H

#include <stdio.h>

/* Prints what bash has to read: from the tables of verbs and options. */
void complete_print_bash(FILE *f);

#endif
