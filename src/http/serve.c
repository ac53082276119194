/* serve.c: http_serve() of route.h: from a request to whoever answers it. */
#include "http/server.h"
#include "http/slow.h"
#include "net/tls_context.h"
#include "net/tls_stream.h"

#define BIT(method) (1ULL << (method))
_Static_assert(METHOD_UNKNOWN <= 64, "a word has a bit for each method");

/* What a handler answers that has no opinion: all there are, but those that are not for an origin server, or unsafe for
 * it (TRACE repeats what a client sent, cookies and all, to whoever made it ask). */
#define ANY_METHOD (~(BIT(METHOD_CONNECT) | BIT(METHOD_TRACE)) & (BIT(METHOD_UNKNOWN) - 1))

uint64_t http_handler_methods(const struct http_handler *handler)
{
    return handler->methods ? handler->methods : ANY_METHOD;
}

struct str http_allow_field(struct exchange *x, uint64_t methods)
{
    enum { SIZE = 640 };
    char *text = arena_alloc(&x->arena, SIZE);
    if (!text)
        return STR("");
    struct out o = out_on(text, SIZE);
    out_text(&o, "Allow: ");
    for (enum method m = 0; m < METHOD_UNKNOWN; m++) {
        if (!(methods & BIT(m)))
            continue;
        if (o.at[-1] != ' ')
            out_text(&o, ", ");
        out_put(&o, method_name(m));
    }
    out_text(&o, "\r\n");
    return out_str(&o);
}

/* The request is about this server as a whole (RFC 9110, 9.3.7). */
static int answer_asterisk(struct exchange *x)
{
    return http_send(x, 200, http_allow_field(x, BIT(METHOD_GET) | BIT(METHOD_HEAD) | BIT(METHOD_OPTIONS)), STR(""));
}

static int admit(struct exchange *x)
{
    const struct http_policies *policies = &x->route->policies;
    int error = 0;
    for (size_t i = 0; i < policies->n && !error && !x->response.status; i++)
        if (policies->v[i].policy->admit)
            error = policies->v[i].policy->admit(x, policies->v[i].settings);
    return error;
}

static int answer_method(struct exchange *x, uint64_t methods)
{
    struct str allow = http_allow_field(x, methods | BIT(METHOD_OPTIONS));
    if (x->request.method == METHOD_OPTIONS)
        return http_send(x, 200, allow, STR(""));
    return http_send_status(x, 405, allow);
}

static int serve_missing(struct exchange *x, const void *settings)
{
    (void)settings;
    return http_send_status(x, 404, STR(""));
}

const struct http_handler http_missing = {.name = STR_INIT("missing"), .serve = serve_missing};

/* A client that has shown its certificate to one site, or none, has not shown it to another (RFC 9110, 7.4). */
bool http_is_misdirected(const struct exchange *x)
{
    if (!x->tls)
        return false;
    const struct tls_context *own = x->site->tls ? x->site->tls : x->tls->endpoint;
    return own != x->tls->chosen && tls_context_asks(own);
}

int http_serve(struct exchange *x)
{
    const struct http_request *request = &x->request;
    if (str_eq(request->uri.path, STR("*")))
        return answer_asterisk(x);
    x->site = http_site_find(&x->server->sites, request->host);
    if (!x->site)
        return http_send_status(x, 404, STR(""));
    if (http_is_misdirected(x)) {
        x->reason = "a site that asks for certificates of its own, on a connection that was made for another";
        return http_send_status(x, 421, STR(""));
    }
    x->route = http_route_find(x->site, request->uri.path);
    x->routed = true;
    green_label(&x->route->label);
    int error = x->route->policies.n ? admit(x) : 0;
    if (error || x->response.status)
        return error;
    if (!x->tls && x->site->tls && tls_context_demands(x->site->tls)) {
        x->reason = "a site that demands certificates, asked in the clear";
        return http_send_status(x, 403, STR(""));
    }
    const struct http_handler *handler = x->route->handler;
    http_slow_mark(x, &x->times.handled);
    uint64_t methods = http_handler_methods(handler);
    if (!(methods & BIT(request->method)))
        return answer_method(x, methods);
    return handler->serve(x, x->route->settings);
}
