/* request.h: what makes a request fit to be served, whatever version of HTTP brought it.
 *
 * Each rule looks at one thing, and refuses the request with a status and a reason if it is wrong; the first refusal
 * counts.
 */
#ifndef TERN_HTTP_REQUEST_H
#define TERN_HTTP_REQUEST_H

#include "http/exchange.h"

struct http_verdict {
    int status;        /* with which it is refused; 0: so far so good */
    const char *wrong; /* why */
};

static inline void http_refuse(struct http_verdict *verdict, int status, const char *wrong)
{
    if (!verdict->status)
        *verdict = (struct http_verdict){status, wrong};
}

/* The method, by its name: 501 for one that is not known, 400 for what is not the name of one. */
void http_judge_method(struct http_request *request, struct http_verdict *verdict);

/* The target, by its method (RFC 9112, 3.2): fills in request->uri. */
void http_judge_target(struct exchange *x, struct http_verdict *verdict);

/* Whether a scheme is the connection's (RFC 9110, 7.4): 421. */
void http_judge_scheme(const struct exchange *x, bool secure, struct http_verdict *verdict);

/* The value of Content-Length: fills in request->length. */
void http_judge_length(struct exchange *x, struct str value, struct http_verdict *verdict);

/* The value of Expect (RFC 9110, 10.1.1): 100-continue is the only one there is. */
void http_judge_expect(struct str value, bool *expects, struct http_verdict *verdict);

/* Makes room for more fields; *room is how many there may be. False: no memory. */
bool http_fields_grow(struct exchange *x, size_t *room);

/* A host without its port, which is no part of a site's name. */
struct str http_host_name(struct str host);

#endif
