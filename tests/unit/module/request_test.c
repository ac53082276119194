/* request_test.c: what a module gets to see of a request: what is not there, what is malformed, and what is. */
#include <stdlib.h>

#include "net/tls_stream.h"
#include "visit.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* ---- parts ---- */

GreenTest(module_request, parts_that_there_are_not)
{
    struct tern_request *r = visit_begin(METHOD_GET);
    for (enum tern_part part = TERN_USER; part <= TERN_TLS_SUBJECT + 1; part++)
        cr_expect_str_empty(tern_get(r, part), "%d", (int)part);
    cr_expect_str_empty(tern_get(r, TERN_QUERY));
    cr_expect_str_empty(tern_get(r, TERN_HOST));
    cr_expect_str_eq(tern_get(r, TERN_SCHEME), "http");
    visit_end();
}

GreenTest(module_request, parts)
{
    struct tern_request *r = visit_begin(METHOD_PUT);
    const struct tls_peer tls = {.version = "TLSv1.3", .name = STR("example.org"), .subject = STR("CN=a")};
    struct exchange *x = r->x;
    x->tls = &tls;
    x->user = STR("alice");
    x->request.target = STR("/app/%70age?c=%64");
    x->request.uri.query = STR("c=%64");
    x->request.host = (struct str){"example.org:80", 11};
    static const struct {
        enum tern_part part;
        const char *text;
    } table[] = {{TERN_METHOD, "PUT"},           {TERN_TARGET, "/app/%70age?c=%64"},
                 {TERN_PATH, "/app/page"},       {TERN_REST, "/page"},
                 {TERN_QUERY, "c=%64"},          {TERN_SCHEME, "https"},
                 {TERN_HOST, "example.org"},     {TERN_PEER, "192.0.2.7"},
                 {TERN_USER, "alice"},           {TERN_TLS_VERSION, "TLSv1.3"},
                 {TERN_TLS_NAME, "example.org"}, {TERN_TLS_SUBJECT, "CN=a"}};
    for (size_t i = 0; i < COUNT(table); i++)
        cr_expect_str_eq(tern_get(r, table[i].part), table[i].text);
    visit_end();
}

GreenTest(module_request, what_follows_the_path_of_a_route)
{
    static const struct {
        const char *route, *path, *rest;
    } table[] = {
        {"/app", "/app", ""},   {"/app", "/app/", "/"},   {"/app", "/app/a/b", "/a/b"},
        {"/app/", "/app/", ""}, {"/app/", "/app/a", "a"}, {"/", "/a", "a"},
        {"/", "/", ""},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        struct tern_request *r = visit_begin(METHOD_GET);
        r->route = str_of(table[i].route);
        r->x->request.uri.path = str_of(table[i].path);
        cr_expect_str_eq(tern_get(r, TERN_REST), table[i].rest, "%s of %s", table[i].path, table[i].route);
        visit_end();
    }
}

GreenTest(module_request, parts_stay)
{
    struct tern_request *r = visit_begin(METHOD_GET);
    const char *peer = tern_get(r, TERN_PEER);
    visit.peer.ip[3] = 8;
    cr_expect_str_eq(tern_get(r, TERN_PEER), "192.0.2.8");
    cr_expect_str_eq(peer, "192.0.2.7");
    visit_end();
}

/* ---- fields ---- */

GreenTest(module_request, fields)
{
    struct http_field fields[] = {{STR("Accept"), STR("a")}, {STR("X-Empty"), STR("")}, {STR("accept"), STR("b")}};
    struct tern_request *r = visit_begin(METHOD_GET);
    const char *name, *value;
    cr_expect_not(tern_field_at(r, 0, &name, &value));
    cr_expect_null(tern_field(r, "Accept"));
    r->x->request.fields = fields;
    r->x->request.field_count = COUNT(fields);
    cr_expect_null(tern_field(r, ""));
    cr_expect_null(tern_field(r, "Accep"));
    cr_expect_str_eq(tern_field(r, "ACCEPT"), "a", "the first of several");
    cr_expect_str_eq(tern_field(r, "x-empty"), "");
    for (size_t i = 0; i < COUNT(fields); i++) {
        cr_assert(tern_field_at(r, i, &name, &value));
        cr_expect_str_eq(name, fields[i].name.p);
        cr_expect_str_eq(value, fields[i].value.p);
    }
    cr_expect_not(tern_field_at(r, COUNT(fields), &name, &value));
    cr_expect_not(tern_field_at(r, SIZE_MAX, &name, &value));
    visit_end();
}

/* ---- the query ---- */

static const struct {
    const char *query, *name, *value; /* value NULL: there is none */
} queries[] = {
    {"", "a", NULL},
    {"", "", NULL},
    {"&&", "", NULL},
    {"b=1", "a", NULL},
    {"aa=1&A=2", "a", NULL},
    {"b=a&c=a=1", "a", NULL},
    {"a%=1", "a", NULL},
    {"a%00=1", "a", NULL},
    {"a=%", "a", "%"},
    {"a=%4", "a", "%4"},
    {"a=%4g%g4%%41", "a", "%4g%g4%A"},
    {"a=x%00y", "a", "x%00y"},
    {"a%=1", "a%", "1"},
    {"a", "a", ""},
    {"a=", "a", ""},
    {"=1", "", "1"},
    {"b&a=1", "a", "1"},
    {"a=1&a=2", "a", "1"},
    {"a=b=c", "a", "b=c"},
    {"a=1+2%2B3%20", "a", "1 2+3 "},
    {"a=%41%c3%A4", "a", "A\xc3\xa4"},
    {"a=%26%3d&b=2", "a", "&="},
    {"%61+b%26=1", "a b&", "1"},
};

GreenTest(module_request, values_of_the_query)
{
    for (size_t i = 0; i < COUNT(queries); i++) {
        struct tern_request *r = visit_begin(METHOD_GET);
        r->x->request.uri.query = str_of(queries[i].query);
        const char *value = tern_query(r, queries[i].name);
        cr_expect_str_eq(value ? value : "(none)", queries[i].value ? queries[i].value : "(none)", "%s of %s: %s",
                         queries[i].name, queries[i].query, value);
        visit_end();
    }
}

/* The query is a piece of the request line: what comes behind it is none of it. */
GreenTest(module_request, the_end_of_the_query)
{
    struct tern_request *r = visit_begin(METHOD_GET);
    r->x->request.uri.query = (struct str){"a=%4142", 4};
    cr_expect_str_eq(tern_query(r, "a"), "%4");
    r->x->request.uri.query = (struct str){"abc=1", 2};
    cr_expect_null(tern_query(r, "abc"));
    visit_end();
}

/* ---- content ---- */

GreenTest(module_request, content_that_fails)
{
    struct tern_request *r = visit_begin(METHOD_POST);
    char bytes[8], *all;
    size_t n;
    visit.answer.body = STR("abc");
    visit.answer.body_error = -EBADMSG;
    cr_expect_eq(tern_read(r, bytes, sizeof bytes), 3);
    cr_expect_eq(r->read_error, 0);
    cr_expect_eq(tern_read(r, bytes, sizeof bytes), -EBADMSG);
    cr_expect_eq(tern_read_all(r, 100, &all, &n), -EBADMSG);
    cr_expect_eq(r->read_error, -EBADMSG);
    visit_end();
}

GreenTest(module_request, more_content_than_is_wanted)
{
    static const size_t most[] = {0, 1, 4095, 4096, 4097, 100 * 1000};
    for (size_t i = 0; i < COUNT(most); i++) {
        struct tern_request *r = visit_begin(METHOD_POST);
        char *all;
        size_t n;
        visit.answer.body = str_of(visit_text(most[i] + 1));
        visit.answer.piece = i % 2 ? 1000 : SIZE_MAX;
        cr_expect_eq(tern_read_all(r, most[i], &all, &n), -EMSGSIZE, "%zu", most[i]);
        cr_expect_str_eq(r->x->reason, "content beyond what the handler takes");
        visit_end();
    }
}

GreenTest(module_request, all_of_the_content)
{
    static const size_t sizes[] = {0, 1, 4095, 4096, 4097, 100 * 1000};
    for (size_t i = 0; i < 3 * COUNT(sizes); i++) {
        size_t size = sizes[i / 3], most = i % 3 == 0 ? size : i % 3 == 1 ? size + 1 : SIZE_MAX, n = 0;
        struct tern_request *r = visit_begin(METHOD_POST);
        char *all = NULL;
        visit.answer.body = str_of(visit_text(size));
        visit.answer.piece = 777;
        cr_assert_eq(tern_read_all(r, most, &all, &n), 0, "%zu of %zu", size, most);
        cr_assert_eq(n, size);
        cr_expect_str_eq(all, visit_text(size), "a NUL follows");
        cr_expect_eq(tern_read(r, all, 1), 0);
        visit_end();
    }
}

GreenTest(module_request, length_of_content)
{
    static const int64_t lengths[] = {0, 5, HTTP_LENGTH_UNKNOWN};
    struct tern_request *r = visit_begin(METHOD_POST);
    for (size_t i = 0; i < COUNT(lengths); i++) {
        r->x->request.length = lengths[i];
        cr_expect_eq(tern_length(r), lengths[i]);
    }
    visit_end();
}

/* ---- memory ---- */

static void note_letter(void *arg)
{
    run_note(*(const char *)arg);
}

GreenTest(module_request, what_is_deferred_runs_when_the_request_ends)
{
    static const char letters[] = "abc";
    struct tern_request *r = visit_begin(METHOD_GET);
    for (size_t i = 0; i < 3; i++)
        cr_expect_eq(tern_defer(r, note_letter, (void *)&letters[i]), 0);
    cr_expect_eq(visit_finish(-EIO), 0);
    cr_expect_str_empty(run_noted());
    visit_end();
    cr_expect_str_eq(run_noted(), "cba", "the last one first");
}

GreenTest(module_request, memory)
{
    struct tern_request *r = visit_begin(METHOD_GET);
    char text[] = "text", *copy = tern_copy(r, text);
    text[0] = 'n';
    cr_expect_str_eq(copy, "text");
    cr_expect_str_eq(tern_format(r, "%s %d", text, 5), "next 5");
    for (size_t n = 0; n < 100000; n = 3 * n + 1) {
        char *bytes = tern_alloc(r, n);
        cr_assert_not_null(bytes);
        cr_expect_eq((uintptr_t)bytes % _Alignof(max_align_t), 0);
        memset(bytes, 'x', n);
    }
    cr_expect_str_eq(copy, "text");
    visit_end();
}

static ssize_t read_that_waits(struct exchange *x, void *to, size_t n)
{
    (void)x;
    run_yield();
    memset(to, 'x', n);
    return (ssize_t)n;
}

static int read_some(void *r)
{
    char bytes[4];
    return (int)tern_read(r, bytes, sizeof bytes);
}

GreenTest(module_request, one_thread_reads_at_a_time)
{
    struct tern_request *r = visit_begin(METHOD_POST);
    struct exchange_ops ops = *visit.answer.x.ops;
    ops.read = read_that_waits;
    visit.answer.x.ops = &ops;
    struct green *first = run_spawn(read_some, r), *second = run_spawn(read_some, r);
    cr_expect_eq(run_join(first), 4);
    cr_expect_eq(run_join(second), -EBUSY);
    cr_expect_eq(read_some(r), 4, "once the first one has");
    visit_end();
}
