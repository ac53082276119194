/* Responses as a module makes them, whatever carries them: with and without a length, in pieces and files, cut short,
 * and refused. */
#include "harness.h"
#include "harness_file.h"
#include "harness_pki.h"
#include "harness_server.h"
#include "module_service.h"
#include "service.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define RESPOND "module: {file: respond.so, handler: respond}"

/* clang-format off */
#define CONFIG                                                                                                         \
    MODULE_LISTEN MODULES                                                                                              \
    "workers: 1\n"                                                                                                     \
    "timeouts: {write: 2s}\n"                                                                                          \
    "sites:\n"                                                                                                         \
    "  - errors: {404: /pages/404.html, 502: /pages/502.html}\n"                                                       \
    "    routes:\n"                                                                                                    \
    "      - {path: /pages/, files: {root: @DIR@/www}}\n"                                                              \
    "      - {path: /r/, " RESPOND "}\n"
/* clang-format on */

enum { GATHERED = 8 * 1024, LARGE = 5 << 20, SPARSE = 3 << 20 };

static struct server server;

static void begin(void)
{
    harness_begin();
    pki_make("ecdsa", "root");
    module_install("respond");
    file_write("www/404.html", STR("<p>not here\n"));
    file_write("www/502.html", STR("<p>not there\n"));
    server = server_start(CONFIG);
}

TestSuite(module_response, .init = begin, .fini = harness_end);

static bool is_h2(enum carrier carrier)
{
    return carrier == HTTP_2 || carrier == HTTPS_2;
}

/* ---- content ---- */

/* What is whole when the handler returns has a length; what had to go before has none. */
Test(module_response, content)
{
    static const struct {
        size_t n, piece;
    } table[] = {
        {0, 1},         {1, 1},         {100, 7},       {GATHERED, GATHERED}, {GATHERED, 1000}, {GATHERED + 1, 1},
        {20000, 20000}, {300000, 1000}, {LARGE, 100000}};
    for (size_t i = 0; i < COUNT(table); i++) {
        struct str content = module_pattern(table[i].n);
        const char *path = harness_text("/r/bytes?n=%zu&piece=%zu", table[i].n, table[i].piece);
        assert_everywhere(200, content, .path = path);
        for (enum carrier by = 0; by < CARRIERS; by++) {
            struct response r = ask_by(by, .method = "HEAD", .path = path);
            assert_status(r, 200);
            if (table[i].n <= GATHERED)
                assert_field(r, "Content-Length", harness_text("%zu", table[i].n));
            else
                assert_no_field(r, "Content-Length");
        }
    }
    assert_everywhere(200, STR(""), .path = "/r/nothing");
    assert_everywhere(200, str_of(harness_text("text 42 x\n%0300d\n", 7)), .path = "/r/text");
}

Test(module_response, promises_that_are_kept)
{
    static const size_t sizes[] = {0, 1, GATHERED, GATHERED + 1, 1000000};
    for (size_t i = 0; i < COUNT(sizes); i++)
        for (int flush = 0; flush < 2; flush++) {
            const char *path = harness_text("/r/promise?promised=%zu&n=%zu&flush=%d", sizes[i], sizes[i], flush);
            assert_everywhere(200, module_pattern(sizes[i]), .path = path);
            struct response r = ask_by(HTTP_1_1, .path = path);
            assert_field(r, "Content-Length", harness_text("%zu", sizes[i]));
        }
}

/* More is dropped, and what follows on the connection is not disturbed by it. */
Test(module_response, more_than_was_promised)
{
    assert_everywhere(200, module_pattern(10), .path = "/r/promise?promised=10&n=11");
    assert_everywhere(200, module_pattern(10), .path = "/r/promise?promised=10&n=100000");
    assert_everywhere(200, STR(""), .path = "/r/promise?promised=0&n=100000&flush=1");
    struct client *c = client_open(server.port);
    for (int i = 0; i < 3; i++)
        assert_body(get(c, "/r/promise?promised=10&n=20000"), module_pattern(10));
}

Test(module_response, less_than_was_promised)
{
    static const char *const paths[] = {"/r/promise?promised=11&n=10", "/r/promise?promised=11&n=10&flush=1",
                                        "/r/promise?promised=1000000&n=100000", "/r/promise?promised=1&n=0"};
    for (size_t i = 0; i < COUNT(paths); i++)
        for (enum carrier by = 0; by < CARRIERS; by++) {
            struct call call = call_begin(by, .path = paths[i]);
            struct response r = call_answer(&call);
            cr_assert(call_is_cut(&call, &r), "%s, %s: taken for the whole", carrier_name(by), paths[i]);
            if (!is_h2(by))
                cr_assert(client_ends(call.client));
            call_leave(&call);
        }
    /* What has no content keeps any promise. */
    for (enum carrier by = 0; by < CARRIERS; by++)
        assert_status(ask_by(by, .method = "HEAD", .path = paths[0]), 200);
}

/* ---- flushes ---- */

/* What was flushed is with the client while the handler waits. */
Test(module_response, the_first_half_is_there_while_the_second_is_not)
{
    for (enum carrier by = 0; by < CARRIERS; by++) {
        struct call halves = call_begin(by, .path = "/r/halves");
        cr_assert(call_shows(&halves, "first half, "), "%s", carrier_name(by));
        assert_body(ask_by(by, .path = "/r/release"), STR("released\n"));
        struct response r = call_answer(&halves);
        assert_body(r, STR("first half, second half\n"));
        call_leave(&halves);
    }
}

Test(module_response, streams_of_a_connection_do_not_wait_for_each_other)
{
    static const enum carrier carriers[] = {HTTP_2, HTTPS_2};
    for (size_t i = 0; i < COUNT(carriers); i++) {
        struct call halves = call_begin(carriers[i], .path = "/r/halves");
        cr_assert(call_shows(&halves, "first half, "));
        struct call other = call_along(&halves, &(struct request){.path = "/r/text"});
        assert_status(call_answer(&other), 200);
        struct call release = call_along(&halves, &(struct request){.path = "/r/release"});
        assert_body(call_answer(&release), STR("released\n"));
        assert_body(call_answer(&halves), STR("first half, second half\n"));
        call_leave(&halves);
    }
}

/* The request behind it is answered behind it. */
Test(module_response, a_pipelined_request_waits_for_the_one_before)
{
    struct client *c = client_open(server.port);
    client_printf(
        c, "GET /r/halves HTTP/1.1\r\nHost: localhost\r\n\r\nGET /r/nothing HTTP/1.1\r\nHost: localhost\r\n\r\n");
    client_take_through(c, STR("\r\n\r\n"));
    client_peek(c, sizeof "c\r\nfirst half, \r\n" - 1);
    assert_status(fetch(server.port, "/r/release"), 200);
    client_take_through(c, STR("0\r\n\r\n"));
    struct response r = response_read(c);
    assert_status(r, 200);
    assert_body(r, STR(""));
}

/* ---- files ---- */

static void write_sparse(const char *name, off_t size)
{
    file_write(name, STR(""));
    cr_assert_eq(truncate(file_path(name), size), 0);
}

Test(module_response, files)
{
    static const size_t sizes[] = {0, 1, 13, 64 * 1024, LARGE};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct str content = file_pattern(sizes[i]);
        file_replace("data", content);
        const char *path = harness_expand("/r/file?path=@DIR@/data"),
                   *between = harness_expand("/r/between?path=@DIR@/data");
        assert_everywhere(200, content, .path = path);
        assert_everywhere(200, str_of(harness_text("before " STR_FMT " after", STR_ARG(content))), .path = between);
        for (enum carrier by = 0; by < CARRIERS; by++) {
            struct response r = ask_by(by, .method = "HEAD", .path = path);
            assert_field(r, "Content-Length", harness_text("%zu", sizes[i]));
        }
    }
    write_sparse("sparse", SPARSE);
    assert_everywhere(200, file_fill('\0', SPARSE), .path = harness_expand("/r/file?path=@DIR@/sparse"));
}

Test(module_response, what_is_no_file)
{
    static const struct {
        const char *path;
        int status; /* when the handler returns the error */
        const char *why;
    } table[] = {{"@DIR@/none", 404, "No such file or directory"},
                 {"@DIR@/www", 404, "Is a directory"},
                 {"@DIR@/fifo", 500, "Invalid argument"},
                 {"/dev/null", 500, "Invalid argument"}};
    cr_assert_eq(mkfifo(file_path("fifo"), 0644), 0);
    for (size_t i = 0; i < COUNT(table); i++) {
        const char *path = harness_expand(table[i].path);
        for (enum carrier by = 0; by < CARRIERS; by++)
            assert_status(ask_by(by, .path = harness_text("/r/file?path=%s", path)), table[i].status);
        assert_everywhere(200, str_of(harness_text("before (%s) after", table[i].why)),
                          .path = harness_text("/r/between?path=%s", path));
    }
}

/* ---- heads ---- */

Test(module_response, statuses)
{
    static const int with_content[] = {200, 201, 202, 206, 299, 301, 400, 404, 418, 500, 503, 599};
    static const int without[] = {204, 304};
    for (size_t i = 0; i < COUNT(with_content); i++)
        assert_everywhere(with_content[i], STR("content\n"),
                          .path = harness_text("/r/status?status=%d", with_content[i]));
    for (size_t i = 0; i < COUNT(without); i++) {
        const char *path = harness_text("/r/status?status=%d", without[i]);
        assert_everywhere(without[i], STR(""), .path = path);
        struct client *c = client_open(server.port); /* nothing is left over on the connection */
        for (int k = 0; k < 3; k++) {
            struct response r = get(c, path);
            assert_status(r, without[i]);
            assert_no_field(r, "Content-Type");
        }
    }
    assert_everywhere(200, STR("refused\n"), .path = "/r/arguments");
}

Test(module_response, fields)
{
    static const char *const refused[] = {
        "x fine",     "",           "X-Colon:", "X-Line",  "X-Feed", "X-Control", "Content-Length", "transfer-encoding",
        "Connection", "Keep-Alive", "Upgrade",  "Trailer", "TE",     "Date",      "Server"};
    for (enum carrier by = 0; by < CARRIERS; by++) {
        struct response r = ask_by(by, .path = "/r/fields");
        assert_status(r, 200);
        for (size_t i = 0; i < COUNT(refused); i++) {
            const char *body = harness_text("\n" STR_FMT, STR_ARG(r.body));
            cr_assert(strstr(body, harness_text("\n%s=1\n", refused[i])), "%s: `%s` in: %s", carrier_name(by),
                      refused[i], body);
        }
        assert_field(r, "X-Fine", "yes");
        assert_field(r, "X-Tab", "a\tb");
        assert_field(r, "X-Blank", "around");
        assert_field(r, "X-Empty", "");
        assert_field(r, "Content-Type", "text/x-last");
        assert_no_field(r, "X-Smuggled");
        cr_assert_eq(response_fields(&r, "X-Twice"), 2);
        cr_assert_eq(response_fields(&r, "Content-Type"), 1);
        cr_assert_eq(response_fields(&r, "Date"), 1);
        cr_assert_eq(response_fields(&r, "Server"), 1);
    }
}

/* ---- failures ---- */

/* The site's page, or a line of text; never what had gathered. */
Test(module_response, failures)
{
    static const struct {
        int status;
        const char *body, *type;
    } table[] = {{404, "<p>not here\n", "text/html"},
                 {502, "<p>not there\n", "text/html"},
                 {503, "503 Service Unavailable\n", "text/plain"},
                 {418, NULL, "text/plain"},
                 {599, NULL, "text/plain"}};
    for (size_t i = 0; i < COUNT(table); i++)
        for (enum carrier by = 0; by < CARRIERS; by++) {
            struct response r = ask_by(by, .path = harness_text("/r/fail?status=%d", table[i].status));
            assert_status(r, table[i].status);
            assert_field(r, "X-Kept", "yes");
            cr_assert(str_starts(response_field(&r, "Content-Type"), str_of(table[i].type)), STR_FMT, STR_ARG(r.head));
            cr_assert(!memmem(r.body.p, r.body.n, "dropped", 7) && r.complete, STR_FMT, STR_ARG(r.body));
            if (table[i].body)
                assert_body(r, str_of(table[i].body));
        }
}

static const struct {
    const char *name;
    int status;
} errors[] = {{"refused", 502},  {"reset", 502},     {"pipe", 502},   {"host", 502},   {"net", 502},  {"proto", 502},
              {"key", 502},      {"again", 503},     {"memory", 503}, {"files", 503},  {"busy", 503}, {"time", 504},
              {"none", 404},     {"directory", 404}, {"remote", 502}, {"access", 403}, {"size", 413}, {"bad", 500},
              {"canceled", 500}, {"one", 500},       {"most", 500},   {"odd", 500}};

Test(module_response, errors_of_handlers)
{
    for (size_t i = 0; i < COUNT(errors); i++)
        for (enum carrier by = 0; by < CARRIERS; by++) {
            struct response r = ask_by(by, .path = harness_text("/r/error?name=%s", errors[i].name));
            cr_assert_eq(r.status, errors[i].status, "%s, %s: %d, not %d", carrier_name(by), errors[i].name, r.status,
                         errors[i].status);
            cr_assert(r.complete && !memmem(r.body.p, r.body.n, "begun", 5), STR_FMT, STR_ARG(r.body));
        }
    static const char line[] = "respond: it returned -ECONNREFUSED (Connection refused): GET /r/error?... HTTP/1.";
    cr_assert_geq(service_log_count(line), 1, "%s", server_log(&server).p);
    assert_stop(&server, 0);
}

/* Without a length, over HTTP/1.0, only a reset would tell: that is what chunks were made for. A reset of HTTP/2 may
 * overtake the head that it is about. */
Test(module_response, errors_after_the_head)
{
    for (size_t i = 0; i < COUNT(errors); i++)
        for (enum carrier by = HTTP_1_1; by < CARRIERS; by++) {
            struct call call = call_begin(by, .path = harness_text("/r/error?flush=1&name=%s", errors[i].name));
            struct response r = call_answer(&call);
            cr_assert(r.status == 200 || (is_h2(by) && r.status == 0), "%s, %s: %d", carrier_name(by), errors[i].name,
                      r.status);
            cr_assert(call_is_cut(&call, &r), "%s, %s: taken for the whole", carrier_name(by), errors[i].name);
            call_leave(&call);
        }
    assert_stop(&server, 0);
}

/* The client has the whole of it, and the connection goes on; only the log knows. */
Test(module_response, errors_after_the_end)
{
    struct client *c = client_open(server.port);
    for (size_t i = 0; i < COUNT(errors); i++)
        assert_body(get(c, harness_text("/r/error?end=1&name=%s", errors[i].name)), STR("begun"));
    assert_everywhere(200, STR("begun"), .path = "/r/error?end=1&name=refused");
    assert_stop(&server, 0);
}

Test(module_response, going_on_after_the_end)
{
    assert_everywhere(200, STR("whole"), .path = "/r/end");
    cr_assert(until(service_log_count("after the end: refused") == CARRIERS), "%s", server_log(&server).p);
}

Test(module_response, what_was_deferred_is_done_in_the_end)
{
    assert_everywhere(200, STR("deferred\n"), .path = "/r/defer");
    cr_assert(until(service_log_count("deferred: first") == CARRIERS), "%s", server_log(&server).p);
    cr_assert_lt(strstr(server_log(&server).p, "deferred: second"), strstr(server_log(&server).p, "deferred: first"));
}

/* ---- clients that leave ---- */

Test(module_response, a_client_that_leaves_is_noticed_at_a_write)
{
    for (enum carrier by = 0; by < CARRIERS; by++) {
        struct call ticks = call_begin(by, .path = "/r/ticks");
        cr_assert(call_shows(&ticks, "tick"));
        call_leave(&ticks);
        cr_assert(until(service_log_count("ticked until: ") == (size_t)by + 1), "%s: %s", carrier_name(by),
                  server_log(&server).p);
    }
    cr_assert_eq(service_log_count("ticked until: the end"), 0, "%s", server_log(&server).p);
    assert_stop(&server, 0);
}

Test(module_response, a_client_that_resets_in_the_middle_of_a_flood)
{
    for (enum carrier by = 0; by < CARRIERS; by++) {
        struct call flood = call_begin(by, .path = "/r/flood");
        if (is_h2(by))
            h2c_ping(flood.h2);
        else
            client_peek(flood.client, 100000);
        client_reset(flood.client);
        cr_assert(until(service_log_count("wrote until: ") == (size_t)by + 1), "%s: %s", carrier_name(by),
                  server_log(&server).p);
    }
    cr_assert_eq(service_log_count("wrote until: the end"), 0, "%s", server_log(&server).p);
    assert_stop(&server, 0);
}

Test(module_response, a_stream_that_is_reset)
{
    struct call ticks = call_begin(HTTP_2, .path = "/r/ticks");
    cr_assert(call_shows(&ticks, "tick"));
    h2c_send(ticks.h2, .type = NGHTTP2_RST_STREAM, .stream = ticks.stream, .start = h2c_u32(NGHTTP2_CANCEL));
    cr_assert(until(service_log_count("ticked until: ") == 1), "%s", server_log(&server).p);
    cr_assert_eq(service_log_count("ticked until: the end"), 0);
    struct call other = call_along(&ticks, &(struct request){.path = "/r/nothing"});
    assert_status(call_answer(&other), 200);
}

/* It is there, but takes nothing: timeouts.write. */
Test(module_response, a_client_that_reads_nothing)
{
    struct client *c = client_open_slow(server.port);
    client_printf(c, "GET /r/flood HTTP/1.1\r\nHost: localhost\r\n\r\n");
    cr_assert(until(service_log_count("wrote until: Connection timed out") == 1), "%s", server_log(&server).p);
    assert_stop(&server, 0);
}
