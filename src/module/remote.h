/* remote.h: what outbound streams of modules have in common: names that are known, and authorities that are trusted. */
#ifndef TERN_MODULE_REMOTE_H
#define TERN_MODULE_REMOTE_H

#include "green/green.h"

/* Before the first, and after the last. */
void module_remote_init(void);
void module_remote_end(void);

#endif
