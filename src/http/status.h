/* status.h: status codes (RFC 9110, 15) and what is written for them. */
#ifndef TERN_HTTP_STATUS_H
#define TERN_HTTP_STATUS_H

#include "base/str.h"

/* "HTTP/1.1 200 OK\r\n". A code without a reason of its own has an empty one; codes outside 100 to 599 are 500. */
struct str http_status_line(int status);

/* "404 Not Found". */
struct str http_status_text(int status);

/* Whether a response of this status never has content (RFC 9110, 6.4.1). */
static inline bool http_status_bodiless(int status)
{
    return status < 200 || status == 204 || status == 304;
}

#endif
