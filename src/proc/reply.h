/* reply.h: answers of the control socket that are too long for a stack. */
#ifndef TERN_PROC_REPLY_H
#define TERN_PROC_REPLY_H

#include "base/json.h"
#include "proc/control.h"

struct reply {
    struct control_request *request;
    char *text;
    struct out out;
    struct json json; /* of an object that is open, with `ok` in it */
};

/* Begins an answer of `size` bytes at most. False: there is no memory, and the request has been refused. */
bool reply_open(struct reply *reply, struct control_request *request, size_t size) __attribute__((warn_unused_result));

/* Ends the object and sends it; one that has not fitted is refused. The request is gone then. */
void reply_send(struct reply *reply);

#endif
