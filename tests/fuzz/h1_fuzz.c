/* h1_fuzz.c: whole connections of HTTP/1.x. The bytes of a connection must come to the same however they arrive. */
#include <stdio.h>
#include <stdlib.h>

#include "wire_conn.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* Says what it was asked for, and by which framing. */
static int tell(struct exchange *x, const void *settings)
{
    (void)settings;
    char content[512];
    size_t total = 0;
    ssize_t got = 0;
    if (x->request.method != METHOD_PUT) /* PUT: content that nobody wants */
        while ((got = http_read(x, content, sizeof content)) > 0)
            total += (size_t)got;
    if (got < 0)
        return (int)got;
    struct str text =
        arena_printf(&x->arena, "%d " STR_FMT " [" STR_FMT "] %zu fields, %zu bytes\n", x->request.method,
                     STR_ARG(x->request.uri.path), STR_ARG(x->request.host), x->request.field_count, total);
    int error = http_head(x, 200, STR(""), x->request.method == METHOD_POST ? HTTP_LENGTH_UNKNOWN : (int64_t)text.n);
    if (!error)
        error = http_content(x, text);
    return error ? error : http_end(x);
}

static const struct http_handler handler = {.name = STR_INIT("tell"), .serve = tell};
static struct http_route route = {.path = STR_INIT("/"), .handler = &handler};
static struct http_site site = {.root = &route};

static const struct http_endpoint endpoint = {.http2 = false};

static const struct http_server server = {
    .limits = {.header_size = 1 << 20, .header_count = 40, .target_size = 300, .body_size = 1000},
    .timeouts = {.header = 100 * NSEC_SEC, .body = 100 * NSEC_SEC, .write = 100 * NSEC_SEC, .idle = 100 * NSEC_SEC},
    .sites = {.fallback = &site},
};

/* What was sent, but for the time, and for 100 (Continue), which is only sent to who waits with the content. */
static size_t take_output(char *to)
{
    static const char date[] = "\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT";
    size_t n = 0;
    for (struct str rest = wire_output(); rest.n;) {
        if (str_starts(rest, STR("HTTP/1.1 100 Continue\r\n\r\n")))
            rest = str_skip(rest, sizeof "HTTP/1.1 100 Continue\r\n\r\n" - 1);
        else if (str_starts(rest, STR("\r\nDate: ")))
            rest = str_skip(rest, sizeof date - 1);
        else {
            to[n++] = rest.p[0];
            rest = str_skip(rest, 1);
        }
    }
    return n;
}

static int compare(void *arg)
{
    static char whole[sizeof wire.output], split[sizeof wire.output];
    struct str input = *(struct str *)arg;
    size_t piece = 1 + (unsigned char)input.p[0] % 16;
    input = str_skip(input, 1);
    wire_serve(&server, &endpoint, input, 0);
    size_t n = take_output(whole);
    wire_serve(&server, &endpoint, input, piece);
    if (take_output(split) != n || memcmp(whole, split, n) != 0) {
        fprintf(stderr, "whole:\n%.*s\nby %zu:\n%.*s\n", (int)n, whole, piece, (int)wire_output().n, split);
        abort();
    }
    return 0;
}

/* Empty lines before a request count anew after each wait; and both outputs must fit. */
static bool comparable(struct str input)
{
    for (size_t i = 0; i + 10 <= input.n; i++)
        if (memcmp(input.p + i, "\r\n\r\n\r\n\r\n\r\n", 10) == 0)
            return false;
    return input.n > 1 && input.n < 8192;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct str input = {(const char *)bytes, n};
    if (comparable(input) && green_run(&(struct green_options){.threads = 16}, compare, &input) < 0)
        abort();
    return 0;
}
