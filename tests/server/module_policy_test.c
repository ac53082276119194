/* Modules behind the policies of their route: fields that are added, content that is compressed, and requests that do
 * not come to them. */
#include "../decode.h"
#include "harness.h"
#include "harness_pki.h"
#include "harness_server.h"
#include "module_service.h"
#include "service.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define RESPOND "module: {file: respond.so, handler: respond}"

/* clang-format off */
#define CONFIG                                                                                                         \
    MODULE_LISTEN MODULES                                                                                              \
    "workers: 1\n"                                                                                                     \
    "sites:\n"                                                                                                         \
    "  - routes:\n"                                                                                                    \
    "      - {path: /dressed/, headers: {X-Frame: deny}, " RESPOND "}\n"                                               \
    "      - {path: /packed/, compress: {types: [text/plain], min_size: 0}, " RESPOND "}\n"                            \
    "      - {path: /limited/, limit: {requests: 1/h, burst: 1}, " RESPOND "}\n"
/* clang-format on */

static struct server server;

static void begin(void)
{
    harness_begin();
    pki_make("ecdsa", "root");
    module_install("respond");
    server = server_start(CONFIG);
}

TestSuite(module_policy, .init = begin, .fini = harness_end);

Test(module_policy, headers_of_the_route)
{
    static const char *const paths[] = {"/dressed/text", "/dressed/bytes?n=100000", "/dressed/fail",
                                        "/dressed/error?name=refused"};
    for (size_t i = 0; i < COUNT(paths); i++)
        for (enum carrier by = 0; by < CARRIERS; by++) {
            struct response r = ask_by(by, .path = paths[i]);
            assert_field(r, "X-Frame", "deny");
        }
}

/* ---- compressed ---- */

static const char *const codings[] = {"gzip", "br", "zstd"};

static bool decodes_to(const char *coding, struct str bytes, struct str content)
{
    char *text = harness_alloc(content.n + 1);
    struct decoded d = decode(str_of(coding), bytes, text, content.n + 1);
    return !d.broken && str_eq((struct str){text, d.n}, content);
}

/* What is there of the content; more comes when the last call did not suffice. */
static struct str next_content(struct call *call, struct str so_far)
{
    struct h2c_frame frame;
    if (call->h2) {
        const struct h2c_stream *s = h2c_stream(call->h2, call->stream);
        cr_assert(!h2c_stream_is_over(s) && h2c_read(call->h2, &frame), "it ends after %zu bytes", s->n);
        return (struct str){s->body, s->n};
    }
    size_t n = strtoul(client_take_through(call->client, STR("\r\n")).p, NULL, 16);
    cr_assert_gt(n, 0, "it ends after %zu bytes", so_far.n);
    client_peek(call->client, n + 2);
    char *all = harness_alloc(so_far.n + n);
    memcpy(mempcpy(all, so_far.p, so_far.n), client_take(call->client, n + 2).p, n);
    return (struct str){all, so_far.n + n};
}

/* Whoever listens can make out all that was flushed, though the handler has not ended. */
Test(module_policy, what_was_flushed_can_be_decoded_at_once)
{
    static const enum carrier carriers[] = {HTTP_1_1, HTTP_2, HTTPS_1_1, HTTPS_2};
    for (size_t i = 0; i < COUNT(codings); i++)
        for (size_t k = 0; k < COUNT(carriers); k++) {
            struct call call = call_begin(carriers[k], .path = "/packed/halves",
                                          .fields = harness_text("accept-encoding: %s\n", codings[i]));
            struct str content = STR("");
            if (!call.h2) {
                struct str head = client_take_through(call.client, STR("\r\n\r\n"));
                cr_assert(memmem(head.p, head.n, "Content-Encoding", 16), STR_FMT, STR_ARG(head));
            }
            do
                content = next_content(&call, content);
            while (!decodes_to(codings[i], content, STR("first half, ")));
            assert_status(ask_by(carriers[k], .path = "/packed/release"), 200);
            do
                content = next_content(&call, content);
            while (!decodes_to(codings[i], content, STR("first half, second half\n")));
            call_leave(&call);
        }
}

Test(module_policy, compressed)
{
    struct str content = module_pattern(300000);
    for (size_t i = 0; i < COUNT(codings); i++)
        for (enum carrier by = HTTP_1_1; by < CARRIERS; by++) {
            const char *fields = harness_text("accept-encoding: %s\n", codings[i]);
            struct response r = ask_by(by, .path = "/packed/bytes?n=300000", .fields = fields);
            assert_field(r, "Content-Encoding", codings[i]);
            cr_assert(decodes_to(codings[i], r.body, content), "%s, %s", carrier_name(by), codings[i]);
            r = ask_by(by, .path = "/packed/promise?promised=300000&n=300000", .fields = fields);
            cr_assert(decodes_to(codings[i], r.body, content), "%s, %s", carrier_name(by), codings[i]);
            struct call call = call_begin(by, .path = "/packed/promise?promised=300001&n=300000", .fields = fields);
            r = call_answer(&call);
            cr_assert(call_is_cut(&call, &r), "%s, %s: taken for the whole", carrier_name(by), codings[i]);
            call_leave(&call);
        }
}

/* ---- limits ---- */

Test(module_policy, a_limit_keeps_requests_from_the_handler)
{
    int served = 0;
    for (int i = 0; i < 5; i++) {
        struct response r = fetch(server.port, "/limited/defer");
        served += r.status == 200;
        cr_assert(r.status == 200 || r.status == 429, "%d", r.status);
    }
    cr_assert_lt(served, 5);
    cr_assert(until(service_log_count("deferred: first") == (size_t)served), "%s", server_log(&server).p);
    assert_stop(&server, 0);
}
