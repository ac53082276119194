/* explanation.h: what the parts of explain.h share: the request that is explained, and what has been found out. */
#ifndef TERN_PROC_EXPLANATION_H
#define TERN_PROC_EXPLANATION_H

#include "base/json.h"
#include "http/exchange.h"
#include "net/tls_stream.h"
#include "proc/config.h"

struct explanation {
    const struct config *config;
    struct exchange x;       /* with its site and its route, as far as it gets */
    struct http_field host;  /* its only field, if it has one */
    struct tls_peer tls;     /* of its connection, if that is secured */
    struct str url;          /* as it was asked about, without a fragment */
    bool absolute;           /* a URL, rather than a path */
    bool secure;             /* https */
    uint16_t port;           /* where a URL leads */
    const struct listen *in; /* where it comes in; NULL: nowhere that could be told */
    int status;              /* of the answer; 0: that is the handler's affair, or there is none at all */
    const char *why;         /* NULL: the handler answers */
    struct str fields;       /* of the answer, as far as they are known */
};

/* Takes the question apart, finds the listener and judges the request, which has a URI afterwards unless the protocol
 * refuses it. 0, -EINVAL (why has been written) or -ENOMEM. */
int explanation_ask(struct explanation *e, struct str question, struct out *why) __attribute__((warn_unused_result));

/* Whether a request for this URL comes in at a listener. Of a socket that is passed to us the port is not known. */
enum explanation_entry { ENTERS_NOT, ENTERS_PERHAPS, ENTERS };
enum explanation_entry explanation_enters(const struct explanation *e, const struct listen *listen);

/* Finds out who answers a request that has a URI: fills in the rest. */
void explanation_route(struct explanation *e);

/* Whether a site or route has a `deny` that leaves nobody. */
bool explanation_closes(const struct conf_node *at);

/* ---- what is told of it; a key is left out where there is nothing to tell ---- */

void explanation_put_site(struct json *j, const struct explanation *e);
void explanation_put_route(struct json *j, const struct explanation *e);

/* The policies, the handler, what is slow, limits and timeouts. 0 or -ENOMEM. */
int explanation_put_terms(struct json *j, const struct explanation *e) __attribute__((warn_unused_result));

/* "file:line", or "default". */
void explanation_put_place(struct json *j, const struct conf_node *at);

#endif
