/* file_send.h: a file as the answer to a GET or HEAD: preconditions, then ranges, then content (RFC 9110, 13.2.1). */
#ifndef TERN_HANDLER_FILE_SEND_H
#define TERN_HANDLER_FILE_SEND_H

#include "handler/file_encoded.h"
#include "http/exchange.h"

/* Answers with what an entry holds, of which the caller has a reference. `coding`: in which it is to come if it is kept
 * so, or can be; CODING_NONE: as it is. As a handler's serve. */
int file_send(struct exchange *x, struct file_entry *entry, enum coding coding) GREEN_WAITS;

/* Whether an open file has not been written to since its entry was made: looked at once for all that ask in one pass of
 * the loop. */
bool file_is_current(struct file_entry *entry);

#endif
