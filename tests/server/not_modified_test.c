/* 304: it says of a file what the 200 would have said (RFC 9110, 15.4.5), however that would have come. */
#include "harness.h"
#include "harness_file.h"
#include "harness_response.h"
#include "harness_server.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* Kept in memory, kept open, and more than is kept compressed. */
enum { SMALL = 5000, OPEN = 50000, LARGE = 3 << 20 };

#define CONFIG                                                                                                         \
    "listen: 127.0.0.1:@PORT@\n"                                                                                       \
    "workers: 1\n"                                                                                                     \
    "sites:\n"                                                                                                         \
    "  - compress: {min_size: 1k}\n"                                                                                   \
    "    routes: [{path: /, files: {root: @DIR@/www}}]\n"                                                              \
    "  - hosts: plain.example\n"                                                                                       \
    "    routes: [{path: /, files: {root: @DIR@/www}}]\n"                                                              \
    "  - hosts: only.example\n"                                                                                        \
    "    compress: {min_size: 1k}\n"                                                                                   \
    "    routes: [{path: /, files: {root: @DIR@/www, precompressed: off}}]\n"

static const char *const hosts[] = {"localhost", "plain.example", "only.example"};

static struct server server;

/* A file that is old enough for a strong tag. */
static void write_old(const char *name, struct str content)
{
    const char *path = harness_text("www/%s", name);
    file_write(path, content);
    cr_assert_eq(utimensat(AT_FDCWD, file_path(path), (struct timespec[]){{0, 0}, {784111777, 0}}, 0), 0);
}

static struct str noise(size_t n)
{
    char *bytes = harness_alloc(n);
    srand(5);
    for (size_t i = 0; i < n; i++)
        bytes[i] = (char)rand();
    return (struct str){bytes, n};
}

static void begin(void)
{
    harness_begin();
    write_old("tiny.txt", STR("tiny"));
    write_old("small.html", file_pattern(SMALL));
    write_old("open.html", file_pattern(OPEN));
    write_old("large.txt", file_pattern(LARGE));
    write_old("small.png", file_pattern(SMALL));
    write_old("large.png", file_pattern(LARGE));
    write_old("both.html", file_pattern(SMALL));
    write_old("both.html.gz", STR("as good as compressed"));
    write_old("both.html.br", STR("as good as compressed"));
    write_old("tiny.html", STR("tiny"));
    write_old("tiny.html.gz", STR("less"));
    write_old("large.html", file_pattern(LARGE));
    write_old("large.html.zst", file_pattern(LARGE));
    write_old("noise.txt", noise(SMALL));
    write_old("noise_open.txt", noise(OPEN));
    server = server_start(CONFIG);
}

static void end(void)
{
    assert_stop(&server, 0);
    harness_end();
}

TestSuite(not_modified, .init = begin, .fini = end);

static const char *const targets[] = {
    "/tiny.txt",  "/small.html", "/open.html", "/large.txt",  "/small.png",
    "/large.png", "/both.html",  "/tiny.html", "/large.html",
};

static const char *const accepts[] = {
    "",
    "Accept-Encoding: gzip\r\n",
    "Accept-Encoding: br, zstd\r\n",
    "Accept-Encoding: identity\r\n",
};

static const char *text_of(struct str s)
{
    return harness_text(STR_FMT, STR_ARG(s));
}

static const char *const told[] = {"ETag", "Vary", "Accept-Ranges", "Cache-Control", "Content-Location"};

static void expect_agreement(const struct response *first, const struct response *second, const char *what)
{
    for (size_t i = 0; i < COUNT(told); i++) {
        struct str a = response_field(first, told[i]), b = response_field(second, told[i]);
        cr_expect(!a.p == !b.p && str_eq(a, b), "%s: %s is \"" STR_FMT "\" and \"" STR_FMT "\"", what, told[i],
                  STR_ARG(a), STR_ARG(b));
        cr_expect_leq(response_fields(second, told[i]), 1, "%s: " STR_FMT, what, STR_ARG(second->head));
    }
}

/* Everything about one file, in one site and for one client. */
static void expect_304(const char *host, const char *target, const char *accept)
{
    const char *what = harness_text("%s%s, %.*s", host, target, (int)strcspn(accept, "\r"), accept);
    struct client *c = client_open(server.port);
    struct response whole = ask(c, "GET %s HTTP/1.1\r\nHost: %s\r\n%s\r\n", target, host, accept);
    assert_status(whole, 200);
    const char *tag = text_of(response_field(&whole, "ETag")), *date = text_of(response_field(&whole, "Last-Modified"));
    const char *const conditions[] = {
        harness_text("If-None-Match: %s", tag),
        harness_text("If-None-Match: \"x\", %s", tag),
        "If-None-Match: *",
        harness_text("If-Modified-Since: %s", date),
    };
    for (size_t i = 0; i < COUNT(conditions); i++) {
        struct response r = ask(c, "GET %s HTTP/1.1\r\nHost: %s\r\n%s%s\r\n\r\n", target, host, accept, conditions[i]);
        cr_assert_eq(r.status, 304, "%d for %s with %s", r.status, what, conditions[i]);
        expect_agreement(&whole, &r, what);
        assert_no_field(r, "Content-Range");
    }
    client_printf(c, "HEAD %s HTTP/1.1\r\nHost: %s\r\n%s\r\n", target, host, accept);
    struct response head = response_read_head(c);
    assert_status(head, 200);
    expect_agreement(&whole, &head, what);
    cr_expect(str_eq(response_field(&whole, "Content-Encoding"), response_field(&head, "Content-Encoding")), "%s",
              what);
    client_close(c);
}

static void expect_all(const char *host)
{
    for (size_t i = 0; i < COUNT(targets) * COUNT(accepts); i++)
        expect_304(host, targets[i / COUNT(accepts)], accepts[i % COUNT(accepts)]);
}

Test(not_modified, as_files_are)
{
    expect_all(hosts[1]);
}

Test(not_modified, compressed_here)
{
    expect_all(hosts[2]);
}

Test(not_modified, compressed_here_or_beforehand)
{
    expect_all(hosts[0]);
}

/* What was found not to become smaller comes as it is, and so says the 304. */
Test(not_modified, content_that_does_not_become_smaller)
{
    for (size_t i = 0; i < COUNT(accepts); i++) {
        expect_304(hosts[2], "/noise.txt", accepts[i]);
        expect_304(hosts[2], "/noise_open.txt", accepts[i]);
    }
}

/* A tag names the coding too: what is in a cache must not be taken for what another client would get. */
Test(not_modified, another_coding_is_another_tag)
{
    static const char *const with_two[] = {"/both.html", "/tiny.html", "/large.html"};
    for (size_t i = 0; i < COUNT(with_two); i++) {
        struct client *c = client_open(server.port);
        struct response plain = ask(c, "GET %s HTTP/1.1\r\nHost: plain.example\r\n\r\n", with_two[i]);
        struct response coded =
            ask(c, "GET %s HTTP/1.1\r\nHost: plain.example\r\nAccept-Encoding: gzip, zstd\r\n\r\n", with_two[i]);
        cr_assert_gt(response_field(&coded, "Content-Encoding").n, 0, "%s", with_two[i]);
        const char *tag = text_of(response_field(&plain, "ETag"));
        cr_expect_not(str_eq(response_field(&coded, "ETag"), str_of(tag)), "%s: %s", with_two[i], tag);
        struct response r = ask(c,
                                "GET %s HTTP/1.1\r\nHost: plain.example\r\nAccept-Encoding: gzip, zstd\r\n"
                                "If-None-Match: %s\r\n\r\n",
                                with_two[i], tag);
        assert_status(r, 200);
        client_close(c);
    }
}
