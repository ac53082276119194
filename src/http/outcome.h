/* outcome.h: what an error of a handler means to the peer, and to who reads the log. */
#ifndef TERN_HTTP_OUTCOME_H
#define TERN_HTTP_OUTCOME_H

/* The reason of a request whose thread was ended by green_kill(). */
#define HTTP_KILLED "cancelled by ternctl kill"

struct http_outcome {
    int error, status; /* as long as no head was sent; 0: there is no peer to tell */
    const char *reason;
};

/* Of what a handler's serve returned, an -errno: never NULL. */
const struct http_outcome *http_outcome(int error);

#endif
