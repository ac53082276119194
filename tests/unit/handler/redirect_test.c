/* redirect_test.c: targets that are refused, and where a request is sent. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#include "conf/yaml.h"
#include "handler/registry.h"
#include "net/tls_stream.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

static struct arena arena;
static struct conf_reader reader;
static struct http_route route;
static char settings[256];

static void setup(void)
{
    arena_init(&arena, NULL, 0);
}

static void teardown(void)
{
    arena_clear(&arena);
}

TestSuite(redirect, .init = setup, .fini = teardown);

static int configure(const char *yaml, const char *path, bool exact)
{
    struct conf_node *root;
    arena_clear(&arena);
    conf_reader_init(&reader, &arena);
    cr_assert_leq(handler_redirect.size, sizeof settings);
    cr_assert_eq(conf_parse(&reader, STR("t"), str_of(yaml), &root), 0);
    memset(settings, 0, sizeof settings);
    route = (struct http_route){.path = str_of(path), .exact = exact, .settings = settings};
    int error = conf_read_map(&reader, root, handler_redirect.table, settings);
    return error ? error : handler_redirect.prepare(&reader, root, &route, settings);
}

static const char *const refused[] = {
    "{}",
    "{to: ''}",
    "{to: ' '}",
    "{to: 'a b'}",
    "{to: \"/a\\nb\"}",
    "{to: \"/a\\x7f\"}",
    "{to: /\xc3\xa4}",
    "{to: '/\\evil'}",
    /* neither a path nor a URL with a host: what is appended could become one */
    "{to: new}",
    "{to: example.org}",
    "{to: '?x'}",
    "{to: '#x'}",
    "{to: 'https:'}",
    "{to: 'https:/'}",
    "{to: 'https:/x'}",
    "{to: 'https:example.org'}",
    "{to: 'https://'}",
    "{to: 'https:///'}",
    "{to: 'https:///x'}",
    "{to: 'https://?x'}",
    "{to: //}",
    "{to: ///x}",
    "{to: '//?x'}",
    "{to: 'https://user@example.org'}",
    "{to: 'https://example.org:x'}",
    "{to: 'https://exa<mple.org/'}",
    "{to: 'x//example.org'}",
    "{to: /x, status: 200}",
    "{to: /x, status: 300}",
    "{to: /x, status: 304}",
    "{to: /x, status: 306}",
    "{to: /x, status: 309}",
    /* what is appended would become a part of it */
    "{to: '/x?y'}",
    "{to: '/x?'}",
    "{to: '/x#y'}",
    "{to: 'https://example.org?from='}",
    "{to: 'https://example.org/#'}",
    "{to: 'https://$host/x?y=$method'}",
    /* a variable that is none, or where it would be a part of the host */
    "{to: '/$nope'}",
    "{to: '/$'}",
    "{to: '/$path'}",
    "{to: '/$query'}",
    "{to: '$query'}",
    "{to: '$host/x'}",
    "{to: '$host://x'}",
    "{to: 'https://$query/x'}",
    "{to: 'https://example.org$query'}",
    "{to: 'https://$user@example.org/'}",
    "{to: '1https://example.org/'}",
};

Test(redirect, refused)
{
    for (size_t i = 0; i < COUNT(refused); i++) {
        cr_expect_eq(configure(refused[i], "/old", false), -EINVAL, "%s", refused[i]);
        cr_expect_eq(reader.failed, 1, "%s: %zu messages", refused[i], reader.failed);
    }
}

/* ---- loops ---- */

struct pair {
    const char *path, *to;
};

/* Reads the settings of a route in the list of a site's routes, behind those in `others`. */
static int configure_among(const char *others, const char *kind, struct pair pair)
{
    char yaml[512];
    struct conf_node *list;
    arena_clear(&arena);
    conf_reader_init(&reader, &arena);
    snprintf(yaml, sizeof yaml, "[%s{%s: '%s', redirect: {to: '%s'}}]", others, kind, pair.path, pair.to);
    cr_assert_eq(conf_parse(&reader, STR("t"), str_of(yaml), &list), 0, "%s", yaml);
    struct conf_node *node = conf_find(list->last, STR("redirect"));
    memset(settings, 0, sizeof settings);
    route = (struct http_route){.path = str_of(pair.path), .exact = kind[0] == 'e', .settings = settings};
    int error = conf_read_map(&reader, node, handler_redirect.table, settings);
    return error ? error : handler_redirect.prepare(&reader, node, &route, settings);
}

static const struct pair loops[] = {
    {"/u", "/u"},   {"/u", "/u/"},      {"/u", "/u/x"},    {"/u", "/u/x/"}, {"/u/", "/u/"},  {"/u/", "/u/x"},
    {"/u", "/%75"}, {"/u", "/./u"},     {"/u", "/x/../u"}, {"/", "/"},      {"/", "/x"},     {"/", "/x/"},
    {"/u", "/u//"}, {"/a b", "/a%20b"}, {"/u", "$uri"},    {"/u", "$path"}, {"/", "/x$uri"}, {"/u", "/u$path?$query"},
};

static const struct pair straight[] = {
    {"/u", "/"},
    {"/u", "/ux"},
    {"/u", "/v/u"},
    {"/u", "/u/../v"},
    {"/u/", "/v"},
    {"/u", "/U"},
    {"/u/x", "/u"},
    {"/u", "//u/u"},
    {"/u", "https://example.org/u"},
    {"/", "//u/"},
    {"/u%", "/u%"},
    {"/u", "/v$uri"},
    {"/u", "https://$host$uri"},
    {"/u", "$scheme://$host/u"},
};

Test(redirect, loops)
{
    for (size_t i = 0; i < COUNT(loops); i++) {
        cr_expect_eq(configure_among("", "path", loops[i]), -EINVAL, "%s to %s", loops[i].path, loops[i].to);
        cr_expect_eq(reader.failed, 1);
    }
    for (size_t i = 0; i < COUNT(straight); i++)
        cr_expect_eq(configure_among("", "path", straight[i]), 0, "%s to %s", straight[i].path, straight[i].to);
    cr_expect_eq(configure_among("", "exact", (struct pair){"/u", "/u"}), -EINVAL);
    cr_expect_eq(configure_among("", "exact", (struct pair){"/u", "/u?x#y"}), -EINVAL);
    cr_expect_eq(configure_among("", "exact", (struct pair){"/u", "/u/"}), 0);
    cr_expect_eq(configure_among("", "exact", (struct pair){"/", "/u/"}), 0);
}

/* What another route takes does not come back. */
static const struct {
    const char *others;
    struct pair pair;
    bool loop;
} among[] = {
    {"{path: /}, ", {"/u", "/u/x"}, true},
    {"{path: /u}, ", {"/u", "/u/x"}, true},
    {"{path: /u/xy}, ", {"/u", "/u/x"}, true},
    {"{path: /u/x/y}, ", {"/u", "/u/x"}, true},
    {"{exact: /u/x}, ", {"/u", "/u/x"}, true},
    {"{path: /new}, ", {"/", "/new"}, true}, /* /a goes to /newa */
    {"{path: /u/x}, ", {"/u", "/u/x"}, false},
    {"{path: /u/x/}, ", {"/u", "/u/x"}, false},
    {"{path: /v}, {path: /u/x/}, ", {"/u", "/u/x/y"}, false},
    {"{path: /new}, ", {"/", "/new/"}, false},
    {"{path: /new/}, ", {"/", "/new/"}, false},
};

Test(redirect, loops_that_another_route_ends)
{
    for (size_t i = 0; i < COUNT(among); i++)
        cr_expect_eq(configure_among(among[i].others, "path", among[i].pair), among[i].loop ? -EINVAL : 0, "%s%s to %s",
                     among[i].others, among[i].pair.path, among[i].pair.to);
}

/* ---- where to ---- */

static char location[512];
static int sent_status;

static int head(struct exchange *x, const struct http_head *head)
{
    (void)x;
    sent_status = head->status;
    location[0] = '\0';
    if (head->status >= 400)
        return 0;
    cr_assert(str_starts(head->fields, STR("Location: ")));
    struct str value = str_skip(head->fields, sizeof "Location: " - 1);
    snprintf(location, sizeof location, "%.*s", (int)str_find(value, '\r'), value.p);
    cr_expect(str_eq(str_skip(value, str_find(value, '\r')), STR("\r\nContent-Type: text/plain\r\n")));
    return 0;
}

static int content(struct exchange *x, struct str bytes)
{
    (void)x, (void)bytes;
    return 0;
}

static int end(struct exchange *x)
{
    (void)x;
    return 0;
}

static const struct exchange_ops ops = {.head = head, .content = content, .end = end};

struct redirection {
    const char *to, *prefix, *target, *location;
};

static const struct redirection redirections[] = {
    /* the host stays the host, whatever the peer asks for */
    {"https://example.org", "/old/", "/old/.evil.example", "https://example.org/.evil.example"},
    {"https://example.org", "/old/", "/old/@evil.example", "https://example.org/@evil.example"},
    {"https://example.org", "/old/", "/old/:80", "https://example.org/:80"},
    {"https://example.org:80", "/", "/80", "https://example.org:80/80"},
    {"https://example.org", "/old", "/old/x", "https://example.org/x"},
    {"https://example.org", "/old", "/old", "https://example.org/"},
    {"https://example.org/", "/old", "/old/x", "https://example.org/x"},
    {"https://example.org/", "/", "/x", "https://example.org/x"},
    {"https://[::1]", "/", "/x", "https://[::1]/x"},
    {"//example.org", "/", "/x", "//example.org/x"},
    {"https://example.org/base", "/old", "/old/x", "https://example.org/base/x"},
    {"/", "/all", "/all//evil.example/", "/evil.example/"},
    {"/", "/all", "/all/%5cevil.example", "/%5Cevil.example"},
    /* what follows the prefix, encoded anew */
    {"/new/", "/old/", "/old/a/b?c=d&e", "/new/a/b?c=d&e"},
    {"/new/", "/old/", "/old/", "/new/"},
    {"/new/", "/old", "/old/a", "/new/a"},
    {"/new", "/old", "/old/a", "/new/a"},
    {"/new", "/old", "/old?", "/new?"},
    {"/new/", "/old/", "/old/%0d%0aSet-Cookie:%20a", "/new/%0D%0ASet-Cookie:%20a"},
    {"/new/", "/old/", "/old/%3fa%23b", "/new/%3Fa%23b"},
    {"/new/", "/old/", "/old/x://y", "/new/x:/y"},
};

static void expect_redirection(const struct redirection *r)
{
    char yaml[256];
    struct exchange x = {.ops = &ops};
    snprintf(yaml, sizeof yaml, "{to: '%s', status: 308}", r->to);
    cr_assert_eq(configure(yaml, r->prefix, false), 0, "%s", r->to);
    arena_init(&x.arena, NULL, 0);
    cr_assert_eq(http_uri_parse(&x.arena, str_of(r->target), &x.request.uri), 0, "%s", r->target);
    cr_expect_eq(handler_redirect.serve(&x, settings), 0);
    cr_expect_str_eq(location, r->location, "%s below %s: %s", r->target, r->prefix, location);
    cr_expect_eq(sent_status, 308);
    arena_clear(&x.arena);
}

Test(redirect, where_to)
{
    for (size_t i = 0; i < COUNT(redirections); i++)
        expect_redirection(&redirections[i]);
}

/* ---- of one path ---- */

static const struct {
    const char *to, *query, *location;
} exact[] = {
    {"/here", NULL, "/here"},
    {"/here", "", "/here?"},
    {"/here", "q", "/here?q"},
    {"/here?a=b", NULL, "/here?a=b"},
    {"/here?a=b", "", "/here?a=b"},
    {"/here?a=b", "q", "/here?a=b&q"},
    {"/here?a=b", "q?&\"", "/here?a=b&q?&%22"},
    {"/here?", "q", "/here?q"},
    {"/here?", NULL, "/here"},
    {"/here#part", NULL, "/here#part"},
    {"/here#part", "q", "/here?q#part"},
    {"/here?a#part", "q", "/here?a&q#part"},
    {"/here#part?a", "q", "/here?q#part?a"},
    {"/here#", "q", "/here?q#"},
    {"https://example.org", "q", "https://example.org/?q"},
    {"https://example.org?a", "q", "https://example.org?a&q"},
    {"https://example.org#part", "q", "https://example.org?q#part"},
};

Test(redirect, an_exact_path)
{
    for (size_t i = 0; i < COUNT(exact); i++) {
        char yaml[256];
        struct exchange x = {.ops = &ops};
        snprintf(yaml, sizeof yaml, "{to: '%s'}", exact[i].to);
        cr_assert_eq(configure(yaml, "/there", true), 0, "%s", exact[i].to);
        arena_init(&x.arena, NULL, 0);
        x.request.uri = (struct http_uri){.path = STR("/there"), .query = str_of(exact[i].query)};
        cr_expect_eq(handler_redirect.serve(&x, settings), 0);
        cr_expect_str_eq(location, exact[i].location, "%s: %s", exact[i].to, location);
        cr_expect_eq(sent_status, 302);
        arena_clear(&x.arena);
    }
}

/* ---- with variables ---- */

static const struct tls_peer secured = {.version = "TLSv1.3"};

struct varying {
    const char *to;
    bool exact;
    const struct tls_peer *tls;
    const char *target, *location; /* location: NULL: it would be sent to itself */
};

static const struct varying varying[] = {
    {"https://$host$uri", false, NULL, "/u/a%22?b", "https://a.org/u/a%22?b"},
    {"https://$host$uri", false, &secured, "/u/a%22?b", NULL},
    {"https://$host:444$uri", false, &secured, "/u", "https://a.org:444/u"},
    {"https://a.org/u", false, NULL, "/u/x?y", "https://a.org/u/x?y"},
    {"https://a.org/u", false, &secured, "/u/x?y", NULL},
    {"https://A.org:443/u#x", true, &secured, "/u", NULL},
    {"//a.org/u", false, NULL, "/u?x", NULL},
    {"http://$host/v$path", false, NULL, "/u/x?y", "http://a.org/v/u/x"},
    {"/v$path?a&$query#b", false, NULL, "/u/x?y", "/v/u/x?a&y#b"},
    {"/v?$query", false, NULL, "/u/x?y=\"", "/v?y=%22"},
    /* where nothing is said of path and query, they are appended */
    {"https://$host/v/", false, NULL, "/u/x?y", "https://a.org/v/x?y"},
    {"https://$host", false, NULL, "/u/x?y", "https://a.org/x?y"},
    {"/v/$method", false, NULL, "/u/x?y", "/v/GET/x?y"},
    {"/v/$user", false, NULL, "/u/x", "/v/a%2F..%3F%23%0D%0A/x"},
    {"/$user", false, NULL, "/u", "/a%2F..%3F%23%0D%0A"},
    {"/v?m=$method#$scheme", true, NULL, "/u?y", "/v?m=GET&y#http"},
    {"/v?m=$method", true, NULL, "/u", "/v?m=GET"},
    {"/v$$x", false, NULL, "/u", "/v$x"},
};

static void expect_varying(const struct varying *v)
{
    char yaml[128];
    struct http_field host = {STR("Host"), STR("a.org")};
    struct exchange x = {.ops = &ops, .tls = v->tls, .user = STR("a/..?#\r\n")};
    snprintf(yaml, sizeof yaml, "{to: '%s', status: 307}", v->to);
    cr_assert_eq(configure(yaml, "/u", v->exact), 0, "%s: %s", v->to, reader.kept ? reader.errors[0].text.p : "");
    arena_init(&x.arena, NULL, 0);
    x.request = (struct http_request){.method_name = STR("GET"), .host = host.value, .fields = &host, .field_count = 1};
    cr_assert_eq(http_uri_parse(&x.arena, str_of(v->target), &x.request.uri), 0, "%s", v->target);
    cr_expect_eq(handler_redirect.serve(&x, settings), 0);
    cr_expect_eq(sent_status, v->location ? 307 : 500, "%s for %s: %d", v->to, v->target, sent_status);
    cr_expect_str_eq(location, v->location ? v->location : "", "%s for %s: %s", v->to, v->target, location);
    arena_clear(&x.arena);
}

Test(redirect, with_variables)
{
    for (size_t i = 0; i < COUNT(varying); i++)
        expect_varying(&varying[i]);
}
