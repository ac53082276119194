/* redirect_test.c: targets that are refused, and where a request is sent. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#include "conf/yaml.h"
#include "handler/registry.h"

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
    "{to: /, status: 200}",
    "{to: /, status: 300}",
    "{to: /, status: 304}",
    "{to: /, status: 306}",
    "{to: /, status: 309}",
};

Test(redirect, refused)
{
    for (size_t i = 0; i < COUNT(refused); i++) {
        cr_expect_eq(configure(refused[i], "/", false), -EINVAL, "%s", refused[i]);
        cr_expect_eq(reader.failed, 1, "%s: %zu messages", refused[i], reader.failed);
    }
}

static char location[512];
static int sent_status;

static int head(struct exchange *x, const struct http_head *head)
{
    (void)x;
    sent_status = head->status;
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
    {"https://example.org?from=", "/old/", "/old/x", "https://example.org?from=x"},
    {"/", "/all", "/all//evil.example/", "/evil.example/"},
    {"/", "/all", "/all/%5cevil.example", "/%5Cevil.example"},
    {"/", "/", "//evil.example", "/evil.example"},
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

Test(redirect, an_exact_path)
{
    struct exchange x = {.ops = &ops};
    cr_assert_eq(configure("{to: /here}", "/there", true), 0);
    arena_init(&x.arena, NULL, 0);
    x.request.uri = (struct http_uri){.path = STR("/there"), .query = STR("q")};
    cr_expect_eq(handler_redirect.serve(&x, settings), 0);
    cr_expect_str_eq(location, "/here?q");
    cr_expect_eq(sent_status, 302);
    arena_clear(&x.arena);
}
