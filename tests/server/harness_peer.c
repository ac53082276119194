/* harness_peer.c: see harness_peer.h.
 *
 * PostgreSQL ends by QUIT, its "immediate shutdown": if it was killed, a segment of System V shared memory would be
 * left behind. Its other shared memory lies in files of the test's directory.
 */
#include "harness_peer.h"

#include "harness.h"
#include "harness_command.h"
#include "harness_file.h"
#include "harness_server.h"

#include <criterion/criterion.h>
#include <glob.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

/* Settings that spare the disk, and processes that no test has a use for. */
static const char postgres_settings[] = "listen_addresses = '127.0.0.1'\n"
                                        "port = @PORT2@\n"
                                        "unix_socket_directories = ''\n"
                                        "max_connections = %d\n"
                                        "superuser_reserved_connections = 0\n"
                                        "shared_buffers = 8MB\n"
                                        "dynamic_shared_memory_type = mmap\n"
                                        "fsync = off\n"
                                        "full_page_writes = off\n"
                                        "synchronous_commit = off\n"
                                        "wal_level = minimal\n"
                                        "max_wal_senders = 0\n"
                                        "max_logical_replication_workers = 0\n"
                                        "autovacuum = off\n"
                                        "jit = off\n";

/* ---- what both have in common ---- */

static bool is_gone(pid_t pid)
{
    char state = harness_state(pid);
    return state == 0 || state == 'Z';
}

static bool is_open(int port)
{
    return !server_refuses(&(struct server){.port = port});
}

/* A directory that its server may write to. */
static const char *directory_of(const char *name)
{
    const char *path = file_path(name);
    file_directory(name);
    cr_assert_eq(chmod(path, 0700), 0);
    cr_assert(geteuid() != 0 || chown(path, COMMAND_NOBODY, COMMAND_NOBODY) == 0, "cannot give %s away: %m", path);
    return path;
}

static struct peer start(const struct command *command, unsigned port, bool (*answers)(int port))
{
    struct peer peer = {.pid = command_start(command), .port = harness_port(port)};
    cr_assert(until(is_gone(peer.pid) || answers(peer.port)) && !is_gone(peer.pid), "%s does not answer:\n%s",
              command->arguments[0], file_read(command->out ? command->out : command->err).p);
    return peer;
}

void peer_stop(const struct peer *peer)
{
    kill(peer->pid, SIGINT);
    command_wait(peer->pid);
}

/* ---- PostgreSQL ---- */

/* Debian keeps its programs, of several versions maybe, where no PATH leads to. Elsewhere they are in PATH. */
static const char *postgres_program(const char *name)
{
    glob_t found = {0};
    const char *newest = name;
    if (glob(harness_text("/usr/lib/postgresql/[1-9][0-9]/bin/%s", name), 0, NULL, &found) == 0)
        newest = harness_text("%s", found.gl_pathv[found.gl_pathc - 1]);
    globfree(&found);
    return newest;
}

struct client *peer_postgres_login(int port)
{
    /* A start-up packet (PostgreSQL, "Message Formats"): its length, version 3.0, names and values. */
    static const char startup[] = "\0\0\0\x17\0\3\0\0user\0" PEER_USER "\0";
    _Static_assert(sizeof startup == 0x17, "the length says so");
    /* AuthenticationOk. Before it is ready it sends an error instead. */
    static const char let_in[] = "R\0\0\0\x08\0\0\0\0";
    if (!is_open(port))
        return NULL;
    struct client *c = client_open(port);
    client_send(c, (struct str){startup, sizeof startup});
    struct str answer = client_peek(c, sizeof let_in - 1);
    if (str_eq(answer, (struct str){let_in, sizeof let_in - 1})) {
        client_take(c, sizeof let_in - 1);
        return c;
    }
    client_close(c);
    return NULL;
}

static bool postgres_answers(int port)
{
    struct client *c = peer_postgres_login(port);
    if (c)
        client_close(c);
    return c;
}

static const char *make_cluster(void)
{
    const char *data = directory_of("postgres");
    struct command command = {.arguments = {postgres_program("initdb"), "-D", data, "-U", PEER_USER, "--auth=trust",
                                            "--no-sync", "--locale=C", "--encoding=UTF8"},
                              .unprivileged = true};
    struct result made = command_run(&command);
    cr_assert_eq(made.status, 0, "initdb: status %d: %s%s", made.status, made.out.p, made.err.p);
    file_append("postgres/postgresql.conf", str_of(harness_expand(harness_text(postgres_settings, PEER_CLIENTS))));
    return data;
}

struct peer peer_postgres(void)
{
    struct command command = {.arguments = {postgres_program("postgres"), "-D", make_cluster()},
                              .err = "postgres.log",
                              .unprivileged = true,
                              .ends_by = SIGQUIT};
    return start(&command, PEER_POSTGRES, postgres_answers);
}

/* ---- Redis ---- */

bool peer_redis_answers(int port)
{
    if (!is_open(port))
        return false;
    struct client *c = client_open(port);
    client_send(c, STR("PING\r\n"));
    bool answers = str_eq(client_peek(c, 7), STR("+PONG\r\n"));
    client_close(c);
    return answers;
}

struct peer peer_redis(void)
{
    const char *settings = "bind 127.0.0.1\n"
                           "port @PORT3@\n"
                           "maxclients %d\n"
                           "save \"\"\n"
                           "appendonly no\n";
    const char *data = directory_of("redis");
    file_write("redis.conf", str_of(harness_expand(harness_text(settings, PEER_CLIENTS))));
    struct command command = {.arguments = {"redis-server", file_path("redis.conf"), "--dir", data},
                              .out = "redis.log",
                              .unprivileged = true};
    return start(&command, PEER_REDIS, peer_redis_answers);
}
