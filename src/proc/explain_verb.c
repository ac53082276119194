/* explain_verb.c: see explain_verb.h. */
#include "proc/explain_verb.h"

#include <errno.h>
#include <stdlib.h>

#include "ctl/protocol.h"
#include "proc/explain.h"
#include "proc/reply.h"
#include "proc/state.h"

enum { REASON = 256 };

static void refuse(struct control_request *request, int error, struct str why)
{
    if (error == -ENOMEM)
        reply_without_memory(request);
    else if (error == -EINVAL)
        control_refuse(request, CTL_CODE_USAGE, why, NULL, 0);
    else
        control_refuse(request, CTL_CODE_FAILED, STR("the answer is too long"), NULL, 0);
}

/* Before the first generation serves, by the one that is about to. */
void explain_verb(void *server, struct control_request *request)
{
    const struct master *m = server;
    const struct generation *g = m->current ? m->current : m->reload.coming;
    char reason[REASON], *text = malloc(EXPLAIN_SIZE);
    struct out why = out_on(reason, sizeof reason), o = out_on(text, text ? EXPLAIN_SIZE : 0);
    if (!g) {
        control_refuse(request, CTL_CODE_REFUSED, STR("nothing serves"), NULL, 0);
        free(text);
        return;
    }
    int error = text ? explain(g->config, request->argument, &o, &why) : -ENOMEM;
    if (error)
        refuse(request, error, out_str(&why));
    else
        control_answer(request, out_str(&o));
    free(text);
}
