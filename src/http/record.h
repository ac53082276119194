/* record.h: what an exchange leaves behind: a line in the access log. */
#ifndef TERN_HTTP_RECORD_H
#define TERN_HTTP_RECORD_H

#include "http/conn.h"

/* Adds the line, if there is a log. The exchange has ended, or is about to: what it points to is still there. */
void conn_record(struct conn *conn, const struct exchange *x);

#endif
