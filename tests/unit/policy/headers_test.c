/* headers_test.c: fields that are refused, and which ones a response gets. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "net/tls_stream.h"
#include "policy/registry.h"
#include "run.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

TestSuite(policy_headers, .init = run_begin, .fini = run_end);

#define NAME "not a field name\n"
#define OURS "a field that the server writes itself\n"
#define TWICE "the same field a second time; upper and lower case make no difference\n"
#define VALUE "a value with a control character, or white space at its ends\n"

#define VARIABLES                                                                                                      \
    "there are $host $uri $path $query $method $scheme $client $user $tls_version $tls_cipher $tls_name "              \
    "$tls_subject\n"

struct reject {
    const char *yaml, *errors;
};

static const struct reject rejects[] = {
    {"headers: x", "t:1:10: error: headers: takes a mapping of names to values, not a value\n"},
    {"headers: [A, b]", "t:1:10: error: headers: takes a mapping of names to values, not a list\n"},
    {"headers:", "t:1:9: error: headers: has no value\n"},
    {"headers: {A: }", "t:1:14: error: headers.A: has no value\n"},
    {"headers: {A: [b]}", "t:1:14: error: headers.A: takes a single value, not a list\n"},
    {"headers: {A: {b: c}}", "t:1:14: error: headers.A: takes a single value, not a mapping\n"},
    /* RFC 9110, 5.1 and 5.5: what would be another field, or the end of the head */
    {"headers: {'A B': c}", "t:1:11: error: headers.A B: " NAME},
    {"headers: {'A:': c}", "t:1:11: error: headers.A:: " NAME},
    {"headers: {'A,B': c}", "t:1:11: error: headers.A,B: " NAME},
    {"headers: {\xc3\xa4: c}", "t:1:11: error: headers.\xc3\xa4: " NAME},
    {"headers: {\"A\\r\\nB\": c}", "t:1:11: error: headers.A??B: " NAME},
    {"headers: {A: \"b\\r\\nC: d\"}", "t:1:11: error: headers.A: " VALUE},
    {"headers: {A: \"b\\nc\"}", "t:1:11: error: headers.A: " VALUE},
    {"headers: {A: \"b\\rc\"}", "t:1:11: error: headers.A: " VALUE},
    {"headers: {A: \"b\\ec\"}", "t:1:11: error: headers.A: " VALUE},
    {"headers: {A: \"b\\x7f\"}", "t:1:11: error: headers.A: " VALUE},
    {"headers: {A: ' b'}", "t:1:11: error: headers.A: " VALUE},
    {"headers: {A: \"b\\t\"}", "t:1:11: error: headers.A: " VALUE},
    {"headers: {X-A: b, c: d, x-a: b}", "t:1:25: error: headers.x-a: " TWICE},
    {"headers: {A: b, a: c, 'A ': d}", "t:1:17: error: headers.a: " TWICE "t:1:23: error: headers.A : " NAME},
    /* what frames the message, or is true of the server alone */
    {"headers: {Content-Length: 1}", "t:1:11: error: headers.Content-Length: " OURS},
    {"headers: {content-length: 1}", "t:1:11: error: headers.content-length: " OURS},
    {"headers: {Transfer-Encoding: chunked}", "t:1:11: error: headers.Transfer-Encoding: " OURS},
    {"headers: {Connection: close}", "t:1:11: error: headers.Connection: " OURS},
    {"headers: {Keep-Alive: timeout=5}", "t:1:11: error: headers.Keep-Alive: " OURS},
    {"headers: {Upgrade: h2c}", "t:1:11: error: headers.Upgrade: " OURS},
    {"headers: {Trailer: A}", "t:1:11: error: headers.Trailer: " OURS},
    {"headers: {Content-Encoding: gzip}", "t:1:11: error: headers.Content-Encoding: " OURS},
    {"headers: {Content-Range: bytes 0-1/2}", "t:1:11: error: headers.Content-Range: " OURS},
    {"headers: {Content-Type: x}", "t:1:11: error: headers.Content-Type: " OURS},
    {"headers: {ETag: x}", "t:1:11: error: headers.ETag: " OURS},
    {"headers: {Last-Modified: x}", "t:1:11: error: headers.Last-Modified: " OURS},
    {"headers: {Location: x}", "t:1:11: error: headers.Location: " OURS},
    {"headers: {Allow: x}", "t:1:11: error: headers.Allow: " OURS},
    {"headers: {Accept-Ranges: x}", "t:1:11: error: headers.Accept-Ranges: " OURS},
    {"headers: {Date: now}", "t:1:11: error: headers.Date: " OURS},
    {"headers: {SERVER: x}", "t:1:11: error: headers.SERVER: " OURS},
    /* RFC 9110, 5.5, again: what is not known when the file is read */
    {"headers: {A: b, C: '$nope'}", "t:1:20: error: headers.C: there is no variable $nope; " VARIABLES},
    {"headers: {A: 'costs $5', B: $}",
     "t:1:14: error: headers.A: there is no variable $5; " VARIABLES
     "t:1:29: error: headers.B: a `$` without a name; a dollar is written `$$`, and " VARIABLES},
    {"headers: {A: '$${path'}", "t:1:14: error: headers.A: `${path` without `}`\n"},
    {"headers: {A: '$${host}', B: '$${Host}'}", "t:1:29: error: headers.B: there is no variable $Host; " VARIABLES},
    {"headers: {Date: a, 'B ': c, D: \"e\\n\"}",
     "t:1:11: error: headers.Date: " OURS "t:1:20: error: headers.B : " NAME "t:1:29: error: headers.D: " VALUE},
};

Test(policy_headers, rejects)
{
    for (size_t i = 0; i < COUNT(rejects); i++) {
        cr_expect_null(run_read(&policy_headers, rejects[i].yaml, NULL), "%s", rejects[i].yaml);
        cr_expect_str_eq(run_errors(), rejects[i].errors);
    }
}

/* Of the request whose response is dressed. */
static const struct tls_peer *tls;
static struct str host;

/* The fields of a head that had some, when this policy has had its say. */
static const char *dressed_from(const char *fields, const void *settings)
{
    static char text[1024];
    struct exchange x = {.tls = tls, .request = {.host = host}};
    struct http_head head = {200, str_of(fields), 0};
    arena_init(&x.arena, NULL, 0);
    cr_assert_eq(policy_headers.dress(&x, settings, &head), 0);
    snprintf(text, sizeof text, STR_FMT, STR_ARG(head.fields));
    arena_clear(&x.arena);
    return text;
}

static const char *dressed(const void *settings)
{
    return dressed_from("First: 1\r\n", settings);
}

struct dress {
    const char *site, *route, *fields; /* site, route: NULL: says nothing */
};

static const struct dress dresses[] = {
    {"{}", NULL, "First: 1\r\n"},
    {"{A: b}", NULL, "First: 1\r\nA: b\r\n"},
    {"{A: '', b: 'c, d; e=\"f\"'}", NULL, "First: 1\r\nA: \r\nb: c, d; e=\"f\"\r\n"},
    {"{Max: 31536000, On: yes}", NULL, "First: 1\r\nMax: 31536000\r\nOn: yes\r\n"},
    {"{A: \"\xc3\xa4\\tb\"}", NULL, "First: 1\r\nA: \xc3\xa4\tb\r\n"},
    /* a route's own are added to its site's; of one name, in whatever case, the route's counts */
    {NULL, "{A: b}", "First: 1\r\nA: b\r\n"},
    {"{}", "{A: b}", "First: 1\r\nA: b\r\n"},
    {"{A: b}", "{}", "First: 1\r\nA: b\r\n"},
    {"{A: b, C: d}", "{E: f}", "First: 1\r\nA: b\r\nC: d\r\nE: f\r\n"},
    {"{A: b, C: d}", "{A: x}", "First: 1\r\nC: d\r\nA: x\r\n"},
    {"{X-A: b}", "{x-a: ''}", "First: 1\r\nx-a: \r\n"},
    {"{A: b, C: d}", "{c: 1, a: 2}", "First: 1\r\nc: 1\r\na: 2\r\n"},
};

static const void *read(const char *yaml, const void *outer)
{
    char text[256];
    snprintf(text, sizeof text, "headers: %s", yaml);
    return run_good(&policy_headers, text, outer);
}

Test(policy_headers, what_a_response_gets)
{
    for (size_t i = 0; i < COUNT(dresses); i++) {
        const struct dress *d = &dresses[i];
        const void *site = d->site ? read(d->site, NULL) : NULL;
        const void *settings = d->route ? read(d->route, site) : site;
        cr_expect_str_eq(dressed(settings), d->fields, "%s, %s: %s", d->site, d->route, dressed(settings));
        if (d->site && d->route)
            cr_expect_str_eq(dressed(site), dressed(read(d->site, NULL)), "%s: the site's are as they were", d->site);
    }
}

struct replacement {
    const char *headers, *before, *after;
};

/* What the handler says by the same name makes room, whatever its case, and however often it stands there. */
static const struct replacement replacements[] = {
    {"{A: 1}", "", "A: 1\r\n"},
    {"{}", "A: 1\r\n", "A: 1\r\n"},
    {"{A: 1}", "A: 2\r\n", "A: 1\r\n"},
    {"{a: 1}", "B: 3\r\nA: 2\r\nC: 4\r\n", "B: 3\r\nC: 4\r\na: 1\r\n"},
    {"{A: 1}", "A: 2\r\nB: 3\r\nA:4\r\n", "B: 3\r\nA: 1\r\n"},
    {"{A: 1, B: ''}", "A: 2\r\nB: 3\r\n", "A: 1\r\nB: \r\n"},
    {"{A: 1}", "AA: 2\r\nB: A: 3\r\n", "AA: 2\r\nB: A: 3\r\nA: 1\r\n"},
    {"{Cache-Control: no-store}", "Cache-Control: no-cache\r\nVary: Accept\r\n",
     "Vary: Accept\r\nCache-Control: no-store\r\n"},
    {"{Vary: Cookie}", "Vary: Accept\r\n", "Vary: Accept\r\nVary: Cookie\r\n"},
};

Test(policy_headers, what_takes_the_place_of_a_handlers)
{
    for (size_t i = 0; i < COUNT(replacements); i++) {
        const struct replacement *r = &replacements[i];
        cr_expect_str_eq(dressed_from(r->before, read(r->headers, NULL)), r->after, "%s: %s", r->headers, r->before);
    }
}

struct varying {
    const char *site, *route, *in_the_clear, *secured; /* route: NULL: says nothing */
};

/* A field whose value comes out empty is left out; the others are in their places. */
static const struct varying varying[] = {
    {"{A: $tls_subject}", NULL, "A: 1\r\n", "A: CN=a??b\r\n"},
    {"{a: $tls_subject, B: c}", NULL, "A: 1\r\nB: c\r\n", "B: c\r\na: CN=a??b\r\n"},
    {"{B: '<$tls_version>'}", NULL, "A: 1\r\nB: <>\r\n", "A: 1\r\nB: <TLSv1.3>\r\n"},
    {"{B: '$tls_version $tls_name'}", NULL, "A: 1\r\n", "A: 1\r\nB: TLSv1.3\r\n"},
    {"{B: '$$5', C: '$$$host'}", NULL, "A: 1\r\nB: $5\r\nC: $h\r\n", "A: 1\r\nB: $5\r\nC: $h\r\n"},
    {"{B: $scheme}", "{C: $host}", "A: 1\r\nB: http\r\nC: h\r\n", "A: 1\r\nB: https\r\nC: h\r\n"},
    {"{B: $scheme}", "{b: c}", "A: 1\r\nb: c\r\n", "A: 1\r\nb: c\r\n"},
    {"{B: c}", "{b: $tls_version}", "A: 1\r\n", "A: 1\r\nb: TLSv1.3\r\n"},
};

Test(policy_headers, what_varies)
{
    static const struct tls_peer peer = {.version = "TLSv1.3", .subject = STR_INIT("CN=a\r\nb")};
    host = STR("h");
    for (size_t i = 0; i < COUNT(varying); i++) {
        const struct varying *v = &varying[i];
        const void *site = read(v->site, NULL), *settings = v->route ? read(v->route, site) : site;
        tls = NULL;
        cr_expect_str_eq(dressed_from("A: 1\r\n", settings), v->in_the_clear, "%s, %s", v->site, v->route);
        tls = &peer;
        cr_expect_str_eq(dressed_from("A: 1\r\n", settings), v->secured, "%s, %s", v->site, v->route);
    }
}
