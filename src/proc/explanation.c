/* explanation.c: see explanation.h; from a question to a request, and to who answers it. http/serve.c is what it
 * retraces. */
#include "proc/explanation.h"

#include <errno.h>

#include "handler/registry.h"
#include "http/request.h"
#include "http/site.h"
#include "net/tls_context.h"
#include "policy/registry.h"

/* ---- where it comes in ---- */

/* -1: a listener that has none. */
static int listen_port(const struct listen *listen)
{
    const struct addr *addr = &listen->addr;
    if (addr_is_unix(addr))
        return -1;
    return ntohs(addr->any.sa_family == AF_INET ? addr->in.sin_port : addr->in6.sin6_port);
}

static bool is_any(const struct addr *addr)
{
    return addr->any.sa_family == AF_INET ? addr->in.sin_addr.s_addr == htonl(INADDR_ANY)
                                          : IN6_IS_ADDR_UNSPECIFIED(&addr->in6.sin6_addr);
}

/* The host as an address; false: it is a name. */
static bool read_ip(const struct explanation *e, struct addr *addr)
{
    struct str host = e->x.request.host;
    if (str_starts(host, STR("[")) && str_ends(host, STR("]")))
        host = (struct str){host.p + 1, host.n - 2};
    return addr_from_ip(host, e->port, addr) == 0;
}

enum explanation_entry explanation_enters(const struct explanation *e, const struct listen *listen)
{
    struct addr asked;
    if (!e->absolute)
        return listen == e->config->listen ? ENTERS : ENTERS_NOT;
    if (listen->name.n)
        return ENTERS_PERHAPS;
    if (listen_port(listen) != e->port)
        return ENTERS_NOT;
    bool here = !read_ip(e, &asked) || (asked.any.sa_family == listen->addr.any.sa_family &&
                                        (is_any(&listen->addr) || addr_same(&listen->addr, &asked)));
    return here ? ENTERS : ENTERS_NOT;
}

/* The first that certainly is the one; of those, the first that speaks as the client does. */
static const struct listen *find_listener(const struct explanation *e)
{
    const struct listen *found = NULL;
    unsigned best = 0;
    for (size_t i = 0; i < e->config->listen_count; i++) {
        const struct listen *listen = &e->config->listen[i];
        enum explanation_entry entry = explanation_enters(e, listen);
        unsigned merit = entry ? 2 * entry + ((listen->tls != NULL) == e->secure) : 0;
        if (merit > best) {
            best = merit;
            found = listen;
        }
    }
    return found;
}

/* ---- the question ---- */

static bool has_scheme(struct str url, struct str scheme)
{
    return url.n >= scheme.n && str_eq_nocase((struct str){url.p, scheme.n}, scheme);
}

static int misuse(struct out *why, const char *text)
{
    out_put(why, str_of(text));
    return -EINVAL;
}

/* Of host and port; the scheme's, where it has none. */
static int find_port(struct explanation *e, struct str authority)
{
    struct str port = str_skip(authority, http_host_name(authority).n + 1);
    e->port = e->secure ? 443 : 80;
    return port.n ? port_parse(port, &e->port) : 0;
}

/* What is wrong with who a URL is for, which the server would call malformed at best. */
static int blame_authority(struct explanation *e, struct str authority, struct out *why)
{
    if (str_find(authority, '@') < authority.n)
        return misuse(why, "a URL of a web server has no user and no password");
    if (http_host_name(authority).n == 0)
        return misuse(why, "the URL has no host");
    if (find_port(e, authority) < 0)
        return misuse(why, "the port of the URL is none: they are 1 to 65535");
    return misuse(why, "the host of the URL is malformed");
}

/* What a client sends of a URL: who it is for stands in a field. */
static int split_url(struct explanation *e, struct out *why)
{
    struct http_request *request = &e->x.request;
    struct http_uri uri;
    size_t start = str_find(e->url, ':') + sizeof "//", n = start;
    while (n < e->url.n && e->url.p[n] != '/' && e->url.p[n] != '?')
        n++;
    struct str rest = str_skip(e->url, n), authority = {e->url.p + start, n - start};
    int error = http_uri_parse(&e->x.arena, (struct str){e->url.p, n}, &uri);
    if (error == -ENOMEM)
        return error;
    e->secure = uri.secure;
    if (error || find_port(e, authority) < 0)
        return blame_authority(e, authority, why);
    request->target = str_starts(rest, STR("/")) ? rest : arena_printf(&e->x.arena, "/" STR_FMT, STR_ARG(rest));
    if (!request->target.p)
        return -ENOMEM;
    e->host = (struct http_field){STR("Host"), authority};
    request->host = http_host_name(authority);
    request->fields = &e->host;
    request->field_count = 1;
    return 0;
}

static void refuse(struct explanation *e, int status, const char *why)
{
    if (!e->why) {
        e->status = status;
        e->why = why;
    }
}

/* As the protocol does it. */
static void judge(struct explanation *e)
{
    struct http_verdict verdict = {.status = 0};
    if (e->x.request.target.n > e->config->http.limits.target_size)
        http_refuse(&verdict, 414, "a target beyond limits.target_size");
    http_judge_method(&e->x.request, &verdict);
    if (!verdict.status)
        http_judge_target(&e->x, &verdict);
    if (verdict.status)
        refuse(e, verdict.status, verdict.wrong);
}

static int refuse_connection(struct explanation *e)
{
    bool elsewhere = false;
    for (size_t i = 0; i < e->config->listen_count; i++)
        elsewhere |= listen_port(&e->config->listen[i]) == e->port;
    struct str why = arena_printf(&e->x.arena, "connection: refused, nothing listens on %sport %u",
                                  elsewhere ? "this address and " : "", e->port);
    refuse(e, 0, why.p);
    return why.p ? 0 : -ENOMEM;
}

int explanation_ask(struct explanation *e, struct str question, struct out *why)
{
    struct str rest = str_trim(question), first = str_cut(&rest, ' ');
    rest = str_trim(rest);
    e->x.request.method_name = rest.n ? first : STR("GET");
    e->url = rest.n ? rest : first;
    e->url.n = str_find(e->url, '#'); /* which no client sends */
    if (str_find(e->url, ' ') < e->url.n)
        return misuse(why, "a question is [METHOD] URL");
    bool other = str_starts(e->url, STR("/")) || str_eq(e->url, STR("*"));
    e->absolute = has_scheme(e->url, STR("http://")) || has_scheme(e->url, STR("https://"));
    if (!e->absolute && !other && !str_eq(e->x.request.method_name, STR("CONNECT")))
        return misuse(why, "a URL begins with http://, https:// or, for the default site, with a slash");
    e->x.request.target = e->url;
    int error = e->absolute ? split_url(e, why) : 0;
    if (error)
        return error;
    e->in = find_listener(e);
    error = e->in || !e->absolute ? 0 : refuse_connection(e);
    judge(e);
    return error;
}

/* ---- the connection ---- */

/* A client asks for the site by the name in the URL, unless that is an address (RFC 6066, 3). */
static void shake_hands(struct explanation *e)
{
    struct addr ip;
    const struct tls_context *endpoint = e->in ? e->in->tls : NULL, *chosen = NULL;
    bool named = e->x.request.host.n && !read_ip(e, &ip);
    if (named)
        chosen = http_sites_choose(&e->config->http.sites, e->x.request.host);
    e->tls = (struct tls_peer){.version = "", .cipher = "", .endpoint = endpoint, .chosen = chosen ? chosen : endpoint};
    e->x.tls = &e->tls;
    if (endpoint && !tls_context_has_certificate(e->tls.chosen))
        refuse(e, 0, "the handshake of TLS fails: there is no certificate for this host");
}

static void enter(struct explanation *e)
{
    bool tls = e->in && e->in->tls;
    if (!e->absolute)
        e->secure = tls;
    if (e->secure)
        shake_hands(e);
    if (e->in && e->secure && !tls)
        refuse(e, 0, "the handshake of TLS fails: the listener speaks plain HTTP");
    else if (e->in && !e->secure && tls)
        refuse(e, 400, "a plain HTTP request on a port of TLS");
}

/* ---- who answers ---- */

static int note_head(struct exchange *x, const struct http_head *head)
{
    struct explanation *e = container_of(x, struct explanation, x);
    e->fields = head->fields;
    return 0;
}

static int take_content(struct exchange *x, struct str bytes)
{
    (void)x, (void)bytes;
    return 0;
}

static int end(struct exchange *x)
{
    (void)x;
    return 0;
}

static const struct exchange_ops noting = {.head = note_head, .content = take_content, .flush = end, .end = end};

/* Carries a redirect out, for a client that nobody knows, and without pages and policies, which might wait. */
static void redirect(struct explanation *e, int (*serve)(struct exchange *x, const void *settings),
                     const void *settings, const char *why)
{
    static const struct peer nobody = {.family = AF_UNIX};
    struct http_route bare = {.path = e->x.route->path};
    const struct http_route *route = e->x.route;
    const struct http_site *site = e->x.site;
    e->x.ops = &noting;
    e->x.peer = &nobody;
    e->x.route = &bare;
    e->x.site = NULL;
    int error = serve(&e->x, settings);
    bool hostless = !e->absolute && e->x.response.status == 400; /* the question is to blame, and no request */
    e->x.route = route;
    e->x.site = site;
    if (hostless)
        refuse(e, 0, "the redirect needs a host: give the whole URL");
    else if (!error && e->x.response.status)
        refuse(e, e->x.response.status, why);
}

/* Those that answer whoever asks. */
static void ask_policies(struct explanation *e)
{
    const struct http_policies *policies = &e->x.route->policies;
    for (size_t i = 0; i < policies->n; i++) {
        const struct http_applied *applied = &policies->v[i];
        if (applied->policy == &policy_access && (explanation_closes(applied->at) || explanation_closes(e->x.site->at)))
            refuse(e, 403, "always refused, by `deny`");
        else if (applied->policy == &policy_redirect)
            redirect(e, policy_redirect.admit, applied->settings, "the site redirects");
    }
}

static void answer_method(struct explanation *e, uint64_t methods)
{
    bool options = e->x.request.method == METHOD_OPTIONS;
    e->fields = http_allow_field(&e->x, methods | 1ULL << METHOD_OPTIONS);
    refuse(e, options ? 200 : 405, options ? "the server answers for the handler" : "not a method of the handler");
}

static void answer(struct explanation *e)
{
    const struct http_handler *handler = e->x.route->handler;
    uint64_t methods = http_handler_methods(handler);
    if (!(methods >> e->x.request.method & 1))
        answer_method(e, methods);
    else if (handler == &http_missing)
        refuse(e, 404, "no route has this path");
    else if (handler == &handler_redirect)
        redirect(e, handler->serve, e->x.route->settings, "the route redirects");
}

void explanation_route(struct explanation *e)
{
    struct exchange *x = &e->x;
    x->server = &e->config->http;
    enter(e);
    if (str_eq(x->request.uri.path, STR("*"))) {
        refuse(e, 200, "the server answers for itself");
        return;
    }
    x->site = http_site_find(&x->server->sites, x->request.host);
    if (!x->site) {
        refuse(e, 404, "no site has this host, and none is the default");
        return;
    }
    if (http_is_misdirected(x))
        refuse(e, 421, "a site that asks for certificates of its own, on a connection that was made for another");
    x->route = http_route_find(x->site, x->request.uri.path);
    if (!e->why)
        ask_policies(e);
    if (!x->tls && x->site->tls && tls_context_demands(x->site->tls))
        refuse(e, 403, "a site that demands certificates, asked in the clear");
    if (!e->why)
        answer(e);
}
