/* refusal.h: requests that were not served as they wished: refused in time, or cut. */
#ifndef TERN_HTTP_REFUSAL_H
#define TERN_HTTP_REFUSAL_H

#include "http/exchange.h"
#include "http/outcome.h"

/* Answers a request that can't be served. One that was never routed is answered on the terms of its site, or of the
 * default one: pages, headers. */
int http_send_refusal(struct exchange *x, int status, const char *reason) GREEN_WAITS;

/* Tells the log why: each one for who asks for them, else at most one a second, since they are any peer's to cause. */
void http_log_refusal(const struct exchange *x, int status);

/* Has a request answered. 0, or -errno: the answer was cut off, unless *refusal says how it is to be refused, because
 * there is no answer yet. */
int http_answer(struct exchange *x, const struct http_outcome **refusal) GREEN_WAITS;

/* Why an answer was cut off, for the log; `content`: what reading the request's content came to. */
const char *http_cut_reason(int error, int content);

#endif
