/* refusal.c: see refusal.h. */
#include "http/refusal.h"

#include <errno.h>

#include "http/route.h"
#include "http/server.h"
#include "log/log.h"
#include "net/addr.h"

static void find_terms(struct exchange *x)
{
    x->site = http_site_find(&x->server->sites, x->request.host);
    x->route = x->site ? &x->site->missing : NULL;
}

int http_send_refusal(struct exchange *x, int status, const char *reason)
{
    x->reason = reason;
    if (!x->site)
        find_terms(x);
    return http_send_status(x, status, STR(""));
}

void http_log_refusal(const struct exchange *x, int status)
{
    char client[PEER_TEXT], shown[HTTP_LINE_SHOWN];
    struct str peer = peer_print(x->peer, client), line = http_shown_line(x, shown);
    if (LOG_LEVEL_INFO >= log_threshold)
        log_info("client " STR_FMT ": %d, %s: " STR_FMT, STR_ARG(peer), status, x->reason, STR_ARG(line));
    else
        log_limited(LOG_LEVEL_NOTICE, "client " STR_FMT ": %d, %s: " STR_FMT, STR_ARG(peer), status, x->reason,
                    STR_ARG(line));
}

int http_answer(struct exchange *x, const struct http_outcome **refusal)
{
    int error = http_serve(x);
    const struct http_outcome *outcome = error && !x->response.status ? http_outcome(error) : NULL;
    *refusal = outcome && outcome->status ? outcome : NULL;
    return error ? error : x->response.ended ? 0 : -EPROTO;
}

const char *http_cut_reason(int error, int content)
{
    bool sending = error == -ETIMEDOUT && content != error;
    if (error == -ECANCELED && green_killed())
        return HTTP_KILLED;
    return sending ? "the client took nothing for timeouts.write" : http_outcome(error)->reason;
}
