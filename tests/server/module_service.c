/* module_service.c: see module_service.h. */
#include "module_service.h"

#include "harness.h"
#include "harness_command.h"
#include "harness_file.h"
#include "harness_tls.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <unistd.h>

enum { PLAIN = 0, SECURED = 1, CHUNK = 1024 };

/* ---- modules ---- */

struct str module_read(const char *name)
{
    const char *tern = command_tern(), *slash = strrchr(tern, '/');
    int n = slash ? (int)(slash - tern) : 1;
    const char *built = slash ? tern : ".", *path = harness_text("%.*s/tests/modules/%s.so", n, built, name);
    if (access(path, R_OK) != 0)
        path = harness_text("%.*s/modules/%s.so", n, built, name);
    char *whole = realpath(path, NULL);
    cr_assert_not_null(whole, "no %s: %m", path);
    struct str content = file_read(whole);
    free(whole);
    return content;
}

void module_install_as(const char *name, const char *file)
{
    const char *path = harness_text("modules/%s.so", file);
    file_directory("modules");
    file_replace(path, module_read(name));
}

void module_install(const char *name)
{
    module_install_as(name, name);
}

struct str module_pattern(size_t n)
{
    char *bytes = harness_alloc(n + 1);
    for (size_t i = 0; i < n; i++)
        bytes[i] = "0123456789abcdef"[i % 16];
    return (struct str){bytes, n};
}

/* ---- requests ---- */

const char *carrier_name(enum carrier carrier)
{
    static const char *const names[] = {"HTTP/1.0", "HTTP/1.1", "HTTP/2", "HTTP/1.1 over TLS", "HTTP/2 over TLS"};
    return names[carrier];
}

static bool is_h2(enum carrier carrier)
{
    return carrier == HTTP_2 || carrier == HTTPS_2;
}

static bool is_secured(enum carrier carrier)
{
    return carrier == HTTPS_1_1 || carrier == HTTPS_2;
}

static struct client *connect_to(enum carrier carrier, const struct request *request)
{
    if (!is_secured(carrier))
        return client_open(harness_port(PLAIN));
    return tls_open(.port = harness_port(SECURED), .name = "localhost", .alpn = is_h2(carrier) ? "h2" : "http/1.1",
                    .certificate = request->certificate);
}

static void send_chunks(struct client *c, struct str content)
{
    while (content.n) {
        size_t n = content.n < CHUNK ? content.n : CHUNK;
        client_printf(c, "%zx\r\n", n);
        client_send(c, (struct str){content.p, n});
        client_send(c, STR("\r\n"));
        content = str_skip(content, n);
    }
    client_send(c, STR("0\r\n\r\n"));
}

static void send_h1(struct call *call, const struct request *request, const char *method)
{
    struct client *c = call->client;
    client_printf(c, "%s %s HTTP/1.%d\r\nHost: localhost\r\n", method, request->path, call->carrier != HTTP_1_0);
    for (struct str rest = str_of(request->fields); rest.n;) {
        struct str line = str_cut(&rest, '\n');
        client_printf(c, STR_FMT "\r\n", STR_ARG(line));
    }
    bool chunked = request->chunked && call->carrier != HTTP_1_0;
    if (chunked)
        client_send(c, STR("Transfer-Encoding: chunked\r\n\r\n"));
    else if (request->content.p)
        client_printf(c, "Content-Length: %zu\r\n\r\n", request->content.n);
    else
        client_send(c, STR("\r\n"));
    (chunked ? send_chunks : client_send)(c, request->content);
}

static void send_h2(struct call *call, const struct request *request, const char *method)
{
    const char *scheme = is_secured(call->carrier) ? "https" : "http", *fields = request->fields ? request->fields : "";
    bool sized = request->content.p && !request->chunked;
    const char *length = sized ? harness_text("content-length: %zu\n", request->content.n) : "";
    const char *all = harness_text(":method: %s\n:scheme: %s\n:path: %s\n:authority: localhost\n%s%s", method, scheme,
                                   request->path, fields, length);
    call->stream = h2c_request(call->h2, all, !request->content.p);
    if (request->content.p)
        h2c_content(call->h2, call->stream, request->content);
}

static struct call send_request(struct call call, const struct request *request)
{
    const char *method = request->method ? request->method : "GET";
    call.to_head = strcmp(method, "HEAD") == 0;
    (call.h2 ? send_h2 : send_h1)(&call, request, method);
    return call;
}

struct call call_begin_as(enum carrier carrier, const struct request *request)
{
    struct call call = {.carrier = carrier, .client = connect_to(carrier, request)};
    if (is_h2(carrier))
        call.h2 = h2c_open_on(call.client, STR(""));
    return send_request(call, request);
}

struct call call_along(const struct call *other, const struct request *request)
{
    return send_request((struct call){.carrier = other->carrier, .client = other->client, .h2 = other->h2}, request);
}

struct str call_arrived(const struct call *call)
{
    if (!call->h2)
        return (struct str){call->client->bytes, call->client->n};
    const struct h2c_stream *s = h2c_stream(call->h2, call->stream);
    return (struct str){s->body, s->n};
}

static bool more_comes(struct call *call)
{
    struct h2c_frame frame;
    if (call->h2)
        return !h2c_stream_is_over(h2c_stream(call->h2, call->stream)) && h2c_read(call->h2, &frame);
    size_t had = call->client->n;
    return client_peek(call->client, had + 1).n > had;
}

bool call_shows(struct call *call, const char *text)
{
    for (;;) {
        struct str bytes = call_arrived(call);
        if (bytes.n && memmem(bytes.p, bytes.n, text, strlen(text)))
            return true;
        if (!more_comes(call))
            return false;
    }
}

struct response call_answer(struct call *call)
{
    if (call->h2)
        return h2c_answer(call->h2, call->stream);
    struct response r;
    do
        r = (call->to_head ? response_read_head : response_read)(call->client);
    while (r.status > 0 && r.status < 200);
    return r;
}

bool call_is_cut(const struct call *call, const struct response *answer)
{
    if (call->h2)
        return h2c_stream(call->h2, call->stream)->reset;
    return !answer->complete;
}

struct response call_assert_ended(struct call *call)
{
    struct response r = call_answer(call);
    assert_status(r, 200);
    cr_assert(r.complete && !call_is_cut(call, &r), "%s: cut", carrier_name(call->carrier));
    return r;
}

void call_leave(struct call *call)
{
    if (call->h2)
        h2c_close(call->h2);
    else
        client_close(call->client);
}

struct response ask_by_as(enum carrier carrier, const struct request *request)
{
    struct call call = call_begin_as(carrier, request);
    struct response r = call_answer(&call);
    call_leave(&call);
    return r;
}
