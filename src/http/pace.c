/* pace.c: see pace.h. */
#include "http/pace.h"

nsec http_body_deadline(const struct http_server *server, nsec *started, uint64_t bytes)
{
    if (*started == 0)
        *started = green_now();
    nsec next = nsec_add(green_now(), server->timeouts.body);
    if (server->limits.body_rate == 0)
        return next;
    uint64_t seconds = bytes / server->limits.body_rate;
    nsec earned = (nsec)(seconds < INT32_MAX ? seconds : INT32_MAX) * NSEC_SEC;
    nsec last = nsec_add(nsec_add(*started, server->timeouts.body), earned);
    return last < next ? last : next;
}
