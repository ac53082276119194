/* reply.h: how an answer to a request of the control protocol is written: an object of JSON that begins with "ok". */
#ifndef TERN_PROC_REPLY_H
#define TERN_PROC_REPLY_H

#include "base/json.h"
#include "proc/control.h"

struct json reply_begin(struct out *o);

/* A member that is left out when it is empty; "PID.NUMBER"; an array of the lines of a text. */
void reply_text(struct json *j, const char *key, struct str text);
void reply_id(struct json *j, uint64_t pid, uint64_t number);
void reply_lines(struct json *j, const char *key, struct str text);

/* Ends the object, and answers with what was written; or refuses, if that did not fit. */
void reply_finish(struct json *j, struct control_request *request);

/* Refuses: there is no memory for an answer. */
void reply_without_memory(struct control_request *request);

#endif
