/* library_service.h: a server whose handlers use libraries that know nothing of it, and the web server that one of them
 * asks: what the tests of ordinary blocking calls have in common.
 *
 * Modules that are built, of the tests and of the examples, are found in "modules" of the test's directory under their
 * names, as soon as a test has linked them.
 */
#ifndef TERN_TESTS_SERVER_LIBRARY_SERVICE_H
#define TERN_TESTS_SERVER_LIBRARY_SERVICE_H

#include "harness_peer.h"
#include "harness_server.h"

/* Of a configuration: where modules are; one worker, whose pool has LIBRARY_POOL threads; and a page that needs nothing
 * but this worker. Routes may follow. */
#define LIBRARY_SERVER                                                                                                 \
    "listen: 127.0.0.1:@PORT@\n"                                                                                       \
    "modules: @DIR@/modules\n"                                                                                         \
    "workers: 1\n"                                                                                                     \
    "threads: 4\n"
#define LIBRARY_SITE                                                                                                   \
    "sites:\n"                                                                                                         \
    "  - routes:\n"                                                                                                    \
    "      - {exact: /hello, respond: {body: hello}}\n"
#define LIBRARY_ROUTE(path, file, handler, settings)                                                                   \
    "      - {exact: " path ", module: {file: " file ".so, handler: " handler ", settings: {" settings "}}}\n"

/* A route of each library; the peers are where harness_peer.h has them. */
#define REDIS_ROUTE(path, more) LIBRARY_ROUTE(path, "redis_client", "redis", "port: @PORT3@, " more)
#define CURL_ROUTE(path, more) LIBRARY_ROUTE(path, "curl_client", "curl", more)
#define POSTGRES_AT(host, more) "connect: \"host=" host " port=@PORT2@ user=" PEER_USER " dbname=postgres\", " more
#define POSTGRES_ROUTE(path, more) LIBRARY_ROUTE(path, "postgres", "query", POSTGRES_AT("127.0.0.1", more))

/* Makes modules/NAME.so for all of these. */
void library_link_all(const char *const *names);

#define library_link(...) library_link_all((const char *const[]){__VA_ARGS__, NULL})

/* Starts a server that has one worker. It has to be the same one at the end, where it still serves, and stops. */
struct server library_start(const char *config);
void library_end(const struct server *server);

/* Starts a tern for libcurl to ask, which listens on @PORT1@:
 *
 *   /wait, /count, /open    tests/modules/gate.c
 *   /sleep                  the example, 100 ms
 *   /files/                 "www" */
struct peer library_upstream(void);

/* Whether a page of a server contains a text. Fails the test when it can't be had. */
bool library_shows(int port, const char *path, const char *text);

/* Begins a GET on a connection of its own. */
struct client *library_ask(int port, const char *path);

/* The page that needs nothing but the worker. */
#define assert_library_serves(server) assert_body(fetch((server)->port, "/hello"), STR("hello"))

#endif
