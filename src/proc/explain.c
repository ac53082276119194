/* explain.c: see explain.h. */
#include "proc/explain.h"

#include <errno.h>

#include "proc/explanation.h"

static void put_request(struct json *j, const struct explanation *e)
{
    const struct http_request *request = &e->x.request;
    json_text(j, "method", request->method_name);
    json_text(j, "url", e->url);
    if (!request->uri.path.p)
        return;
    json_text(j, "path", request->uri.path);
    json_bool(j, "normalised",
              !str_eq(request->uri.path, (struct str){request->target.p, str_find(request->target, '?')}));
}

static void put_listener(struct json *j, const struct listen *listen, enum explanation_entry entry)
{
    json_open(j, NULL, '{');
    json_text(j, "address", listen->text);
    json_bool(j, "tls", listen->tls != NULL);
    json_bool(j, "http2", listen->endpoint.http2);
    json_bool(j, "certain", entry == ENTERS);
    explanation_put_place(j, listen->at);
    json_close(j, '}');
}

/* Those that it comes in at; where there are none, those that it might come in at. */
static void put_listeners(struct json *j, const struct explanation *e)
{
    enum explanation_entry best = e->in ? explanation_enters(e, e->in) : ENTERS_NOT;
    if (e->absolute)
        json_u64(j, "port", e->port);
    json_open(j, "listeners", '[');
    for (size_t i = 0; i < e->config->listen_count && best != ENTERS_NOT; i++)
        if (explanation_enters(e, &e->config->listen[i]) == best)
            put_listener(j, &e->config->listen[i], best);
    json_close(j, ']');
}

/* Nothing, when the handler answers as it likes. */
static void put_outcome(struct json *j, const struct explanation *e)
{
    if (!e->why)
        return;
    json_open(j, "outcome", '{');
    if (e->status)
        json_u64(j, "status", (uint64_t)e->status);
    json_text(j, "why", str_of(e->why));
    json_open(j, "fields", '[');
    for (struct str rest = e->fields; rest.n;) {
        struct str line = str_cut(&rest, '\n');
        line.n -= str_ends(line, STR("\r"));
        if (str_starts(line, STR("Allow:")) || str_starts(line, STR("Location:")))
            json_text(j, NULL, line);
    }
    json_close(j, ']');
    json_close(j, '}');
}

static int put_all(const struct explanation *e, struct out *o)
{
    struct json j = json_on(o);
    json_open(&j, NULL, '{');
    json_bool(&j, "ok", true);
    put_request(&j, e);
    put_listeners(&j, e);
    explanation_put_site(&j, e);
    explanation_put_route(&j, e);
    int error = explanation_put_terms(&j, e);
    put_outcome(&j, e);
    json_close(&j, '}');
    return error ? error : o->full ? -EMSGSIZE : 0;
}

int explain(const struct config *config, struct str question, struct out *o, struct out *why)
{
    struct explanation e = {.config = config};
    arena_init(&e.x.arena, NULL, 0);
    int error = explanation_ask(&e, question, why);
    if (!error && e.x.request.uri.path.p)
        explanation_route(&e);
    if (!error)
        error = put_all(&e, o);
    arena_clear(&e.x.arena);
    return error;
}
