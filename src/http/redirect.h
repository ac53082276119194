/* redirect.h: elsewhere: what the handler `redirect` and the policy of the same name share.
 *
 *     redirect: {to: /new/, status: 301}
 *     redirect: {to: "https://$host$uri", status: 308}
 *
 * `to` is a path or a URL. What follows the prefix that is redirected is appended to it, and then the query, unless
 * `to` says by $uri, $path or $query itself what becomes of them. No byte that a peer chose ends the field, or becomes
 * a part of the host's name, but by $host.
 */
#ifndef TERN_HTTP_REDIRECT_H
#define TERN_HTTP_REDIRECT_H

#include "conf/schema.h"
#include "http/exchange.h"

struct http_text;

/* A target, taken apart: query without '?', fragment with its '#'; either may be empty. */
struct http_target {
    struct str base, query, fragment;
};

struct http_redirect {
    struct str to;
    int64_t status;
    const struct http_text *text; /* with variables; NULL: it has none */
    struct http_target fixed;     /* of one without */
    size_t prefix;                /* bytes of the path that are replaced */
};

/* Of its keys. */
extern const struct conf_table http_redirect_table;

/* Checks what was read of `node` for what is at this path, or below it. 0, -EINVAL (reported) or -ENOMEM. */
int http_redirect_prepare(struct conf_reader *r, const struct conf_node *node, struct str path, bool exact,
                          struct http_redirect *redirect) __attribute__((warn_unused_result));

/* Where a request for this path (as in struct http_uri) of the host `_` is sent that comes in the clear, by nobody in
 * particular: for a look at loops. p is NULL: no memory. */
struct str http_redirect_try(struct arena *arena, const struct http_redirect *redirect, struct str path);

/* Answers, unless the request has the very URL already that it would be sent to: then there is no response. A request
 * without a host that $host could be gets 400. As a handler's serve. */
int http_redirect_send(struct exchange *x, const struct http_redirect *redirect) GREEN_WAITS;

/* 301 to the same path with a slash at its end, and the same query: for what has names below it, which its page writes
 * relative. As a handler's serve. */
int http_redirect_to_slash(struct exchange *x) GREEN_WAITS;

#endif
