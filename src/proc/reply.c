/* reply.c: see reply.h. */
#include "proc/reply.h"

#include "ctl/protocol.h"

struct json reply_begin(struct out *o)
{
    struct json j = json_on(o);
    json_open(&j, NULL, '{');
    json_bool(&j, "ok", true);
    return j;
}

void reply_text(struct json *j, const char *key, struct str text)
{
    if (text.n)
        json_text(j, key, text);
}

void reply_id(struct json *j, uint64_t pid, uint64_t number)
{
    char id[48];
    struct out o = out_on(id, sizeof id);
    out_u64(&o, pid);
    out_char(&o, '.');
    out_u64(&o, number);
    json_text(j, "id", out_str(&o));
}

void reply_lines(struct json *j, const char *key, struct str text)
{
    json_open(j, key, '[');
    while (text.n) {
        struct str line = str_cut(&text, '\n');
        if (line.n)
            json_text(j, NULL, line);
    }
    json_close(j, ']');
}

void reply_finish(struct json *j, struct control_request *request)
{
    json_close(j, '}');
    if (j->out->full || out_len(j->out) >= CTL_ANSWER_MAX)
        control_refuse(request, CTL_CODE_FAILED, STR("the answer is too long"), NULL, 0);
    else
        control_answer(request, out_str(j->out));
}

void reply_without_memory(struct control_request *request)
{
    control_refuse(request, CTL_CODE_FAILED, STR("the server is out of memory"), NULL, 0);
}
