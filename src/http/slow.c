/* slow.c: see slow.h. */
#include "http/slow.h"

#include <stdio.h>

#include "log/access_format.h"
#include "log/log.h"

enum {
    LINES = 10,        /* a second, of each worker: a server that is slow as a whole has other worries than its log */
    AMOUNTS_TEXT = 256 /* more than all accounts take */
};

static const char *const off[] = {"off", NULL};

const struct conf_key http_slow_key = {.kind = CONF_TIME, .words = off, .min = NSEC_MS, .max = 365 * 86400 * NSEC_SEC};

int http_slow_read(struct conf_reader *r, struct conf_node *node, void *field)
{
    nsec *slow = field;
    *slow = HTTP_SLOW_OFF;
    if (node->kind == CONF_SCALAR && str_eq(node->text, STR("off")))
        return 0;
    return conf_read_value(r, node, &http_slow_key, slow);
}

void http_slow_default(struct http_sites *sites, nsec slow)
{
    for (struct http_route *route = sites->routes; route; route = route->next)
        if (route->slow == 0)
            route->slow = slow;
}

/* Whether there may be one more line; *left_out: how many there might have been since the last one. */
static bool may_tell(nsec now, uint64_t *left_out)
{
    static nsec window;
    static unsigned told;
    static uint64_t omitted;
    if (now - window >= NSEC_SEC) {
        window = now;
        told = 0;
    }
    if (told == LINES) {
        omitted++;
        return false;
    }
    told++;
    *left_out = omitted;
    omitted = 0;
    return true;
}

static void put_moment(struct out *o, struct str name, nsec at, nsec begun)
{
    if (at == 0)
        return;
    out_put(o, name);
    out_text(o, " +");
    http_times_put(o, at - begun);
    out_text(o, " ms, ");
}

static void put_timeline(struct out *o, const struct http_times *times, nsec end)
{
    put_moment(o, STR("head"), times->read, times->begun);
    put_moment(o, STR("handler"), times->handled, times->begun);
    put_moment(o, STR("answer"), times->answered, times->begun);
    out_text(o, "end +");
    http_times_put(o, end - times->begun);
    out_text(o, " ms");
}

void http_slow_tell(const struct exchange *x, const struct http_route *route, const struct access_times *times,
                    nsec end)
{
    uint64_t left_out;
    if (LOG_LEVEL_WARN < log_threshold || !may_tell(end, &left_out))
        return;
    char line_text[HTTP_LINE_SHOWN], timeline_text[AMOUNTS_TEXT], amounts_text[AMOUNTS_TEXT], more[64] = "";
    struct out timeline = out_on(timeline_text, sizeof timeline_text),
               amounts = out_on(amounts_text, sizeof amounts_text);
    put_timeline(&timeline, &x->times, end);
    http_times_put_all(&amounts, times, STR(" "));
    out_text(&amounts, ", other ");
    http_times_put(&amounts, http_times_other(times));
    if (left_out)
        snprintf(more, sizeof more, "; %llu more were slow, and not told of", (unsigned long long)left_out);
    const struct green_label *label = &route->label;
    log_warn("slow: " STR_FMT " (" STR_FMT "%s" STR_FMT ") took %lld.%03lld s: " STR_FMT "; " STR_FMT
             " ms; %d, %llu bytes%s",
             STR_ARG(http_shown_line(x, line_text)), STR_ARG(label->handler), label->route.n ? ", route " : "",
             STR_ARG(label->route), (long long)(times->total / NSEC_SEC),
             (long long)(times->total % NSEC_SEC / NSEC_MS), STR_ARG(out_str(&timeline)), STR_ARG(out_str(&amounts)),
             x->response.status, (unsigned long long)x->response.sent, more);
}
