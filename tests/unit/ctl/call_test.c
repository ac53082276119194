/* call_test.c: sockets that nobody answers on, and servers that answer badly. */
#include "ctl/call.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl/protocol.h"

#define PATIENCE (20 * NSEC_SEC) /* for what is to come */

static char directory[] = "/tmp/tern-call-XXXXXX", path[64];
static pid_t server;

static void setup(void)
{
    cr_assert_not_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/socket", directory);
}

static void stop_server(void)
{
    if (server > 0) {
        kill(server, SIGKILL);
        waitpid(server, NULL, 0);
    }
    server = 0;
    unlink(path);
}

static void teardown(void)
{
    stop_server();
    rmdir(directory);
}

TestSuite(call, .init = setup, .fini = teardown);

static int listen_there(int backlog)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0, "%m");
    cr_assert_eq(listen(fd, backlog), 0);
    return fd;
}

/* A server for one connection: reads a line of that many bytes, writes the pieces, and closes, or holds, it. */
static void serve(size_t line, const struct str *pieces, size_t count, bool hold)
{
    int fd = listen_there(1);
    server = fork();
    if (server == 0) {
        char text[CTL_LINE_MAX];
        int client = accept(fd, NULL, NULL);
        if (line)
            (void)!recv(client, text, line, MSG_WAITALL);
        for (size_t i = 0; i < count; i++)
            for (size_t sent = 0; sent < pieces[i].n;) {
                ssize_t n = send(client, pieces[i].p + sent, pieces[i].n - sent, MSG_NOSIGNAL);
                if (n < 0)
                    _exit(1);
                sent += (size_t)n;
            }
        if (hold)
            pause();
        _exit(0);
    }
    close(fd);
}

static int open_and_ask(struct call *call, nsec timeout, struct str *answer)
{
    cr_assert_eq(call_open(call, path, timeout), 0);
    return call_ask(call, STR("status\n"), timeout, answer);
}

Test(call, where_nobody_is)
{
    struct call call;
    char beyond[109];
    memset(beyond, 'x', sizeof beyond - 1);
    beyond[108] = '\0';
    cr_expect_eq(call_open(&call, path, PATIENCE), -ENOENT);
    cr_expect_eq(call_open(&call, beyond, PATIENCE), -ENAMETOOLONG);
    close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    cr_expect_eq(call_open(&call, path, PATIENCE), -ECONNREFUSED, "a file that is no socket");
    unlink(path);
    close(listen_there(1));
    cr_expect_eq(call_open(&call, path, PATIENCE), -ECONNREFUSED);
    cr_expect_str_eq(call_reason(-ECONNREFUSED), "nobody listens there");
}

Test(call, where_we_may_not)
{
    struct call call;
    if (geteuid() != 0)
        cr_skip("only root can be somebody else");
    int fd = listen_there(1);
    cr_assert_eq(seteuid(65533), 0);
    cr_expect_eq(call_open(&call, path, PATIENCE), -EACCES);
    cr_assert_eq(seteuid(0), 0);
    close(fd);
}

Test(call, a_full_queue_is_waited_for_so_long)
{
    struct call first, second;
    int fd = listen_there(0);
    cr_assert_eq(call_open(&first, path, PATIENCE), 0);
    cr_expect_eq(call_open(&second, path, 20 * NSEC_MS), -ETIMEDOUT);
    call_close(&first);
    close(fd);
}

Test(call, a_server_that_says_nothing)
{
    struct call call;
    struct str answer;
    int fd = listen_there(1);
    cr_expect_eq(open_and_ask(&call, 20 * NSEC_MS, &answer), -ETIMEDOUT);
    call_close(&call);
    close(fd);
}

Test(call, half_an_answer_is_none)
{
    struct call call;
    struct str answer;
    serve(7, (struct str[]){STR("{\"ok\":"), STR("true}")}, 2, false);
    cr_expect_eq(open_and_ask(&call, PATIENCE, &answer), -ENODATA);
    call_close(&call);
}

/* It closes without having read: the end of the connection is a reset then. */
Test(call, a_connection_that_is_closed_at_once)
{
    struct call call;
    struct str answer;
    serve(0, NULL, 0, false);
    cr_expect_eq(open_and_ask(&call, PATIENCE, &answer), -ENODATA);
    call_close(&call);
}

Test(call, what_was_said_before_the_end_is_heard)
{
    struct call call;
    struct str answer;
    serve(0, (struct str[]){STR("{\"ok\":false}\n")}, 1, false);
    cr_assert_eq(call_open(&call, path, PATIENCE), 0);
    cr_assert_eq(waitpid(server, NULL, 0), server);
    server = 0;
    cr_expect_eq(call_ask(&call, STR("status\n"), PATIENCE, &answer), 0);
    cr_expect(str_eq(answer, STR("{\"ok\":false}")));
    call_close(&call);
}

Test(call, an_answer_without_end_is_given_up)
{
    enum { PIECE = 1 << 20 };
    struct call call;
    struct str answer, pieces[CTL_ANSWER_MAX / PIECE + 6];
    char *piece = malloc(PIECE);
    cr_assert_not_null(piece);
    memset(piece, 'x', PIECE);
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
        pieces[i] = (struct str){piece, PIECE};
    serve(7, pieces, sizeof pieces / sizeof *pieces, true);
    cr_expect_eq(open_and_ask(&call, PATIENCE, &answer), -EMSGSIZE);
    call_close(&call);
    free(piece);
}

Test(call, an_answer_in_many_pieces)
{
    struct call call;
    struct str answer, pieces[1001];
    for (size_t i = 0; i < 1000; i++)
        pieces[i] = STR("0123456789");
    pieces[1000] = STR("\n");
    serve(7, pieces, 1001, true);
    cr_assert_eq(open_and_ask(&call, PATIENCE, &answer), 0);
    cr_assert_eq(answer.n, 10000);
    for (size_t i = 0; i < 1000; i++)
        cr_assert_eq(memcmp(answer.p + 10 * i, "0123456789", 10), 0);
    call_close(&call);
    call_close(&call);
}

/* Wherever it ends: what comes behind it, in the same piece, is not of it. */
Test(call, an_answer_is_one_line)
{
    static const struct str sent[] = {STR_INIT("{}\n"), STR_INIT("{}\n{\"x\":1}"), STR_INIT("{}\nx\n")};
    for (size_t i = 0; i < sizeof sent / sizeof *sent; i++) {
        struct call call;
        struct str answer;
        serve(7, &sent[i], 1, true);
        cr_assert_eq(open_and_ask(&call, PATIENCE, &answer), 0);
        cr_expect(str_eq(answer, STR("{}")), STR_FMT, STR_ARG(answer));
        call_close(&call);
        stop_server();
    }
}

Test(call, the_peer_is_who_listens)
{
    struct call call;
    int fd = listen_there(1);
    cr_assert_eq(call_open(&call, path, NSEC_NEVER), 0);
    cr_expect_eq(call_peer(&call), getpid());
    call_close(&call);
    close(fd);
}
