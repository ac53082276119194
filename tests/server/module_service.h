/* module_service.h: a server with modules, and requests that reach them by every protocol: what the tests of modules
 * have in common.
 *
 * Modules are copied into "modules" of the test's directory, where the configuration looks for names without a slash;
 * there a test may replace them.
 */
#ifndef TERN_TESTS_SERVER_MODULE_SERVICE_H
#define TERN_TESTS_SERVER_MODULE_SERVICE_H

#include "harness_h2.h"
#include "harness_response.h"

/* The line of the configuration for that directory, and a route. */
#define MODULES "modules: @DIR@/modules\n"
#define MODULE_ROUTE(path, file, handler, settings)                                                                    \
    "      - {path: " path ", module: {file: " file ", handler: " handler ", settings: {" settings "}}}\n"

/* A PORT in the clear, and PORT1 secured, where a client may show a certificate. Needs the certificates of
 * pki_make("ecdsa", "root", NULL). */
#define MODULE_LISTEN                                                                                                  \
    "listen:\n"                                                                                                        \
    "  - 127.0.0.1:@PORT@\n"                                                                                           \
    "  - {address: \"127.0.0.1:@PORT1@\", tls: {certificate: @DIR@/pki/ecdsa.pem, key: @DIR@/pki/ecdsa.key, "          \
    "client_ca: @DIR@/pki/root.pem, client_verify: optional}}\n"

/* Copies a module that was built, of the tests or else of the examples: "hello", as "modules/hello.so". */
void module_install(const char *name);

/* The same, under another name. */
void module_install_as(const char *name, const char *file);

/* What is in it. */
struct str module_read(const char *name);

/* What a module writes that is asked for n bytes: hexadecimal digits, one behind the other. */
struct str module_pattern(size_t n);

/* What carries a request. */
enum carrier { HTTP_1_0, HTTP_1_1, HTTP_2, HTTPS_1_1, HTTPS_2, CARRIERS };

const char *carrier_name(enum carrier carrier) __attribute__((returns_nonnull));

/* A request: what is not said is GET, no further fields, no content. */
struct request {
    const char *method, *path;
    const char *fields;      /* lines of "name: value\n", in lower case */
    struct str content;      /* p is NULL: none, and no word about it */
    bool chunked;            /* over HTTP/1.1: in chunks of a kilobyte; over HTTP/2: without a content-length */
    const char *certificate; /* of the client, where it is asked for one; NULL: none */
};

/* A request under way. */
struct call {
    enum carrier carrier;
    struct client *client;
    struct h2c *h2;
    uint32_t stream;
    bool to_head;
};

/* call_begin(HTTP_2, .path = "/x"): sends a request, on a connection of its own. */
#define call_begin(carrier, ...) call_begin_as((carrier), &(struct request){__VA_ARGS__})
struct call call_begin_as(enum carrier carrier, const struct request *request);

/* The same on the connection of another: for HTTP/2 while that one is under way. */
struct call call_along(const struct call *other, const struct request *request);

/* What has come of it and was not taken: over HTTP/1 the bytes on the connection, over HTTP/2 the content. */
struct str call_arrived(const struct call *call);

/* Waits until a text is among what has come of the answer; false when it ended before. It stays untaken. */
bool call_shows(struct call *call, const char *text);

/* The whole answer, as far as it comes. */
struct response call_answer(struct call *call);

/* Whether the answer, which has been read, was cut: by the end of the connection, or a reset of the stream. */
bool call_is_cut(const struct call *call, const struct response *answer);

/* The rest of a stream of events that its server ends: in an orderly way, so that a browser comes back at once. */
struct response call_assert_ended(struct call *call);

/* Leaves without waiting for an answer. */
void call_leave(struct call *call);

/* Both: begins and waits, and lets the connection go. */
#define ask_by(carrier, ...) ask_by_as((carrier), &(struct request){__VA_ARGS__})
struct response ask_by_as(enum carrier carrier, const struct request *request);

/* A response with this status and body, by every carrier: assert_everywhere(200, STR("x"), .path = "/x"). */
#define assert_everywhere(wanted, content_wanted, ...)                                                                 \
    do {                                                                                                               \
        for (enum carrier every = 0; every < CARRIERS; every++) {                                                      \
            struct response got = ask_by(every, __VA_ARGS__);                                                          \
            cr_assert_eq(got.status, (wanted), "%s: %d, not %d: " STR_FMT, carrier_name(every), got.status, (wanted),  \
                         STR_ARG(got.head));                                                                           \
            assert_body(got, content_wanted);                                                                          \
        }                                                                                                              \
    } while (0)

#endif
