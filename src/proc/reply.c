/* reply.c: see reply.h. */
#include "proc/reply.h"

#include <stdlib.h>

#include "ctl/protocol.h"

bool reply_open(struct reply *reply, struct control_request *request, size_t size)
{
    *reply = (struct reply){.request = request, .text = malloc(size)};
    if (!reply->text) {
        control_refuse(request, CTL_CODE_FAILED, STR("no memory"), NULL, 0);
        return false;
    }
    reply->out = out_on(reply->text, size);
    reply->json = json_on(&reply->out);
    json_open(&reply->json, NULL, '{');
    json_bool(&reply->json, "ok", true);
    return true;
}

void reply_send(struct reply *reply)
{
    json_close(&reply->json, '}');
    if (reply->out.full)
        control_refuse(reply->request, CTL_CODE_FAILED, STR("the answer is too long"), NULL, 0);
    else
        control_answer(reply->request, out_str(&reply->out));
    free(reply->text);
}
