/* library_service.c: see library_service.h. */
#include "library_service.h"

#include "harness.h"
#include "harness_command.h"
#include "harness_file.h"
#include "harness_response.h"
#include "service.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- modules ---- */

static const char *built_module(const char *name)
{
    static const char *const folders[] = {"tests/modules", "modules"};
    const char *tern = command_tern(), *slash = strrchr(tern, '/');
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        const char *path =
            harness_text("%.*s/%s/%s.so", slash ? (int)(slash - tern) : 1, slash ? tern : ".", folders[i], name);
        if (access(path, R_OK) == 0)
            return path;
    }
    cr_assert_fail("no module %s beside %s", name, tern);
    return NULL;
}

void library_link_all(const char *const *names)
{
    file_directory("modules");
    for (; *names; names++) {
        char *built = realpath(built_module(*names), NULL);
        int made = built ? symlink(built, file_path(harness_text("modules/%s.so", *names))) : -1;
        cr_assert_eq(made, 0, "%s.so: %m", *names);
        free(built);
    }
}

/* ---- the server ---- */

static pid_t worker;

struct server library_start(const char *config)
{
    struct server server = server_start(config);
    server_workers(&server, &worker, 1);
    return server;
}

void library_end(const struct server *server)
{
    pid_t now;
    assert_library_serves(server);
    server_workers(server, &now, 1);
    cr_assert_eq(now, worker, "the worker has been replaced:\n%s", server_log(server).p);
    assert_stop(server, 0);
}

/* ---- the web server that is asked ---- */

static const char upstream_config[] =
    "listen: 127.0.0.1:@PORT1@\n"
    "modules: @DIR@/modules\n"
    "workers: 1\n"
    "control: off\n" LIBRARY_SITE LIBRARY_ROUTE("/wait", "gate", "wait", "")
        LIBRARY_ROUTE("/count", "gate", "count", "") LIBRARY_ROUTE("/open", "gate", "open", "") LIBRARY_ROUTE(
            "/sleep", "sleep", "sleep", "time: 100ms") "      - {path: /files/, files: {root: @DIR@/www}}\n";

static bool upstream_is_ready(pid_t pid)
{
    return str_eq(file_read("upstream.pid"), str_of(harness_text("%d\n", pid)));
}

struct peer library_upstream(void)
{
    library_link("gate", "sleep");
    file_directory("www");
    file_write("upstream.yaml", str_of(harness_expand(upstream_config)));
    const struct command command = {
        .arguments = {command_tern(), "-c", file_path("upstream.yaml"), "--pid", file_path("upstream.pid")},
        .err = "upstream.log"};
    struct peer peer = {.pid = command_start(&command), .port = harness_port(1)};
    cr_assert(until(upstream_is_ready(peer.pid) || service_is_gone(peer.pid)) && !service_is_gone(peer.pid),
              "the upstream does not serve:\n%s", file_read("upstream.log").p);
    return peer;
}

/* ---- requests ---- */

struct client *library_ask(int port, const char *path)
{
    struct client *c = client_open(port);
    client_printf(c, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
    return c;
}

bool library_shows(int port, const char *path, const char *text)
{
    struct response r = fetch(port, path);
    assert_status(r, 200);
    return memmem(r.body.p, r.body.n, text, strlen(text));
}
