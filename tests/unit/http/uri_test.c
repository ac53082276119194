/* uri_test.c: targets that are refused, what the others mean, and paths written back. */
#include "http/uri.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

static struct arena arena;

static void setup(void)
{
    arena_init(&arena, NULL, 0);
}

static void teardown(void)
{
    arena_clear(&arena);
}

TestSuite(uri, .init = setup, .fini = teardown);

static const struct str refused[] = {
    STR_INIT(""),
    STR_INIT("*"),
    STR_INIT("a"),
    STR_INIT("a/b"),
    STR_INIT("?q"),
    STR_INIT("%2Fa"),
    STR_INIT("\\a"),
    STR_INIT("example.org:80"),
    /* bytes (RFC 9112, 3.2; RFC 3986, 2) */
    STR_INIT("/a b"),
    STR_INIT("/a\tb"),
    STR_INIT("/a\0b"),
    STR_INIT("/a\rb"),
    STR_INIT("/a\nb"),
    STR_INIT("/a\x1f"),
    STR_INIT("/a\x7f"),
    STR_INIT("/a\x80"),
    STR_INIT("/\xc3\xa4"),
    STR_INIT("/a\xff"),
    STR_INIT("/a?b c"),
    STR_INIT("/a?b\0"),
    STR_INIT("/a?\xc3\xa4"),
    STR_INIT("/a?\x7f"),
    /* fragments */
    STR_INIT("/#"),
    STR_INIT("/a#b"),
    STR_INIT("/a?b#c"),
    STR_INIT("/%41#b"),
    /* triplets */
    STR_INIT("/%"),
    STR_INIT("/%4"),
    STR_INIT("/%zz"),
    STR_INIT("/%4g"),
    STR_INIT("/%g4"),
    STR_INIT("/%%41"),
    STR_INIT("/% 41"),
    STR_INIT("/%+1"),
    STR_INIT("/%4?1"),
    STR_INIT("/%u0041"),
    STR_INIT("/a?%"),
    STR_INIT("/a?b=100%"),
    STR_INIT("/a?%4"),
    STR_INIT("/a?%4x"),
    /* what no file name can contain */
    STR_INIT("/%00"),
    STR_INIT("/a%00.html"),
    STR_INIT("/a%2F%00"),
    /* backslashes */
    STR_INIT("/\\"),
    STR_INIT("/a\\b"),
    STR_INIT("/..\\..\\etc"),
    STR_INIT("/%41\\"),
    /* absolute-form (RFC 9110, 4.2) */
    STR_INIT("http:"),
    STR_INIT("http:/"),
    STR_INIT("http://"),
    STR_INIT("http:///a"),
    STR_INIT("http://?q"),
    STR_INIT("http:a"),
    STR_INIT("http:/a/b"),
    STR_INIT("ftp://a/"),
    STR_INIT("httpx://a/"),
    STR_INIT("://a/"),
    STR_INIT("http://user@a/"),
    STR_INIT("http://user:password@a/"),
    STR_INIT("http://@a/"),
    STR_INIT("http://:80/"),
    STR_INIT("http://a:x/"),
    STR_INIT("http://a:80x/"),
    STR_INIT("http://a:-1/"),
    STR_INIT("http://a:65536/"),
    STR_INIT("http://a:80:80/"),
    STR_INIT("http://a b/"),
    STR_INIT("http://a\\b/"),
    STR_INIT("http://a\0b/"),
    STR_INIT("http://a%/"),
    STR_INIT("http://[::1/"),
    STR_INIT("http://::1/"),
    STR_INIT("http://[]/"),
    STR_INIT("http://[::1]x/"),
    STR_INIT("http://[::1]80/"),
    STR_INIT("http://[1.2.3.4]/"),
    STR_INIT("http://[::1%25eth0]/"),
    STR_INIT("http://a#b"),
    STR_INIT("http://a/#b"),
};

Test(uri, refused)
{
    for (size_t i = 0; i < COUNT(refused); i++) {
        struct http_uri uri;
        cr_expect_eq(http_uri_parse(&arena, refused[i], &uri), -EBADMSG, "\"%s\"", refused[i].p);
    }
}

struct path_case {
    const char *target, *path, *query; /* query NULL: none */
};

static const struct path_case in_place[] = {
    {"/", "/", NULL},
    {"/?", "/", ""},
    {"/a", "/a", NULL},
    {"/hello.html", "/hello.html", NULL},
    {"/a/", "/a/", NULL},
    {"/a/b/c", "/a/b/c", NULL},
    {"/a..b", "/a..b", NULL},
    {"/a.", "/a.", NULL},
    {"/a../b", "/a../b", NULL},
    {"/...", "/...", NULL},
    {"/.../a", "/.../a", NULL},
    {"/.a", "/.a", NULL},
    {"/..a", "/..a", NULL},
    {"/.well-known/x", "/.well-known/x", NULL},
    {"/a?", "/a", ""},
    {"/a?b=c&d", "/a", "b=c&d"},
    {"/a?b?c", "/a", "b?c"},
    {"/a?/../b//c", "/a", "/../b//c"},
    {"/a?b%20c%2f%00", "/a", "b%20c%2f%00"},
    {"/a?b\\c\"<>{|}^`[]", "/a", "b\\c\"<>{|}^`[]"},
    {"/a:b@c!$&'()*+,;=-._~", "/a:b@c!$&'()*+,;=-._~", NULL},
    {"/\"<>[]^`{|}", "/\"<>[]^`{|}", NULL},
};

static void expect_parsed(const struct path_case *c, struct http_uri *uri)
{
    cr_assert_eq(http_uri_parse(&arena, str_of(c->target), uri), 0, "%s", c->target);
    cr_expect(str_eq(uri->path, str_of(c->path)), "%s: path " STR_FMT, c->target, STR_ARG(uri->path));
    cr_expect_eq(uri->query.p == NULL, c->query == NULL, "%s", c->target);
    cr_expect(str_eq(uri->query, str_of(c->query)), "%s: query " STR_FMT, c->target, STR_ARG(uri->query));
}

Test(uri, a_plain_path_stays_where_it_is)
{
    for (size_t i = 0; i < COUNT(in_place); i++) {
        struct http_uri uri;
        expect_parsed(&in_place[i], &uri);
        cr_expect_eq(uri.path.p, in_place[i].target, "%s", in_place[i].target);
        cr_expect_null(uri.host.p);
        cr_expect_not(uri.secure);
    }
    cr_expect_null(arena.chunks, "nothing was allocated");
}

static const struct path_case rewritten[] = {
    {"/%41", "/A", NULL},
    {"/%7e%7E", "/~~", NULL},
    {"/a%20b", "/a b", NULL},
    {"/%c3%a4", "/\xc3\xa4", NULL},
    {"/%0d%0a", "/\r\n", NULL},
    {"/%3f%23", "/?#", NULL},
    {"/%3Fa?b", "/?a", "b"},
    {"/a%5cb", "/a\\b", NULL},
    {"/..%5c..%5cetc", "/..\\..\\etc", NULL},
    {"/%2541", "/%41", NULL},
    {"/%252e%252e/", "/%2e%2e/", NULL},
    {"/%25", "/%", NULL},
    {"/.", "/", NULL},
    {"/..", "/", NULL},
    {"/./", "/", NULL},
    {"/../", "/", NULL},
    {"/../..", "/", NULL},
    {"/../../../etc/passwd", "/etc/passwd", NULL},
    {"/a/.", "/a/", NULL},
    {"/a/..", "/", NULL},
    {"/a/b/..", "/a/", NULL},
    {"/a/./b", "/a/b", NULL},
    {"/a/../b", "/b", NULL},
    {"/a/b/../../c", "/c", NULL},
    {"/a/b/../../../c", "/c", NULL},
    {"/a/../../..", "/", NULL},
    {"/./a/./b/./", "/a/b/", NULL},
    {"/a/.../../b", "/a/b", NULL},
    {"/a/..b/../c", "/a/c", NULL},
    {"/%2e%2e/a", "/a", NULL},
    {"/%2e./a", "/a", NULL},
    {"/.%2E/a", "/a", NULL},
    {"/a/%2e%2e/b", "/b", NULL},
    {"/a/%2e", "/a/", NULL},
    {"/a/..?/../b", "/", "/../b"},
    {"/a/.?b", "/a/", "b"},
    {"//", "/", NULL},
    {"///", "/", NULL},
    {"//a", "/a", NULL},
    {"//example.org/a", "/example.org/a", NULL},
    {"//example.org//..", "/", NULL},
    {"/a//b", "/a/b", NULL},
    {"/a///b//", "/a/b/", NULL},
    {"/a//../b", "/b", NULL},
    {"/a/..//../b", "/b", NULL},
    {"/.//../a", "/a", NULL},
    {"//..//.//a", "/a", NULL},
    {"/a//?b", "/a/", "b"},
    {"/x/../%61?%61", "/a", "%61"},
    /* the examples of RFC 3986, 5.2.4 and 5.4 */
    {"/a/b/c/./../../g", "/a/g", NULL},
    {"/b/c/./g", "/b/c/g", NULL},
    {"/b/c/../../g", "/g", NULL},
    {"/b/c/../../../g", "/g", NULL},
    {"/b/c/g;x=1/../y", "/b/c/y", NULL},
    {"/b/c/g;x=1/./y", "/b/c/g;x=1/y", NULL},
};

Test(uri, decodes_once_and_then_removes_dots)
{
    for (size_t i = 0; i < COUNT(rewritten); i++) {
        struct http_uri uri;
        expect_parsed(&rewritten[i], &uri);
    }
}

/* %2F is no separator: it stays, and so does every percent sign of such a path, that it means one thing only. */
static const struct path_case opaque[] = {
    {"/a%2fb", "/a%2Fb", NULL},
    {"/a%2Fb?c%2fd", "/a%2Fb", "c%2fd"},
    {"/%2f", "/%2F", NULL},
    {"/%2f%2f", "/%2F%2F", NULL},
    {"/..%2f..%2fetc/passwd", "/..%2F..%2Fetc/passwd", NULL},
    {"/%2e%2e%2fetc", "/..%2Fetc", NULL},
    {"/a%2f../b", "/a%2F../b", NULL},
    {"/a/..%2fb/../c", "/a/c", NULL},
    {"/%2e%2e/a%2f", "/a%2F", NULL},
    {"/%252f%2f", "/%252f%2F", NULL},
    {"/%25%2f", "/%25%2F", NULL},
    {"/%2541%2f%41", "/%2541%2FA", NULL},
    {"/%5c%2f", "/\\%2F", NULL},
    {"//a//%2f//b", "/a/%2F/b", NULL},
    {"http://h/%2f", "/%2F", NULL},
};

static const char *const not_opaque[] = {
    "/", "/a", "/%41", "/%25", "/%252f", "/%252F/%41", "/%5c", "/a?%2f", "/%2e%2e", "/%2", "/%2g", "http://h?%2f",
};

Test(uri, an_encoded_slash_stays_encoded)
{
    struct http_uri uri;
    for (size_t i = 0; i < COUNT(not_opaque); i++)
        cr_expect(http_uri_parse(&arena, str_of(not_opaque[i]), &uri) < 0 || !uri.opaque, "%s", not_opaque[i]);
    for (size_t i = 0; i < COUNT(opaque); i++) {
        expect_parsed(&opaque[i], &uri);
        cr_expect(uri.opaque, "%s", opaque[i].target);
    }
}

struct absolute_case {
    const char *target, *host, *path, *query;
    bool secure;
};

static const struct absolute_case absolute[] = {
    {"http://a", "a", "/", NULL, false},
    {"http://a/", "a", "/", NULL, false},
    {"http://a?b", "a", "/", "b", false},
    {"http://a/?", "a", "/", "", false},
    {"HTTP://A.example:8080/x?y", "A.example:8080", "/x", "y", false},
    {"https://a:/x", "a:", "/x", NULL, true},
    {"http://127.0.0.1:65535/x/../y", "127.0.0.1:65535", "/y", NULL, false},
    {"http://[::1]/", "[::1]", "/", NULL, false},
    {"http://[2001:db8::192.0.2.1]:443", "[2001:db8::192.0.2.1]:443", "/", NULL, false},
    {"http://a//b", "a", "/b", NULL, false},
    {"http://a/http://b/", "a", "/http:/b/", NULL, false},
};

Test(uri, absolute_form)
{
    for (size_t i = 0; i < COUNT(absolute); i++) {
        const struct absolute_case *c = &absolute[i];
        struct http_uri uri;
        expect_parsed(&(struct path_case){c->target, c->path, c->query}, &uri);
        cr_expect(str_eq(uri.host, str_of(c->host)), "%s: host " STR_FMT, c->target, STR_ARG(uri.host));
        cr_expect_eq(uri.secure, c->secure, "%s", c->target);
    }
}

static const struct str not_normal[] = {
    {NULL, 0},          STR_INIT(""),       STR_INIT("a"),      STR_INIT("a/b"),     STR_INIT("*"),
    STR_INIT("//"),     STR_INIT("//a"),    STR_INIT("/a//b"),  STR_INIT("/a//"),    STR_INIT("/."),
    STR_INIT("/.."),    STR_INIT("/./"),    STR_INIT("/../"),   STR_INIT("/./a"),    STR_INIT("/../a"),
    STR_INIT("/a/."),   STR_INIT("/a/.."),  STR_INIT("/a/./b"), STR_INIT("/a/../b"), STR_INIT("/%41"),
    STR_INIT("/a%20b"), STR_INIT("/a/%2f"), STR_INIT("/%25"),   STR_INIT("/%00"),    STR_INIT("/100%/%41"),
    STR_INIT("/%4%41"),
};

static const struct str normal[] = {
    STR_INIT("/"),       STR_INIT("/a"),         STR_INIT("/a/"),         STR_INIT("/a/b"),
    STR_INIT("/..."),    STR_INIT("/.a/..b/c."), STR_INIT("/a b"),        STR_INIT("/100%"),
    STR_INIT("/%4/%g1"), STR_INIT("/%"),         STR_INIT("/\xc3\xa4?#"),
};

Test(uri, path_is_normal)
{
    for (size_t i = 0; i < COUNT(not_normal); i++)
        cr_expect_not(http_path_is_normal(not_normal[i]), "%s", not_normal[i].p);
    for (size_t i = 0; i < COUNT(normal); i++)
        cr_expect(http_path_is_normal(normal[i]), "%s", normal[i].p);
}

/* Every path that a request can have can be configured, unless it is opaque or looks like it was encoded. */
Test(uri, paths_of_requests_are_normal)
{
    struct http_uri uri;
    for (size_t i = 0; i < COUNT(in_place) + COUNT(rewritten); i++) {
        const struct path_case *c = i < COUNT(in_place) ? &in_place[i] : &rewritten[i - COUNT(in_place)];
        cr_assert_eq(http_uri_parse(&arena, str_of(c->target), &uri), 0);
        bool encoded = strstr(c->path, "%41") || strstr(c->path, "%2e");
        cr_expect_eq(http_path_is_normal(uri.path), !encoded, "%s", c->target);
    }
}

/* Every promise of the header, on targets made of what could break them. */
Test(uri, random_targets_keep_the_promises)
{
    static const char *const pieces[] = {"/", "//", ".", "..", "%2e", "%2F", "%00", "%5c", "a", "b%41", "?", "%", "\\"};
    srand(5);
    size_t accepted = 0;
    for (int i = 0; i < 100000; i++) {
        char target[64] = "/";
        for (int n = rand() % 8; n > 0; n--)
            strcat(target, pieces[rand() % COUNT(pieces)]);
        struct http_uri uri;
        int result = http_uri_parse(&arena, str_of(target), &uri);
        arena_clear(&arena);
        cr_assert(result == 0 || result == -EBADMSG);
        if (result < 0)
            continue;
        accepted++;
        cr_assert_eq(http_uri_parse(&arena, str_of(target), &uri), 0);
        struct str path = arena_copy(&arena, uri.path);
        cr_assert_eq(strlen(path.p), path.n, "%s: a NUL in the path", target);
        cr_assert_eq(path.p[0], '/', "%s", target);
        cr_assert_null(strstr(path.p, "//"), "%s: %s", target, path.p);
        cr_assert_null(strstr(path.p, "/./"), "%s: %s", target, path.p);
        cr_assert_null(strstr(path.p, "/../"), "%s: %s", target, path.p);
        cr_assert_not(str_ends(path, STR("/.")) || str_ends(path, STR("/..")), "%s: %s", target, path.p);
        arena_clear(&arena);
    }
    cr_expect_gt(accepted, 10000);
}

struct encode_case {
    struct str path;
    const char *text;
};

static const struct encode_case encoded[] = {
    {STR_INIT(""), ""},
    {STR_INIT("/"), "/"},
    {STR_INIT("//evil.example/"), "/evil.example/"},
    {STR_INIT("////a//b"), "/a//b"},
    {STR_INIT("/\\evil.example/"), "/%5Cevil.example/"},
    {STR_INIT("/a b\r\nSet-Cookie: x\0\x7f"), "/a%20b%0D%0ASet-Cookie:%20x%00%7F"},
    {STR_INIT("/\xc3\xa4"), "/%C3%A4"},
    {STR_INIT("/100%?#"), "/100%25%3F%23"},
    {STR_INIT("/\"<>[]^`{|}"), "/%22%3C%3E%5B%5D%5E%60%7B%7C%7D"},
    {STR_INIT("/a:b@c!$&'()*+,;=-._~09AZaz"), "/a:b@c!$&'()*+,;=-._~09AZaz"},
};

Test(uri, encodes_what_is_no_pchar)
{
    for (size_t i = 0; i < COUNT(encoded); i++) {
        char buffer[128];
        struct out o = out_on(buffer, sizeof buffer);
        http_uri_encode(&o, encoded[i].path);
        cr_expect(str_eq(out_str(&o), str_of(encoded[i].text)), STR_FMT, STR_ARG(out_str(&o)));
    }
    char small[4];
    struct out o = out_on(small, sizeof small);
    http_uri_encode(&o, STR("/a b"));
    cr_expect(o.full);
    cr_expect_leq(out_len(&o), sizeof small);
}

Test(uri, what_is_encoded_parses_to_the_same_path)
{
    char path[256], buffer[1024];
    size_t n = 0;
    path[n++] = '/';
    for (int byte = 1; byte < 256; byte++)
        if (byte != '/')
            path[n++] = (char)byte;
    struct out o = out_on(buffer, sizeof buffer);
    http_uri_encode(&o, (struct str){path, n});
    struct http_uri uri;
    cr_assert_eq(http_uri_parse(&arena, out_str(&o), &uri), 0);
    cr_expect(str_eq(uri.path, (struct str){path, n}));
}

static const struct encode_case encoded_opaque[] = {
    {STR_INIT("/a%2Fb"), "/a%2Fb"},
    {STR_INIT("//evil.example%2F"), "/evil.example%2F"},
    {STR_INIT("/%25%2F a\r\n?#"), "/%25%2F%20a%0D%0A%3F%23"},
};

Test(uri, encodes_an_opaque_path)
{
    for (size_t i = 0; i < COUNT(encoded_opaque); i++) {
        char buffer[128];
        struct out o = out_on(buffer, sizeof buffer);
        http_uri_encode_opaque(&o, encoded_opaque[i].path);
        cr_expect(str_eq(out_str(&o), str_of(encoded_opaque[i].text)), STR_FMT, STR_ARG(out_str(&o)));
    }
    for (size_t i = 0; i < COUNT(opaque); i++) {
        struct http_uri uri, again;
        char buffer[128];
        struct out o = out_on(buffer, sizeof buffer);
        cr_assert_eq(http_uri_parse(&arena, str_of(opaque[i].target), &uri), 0);
        http_uri_encode_opaque(&o, uri.path);
        cr_assert_eq(http_uri_parse(&arena, out_str(&o), &again), 0);
        cr_expect(str_eq(again.path, uri.path), "%s: " STR_FMT, opaque[i].target, STR_ARG(again.path));
    }
}

static const struct encode_case queries[] = {
    {{NULL, 0}, ""},
    {STR_INIT(""), "?"},
    {STR_INIT("a=b&c"), "?a=b&c"},
    {STR_INIT("a?b/c:@"), "?a?b/c:@"},
    {STR_INIT("%41%2f%0d"), "?%41%2f%0d"},
    {STR_INIT("//a"), "?//a"},
    {STR_INIT("\"<>[]\\^`{|}"), "?%22%3C%3E%5B%5D%5C%5E%60%7B%7C%7D"},
    {STR_INIT("a b\r\nSet-Cookie: x\0\x7f"), "?a%20b%0D%0ASet-Cookie:%20x%00%7F"},
    {STR_INIT("#\xc3\xa4"), "?%23%C3%A4"},
};

/* RFC 3986, 3.4 */
Test(uri, encodes_a_query)
{
    for (size_t i = 0; i < COUNT(queries); i++) {
        char buffer[128];
        struct out o = out_on(buffer, sizeof buffer);
        http_uri_encode_query(&o, queries[i].path);
        cr_expect(str_eq(out_str(&o), str_of(queries[i].text)), STR_FMT, STR_ARG(out_str(&o)));
    }
}

static const struct encode_case values[] = {
    {STR_INIT(""), ""},
    {STR_INIT("AZaz09-._~"), "AZaz09-._~"},
    {STR_INIT("/?#[]@:"), "%2F%3F%23%5B%5D%40%3A"},
    {STR_INIT("!$&'()*+,;="), "%21%24%26%27%28%29%2A%2B%2C%3B%3D"},
    {STR_INIT("%41 \"\\"), "%2541%20%22%5C"},
    {STR_INIT("\0\r\n\x7f\xc3\xa4"), "%00%0D%0A%7F%C3%A4"},
};

Test(uri, encodes_a_value)
{
    for (size_t i = 0; i < COUNT(values); i++) {
        char buffer[64];
        struct out o = out_on(buffer, sizeof buffer);
        http_uri_encode_value(&o, values[i].path);
        cr_expect(str_eq(out_str(&o), str_of(values[i].text)), STR_FMT, STR_ARG(out_str(&o)));
    }
}
