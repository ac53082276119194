/* variable_test.c: variables that do not exist, what a peer can do to a text, and what each of them stands for. */
#include "http/variable.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#include "conf/yaml.h"
#include "net/addr.h"
#include "net/tls_stream.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

static struct arena arena;
static struct conf_reader reader;
static struct exchange x;
static struct peer peer;

static const struct tls_peer tls = {
    .version = "TLSv1.3",
    .cipher = "TLS_AES_256_GCM_SHA384",
    .name = STR_INIT("www.example.org"),
    .subject = STR_INIT("CN=Alice \xc3\x84,O=a/b"),
};

static void setup(void)
{
    struct addr addr;
    arena_init(&arena, NULL, 0);
    cr_assert_eq(addr_parse(STR("[2001:db8::1]:80"), &addr), 0);
    peer_from(&peer, &addr.any);
    x = (struct exchange){.peer = &peer, .user = STR("bob")};
    x.request = (struct http_request){.method_name = STR("GET"), .host = STR("example.org")};
    x.request.uri = (struct http_uri){.path = STR("/a b"), .query = STR("c=d\"e")};
    arena_init(&x.arena, NULL, 0);
}

static void teardown(void)
{
    arena_clear(&x.arena);
    arena_clear(&arena);
}

TestSuite(variable, .init = setup, .fini = teardown);

static int compile(const char *text, const struct http_text **made)
{
    struct conf_node *node;
    char yaml[512];
    snprintf(yaml, sizeof yaml, "'%s'", text);
    conf_reader_init(&reader, &arena);
    cr_assert_eq(conf_parse(&reader, STR("t"), str_of(yaml), &node), 0, "%s", yaml);
    return http_text_compile(&reader, node, node->text, made);
}

#define ALL                                                                                                            \
    "there are $host $uri $path $query $method $scheme $client $user $tls_version $tls_cipher $tls_name $tls_subject"
#define NO_NAME "a `$` without a name; a dollar is written `$$`, and " ALL

struct reject {
    const char *text, *message;
};

/* In a file `${` is the environment: what is left of `$${` is seen here. */
static const struct reject rejects[] = {
    {"$", NO_NAME},
    {"a$", NO_NAME},
    {"$$$", NO_NAME},
    {"$ host", NO_NAME},
    {"$-", NO_NAME},
    {"$\xc3\xa4", NO_NAME},
    {"$hots", "there is no variable $hots; " ALL},
    {"$Host", "there is no variable $Host; " ALL},
    {"$hostname", "there is no variable $hostname; " ALL},
    {"$host_", "there is no variable $host_; " ALL},
    {"$hos", "there is no variable $hos; " ALL},
    {"$host$5", "there is no variable $5; " ALL},
    {"$host $path $x", "there is no variable $x; " ALL},
    {"$${", "`${` without `}`"},
    {"$${host", "`${host` without `}`"},
    {"$${host$path}", "`${host` without `}`"},
    {"$${ host}", "`${` without `}`"},
    {"$${}", NO_NAME},
    {"$${hots}", "there is no variable $hots; " ALL},
};

static void expect_refused(const struct reject *reject)
{
    const struct http_text *made = NULL;
    cr_expect_eq(compile(reject->text, &made), -EINVAL, "%s", reject->text);
    cr_assert_eq(reader.kept, 1, "%s", reject->text);
    cr_expect_str_eq(reader.errors[0].text.p, reject->message, "%s: %s", reject->text, reader.errors[0].text.p);
    cr_expect_eq(reader.errors[0].line, 1);
    cr_expect_eq(reader.errors[0].col, 1);
}

Test(variable, rejects)
{
    for (size_t i = 0; i < COUNT(rejects); i++)
        expect_refused(&rejects[i]);
}

/* In the test's memory. */
static const char *written(const char *text, enum http_text_use use)
{
    static char buffer[100000];
    const struct http_text *made = NULL;
    struct str value;
    cr_assert_eq(compile(text, &made), 0, "%s: %s", text, reader.kept ? reader.errors[0].text.p : "");
    cr_assert_eq(http_text_write(&x, made, use, &value), 0);
    cr_assert_lt(value.n, sizeof buffer);
    snprintf(buffer, sizeof buffer, STR_FMT, STR_ARG(value));
    return buffer;
}

static void expect_written(const char *text, const char *field, const char *url)
{
    cr_expect_str_eq(written(text, HTTP_TEXT_FIELD), field, "%s: %s", text, written(text, HTTP_TEXT_FIELD));
    cr_expect_str_eq(written(text, HTTP_TEXT_URL), url, "%s: %s", text, written(text, HTTP_TEXT_URL));
}

/* Strictness G23: whatever comes from a peer, nothing that ends a field goes into one. */
Test(variable, no_control_character_comes_out)
{
    static const char *const names[] = {"host", "uri", "path", "query", "method", "user", "tls_name", "tls_subject"};
    char text[32];
    struct tls_peer evil = tls;
    for (int c = 0; c < 256; c++) {
        const struct str value = {(char[]){'/', (char)c, 'x'}, 3};
        bool control = c < 0x20 || c == 0x7f;
        evil.name = evil.subject = x.request.uri.path = x.request.uri.query = x.user = x.request.method_name = value;
        x.request.host = value;
        x.tls = &evil;
        for (size_t i = 0; i < COUNT(names); i++) {
            snprintf(text, sizeof text, "$%s", names[i]);
            struct str field = str_of(written(text, HTTP_TEXT_FIELD));
            cr_expect_geq(field.n, 2, "%s: %d", names[i], c);
            for (size_t at = 0; at < field.n; at++)
                cr_expect_not((unsigned char)field.p[at] < 0x20 || field.p[at] == 0x7f, "%s: %d", names[i], c);
            cr_expect(!control || memchr(field.p, i == 0 || i > 3 ? '?' : '%', field.n), "%s: %d", names[i], c);
        }
    }
}

/* In a URL nothing of it is more than a name. */
Test(variable, a_value_is_no_part_of_a_url)
{
    x.user = STR("//evil/?a=b&c#d@e:f%g;h\\\r\n");
    cr_expect_str_eq(written("$user", HTTP_TEXT_URL), "%2F%2Fevil%2F%3Fa%3Db%26c%23d%40e%3Af%25g%3Bh%5C%0D%0A");
    x.request.uri = (struct http_uri){.path = STR("//evil/\r\n?#\\"), .query = STR("?a#b\r\n%20/")};
    cr_expect_str_eq(written("$path", HTTP_TEXT_URL), "/evil/%0D%0A%3F%23%5C");
    cr_expect_str_eq(written("$query", HTTP_TEXT_URL), "?a%23b%0D%0A%20/");
    cr_expect_str_eq(written("$uri", HTTP_TEXT_URL), "/evil/%0D%0A%3F%23%5C??a%23b%0D%0A%20/");
}

Test(variable, in_the_clear)
{
    expect_written("https://$host$uri", "https://example.org/a%20b?c=d%22e", "https://example.org/a%20b?c=d%22e");
    expect_written("$path|$query", "/a%20b|c=d%22e", "/a%20b|c=d%22e");
    expect_written("$method $scheme", "GET http", "GET http");
    expect_written("$client", "2001:db8::1", "2001%3Adb8%3A%3A1");
    expect_written("$user", "bob", "bob");
    expect_written("<$tls_version$tls_cipher$tls_name$tls_subject>", "<>", "<>");
    /* what is around it, and dollars */
    expect_written("$$", "$", "$");
    expect_written("a$$b$$", "a$b$", "a$b$");
    expect_written("$$host", "$host", "$host");
    expect_written("$$$host$$", "$example.org$", "$example.org$");
    expect_written("$host.", "example.org.", "example.org.");
    expect_written("$host-$host", "example.org-example.org", "example.org-example.org");
    expect_written("$${host}x$${scheme}s", "example.orgxhttps", "example.orgxhttps");
    expect_written("$$$${host}", "$example.org", "$example.org");
    expect_written("$$${host}", "${host}", "${host}");
    expect_written("", "", "");
    expect_written("plain", "plain", "plain");
}

Test(variable, secured)
{
    x.tls = &tls;
    expect_written("$scheme", "https", "https");
    expect_written("$tls_version $tls_cipher", "TLSv1.3 TLS_AES_256_GCM_SHA384", "TLSv1.3 TLS_AES_256_GCM_SHA384");
    expect_written("$tls_name", "www.example.org", "www.example.org");
    expect_written("$tls_subject", "CN=Alice \xc3\x84,O=a/b", "CN%3DAlice%20%C3%84%2CO%3Da%2Fb");
    x.tls = &(struct tls_peer){.version = NULL};
    expect_written("$tls_version$tls_cipher$tls_name$tls_subject", "", "");
}

Test(variable, what_is_not_there)
{
    x.user = x.request.host = x.request.uri.path = STR("");
    x.request.uri.query = (struct str){NULL, 0};
    expect_written("<$host$uri$path$query$user>", "<>", "<>");
    x.request.uri.path = STR("/");
    x.request.uri.query = STR("");
    expect_written("$uri", "/?", "/?");
    x.request.uri = (struct http_uri){.path = STR("/a%2Fb"), .opaque = true};
    expect_written("$uri", "/a%2Fb", "/a%2Fb");
}

/* However much a request brings. */
Test(variable, a_long_one)
{
    static char path[10000];
    memset(path, '"', sizeof path);
    path[0] = '/';
    x.request.uri = (struct http_uri){.path = {path, sizeof path}};
    struct str value = str_of(written("$path-$path", HTTP_TEXT_URL));
    cr_expect_eq(value.n, 2 * (1 + 3 * (sizeof path - 1)) + 1);
    cr_expect(str_ends(value, STR("%22%22")));
}

Test(variable, what_a_text_tells)
{
    const struct http_text *text;
    struct str value;
    cr_assert_eq(compile("a$$b", &text), 0);
    cr_expect(http_text_is_fixed(text, &value) && str_eq(value, STR("a$b")));
    cr_expect_eq(http_text_tells(text), 0);
    cr_assert_eq(compile("$scheme", &text), 0);
    cr_expect_not(http_text_is_fixed(text, &value));
    cr_expect_eq(http_text_tells(text), 0);
    cr_assert_eq(compile("$host $query", &text), 0);
    cr_expect_eq(http_text_tells(text), HTTP_TOLD_HOST | HTTP_TOLD_URI);
}

Test(variable, a_sample)
{
    const struct http_text *text;
    cr_assert_eq(compile("$scheme://$host$path?$query#$user", &text), 0);
    struct str sample = http_text_sample(&arena, text, STR("/p"), STR("q"));
    cr_expect(str_eq(sample, STR("http://_/p?q# ")), STR_FMT, STR_ARG(sample));
}

Test(variable, the_list_has_them_all)
{
    char list[256];
    struct out o = out_on(list, sizeof list);
    conf_reader_init(&reader, &arena);
    http_text_variables(&o);
    for (struct str rest = out_str(&o); rest.n;) {
        const struct http_text *text;
        struct str name = str_cut(&rest, ' '), value;
        cr_assert_eq(http_text_compile(&reader, NULL, name, &text), 0, STR_FMT, STR_ARG(name));
        cr_expect_not(http_text_is_fixed(text, &value), STR_FMT, STR_ARG(name));
    }
}
