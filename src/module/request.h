/* request.h: what the functions of tern.h know of a request; private to this layer, and to the handler `module`.
 *
 * A struct tern_request lies in the frame of the handler that calls a module's. What the module writes gathers in a
 * buffer of the exchange's arena: if it is all there when the handler returns, its length is known, and one call
 * sends the whole.
 */
#ifndef TERN_MODULE_REQUEST_H
#define TERN_MODULE_REQUEST_H

#include "http/exchange.h"
#include "module/scope.h"
#include "tern.h"

enum { MODULE_GATHERED = 8 * 1024 }; /* bytes of content before they go out */

struct tern_request {
    struct exchange *x;
    const char *module; /* its name, for the log */
    struct str route;   /* the path of the handler's, which need not be the exchange's: that of an error page is not */
    struct tern_scope scope;
    int status;
    struct str type;     /* Content-Type; empty: not said */
    struct str fields;   /* the others, each ended by CRLF */
    int64_t promised;    /* HTTP_LENGTH_UNKNOWN: nothing is */
    struct out gathered; /* content that has not been passed on */
    bool started;        /* the head has been passed on */
    bool reading;        /* a thread is, or ... */
    bool sending;        /* ... does; others are told -EBUSY */
    int read_error;      /* what reading its content came to, for good */
    int send_error;      /* the same of sending */
};

void module_request_init(struct tern_request *r, struct exchange *x, const char *module, struct str route);

/* What a handler's result means for the exchange: ends the scope, and the response. As a handler's serve. */
int module_request_finish(struct tern_request *r, int result) GREEN_WAITS;

/* ---- response.c, for file.c ---- */

/* Passes on the head, and what has gathered. 0 or -errno. */
int module_pass_on(struct tern_request *r) GREEN_WAITS;

/* The exchange, for what sends: until the end of that nobody else may. What is sent lies in buffers which are another
 * client's as soon as one of two has sent them. */
struct exchange *module_send_begin(struct tern_request *r);

/* Remembers why the client gets no more: a handler may return the same for a reason of its own. Returns that error. */
int module_send_end(struct tern_request *r, int error);

#endif
