/* status_file.h: the files of the status page, which are part of the program. */
#ifndef TERN_HANDLER_STATUS_FILE_H
#define TERN_HANDLER_STATUS_FILE_H

#include "http/exchange.h"

struct status_file;

/* Makes their entity tags: once, before any is sent. */
void status_files_init(void);

/* The file of a name; that of "" is the page. NULL: there is none. */
const struct status_file *status_file_find(struct str name);

/* Answers with it, or with 304 or 412. As a handler's serve. */
int status_file_send(struct exchange *x, const struct status_file *file) GREEN_WAITS;

#endif
