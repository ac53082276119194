/* h2_fuzz.c: whole connections of HTTP/2, from the preface on: whatever comes, in whatever pieces, they end, and give
 * everything back. */
#include <stdlib.h>

#include "wire_conn.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

enum { MOST = 16384 };

/* Reads what there is, and sends it back twice: what is kept, and what has to wait for a window. */
static int serve_twice(struct exchange *x, const void *settings)
{
    (void)settings;
    char content[24 * 1024];
    size_t total = 0;
    ssize_t got = 0;
    if (x->request.method != METHOD_PUT) /* PUT: content that nobody wants */
        while ((got = http_read(x, content + total, sizeof content - total)) > 0)
            total += (size_t)got;
    if (got < 0)
        return (int)got;
    bool told = x->request.method != METHOD_POST;
    int error =
        http_head(x, 200, STR("X-Name: value\r\n"), told ? (int64_t)(total + sizeof content) : HTTP_LENGTH_UNKNOWN);
    if (!error)
        error = http_content(x, (struct str){content, total});
    memset(content + total, 'x', sizeof content - total);
    if (!error)
        error = http_content(x, (struct str){content, sizeof content});
    return error ? error : http_end(x);
}

static const struct http_handler handler = {.name = STR_INIT("twice"), .serve = serve_twice};
static struct http_route route = {.path = STR_INIT("/"), .handler = &handler};
static struct http_site site = {.root = &route};

static const struct http_endpoint endpoint = {.http2 = true};

static const struct http_server server = {
    .limits = {.header_size = 4096, .header_count = 40, .target_size = 300, .body_size = 10000, .streams = 10},
    .timeouts = {.header = 100 * NSEC_SEC, .body = 100 * NSEC_SEC, .write = 100 * NSEC_SEC, .idle = 100 * NSEC_SEC},
    .sites = {.fallback = &site},
};

static int serve_both(void *arg)
{
    struct str input = *(struct str *)arg;
    wire_serve(&server, &endpoint, input, 0);
    wire_serve(&server, &endpoint, input, 1 + (unsigned char)input.p[input.n - 1] % 16);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static char all[sizeof PREFACE - 1 + MOST];
    if (n > MOST)
        return 0;
    memcpy(all, PREFACE, sizeof PREFACE - 1);
    memcpy(all + sizeof PREFACE - 1, bytes, n);
    struct str input = {all, sizeof PREFACE - 1 + n};
    if (green_run(&(struct green_options){.threads = 64}, serve_both, &input) < 0)
        abort();
    return 0;
}
