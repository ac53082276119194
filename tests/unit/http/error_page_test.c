/* error_page_test.c: `errors` that are refused, which page is for which status, and what becomes of it. */
#include "http/error_page.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#include "conf/yaml.h"
#include "http/route.h"
#include "recorder.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

static struct arena arena;
static struct conf_reader reader;
static struct http_error_pages *pages;

/* ---- configuration ---- */

static int configure(const char *yaml)
{
    struct conf_node *root;
    arena_clear(&arena);
    conf_reader_init(&reader, &arena);
    pages = NULL;
    cr_assert_eq(conf_parse(&reader, STR("t"), str_of(yaml), &root), 0, "%s", yaml);
    return http_errors_read(&reader, root, &pages);
}

struct refusal {
    const char *yaml, *message;
};

static const struct refusal refused[] = {
    {"x", "takes a mapping of statuses to paths, not a value"},
    {"[404]", "takes a mapping of statuses to paths, not a list"},
    {"{399: /x}", "not a status"},
    {"{600: /x}", "not a status"},
    {"{200: /x}", "not a status"},
    {"{304: /x}", "not a status"},
    {"{0: /x}", "not a status"},
    {"{-404: /x}", "not a status"},
    {"{4040: /x}", "not a status"},
    {"{18446744073709552020: /x}", "not a status"},
    {"{404x: /x}", "not a status"},
    {"{40x: /x}", "not a status"},
    {"{3xx: /x}", "not a status"},
    {"{6xx: /x}", "not a status"},
    {"{4XX: /x}", "not a status"},
    {"{4xxx: /x}", "not a status"},
    {"{xx: /x}", "not a status"},
    {"{'*': /x}", "not a status"},
    {"{default: /x}", "not a status"},
    {"{404: x}", "not a path"},
    {"{404: ''}", "not a path"},
    {"{404: '*'}", "not a path"},
    {"{404: 'https://example.org/404'}", "not a path"},
    {"{404: //x}", "not a path"},
    {"{404: /x/../y}", "not a path"},
    {"{404: /x%20y}", "not a path"},
    {"{404: }", "has no value"},
    {"{404: [/x]}", "takes a single value"},
    {"{404: {path: /x}}", "takes a single value"},
};

Test(error_page, refused)
{
    for (size_t i = 0; i < COUNT(refused); i++) {
        cr_expect_eq(configure(refused[i].yaml), -EINVAL, "%s", refused[i].yaml);
        cr_assert_eq(reader.failed, 1, "%s: %zu messages", refused[i].yaml, reader.failed);
        cr_expect_not_null(strstr(reader.errors[0].text.p, refused[i].message), "%s: %s", refused[i].yaml,
                           reader.errors[0].text.p);
    }
    arena_clear(&arena);
}

Test(error_page, all_mistakes_are_told)
{
    cr_expect_eq(configure("{200: /x, 404: /y, 405: z, 5xx: }"), -EINVAL);
    cr_expect_eq(reader.failed, 3);
    arena_clear(&arena);
}

static struct str path_for(int status)
{
    struct http_site site = {.errors = pages};
    struct exchange x = {.site = &site};
    return http_error_page(&x, status);
}

static void expect_paths(const char *yaml, const char *of_400, const char *of_404, const char *of_499,
                         const char *of_500, const char *of_599)
{
    const char *expected[] = {of_400, of_404, of_499, of_500, of_599};
    static const int statuses[] = {400, 404, 499, 500, 599};
    cr_assert_eq(configure(yaml), 0, "%s", yaml);
    for (size_t i = 0; i < COUNT(statuses); i++)
        cr_expect(str_eq(path_for(statuses[i]), str_of(expected[i])), "%s: %d: " STR_FMT, yaml, statuses[i],
                  STR_ARG(path_for(statuses[i])));
    arena_clear(&arena);
}

/* A status of its own counts more than its class, whichever comes first. */
Test(error_page, which_page)
{
    expect_paths("{}", "", "", "", "", "");
    expect_paths("{404: /a}", "", "/a", "", "", "");
    expect_paths("{400: /a, 599: /b}", "/a", "", "", "", "/b");
    expect_paths("{4xx: /a}", "/a", "/a", "/a", "", "");
    expect_paths("{5xx: /a}", "", "", "", "/a", "/a");
    expect_paths("{4xx: /a, 404: /b, 5xx: /c, 500: /d}", "/a", "/b", "/a", "/d", "/c");
    expect_paths("{500: /d, 5xx: /c, 404: /b, 4xx: /a}", "/a", "/b", "/a", "/d", "/c");
}

Test(error_page, statuses_without_a_page)
{
    cr_assert_eq(configure("{4xx: /a, 5xx: /b}"), 0);
    static const int none[] = {0, 100, 200, 301, 304, 399, 600, -1, 1000};
    for (size_t i = 0; i < COUNT(none); i++)
        cr_expect_null(path_for(none[i]).p, "%d", none[i]);
    struct http_site site = {.errors = pages};
    struct http_failure failure = {404, STR("")};
    cr_expect_null(http_error_page(&(struct exchange){.site = NULL}, 404).p, "no site");
    cr_expect_null(http_error_page(&(struct exchange){.site = &site, .failure = &failure}, 500).p, "a page's own");
    site.errors = NULL;
    cr_expect_null(http_error_page(&(struct exchange){.site = &site}, 404).p, "no errors");
    arena_clear(&arena);
}

/* ---- answering ---- */

static struct http_request seen;

/* All that a page may say of itself. */
static const char full_head[] = "Content-Type: text/html\r\n"
                                "ETag: \"1\"\r\n"
                                "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                                "Accept-Ranges: bytes\r\n"
                                "content-encoding: br\r\n"
                                "Cache-Control: max-age=60\r\n"
                                "Expires: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                                "Content-Language: en\r\n"
                                "Content-Location: /page\r\n"
                                "Set-Cookie: a=b\r\n"
                                "Vary: Accept-Encoding\r\n";

/* The page's handler, which does as its settings say. */
static int make_page(struct exchange *x, const void *settings)
{
    const char *what = settings;
    seen = x->request;
    if (strcmp(what, "error") == 0)
        return http_send_status(x, 404, STR("X-Page: lost\r\n"));
    if (strcmp(what, "redirect") == 0)
        return http_send_status(x, 302, STR("Location: /login\r\n"));
    if (strcmp(what, "fail") == 0)
        return -EIO;
    if (strcmp(what, "cancelled") == 0)
        return -ECANCELED;
    if (strcmp(what, "half") == 0)
        return http_head(x, 200, STR(""), 10) < 0 ? -EPIPE : -EIO;
    if (strcmp(what, "full") == 0)
        return http_send(x, 200, str_of(full_head), str_of(what));
    return http_send(x, 200, STR("Content-Type: text/html\r\n"), str_of(what));
}

static const struct http_handler page_handler = {.name = STR_INIT("page"), .serve = make_page};

static struct http_error_pages errors;
static struct http_route page, failed;
static struct http_site site;
static struct http_field fields[] = {{STR_INIT("Range"), STR_INIT("bytes=0-0")}};
static struct exchange x;

static const struct http_request asked = {
    .method = METHOD_POST,
    .line = STR_INIT("POST /lost?q HTTP/1.1"),
    .uri = {.path = STR_INIT("/lost"), .query = STR_INIT("q"), .opaque = true},
    .fields = fields,
    .field_count = 1,
};

/* Answers a request that has failed so, on a site whose page for everything does so. */
static int answer(int status, const char *extra, const char *what)
{
    for (size_t i = 0; i < COUNT(errors.path); i++)
        errors.path[i] = STR("/page");
    page = (struct http_route){.path = STR("/"), .handler = &page_handler, .settings = (void *)what};
    site = (struct http_site){.root = &page, .errors = &errors};
    recorder_clear();
    arena_clear(&x.arena);
    x = (struct exchange){.ops = &recorder_ops, .site = &site, .route = &failed, .request = asked};
    arena_init(&x.arena, NULL, 0);
    return http_send_status(&x, status, str_of(extra));
}

static void expect_plain(const char *line)
{
    cr_expect_str_eq(recorded.content, line);
    cr_expect_not_null(strstr(recorded.fields, "Content-Type: text/plain\r\n"), "%s", recorded.fields);
    cr_expect_eq(recorded.heads, 1);
}

/* Then the peer gets what it would have got without a page. */
Test(error_page, a_page_that_is_an_error_itself)
{
    cr_expect_eq(answer(500, "", "error"), 0);
    cr_expect_eq(recorded.status, 500);
    expect_plain("500 Internal Server Error\n");
    cr_expect_null(strstr(recorded.fields, "X-Page"), "%s", recorded.fields);
    cr_expect_eq(answer(405, "Allow: GET\r\n", "error"), 0);
    cr_expect_eq(recorded.status, 405);
    expect_plain("405 Method Not Allowed\n");
    cr_expect(str_starts(str_of(recorded.fields), STR("Allow: GET\r\n")), "%s", recorded.fields);
}

Test(error_page, a_page_that_is_somewhere_else)
{
    cr_expect_eq(answer(401, "WWW-Authenticate: Basic\r\n", "redirect"), 0);
    cr_expect_eq(recorded.status, 401);
    expect_plain("401 Unauthorized\n");
    cr_expect_null(strstr(recorded.fields, "Location"), "%s", recorded.fields);
    cr_expect_not_null(strstr(recorded.fields, "WWW-Authenticate: Basic\r\n"), "%s", recorded.fields);
}

Test(error_page, a_page_that_fails)
{
    cr_expect_eq(answer(429, "Retry-After: 7\r\n", "fail"), 0);
    cr_expect_eq(recorded.status, 429);
    expect_plain("429 Too Many Requests\n");
    cr_expect_not_null(strstr(recorded.fields, "Retry-After: 7\r\n"), "%s", recorded.fields);
    cr_expect_eq(answer(404, "", "cancelled"), -ECANCELED, "there is nobody to tell");
    cr_expect_eq(recorded.heads, 0);
    cr_expect_eq(answer(404, "", "half"), -EIO, "its head is sent already");
    cr_expect_eq(recorded.heads, 1);
}

/* The status, and what explains it, stay those of the failure. */
Test(error_page, the_page)
{
    cr_expect_eq(answer(503, "Retry-After: 7\r\n", "sorry"), 0);
    cr_expect_eq(recorded.status, 503);
    cr_expect_eq(x.response.status, 503);
    cr_expect_str_eq(recorded.fields, "Retry-After: 7\r\nContent-Type: text/html\r\n");
    cr_expect_str_eq(recorded.content, "sorry");
    cr_expect_eq(recorded.heads, 1);
}

/* Validators and the like would be taken for those of what was asked for. */
Test(error_page, what_a_page_says_of_itself)
{
    cr_expect_eq(answer(404, "X-Why: lost\r\n", "full"), 0);
    cr_expect_eq(recorded.status, 404);
    cr_expect_str_eq(recorded.fields, "X-Why: lost\r\nContent-Type: text/html\r\ncontent-encoding: br\r\n"
                                      "Content-Language: en\r\nVary: Accept-Encoding\r\n");
    cr_expect_str_eq(recorded.content, "full");
}

/* Nothing of the request reaches the page's handler; the request is as it was afterwards, for the log. */
Test(error_page, what_the_pages_handler_sees)
{
    cr_expect_eq(answer(404, "", "sorry"), 0);
    cr_expect_eq(seen.method, METHOD_GET);
    cr_expect(str_eq(seen.uri.path, STR("/page")));
    cr_expect_null(seen.uri.query.p);
    cr_expect_not(seen.uri.opaque);
    cr_expect_eq(seen.field_count, 0);
    cr_expect_eq(x.request.method, METHOD_POST);
    cr_expect_eq(x.request.field_count, 1);
    cr_expect(str_eq(x.request.uri.path, STR("/lost")) && x.request.uri.opaque);
    cr_expect_eq(x.route, &failed);
    cr_expect_null(x.failure);
}

Test(error_page, a_head_alone)
{
    cr_expect_eq(answer(404, "", "sorry"), 0);
    x.request.method = METHOD_HEAD;
    x.response = (struct http_response){0};
    recorder_clear();
    cr_expect_eq(http_send_status(&x, 404, STR("")), 0);
    cr_expect_eq(seen.method, METHOD_HEAD);
    cr_expect_eq(recorded.status, 404);
    cr_expect_str_eq(recorded.content, "");
    cr_expect_eq(x.response.length, 5, "as long as the page would be");
    cr_expect_eq(x.request.method, METHOD_HEAD);
}
