/* harness_server.h: a tern that runs, by the real binary, on a configuration given as text. */
#ifndef TERN_TESTS_SERVER_HARNESS_SERVER_H
#define TERN_TESTS_SERVER_HARNESS_SERVER_H

#include "base/str.h"

#include <sys/resource.h>
#include <sys/types.h>

enum { SERVER_ARGUMENTS = 8, SERVER_WORKERS = 16 };

struct server_setup {
    const char *config;                      /* the YAML text, for harness_expand(); NULL: started without -c */
    const char *arguments[SERVER_ARGUMENTS]; /* further ones, expanded too; NULL ends them */
    rlim_t descriptors;                      /* RLIMIT_NOFILE, soft and hard; 0: as ours */
};

struct server {
    pid_t pid; /* the master */
    int port;  /* harness_port(0): where the configuration should let it listen */
};

/* Starts a server and waits until all its workers serve. Its pid file is "tern.pid" in the test's directory. The
 * document root is "www" there, which is made, and empty, before the first start. */
struct server server_start(const char *config);
struct server server_start_as(const struct server_setup *setup);

/* The ids of its workers, as soon as there are exactly `count` of them, all alive. */
void server_workers(const struct server *server, pid_t *workers, size_t count);

/* Sends TERM, which begins a drain. */
void server_terminate(const struct server *server);

/* Waits for the end; gives the exit status. */
int server_wait(const struct server *server);

/* What it has written to stderr so far. */
struct str server_log(const struct server *server);

/* Sockets that a process has open. */
size_t server_sockets(pid_t pid);

/* Whether a connection to the port is refused. */
bool server_refuses(const struct server *server);

/* Waits for the end of the server, which must come with this exit status. */
#define assert_exit(server, expected)                                                                                  \
    do {                                                                                                               \
        int exited = server_wait(server);                                                                              \
        cr_assert_eq(exited, (expected), "status %d, not %d:\n%s", exited, (expected), server_log(server).p);          \
    } while (0)

/* The same after a TERM. */
#define assert_stop(server, expected)                                                                                  \
    do {                                                                                                               \
        server_terminate(server);                                                                                      \
        assert_exit(server, expected);                                                                                 \
    } while (0)

#endif
