/* The servers that tests of modules talk to: they answer, take as many clients as they should, and leave nothing. */
#include "harness.h"
#include "harness_command.h"
#include "harness_file.h"
#include "harness_peer.h"
#include "harness_server.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

TestSuite(peer, .init = harness_begin, .fini = harness_end);

static bool refuses(const struct peer *peer)
{
    return server_refuses(&(struct server){.port = peer->port});
}

/* Segments of System V shared memory that a process has made, whether or not it lives. */
static size_t segments_of(pid_t pid)
{
    char line[512];
    int creator;
    size_t count = 0;
    FILE *file = fopen("/proc/sysvipc/shm", "re");
    cr_assert_not_null(file, "/proc/sysvipc/shm: %m");
    while (fgets(line, sizeof line, file))
        count += sscanf(line, "%*d %*d %*o %*u %d", &creator) == 1 && creator == pid;
    fclose(file);
    return count;
}

/* A message of PostgreSQL: its type, which is taken with it; 0: the connection has ended. */
static char take_message(struct client *c)
{
    struct str head = client_peek(c, 5);
    if (head.n < 5)
        return 0;
    const unsigned char *n = (const unsigned char *)head.p + 1;
    size_t size = 1 + ((size_t)n[0] << 24 | (size_t)n[1] << 16 | (size_t)n[2] << 8 | n[3]);
    char type = head.p[0];
    cr_assert_eq(client_peek(c, size).n, size);
    client_take(c, size);
    return type;
}

/* Whether ReadyForQuery has come. */
static bool gets_ready(struct client *c)
{
    char type;
    while ((type = take_message(c)) && type != 'Z')
        cr_assert_neq(type, 'E', "PostgreSQL says: %s", file_read("postgres.log").p);
    return type == 'Z';
}

Test(peer, postgresql_answers_a_query)
{
    static const char query[] = "Q\0\0\0\x1dSELECT repeat('tern', 2)", row[] = "D\0\0\0\x12\0\1\0\0\0\x08terntern";
    _Static_assert(sizeof query == 1 + 0x1d, "the length says so");
    struct peer postgres = peer_postgres();
    struct client *c = peer_postgres_login(postgres.port);
    cr_assert(c && gets_ready(c));
    client_send(c, (struct str){query, sizeof query});
    cr_assert_eq(take_message(c), 'T', "no description of the row");
    cr_assert(str_eq(client_peek(c, sizeof row - 1), (struct str){row, sizeof row - 1}), "another row");
    peer_stop(&postgres);
    cr_assert(refuses(&postgres));
}

Test(peer, postgresql_takes_all_its_clients_at_once)
{
    struct peer postgres = peer_postgres();
    for (int i = 0; i < PEER_CLIENTS; i++) {
        struct client *c = NULL;
        /* The backend of the client that asked whether it answers may not have ended yet. */
        cr_assert(until((c = peer_postgres_login(postgres.port))), "only %d clients", i);
        cr_assert(gets_ready(c), "client %d", i);
    }
    cr_assert_null(peer_postgres_login(postgres.port), "there is a client too many");
}

Test(peer, redis_answers_a_ping)
{
    struct peer redis = peer_redis();
    struct client *c = client_open(redis.port);
    client_send(c, STR("SET key tern\r\nGET key\r\n"));
    cr_assert(str_eq(client_take_through(c, STR("$4\r\ntern\r\n")), STR("+OK\r\n$4\r\ntern\r\n")));
    cr_assert(peer_redis_answers(redis.port));
    peer_stop(&redis);
    cr_assert(refuses(&redis) && client_ends(c));
}

Test(peer, redis_takes_all_its_clients_at_once)
{
    struct peer redis = peer_redis();
    for (int i = 0; i < PEER_CLIENTS; i++) {
        struct client *c = client_open(redis.port);
        client_send(c, STR("PING\r\n"));
        cr_assert_eq(client_take_through(c, STR("PONG\r\n")).n, 7, "client %d", i);
    }
    cr_assert_not(peer_redis_answers(redis.port), "there is a client too many");
}

Test(peer, both_end_with_their_test)
{
    struct peer postgres = peer_postgres(), redis = peer_redis();
    cr_assert_eq(segments_of(postgres.pid), 1);
    harness_end();
    cr_assert_eq(harness_state(postgres.pid), 0);
    cr_assert_eq(harness_state(redis.pid), 0);
    cr_assert_eq(segments_of(postgres.pid), 0);
    pid_t child;
    cr_assert_eq(harness_children(getpid(), &child, 1), 0, "process %d has been left", child);
    harness_begin();
    cr_assert(refuses(&postgres) && refuses(&redis));
}

/* In the place of a test that crashes: starts both, says who they are, and is no more. */
static _Noreturn void start_and_crash(int to)
{
    struct peer peers[] = {peer_postgres(), peer_redis()};
    (void)!write(to, peers, sizeof peers);
    kill(getpid(), SIGKILL);
    _exit(1);
}

Test(peer, both_end_when_their_test_crashes)
{
    int ends[2];
    struct peer peers[2];
    cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0)
        start_and_crash(ends[1]);
    close(ends[1]);
    cr_assert_eq(read(ends[0], peers, sizeof peers), (ssize_t)sizeof peers, "they have not been started");
    close(ends[0]);
    cr_assert_eq(command_wait(pid), 128 + SIGKILL);
    for (int i = 0; i < 2; i++) {
        command_wait(peers[i].pid); /* what is orphaned is ours */
        cr_assert(refuses(&peers[i]), "peer %d is still there", i);
    }
    cr_assert_eq(segments_of(peers[0].pid), 0);
}
