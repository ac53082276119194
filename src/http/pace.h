/* pace.h: how fast the content of a request has to come. */
#ifndef TERN_HTTP_PACE_H
#define TERN_HTTP_PACE_H

#include "http/server.h"

/* When the next read of content, of which `bytes` have come so far, is too late. A time for each read, timeouts.body,
 * and one for all, by limits.body_rate: a byte a second would otherwise keep a thread for as long as it likes.
 * *started: when it was first waited for; 0: not yet. */
nsec http_body_deadline(const struct http_server *server, nsec *started, uint64_t bytes);

#endif
