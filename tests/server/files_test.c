/* Static files: what is refused, content and types, and conditional requests. */
#include "harness.h"
#include "harness_file.h"
#include "harness_response.h"
#include "harness_server.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* Workers must not be root here: to root no file is unreadable. */
#define CONFIG                                                                                                         \
    "listen: 127.0.0.1:@PORT@\n"                                                                                       \
    "workers: 1\n"                                                                                                     \
    "sites: [{routes: [{path: /, files: {root: @DIR@/www, index: [index.html, index.htm]}}]}]\n"

static struct server server;

static void begin(void)
{
    harness_begin();
    file_directory("www");
    const char *user = geteuid() == 0 ? "user: nobody\ngroup: nogroup\n" : "";
    server = server_start(harness_text("%s" CONFIG, user));
}

TestSuite(files, .init = begin, .fini = harness_end);

static const char secret[] = "the secret";

static void assert_not_served(const char *target)
{
    struct response r = fetch(server.port, target);
    cr_assert(r.status == 400 || r.status == 403 || r.status == 404, "%d for %.100s", r.status, target);
    cr_assert_null(memmem(r.body.p, r.body.n, secret, strlen(secret)), "%s gives the secret", target);
}

Test(files, nothing_above_the_root_is_served)
{
    static const char *const targets[] = {
        "/../secret",
        "/sub/../../secret",
        "/%2e%2e/secret",
        "/%2E%2E/secret",
        "/.%2e/secret",
        "/..%2fsecret",
        "/%2e%2e%2fsecret",
        "/sub/%2e%2e/%2e%2e/secret",
        "/..%5csecret",
        "/..\\secret",
        "/%252e%252e/secret",
        "/sub/..%2f..%2fsecret",
        "//../secret",
        "/./../secret",
        "/sub/.../../../secret",
        "/..;/secret",
        "/up/secret",
        "/leaving",
        "/leaving_by_steps",
        "/absolute",
        "/sub/../../../../../../../../../../../etc/passwd",
    };
    file_write("secret", str_of(secret));
    file_write("www/sub/file", STR("x"));
    cr_assert_eq(symlink("..", file_path("www/up")), 0);
    cr_assert_eq(symlink("../secret", file_path("www/leaving")), 0);
    cr_assert_eq(symlink("up/secret", file_path("www/leaving_by_steps")), 0);
    cr_assert_eq(symlink(file_path("secret"), file_path("www/absolute")), 0);
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
        assert_not_served(targets[i]);
}

/* To open a FIFO waits for its writer, and a device may never end: neither is even tried. */
Test(files, what_is_no_file_is_not_served)
{
    file_directory("www/empty");
    file_write("www/file", STR("x"));
    file_write("www/closed", str_of(secret));
    file_write("www/closed_directory/file", str_of(secret));
    cr_assert_eq(chmod(file_path("www/closed"), 0), 0);
    cr_assert_eq(chmod(file_path("www/closed_directory"), 0), 0);
    cr_assert_eq(mkfifo(file_path("www/fifo"), 0644), 0);
    cr_assert(mknod(file_path("www/zero"), S_IFCHR | 0644, makedev(1, 5)) == 0 || errno == EPERM);
    cr_assert_eq(symlink("loop", file_path("www/loop")), 0);
    cr_assert_eq(symlink("nowhere", file_path("www/dangling")), 0);
    static const char *const targets[] = {"/empty/",
                                          "/fifo",
                                          "/zero",
                                          "/loop",
                                          "/dangling",
                                          "/closed",
                                          "/closed_directory/file",
                                          "/closed_directory/",
                                          "/file/",
                                          "/file/x",
                                          "/missing"};
    for (int again = 0; again < 2; again++)
        for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
            assert_not_served(targets[i]);
    cr_assert_eq(chmod(file_path("www/closed_directory"), 0755), 0);
}

Test(files, names_too_long_for_any_file_are_not_found)
{
    assert_status(fetch(server.port, harness_text("/%s", file_fill('x', 255).p)), 404);
    assert_status(fetch(server.port, harness_text("/%s", file_fill('x', 256).p)), 404);
    assert_status(fetch(server.port, harness_text("/%s", file_fill('x', 5000).p)), 404);
    const char *deep = "";
    for (int i = 0; i < 3000; i++)
        deep = harness_text("%s/x", deep);
    assert_status(fetch(server.port, deep), 404);
    file_write(harness_text("www/%s", file_fill('y', 255).p), STR("long"));
    struct response r = fetch(server.port, harness_text("/%s", file_fill('y', 255).p));
    assert_body(r, STR("long"));
}

/* A directory is named with a slash at its end, so that relative links work; the query goes along. */
Test(files, a_directory_without_its_slash_is_redirected)
{
    static const struct {
        const char *target, *location;
    } table[] = {
        {"/sub", "/sub/"},        {"/sub?a=b", "/sub/?a=b"}, {"/sub/deep", "/sub/deep/"},         {"/a%20b", "/a%20b/"},
        {"/sub/../sub", "/sub/"}, {"//sub", "/sub/"},        {"/%0d%0aX:%20y", "/%0D%0AX:%20y/"},
    };
    file_write("www/sub/deep/index.html", STR("x"));
    file_write("www/a b/index.html", STR("x"));
    file_write("www/\r\nX: y/index.html", STR("x"));
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct response r = fetch(server.port, table[i].target);
        if (i == 6 && r.status >= 400)
            continue; /* to refuse control characters is as good */
        assert_status(r, 301);
        assert_field(r, "Location", table[i].location);
        assert_no_field(r, "X");
    }
}

Test(files, content_comes_byte_for_byte)
{
    static const size_t sizes[] = {0, 1, 13, 4095, 65535, 65536, 65537, 1 << 20, (1 << 20) + 1, 8 << 20};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        file_write(harness_text("www/%zu.bin", sizes[i]), file_pattern(sizes[i]));
    struct client *c = client_open(server.port);
    for (int again = 0; again < 3; again++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            const char *target = harness_text("/%zu.bin", sizes[i]);
            struct response r = get(c, target);
            assert_status(r, 200);
            assert_field(r, "Content-Length", harness_text("%zu", sizes[i]));
            assert_body(r, file_pattern(sizes[i]));
            client_printf(c, "HEAD %s HTTP/1.1\r\nHost: localhost\r\n\r\n", target);
            r = response_read_head(c);
            assert_status(r, 200);
            assert_field(r, "Content-Length", harness_text("%zu", sizes[i]));
        }
}

Test(files, large_ones_may_be_pipelined)
{
    struct str small = file_pattern(100), large = file_pattern(1 << 20);
    file_write("www/small", small);
    file_write("www/large", large);
    struct client *c = client_open(server.port);
    for (int i = 0; i < 8; i++)
        client_printf(c, "GET /%s HTTP/1.1\r\nHost: localhost\r\n\r\n", i % 2 ? "large" : "small");
    for (int i = 0; i < 8; i++) {
        struct response r = response_read(c);
        assert_status(r, 200);
        assert_body(r, i % 2 ? large : small);
    }
}

Test(files, types)
{
    static const struct {
        const char *name, *type;
    } table[] = {
        {"x.html", "text/html; charset=utf-8"},
        {"X.HTML", "text/html; charset=utf-8"},
        {"x.css", "text/css; charset=utf-8"},
        {"x.txt", "text/plain; charset=utf-8"},
        {"x.png", "image/png"},
        {"x.jpg", "image/jpeg"},
        {"x.wasm", "application/wasm"},
        {"x.pdf", "application/pdf"},
        {"x.tar.gz", "application/gzip"},
        {"x.woff2", "font/woff2"},
        {"x.nobody-knows", "application/octet-stream"},
        {"x", "application/octet-stream"},
        {"html", "application/octet-stream"},
        {"x.", "application/octet-stream"},
    };
    struct client *c = client_open(server.port);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        file_write(harness_text("www/%s", table[i].name), STR("x"));
        struct response r = get(c, harness_text("/%s", table[i].name));
        assert_status(r, 200);
        assert_field(r, "Content-Type", table[i].type);
    }
}

Test(files, index_files)
{
    file_write("www/index.html", STR("root"));
    file_write("www/old/index.htm", STR("old"));
    file_write("www/both/index.htm", STR("second"));
    file_write("www/both/index.html", STR("first"));
    file_directory("www/odd/index.html");
    static const struct {
        const char *target, *body;
    } table[] = {{"/", "root"}, {"/?x", "root"}, {"/old/", "old"}, {"/both/", "first"}, {"/./old/../", "root"}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct response r = fetch(server.port, table[i].target);
        assert_status(r, 200);
        assert_body(r, str_of(table[i].body));
        assert_field(r, "Content-Type", "text/html; charset=utf-8");
    }
    assert_not_served("/odd/");
}

Test(files, names_may_have_any_characters)
{
    static const struct {
        const char *name, *target;
    } table[] = {{"a b", "/a%20b"}, {"ä", "/%c3%a4"},  {"100%", "/100%25"}, {"a+b", "/a+b"},
                 {"a?b", "/a%3Fb"}, {"a#b", "/a%23b"}, {"a&b=c", "/a&b=c"}, {"x..x", "/x..x"},
                 {"x..", "/x.."},   {"~x", "/%7Ex"},   {"a:b", "/a:b"},     {"a'b\"", "/a'b%22"}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        file_write(harness_text("www/%s", table[i].name), str_of(table[i].name));
        struct response r = fetch(server.port, table[i].target);
        assert_status(r, 200);
        assert_body(r, str_of(table[i].name));
    }
}

Test(files, links_within_the_root_are_followed)
{
    file_write("www/sub/file", STR("content"));
    cr_assert_eq(symlink("sub/file", file_path("www/link")), 0);
    cr_assert_eq(symlink("../sub", file_path("www/sub/self")), 0);
    static const char *const targets[] = {"/link", "/sub/self/file"};
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        struct response r = fetch(server.port, targets[i]);
        assert_status(r, 200);
        assert_body(r, STR("content"));
    }
}

static void assert_condition(struct client *c, const char *condition, int status, size_t size)
{
    struct response r = ask(c, "GET /file HTTP/1.1\r\nHost: localhost\r\n%s\r\n", condition);
    cr_assert_eq(r.status, status, "%d, not %d, for %s", r.status, status, condition);
    cr_assert(response_field(&r, "ETag").n > 0, "no ETag: " STR_FMT, STR_ARG(r.head));
    assert_body(r, status == 304 ? STR("") : file_pattern(size));
    client_printf(c, "HEAD /file HTTP/1.1\r\nHost: localhost\r\n%s\r\n", condition);
    assert_status(response_read_head(c), status);
}

/* If-None-Match decides alone where both are there (RFC 9110, 13.2.2); what is no date is ignored. That a 304 has no
 * content shows in the answer after it. */
static void assert_conditions(size_t size)
{
    struct client *c = client_open(server.port);
    file_write("www/file", file_pattern(size));
    struct response r = get(c, "/file");
    struct str tag = response_field(&r, "ETag"), date = response_field(&r, "Last-Modified");
    cr_assert(tag.n > 2 && tag.p[tag.n - 1] == '"', "no entity tag: " STR_FMT, STR_ARG(r.head));
    cr_assert_eq(date.n, 29, "no date: " STR_FMT, STR_ARG(r.head));
    const char *etag = harness_text(STR_FMT, STR_ARG(tag)), *modified = harness_text(STR_FMT, STR_ARG(date));
    const struct {
        const char *condition;
        int status;
    } table[] = {
        {"If-None-Match: \"other\"\r\n", 200},
        {"If-None-Match: nonsense\r\n", 200},
        {harness_text("If-None-Match: \"other\"\r\nIf-Modified-Since: %s\r\n", modified), 200},
        {"If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT\r\n", 200},
        {"If-Modified-Since: yesterday\r\n", 200},
        {"If-Modified-Since: Mon, 31 Feb 2055 00:00:00 GMT\r\n", 200},
        {harness_text("If-None-Match: %s\r\n", etag), 304},
        {harness_text("If-None-Match: \"other\", %s\r\n", etag), 304},
        {harness_text("If-None-Match: W/%s\r\n", strncmp(etag, "W/", 2) ? etag : etag + 2), 304},
        {"If-None-Match: *\r\n", 304},
        {harness_text("If-None-Match: %s\r\nIf-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT\r\n", etag), 304},
        {harness_text("If-Modified-Since: %s\r\n", modified), 304},
        {"If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT\r\n", 304},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        assert_condition(c, table[i].condition, table[i].status, size);
}

Test(files, conditional_requests_for_a_small_file)
{
    assert_conditions(1000);
}

Test(files, conditional_requests_for_a_large_file)
{
    assert_conditions(200000);
}
