/* `try`, names that start with a dot, encoded slashes, and compressed files beside others: what must stay closed, and
 * which file it is. */
#include "harness.h"
#include "harness_file.h"
#include "harness_response.h"
#include "harness_server.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sys/stat.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

#define CONFIG                                                                                                         \
    "listen: 127.0.0.1:@PORT@\n"                                                                                       \
    "workers: 1\n"                                                                                                     \
    "sites:\n"                                                                                                         \
    "  - routes:\n"                                                                                                    \
    "      - {path: /, files: {root: @DIR@/www, try: [$path.html, $path/index.htm, app/index.html]}}\n"                \
    "      - {path: /only/, files: {root: @DIR@/www, try: $path.html}}\n"                                              \
    "      - {path: /bare, files: {root: @DIR@/www, index: none, try: [$path, $path.html]}}\n"                         \
    "      - {path: /roots/, files: {root: @DIR@/www, index: none, try: $path/page.html}}\n"                           \
    "      - {path: /away/, redirect: {to: /new/}}\n"                                                                  \
    "      - {path: /far, redirect: {to: 'https://example.org'}}\n"                                                    \
    "      - {path: /plain/, files: {root: @DIR@/www}}\n"                                                              \
    "      - {path: /all/, files: {root: @DIR@/www, hidden: on}}\n"

static const char secret[] = "the secret";

static struct server server;

static void begin(void)
{
    harness_begin();
    file_write("www/page.html", STR("page"));
    file_write("www/dir/index.htm", STR("dir"));
    file_write("www/app/index.html", STR("app"));
    file_write("www/a/b.html", STR("below"));
    /* what $path.html would be for nothing, for a directory, and for names with dots */
    file_write("www/.html", str_of(secret));
    file_write("www/dir/.html", str_of(secret));
    file_write("www/.secret.html", str_of(secret));
    file_write("www/.secret", str_of(secret));
    file_write("www/.secret.gz", str_of(secret));
    file_write("www/.git/config", str_of(secret));
    file_write("www/.gz", str_of(secret));
    file_write("www/.well-known/acme", STR("known"));
    file_write("www/.well-known/.inner", str_of(secret));
    server = server_start(CONFIG);
}

static void end(void)
{
    assert_stop(&server, 0);
    harness_end();
}

TestSuite(files_try, .init = begin, .fini = end);

static struct response fetch_with(const char *target, const char *fields)
{
    return fetch_raw(server.port, harness_text("GET %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n", target, fields));
}

/* ---- what stays closed ---- */

Test(files_try, no_name_with_a_dot_is_found)
{
    static const char *const targets[] = {
        "/.secret",
        "/.secret.html",
        "/.git/config",
        "/.git/",
        "/.git",
        "/.html",
        "/dir/.html",
        "/only/.secret",
        "/only/.html",
        "/only/dir/.html",
        "/only/",
        "/only//",
        "/only/dir/",
        "/only/dir//",
        "/only/.",
        "/only/dir/.",
        "/only/dir/x/..",
        "/only/dir/%2e",
        "/only/%2esecret",
        "/only/dir/..",
        "/only/dir/%2f",
        "/only/dir%2f",
        "/only/%2f.secret",
        "/bare",
        "/bare/",
        "/bare/.secret",
        "/bare/dir/",
        "/bare//",
        "/plain/.secret",
        "/plain/.gz",
        "/plain/.secret.gz",
        "/.well-known/.inner",
        "/plain/.well-known/.inner",
    };
    static const char *const fields[] = {"", "Accept-Encoding: gzip\r\n"};
    for (size_t i = 0; i < COUNT(targets) * COUNT(fields); i++) {
        struct response r = fetch_with(targets[i / 2], fields[i % 2]);
        cr_expect(r.status == 404 || r.status == 301 || r.status == 403, "%d for %s", r.status, targets[i / 2]);
        cr_expect_null(memmem(r.body.p, r.body.n, secret, strlen(secret)), "%s gives the secret", targets[i / 2]);
    }
    static const char *const open[] = {"/all/.secret", "/all/.git/config", "/all/.gz"};
    for (size_t i = 0; i < COUNT(open); i++) {
        struct response r = fetch_with(open[i], "");
        assert_status(r, 200);
        assert_body(r, str_of(secret));
    }
    struct response r = fetch_with("/.well-known/acme", "");
    assert_body(r, STR("known"));
}

/* A slash that was encoded is a part of a name, which no file has: no `try` takes it for one that divides names. */
Test(files_try, an_encoded_slash_names_no_file)
{
    static const char *const targets[] = {"/a%2fb",   "/a%2Fb.html",    "/page%2f",
                                          "/%2fpage", "/a%2f..%2fpage", "/bare/a%2Fb"};
    for (size_t i = 0; i < COUNT(targets); i++)
        assert_status(fetch_with(targets[i], ""), 404);
}

/* ---- which file ---- */

/* Of a directory, and of the root, only what is in it can be meant. */
Test(files_try, what_is_in_a_directory)
{
    for (int again = 0; again < 2; again++) {
        struct response r = fetch_with("/", "");
        assert_status(r, 200);
        assert_body(r, STR("app"));
        r = fetch_with("/roots/", "");
        assert_body(r, STR("page"));
        assert_status(fetch_with("/roots/dir/", ""), 404);
        assert_status(fetch_with("/only/", ""), 404);
        assert_status(fetch_with("/only/page/", ""), 404);
        assert_status(fetch_with("/bare/", ""), 404);
    }
}

Test(files_try, the_first_that_is_there)
{
    static const struct {
        const char *target, *body;
    } table[] = {
        {"/page", "page"},         {"/page/", "app"},      {"/page.html", "page"}, {"/a/b", "below"},
        {"/a/b/", "app"},          {"/dir/", "dir"},       {"/nothing", "app"},    {"/x/y/z", "app"},
        {"/page.html/x", "app"},   {"/only/page", "page"}, {"/bare/page", "page"}, {"/only/a/b", "below"},
        {"/page?x=/../y", "page"},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        struct response r = fetch_with(table[i].target, "");
        cr_expect_eq(r.status, 200, "%d for %s", r.status, table[i].target);
        cr_expect(str_eq(r.body, str_of(table[i].body)), "%s: " STR_FMT, table[i].target, STR_ARG(r.body));
    }
    assert_status(fetch_with("/only/nothing", ""), 404);
}

/* ---- encoded slashes elsewhere ---- */

Test(files_try, a_redirect_keeps_an_encoded_slash)
{
    static const struct {
        const char *target, *location;
    } table[] = {
        {"/away/a%2Fb", "/new/a%2Fb"},
        {"/away/a%2fb/c", "/new/a%2Fb/c"},
        {"/away/%2F%2Fx", "/new/%2F%2Fx"},
        {"/away/a%2Fb%25?c%2Fd", "/new/a%2Fb%25?c%2Fd"},
        {"/far/%2fevil.example", "https://example.org/%2Fevil.example"},
        {"/away/a%252Fb", "/new/a%252Fb"},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        struct response r = fetch_with(table[i].target, "");
        assert_status(r, 302);
        assert_field(r, "Location", table[i].location);
    }
}

/* ---- compressed files beside others ---- */

/* Made from one file, they often have its time, and may have one size. */
Test(files_try, codings_have_tags_of_their_own)
{
    static const char *const names[] = {"x.css", "x.css.gz", "x.css.br", "x.css.zst"};
    static const char *const accepts[] = {"", "gzip", "br", "zstd"};
    const char *tags[COUNT(names)];
    for (size_t i = 0; i < COUNT(names); i++) {
        const char *path = harness_text("www/%s", names[i]);
        file_write(path, STR("bytes"));
        cr_assert_eq(utimensat(AT_FDCWD, file_path(path), (struct timespec[]){{0, 0}, {784111777, 0}}, 0), 0);
    }
    for (size_t i = 0; i < COUNT(names); i++) {
        struct response r = fetch_with("/plain/x.css", harness_text("Accept-Encoding: %s\r\n", accepts[i]));
        assert_status(r, 200);
        cr_assert(str_eq(response_field(&r, "Content-Encoding"), str_of(accepts[i])), STR_FMT, STR_ARG(r.head));
        assert_field(r, "Content-Type", "text/css; charset=utf-8");
        assert_field(r, "Vary", "Accept-Encoding");
        tags[i] = harness_text(STR_FMT, STR_ARG(response_field(&r, "ETag")));
        for (size_t k = 0; k < i; k++)
            cr_expect_str_neq(tags[i], tags[k], "%s and %s", names[i], names[k]);
    }
    for (size_t i = 0; i < COUNT(names) * COUNT(names); i++) {
        size_t own = i / COUNT(names), other = i % COUNT(names);
        struct response r = fetch_with(
            "/plain/x.css", harness_text("Accept-Encoding: %s\r\nIf-None-Match: %s\r\n", accepts[own], tags[other]));
        cr_expect_eq(r.status, own == other ? 304 : 200, "%d for the tag of %s in %s", r.status, names[other],
                     names[own]);
    }
}

/* One beside nothing, or beside something that is no file, is only itself. */
Test(files_try, a_compressed_file_alone)
{
    file_write("www/lone.css.gz", STR("lone"));
    file_directory("www/folder.css.gz");
    file_write("www/folder.css", STR("folder"));
    file_directory("www/both");
    file_write("www/both.gz", str_of(secret));
    assert_status(fetch_with("/plain/lone.css", "Accept-Encoding: gzip\r\n"), 404);
    struct response r = fetch_with("/plain/lone.css.gz", "Accept-Encoding: gzip\r\n");
    assert_body(r, STR("lone"));
    assert_no_field(r, "Content-Encoding");
    r = fetch_with("/plain/folder.css", "Accept-Encoding: gzip\r\n");
    assert_body(r, STR("folder"));
    assert_no_field(r, "Content-Encoding");
    assert_status(fetch_with("/plain/both", "Accept-Encoding: gzip\r\n"), 301);
}
