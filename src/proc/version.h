/* version.h: what this program is. */
#ifndef TERN_PROC_VERSION_H
#define TERN_PROC_VERSION_H

#include <stdio.h>

/* "tern 0.1.0". */
const char *version_line(void);

/* The same with the compiler, the libraries with their versions, and what the kernel offers. */
void version_print(FILE *f);

#endif
