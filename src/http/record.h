/* record.h: what an exchange leaves behind: counts on the scoreboard, a line in the access log, and, if it took too
 * long, one in the error log. */
#ifndef TERN_HTTP_RECORD_H
#define TERN_HTTP_RECORD_H

#include "http/conn.h"

/* Counts it, and adds the lines. The exchange has ended, or is about to: what it points to is still there. */
void conn_record(struct conn *conn, const struct exchange *x);

#endif
