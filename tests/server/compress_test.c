/* Content codings on the fly: what is sent as it is, what heads say, and that contents arrive whole in each coding. */
#include "harness.h"
#include "harness_file.h"
#include "harness_response.h"
#include "harness_server.h"

#include "../decode.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* More than the file handler keeps compressed, and, compressed, more than sockets take in. */
enum { STREAMED = 3 << 20, LARGE = 24 << 20 };

#define CONFIG                                                                                                         \
    "listen: 127.0.0.1:@PORT@\n"                                                                                       \
    "workers: 1\n"                                                                                                     \
    "sites:\n"                                                                                                         \
    "  - compress: {min_size: 100}\n"                                                                                  \
    "    errors: {404: /404.html}\n"                                                                                   \
    "    routes:\n"                                                                                                    \
    "      - path: /\n"                                                                                                \
    "        files: {root: @DIR@/www}\n"                                                                               \
    "      - path: /plain/\n"                                                                                          \
    "        compress: off\n"                                                                                          \
    "        files: {root: @DIR@/www}\n"                                                                               \
    "      - path: /fast/\n"                                                                                           \
    "        compress: {types: text/html, level: fast}\n"                                                              \
    "        files: {root: @DIR@/www}\n"                                                                               \
    "      - {exact: /echo, echo: {}}\n"                                                                               \
    "      - {exact: /short, respond: {type: text/plain, body: hello}}\n"                                              \
    "      - {exact: /long, respond: {type: text/plain, body: \"@BODY@\"}}\n"

static struct server server;
static struct str words; /* what /long responds with */

static const char *put_body(const char *config)
{
    const char *mark = strstr(config, "@BODY@");
    return harness_text("%.*s" STR_FMT "%s", (int)(mark - config), config, STR_ARG(words), mark + strlen("@BODY@"));
}

static void begin(void)
{
    harness_begin();
    words = file_fill('w', 2000);
    file_write("www/page.html", file_pattern(5000));
    file_write("www/picture.png", file_pattern(5000));
    file_write("www/tiny.txt", STR("tiny"));
    file_write("www/streamed.txt", file_pattern(STREAMED));
    server = server_start(put_body(CONFIG));
}

static void end(void)
{
    assert_stop(&server, 0);
    harness_end();
}

TestSuite(compress, .init = begin, .fini = end);

static struct response get_with(const char *target, const char *fields)
{
    struct client *c = client_open(server.port);
    struct response r = ask(c, "GET %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n", target, fields);
    client_close(c);
    return r;
}

static const char *accepting(const char *codings)
{
    return harness_text("Accept-Encoding: %s\r\n", codings);
}

/* The whole content has come in this coding. */
static void assert_coded(const struct response *r, const char *coding, struct str content)
{
    char *back = harness_alloc(content.n + 1);
    assert_status(*r, 200);
    assert_field(*r, "Content-Encoding", coding);
    assert_field(*r, "Vary", "Accept-Encoding");
    assert_no_field(*r, "Accept-Ranges");
    cr_assert(r->complete && r->body.n < content.n);
    struct decoded d = decode(str_of(coding), r->body, back, content.n + 1);
    cr_assert(d.ended && !d.broken, "%zu bytes of %s do not end well", r->body.n, coding);
    cr_assert(str_eq((struct str){back, d.n}, content), "%zu bytes of %s are not the content", d.n, coding);
}

/* ---- what is sent as it is ---- */

static const struct {
    const char *target, *fields;
    int status;
    bool varies;
} plain[] = {
    {"/page.html", "", 200, true},
    {"/page.html", "Accept-Encoding:\r\n", 200, true},
    {"/page.html", "Accept-Encoding: identity\r\n", 200, true},
    {"/page.html", "Accept-Encoding: compress, deflate\r\n", 200, true},
    {"/page.html", "Accept-Encoding: br;q=0, zstd;q=0.000, gzip;q=0\r\n", 200, true},
    {"/page.html", "Accept-Encoding: identity, *;q=0.5\r\n", 200, true},
    {"/page.html", "Accept-Encoding: gzip\r\nRange: bytes=0-99\r\n", 206, true},
    {"/page.html", "Accept-Encoding: gzip\r\nRange: bytes=0-9,100-109\r\n", 206, true},
    {"/streamed.txt", "Accept-Encoding: identity\r\n", 200, true},
    {"/streamed.txt", "Accept-Encoding: gzip\r\nRange: bytes=0-99\r\n", 206, true},
    {"/long", "", 200, true},
    {"/short", "Accept-Encoding: gzip\r\n", 200, false},
    {"/tiny.txt", "Accept-Encoding: gzip\r\n", 200, false},
    {"/picture.png", "Accept-Encoding: gzip\r\n", 200, false},
    {"/plain/page.html", "Accept-Encoding: gzip\r\n", 200, false},
    {"/plain/streamed.txt", "Accept-Encoding: gzip\r\n", 200, false},
    {"/fast/streamed.txt", "Accept-Encoding: gzip\r\n", 200, false},
};

Test(compress, what_is_sent_as_it_is)
{
    for (size_t i = 0; i < COUNT(plain); i++) {
        struct response r = get_with(plain[i].target, plain[i].fields);
        assert_status(r, plain[i].status);
        cr_expect(r.complete);
        assert_no_field(r, "Content-Encoding");
        cr_expect_eq(response_fields(&r, "Vary"), plain[i].varies, "%s %s", plain[i].target, plain[i].fields);
        cr_expect(response_field(&r, "Content-Length").p);
    }
}

/* Its connection goes on, which it would not after a content of unknown length. */
Test(compress, old_clients)
{
    struct client *c = client_open(server.port);
    for (int i = 0; i < 2; i++) {
        struct response r = ask(c, "GET /long HTTP/1.0\r\nConnection: keep-alive\r\nAccept-Encoding: gzip\r\n\r\n");
        assert_no_field(r, "Content-Encoding");
        assert_body(r, words);
    }
}

Test(compress, an_error_page)
{
    file_write("www/404.html", file_pattern(5000));
    struct response r = get_with("/missing", "Accept-Encoding: gzip\r\n");
    assert_status(r, 404);
    cr_expect(r.complete);
    cr_expect_leq(response_fields(&r, "Vary"), 1);
}

/* ---- heads ---- */

static const struct {
    const char *accepted, *coding;
} choices[] = {
    {"gzip", "gzip"},
    {"x-gzip, identity;q=0.1", "gzip"},
    {"zstd", "zstd"},
    {"br", "br"},
    {"gzip, deflate, br, zstd", "br"},
    {"gzip, deflate, br;q=0.9, zstd;q=0.9", "gzip"},
    {"br;q=0.2, zstd;q=0.3, gzip;q=0.1", "zstd"},
    {"*;q=0.1", "br"},
    {"br;q=0, *", "zstd"},
};

Test(compress, weights)
{
    static const char *const targets[] = {"/long", "/streamed.txt", "/page.html"};
    for (size_t i = 0; i < COUNT(choices); i++)
        for (size_t j = 0; j < COUNT(targets); j++) {
            struct response r = get_with(targets[j], accepting(choices[i].accepted));
            assert_field(r, "Content-Encoding", choices[i].coding);
            cr_assert_eq(response_fields(&r, "Vary"), 1);
        }
}

/* RFC 9110, 9.3.2: the fields that GET would have had */
Test(compress, head_requests)
{
    static const char *const targets[] = {"/long", "/streamed.txt"};
    static const char *const fields[] = {"Content-Encoding", "Vary", "ETag", "Content-Type", "Last-Modified"};
    for (size_t i = 0; i < COUNT(targets); i++) {
        struct client *c = client_open(server.port);
        client_printf(c, "HEAD %s HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n", targets[i]);
        struct response head = response_read_head(c);
        struct response r = ask(c, "GET %s HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n", targets[i]);
        assert_field(head, "Content-Encoding", "gzip");
        for (size_t j = 0; j < COUNT(fields); j++)
            cr_expect(str_eq(response_field(&head, fields[j]), response_field(&r, fields[j])), "%s", fields[j]);
        assert_no_field(head, "Content-Length");
        assert_no_field(head, "Accept-Ranges");
    }
}

/* The tag is a weak one: it can be asked for, but no range can be had by it (RFC 9110, 13.1.5). */
Test(compress, entity_tags)
{
    struct response r = get_with("/streamed.txt", "Accept-Encoding: zstd\r\n");
    struct str tag = response_field(&r, "ETag");
    cr_assert(str_starts(tag, STR("W/\"")), STR_FMT, STR_ARG(tag));
    const char *same = harness_text("Accept-Encoding: zstd\r\nIf-None-Match: " STR_FMT "\r\n", STR_ARG(tag));
    r = get_with("/streamed.txt", same);
    assert_status(r, 304);
    assert_field(r, "Vary", "Accept-Encoding");
    cr_expect(str_eq(response_field(&r, "ETag"), tag));
    const char *part = harness_text("Range: bytes=0-9\r\nIf-Range: " STR_FMT "\r\n", STR_ARG(tag));
    r = get_with("/streamed.txt", part);
    assert_status(r, 200);
    assert_body(r, file_pattern(STREAMED));
}

/* RFC 9110, 15.4.5: the fields that a 200 would have had. The files are old: in their first second tags are weak. */
Test(compress, not_modified)
{
    static const char *const targets[] = {"/tiny.txt", "/page.html", "/streamed.txt", "/picture.png",
                                          "/plain/page.html"};
    static const char *const names[] = {"tiny.txt", "page.html", "streamed.txt", "picture.png"};
    static const char *const accepted[] = {"identity", "zstd"};
    const struct timespec old[2] = {{1000000000, 0}, {1000000000, 0}};
    for (size_t i = 0; i < COUNT(names); i++)
        cr_assert_eq(utimensat(AT_FDCWD, file_path(harness_text("www/%s", names[i])), old, 0), 0);
    for (size_t i = 0; i < COUNT(targets) * COUNT(accepted); i++) {
        const char *target = targets[i / COUNT(accepted)], *fields = accepting(accepted[i % COUNT(accepted)]);
        struct response r = get_with(target, fields);
        struct str tag = response_field(&r, "ETag");
        struct response same = get_with(target, harness_text("%sIf-None-Match: " STR_FMT "\r\n", fields, STR_ARG(tag)));
        assert_status(r, 200);
        assert_status(same, 304);
        cr_expect(str_eq(response_field(&same, "ETag"), tag), "%s %s", target, fields);
        cr_expect_eq(response_fields(&same, "Vary"), response_fields(&r, "Vary"), "%s %s", target, fields);
        cr_expect_eq(str_starts(tag, STR("W/")), response_fields(&r, "Content-Encoding"), "%s %s", target, fields);
    }
}

/* ---- contents ---- */

static const char *const codings[] = {"br", "zstd", "gzip"};

Test(compress, contents_of_handlers)
{
    for (size_t i = 0; i < COUNT(codings); i++) {
        struct response r = get_with("/long", accepting(codings[i]));
        assert_coded(&r, codings[i], words);
        r = get_with("/page.html", accepting(codings[i]));
        assert_coded(&r, codings[i], file_pattern(5000));
        r = get_with("/streamed.txt", accepting(codings[i]));
        assert_coded(&r, codings[i], file_pattern(STREAMED));
    }
}

Test(compress, contents_of_clients)
{
    static const size_t sizes[] = {100, 16384, 16385, 100000, 2 << 20};
    for (size_t i = 0; i < COUNT(codings) * COUNT(sizes); i++) {
        struct str content = file_pattern(sizes[i / COUNT(codings)]);
        const char *coding = codings[i % COUNT(codings)];
        struct client *c = client_open(server.port);
        client_printf(c,
                      "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nAccept-Encoding: %s\r\n"
                      "Content-Length: %zu\r\n\r\n",
                      coding, content.n);
        client_send(c, content);
        struct response r = response_read(c);
        assert_coded(&r, coding, content);
        client_close(c);
    }
}

/* Each response of a connection has its own coding, or none. */
Test(compress, one_connection)
{
    struct client *c = client_open(server.port);
    const char *requests = "";
    for (int i = 0; i < 12; i++)
        requests = harness_text("%sGET %s HTTP/1.1\r\nHost: x\r\nAccept-Encoding: %s\r\n\r\n", requests,
                                i % 2 ? "/streamed.txt" : "/long", i % 4 == 3 ? "identity" : codings[i % 3]);
    client_send(c, str_of(requests));
    for (int i = 0; i < 12; i++) {
        struct response r = response_read(c);
        struct str content = i % 2 ? file_pattern(STREAMED) : words;
        if (i % 4 == 3)
            assert_body(r, content);
        else
            assert_coded(&r, codings[i % 3], content);
    }
    cr_expect(client_is_held(c));
}

Test(compress, many_at_once)
{
    enum { CLIENTS = 24 };
    struct client *clients[CLIENTS];
    struct str content = file_pattern(STREAMED);
    for (size_t i = 0; i < CLIENTS; i++) {
        clients[i] = client_open(server.port);
        client_printf(clients[i], "GET /streamed.txt HTTP/1.1\r\nHost: x\r\nAccept-Encoding: %s\r\n\r\n",
                      codings[i % COUNT(codings)]);
    }
    struct response r = get_with("/short", "");
    assert_body(r, STR("hello"));
    for (size_t i = 0; i < CLIENTS; i++) {
        r = response_read(clients[i]);
        assert_coded(&r, codings[i % COUNT(codings)], content);
        client_close(clients[i]);
    }
}

/* ---- clients and files that give up ---- */

static struct client *start_download(const char *target, const char *coding)
{
    struct client *c = client_open_slow(server.port);
    client_printf(c, "GET %s HTTP/1.1\r\nHost: x\r\nAccept-Encoding: %s\r\n\r\n", target, coding);
    cr_assert_eq(client_peek(c, 1000).n, 1000);
    return c;
}

Test(compress, clients_that_leave_in_the_middle)
{
    pid_t before, after;
    file_write("www/large.txt", file_pattern(LARGE));
    server_workers(&server, &before, 1);
    for (size_t i = 0; i < 2 * COUNT(codings); i++)
        client_close(start_download("/large.txt", codings[i % COUNT(codings)]));
    struct response r = get_with("/streamed.txt", accepting("br"));
    assert_coded(&r, "br", file_pattern(STREAMED));
    server_workers(&server, &after, 1);
    cr_assert_eq(before, after, "a worker has died");
}

/* One that takes nothing for a while gets the rest all the same, and nobody waits for it. */
Test(compress, a_client_that_pauses)
{
    struct str content = file_pattern(LARGE);
    file_write("www/large.txt", content);
    struct client *c = start_download("/large.txt", "zstd");
    struct response r = get_with("/streamed.txt", accepting("zstd"));
    assert_coded(&r, "zstd", file_pattern(STREAMED));
    r = response_read(c);
    assert_coded(&r, "zstd", content);
}

/* What has been sent can't be taken back, but must not end as if it were whole. */
Test(compress, a_file_that_changes_under_way)
{
    for (size_t i = 0; i < COUNT(codings); i++) {
        file_write("www/large.txt", file_pattern(LARGE));
        struct client *c = start_download("/large.txt", codings[i]);
        file_overwrite("www/large.txt", file_fill('x', LARGE));
        struct response r = response_read(c);
        assert_status(r, 200);
        cr_expect_not(r.complete, "%s of a mixture of two files was sent as a whole", codings[i]);
        client_close(c);
        file_write("www/large.txt", file_pattern(LARGE));
        c = start_download("/large.txt", codings[i]);
        cr_assert_eq(truncate(file_path("www/large.txt"), STREAMED), 0);
        r = response_read(c);
        cr_expect_not(r.complete, "%s of half a file was sent as a whole", codings[i]);
        client_close(c);
    }
}
