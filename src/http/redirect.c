/* redirect.c: see redirect.h. */
#include "http/redirect.h"

#include <errno.h>

#include "http/variable.h"
#include "net/addr.h"
#include "net/tls_stream.h"

#define FIELD "Location: "

static const struct conf_key keys[] = {
    {"to", CONF_TEXT, offsetof(struct http_redirect, to), .required = true, .takes = "a path or a URL",
     .pattern = "^[!-~]+$",
     .doc = "where to, with variables such as $host; unless $uri, $path or $query is among them, what follows the "
            "route's `path` is appended, and then the query"},
    {"status", CONF_INT, offsetof(struct http_redirect, status), .fallback = "302", .min = 301, .max = 308,
     .takes = "301, 302, 303, 307 or 308", .doc = "status of the answer; 307 and 308 keep the method"},
};

const struct conf_table http_redirect_table = CONF_TABLE("redirect", keys);

/* ---- the target ---- */

static bool is_redirect(int64_t status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static bool is_printable(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= 0x20 || (unsigned char)s.p[i] >= 0x7f || s.p[i] == '\\')
            return false;
    return true;
}

/* RFC 3986, 3.1 */
static bool is_scheme(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = char_lower(s.p[i]);
        bool letter = c >= 'a' && c <= 'z', other = (c >= '0' && c <= '9') || strchr("+-.", c);
        if (!letter && !(other && i > 0))
            return false;
    }
    return s.n > 0;
}

/* Where "scheme://host" or "//host" ends; 0: it is a path, or nothing of the kind. */
static size_t host_end(struct str to, struct str *scheme, struct str *host)
{
    size_t slashes = 0, end;
    while (slashes < to.n && !strchr("/?#", to.p[slashes]))
        slashes++;
    *scheme = (struct str){to.p, slashes - (slashes > 0)};
    if (!str_starts(str_skip(to, slashes), STR("//")) || (slashes && (to.p[slashes - 1] != ':' || !is_scheme(*scheme))))
        return 0;
    for (end = slashes + 2; end < to.n && !strchr("/?#", to.p[end]);)
        end++;
    *host = (struct str){to.p + slashes + 2, end - slashes - 2};
    return end;
}

/* Checks one of the forms that a target may take; *ends: it is a URL that ends with its host. */
static int check_form(struct str form, bool *ends)
{
    struct str scheme, host = STR("");
    size_t end = host_end(form, &scheme, &host);
    *ends = end == form.n;
    return (end ? http_host_valid(host) : str_starts(form, STR("/"))) ? 0 : -EINVAL;
}

/* What a peer may put where variables stand must become a part of the host's name only by $host. Paths start with one
 * slash, a query with whatever it likes; no host contains a space. */
static int check_forms(struct arena *arena, const struct http_text *text, bool *ends)
{
    static const struct str queries[] = {STR_INIT(" "), STR_INIT("/ ")};
    int error = 0;
    for (size_t i = 0; i < sizeof queries / sizeof *queries && !error; i++) {
        struct str form = http_text_sample(arena, text, STR("/ "), queries[i]);
        error = form.p ? check_form(form, ends) : -ENOMEM;
    }
    return error;
}

/* Literally, the target is an administrator's, and is written as it is: it must be what a Location field may contain.
 * What is appended to it must not become part of the host's name, so a URL that ends with its host gets a slash. */
static int compile_target(struct conf_reader *r, const struct conf_node *node, struct str to,
                          const struct http_text **text)
{
    bool ends = false;
    int error = http_text_compile(r, node, to, text);
    if (error)
        return error;
    error = is_printable(to) ? check_forms(r->arena, *text, &ends) : -EINVAL;
    if (error == -EINVAL)
        conf_error(r, node, "not a path that starts with `/`, nor a URL with a host");
    if (error || !ends)
        return error;
    to = arena_printf(r->arena, STR_FMT "/", STR_ARG(to));
    return to.p ? http_text_compile(r, node, to, text) : -ENOMEM;
}

static struct http_target split(struct str to)
{
    size_t query = str_find(to, '?'), fragment = str_find(to, '#');
    struct http_target target = {.base = {to.p, query < fragment ? query : fragment},
                                 .fragment = str_skip(to, fragment)};
    if (query < fragment)
        target.query = str_range(to.p + query + 1, to.p + fragment);
    return target;
}

/* Whether the target says itself what becomes of path and query. */
static bool is_whole(const struct http_redirect *redirect)
{
    return redirect->text && http_text_tells(redirect->text) & HTTP_TOLD_URI;
}

static int read_target(struct conf_reader *r, const struct conf_node *node, bool exact, struct http_redirect *redirect)
{
    int error = compile_target(r, node, redirect->to, &redirect->text);
    if (error)
        return error;
    struct str to = redirect->to;
    if (!exact && !is_whole(redirect) && str_find(to, '?') + str_find(to, '#') < 2 * to.n) {
        conf_error(r, node, "has a `?` or `#`, but what follows the route's `path` is appended; use `exact`");
        return -EINVAL;
    }
    if (http_text_is_fixed(redirect->text, &to)) {
        redirect->fixed = split(to);
        redirect->text = NULL;
    }
    return 0;
}

int http_redirect_prepare(struct conf_reader *r, const struct conf_node *node, struct str path, bool exact,
                          struct http_redirect *redirect)
{
    int error = read_target(r, conf_find(node, STR("to")), exact, redirect);
    redirect->prefix = path.n;
    if (!is_redirect(redirect->status)) {
        conf_error(r, conf_find(node, STR("status")), "must be 301, 302, 303, 307 or 308");
        error = -EINVAL;
    }
    return error;
}

/* ---- where a request is sent ---- */

/* The target's query, and the request's. */
static void put_query(struct out *o, struct str own, struct str asked)
{
    char *joint = o->at;
    if (own.n) {
        out_char(o, '?');
        out_put(o, own);
        joint = o->at;
    }
    if (asked.n || !own.n)
        http_uri_encode_query(o, asked);
    if (asked.n && own.n)
        *joint = '&';
}

/* What the peer chose is encoded anew, so that no byte of it can end the field, and `to: /` can't become `//host`. */
static int join(struct exchange *x, const struct http_target *target, struct str rest, struct str *field)
{
    const struct http_uri *uri = &x->request.uri;
    if (str_ends(target->base, STR("/")))
        while (str_starts(rest, STR("/")))
            rest = str_skip(rest, 1);
    size_t own = target->base.n + target->query.n + target->fragment.n;
    size_t size = own + 3 * rest.n + 3 * uri->query.n + sizeof FIELD "?&\r\n";
    char *bytes = arena_alloc(&x->arena, size);
    if (!bytes)
        return -ENOMEM;
    struct out o = out_on(bytes, size);
    out_text(&o, FIELD);
    out_put(&o, target->base);
    (uri->opaque ? http_uri_encode_opaque : http_uri_encode)(&o, rest);
    put_query(&o, target->query, uri->query);
    out_put(&o, target->fragment);
    out_text(&o, "\r\n");
    *field = out_str(&o);
    return 0;
}

/* The Location field. */
static int locate(struct exchange *x, const struct http_redirect *redirect, struct str *field)
{
    struct http_target target = redirect->fixed;
    struct str to;
    int error = redirect->text ? http_text_write(x, redirect->text, HTTP_TEXT_URL, &to) : 0;
    if (error)
        return error;
    if (is_whole(redirect)) {
        *field = arena_printf(&x->arena, FIELD STR_FMT "\r\n", STR_ARG(to));
        return field->p ? 0 : -ENOMEM;
    }
    if (redirect->text)
        target = split(to);
    return join(x, &target, str_skip(x->request.uri.path, redirect->prefix), field);
}

static struct str url_of(struct str field)
{
    return str_range(field.p + sizeof FIELD - 1, field.p + field.n - 2);
}

struct str http_redirect_try(struct arena *arena, const struct http_redirect *redirect, struct str path)
{
    static const struct peer nobody = {.family = AF_UNIX};
    struct exchange x = {.peer = &nobody};
    struct str field, url = {NULL, 0};
    x.request = (struct http_request){.method_name = STR("GET"), .host = STR("_"), .uri = {.path = path}};
    arena_init(&x.arena, NULL, 0);
    if (!locate(&x, redirect, &field))
        url = arena_copy(arena, url_of(field));
    arena_clear(&x.arena);
    return url;
}

/* ---- whether it is there already ---- */

/* Host and port as the client has them in its URL. */
static struct str authority_of(const struct http_request *request)
{
    struct str field = http_field(request, STR("Host"));
    return request->uri.host.p ? request->uri.host : field.p ? field : request->host;
}

/* RFC 9110, 4.2.3 */
static struct str without_default_port(struct str authority, bool secure)
{
    struct str port = secure ? STR(":443") : STR(":80");
    if (str_ends(authority, STR(":")))
        authority.n--;
    else if (str_ends(authority, port))
        authority.n -= port.n;
    return authority;
}

static bool has_port(struct str authority)
{
    return !str_ends(authority, STR("]")) && str_find(authority, ':') < authority.n;
}

/* A target that names no port is meant for whichever the site is found at. */
static bool is_own_origin(const struct exchange *x, struct str scheme, struct str host)
{
    bool secure = x->tls != NULL;
    if (scheme.n && !str_eq_nocase(scheme, secure ? STR("https") : STR("http")))
        return false;
    if (!has_port(host))
        return str_eq_nocase(host, x->request.host);
    return str_eq_nocase(without_default_port(host, secure), without_default_port(authority_of(&x->request), secure));
}

/* Path and query are compared as they are encoded anew. 1, 0 or -ENOMEM. */
static int is_own_uri(struct exchange *x, struct str rest)
{
    const struct http_uri *uri = &x->request.uri;
    size_t size = 3 * uri->path.n + 3 * uri->query.n + sizeof "?";
    char *bytes = arena_alloc(&x->arena, size);
    if (!bytes)
        return -ENOMEM;
    struct out own = out_on(bytes, size);
    (uri->opaque ? http_uri_encode_opaque : http_uri_encode)(&own, uri->path);
    http_uri_encode_query(&own, uri->query);
    return str_eq(str_cut(&rest, '#'), out_str(&own));
}

static int is_own(struct exchange *x, struct str url)
{
    struct str scheme, host;
    size_t end = host_end(url, &scheme, &host);
    return end == 0 || is_own_origin(x, scheme, host) ? is_own_uri(x, str_skip(url, end)) : 0;
}

int http_redirect_send(struct exchange *x, const struct http_redirect *redirect)
{
    struct str field;
    if (redirect->text && http_text_tells(redirect->text) & HTTP_TOLD_HOST && !x->request.host.n) {
        x->reason = "no host to be redirected to";
        return http_send_status(x, 400, STR(""));
    }
    int result = locate(x, redirect, &field);
    if (!result)
        result = is_own(x, url_of(field));
    if (result)
        return result < 0 ? result : 0;
    return http_send_status(x, (int)redirect->status, field);
}

int http_redirect_to_slash(struct exchange *x)
{
    const struct http_uri *uri = &x->request.uri;
    size_t size = 3 * (uri->path.n + uri->query.n) + sizeof "Location: /?\r\n";
    char *fields = arena_alloc(&x->arena, size);
    if (!fields)
        return -ENOMEM;
    struct out o = out_on(fields, size);
    out_text(&o, "Location: ");
    http_uri_encode(&o, uri->path);
    out_char(&o, '/');
    http_uri_encode_query(&o, uri->query);
    out_text(&o, "\r\n");
    return http_send_status(x, 301, out_str(&o));
}
