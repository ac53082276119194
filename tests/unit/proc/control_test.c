/* control_test.c: clients that ask nonsense, hang, flood or vanish, and those that just ask. */
#include "proc/control.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/out.h"
#include "ctl/protocol.h"

enum { BIG = CTL_ANSWER_MAX - 1, TURNS = 400 };

static char directory[] = "/tmp/tern-control-XXXXXX", path[64];
static struct reactor reactor;
static struct control control;
static struct list waiting; /* requests that `reload` has kept */
static char *big;           /* the answer to `upgrade` */

/* ---- a server that answers some verbs at once, and others when it is told ---- */

static void answer_argument(void *server, struct control_request *request)
{
    char text[CTL_LINE_MAX];
    struct out o = out_on(text, sizeof text);
    cr_assert_eq(server, &control);
    out_put(&o, request->verb);
    out_char(&o, '=');
    out_put(&o, request->argument);
    control_answer(request, out_str(&o));
}

static void keep(void *server, struct control_request *request)
{
    (void)server;
    list_push_back(&waiting, &request->link);
}

static void answer_big(void *server, struct control_request *request)
{
    (void)server;
    control_answer(request, (struct str){big, BIG});
}

static void answer_too_big(void *server, struct control_request *request)
{
    (void)server;
    control_answer(request, (struct str){big, CTL_ANSWER_MAX});
}

static void refuse_at_length(void *server, struct control_request *request)
{
    enum { LINES = 1000 };
    static const struct str line = STR_INIT("/etc/tern/tern.yaml:1:2: error: something that is not quite right there");
    struct str lines[LINES];
    (void)server;
    for (size_t i = 0; i < LINES; i++)
        lines[i] = line;
    control_refuse(request, CTL_CODE_REFUSED, STR("no"), lines, LINES);
}

static const struct control_action actions[] = {
    {"status", answer_argument}, {"log", answer_argument},   {"reload", keep},
    {"upgrade", answer_big},     {"reopen", answer_too_big}, {"drain", refuse_at_length},
};

static void setup(void)
{
    cr_assert_not_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/socket", directory);
    big = malloc(CTL_ANSWER_MAX);
    cr_assert_not_null(big);
    memset(big, 'x', CTL_ANSWER_MAX);
    list_init(&waiting);
    reactor_init(&reactor);
    cr_assert_eq(control_open(&control, &reactor,
                              &(struct control_options){.path = str_of(path),
                                                        .user = geteuid(),
                                                        .group = getegid(),
                                                        .inherited = -1,
                                                        .actions = actions,
                                                        .count = sizeof actions / sizeof *actions,
                                                        .server = &control}),
                 0);
    control_start(&control);
}

static void teardown(void)
{
    control_close(&control, true);
    cr_expect(list_empty(&reactor.watches) && list_empty(&reactor.alarms), "something is left in the reactor");
    reactor_free(&reactor);
    free(big);
    cr_expect_eq(rmdir(directory), 0, "the socket was not removed");
}

TestSuite(control, .init = setup, .fini = teardown);

/* ---- clients ---- */

static int client_of(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, name, sizeof address.sun_path - 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    cr_assert_geq(fd, 0);
    cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0, "%m");
    return fd;
}

static void say(int fd, const char *text)
{
    cr_assert_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text), "%m");
}

static void on_moment(struct alarm *alarm)
{
    (void)alarm;
}

/* A round of the reactor, which has a moment at most. */
static void turn(void)
{
    struct alarm moment = {.ring = on_moment};
    list_init(&moment.link);
    reactor_arm(&reactor, &moment, clock_monotonic() + 5 * NSEC_MS);
    cr_assert_eq(reactor_turn(&reactor), 0);
    reactor_disarm(&moment);
}

static void settle(void)
{
    for (int i = 0; i < 5; i++)
        turn();
}

/* What comes until a newline or the end; "" when nothing does. */
static struct str hear(int fd)
{
    static char text[2 * BIG];
    size_t n = 0;
    for (int i = 0; i < TURNS && (n == 0 || text[n - 1] != '\n'); i++) {
        ssize_t got = recv(fd, text + n, sizeof text - n, 0);
        if (got == 0 || (got < 0 && errno != EAGAIN))
            break;
        if (got > 0)
            n += (size_t)got;
        else
            turn();
    }
    return (struct str){text, n};
}

static bool has_ended(int fd)
{
    char byte;
    for (int i = 0; i < TURNS; i++) {
        ssize_t got = recv(fd, &byte, 1, MSG_PEEK);
        if (got == 0 || (got < 0 && errno != EAGAIN))
            return true;
        if (got > 0)
            return false;
        turn();
    }
    return false;
}

static bool contains(struct str text, const char *part)
{
    return text.n && memmem(text.p, text.n, part, strlen(part)) != NULL;
}

static void expect_heard(int fd, const char *expected)
{
    struct str heard = hear(fd);
    cr_expect(str_eq(heard, str_of(expected)), STR_FMT " is not %s", STR_ARG(heard), expected);
}

static void expect_refused(int fd, const char *code, const char *part)
{
    struct str heard = hear(fd);
    char start[64];
    snprintf(start, sizeof start, "{\"ok\":false,\"code\":\"%s\",\"error\":\"", code);
    cr_expect(str_starts(heard, str_of(start)) && contains(heard, part), STR_FMT ": not %s: %s", STR_ARG(heard), code,
              part);
}

/* As if a long time had passed. */
static void let_time_pass(void)
{
    list_each (l, next, &reactor.alarms)
        container_of(l, struct alarm, link)->at = 0;
    settle();
}

/* ---- nonsense ---- */

static const struct {
    const char *line, *part;
} nonsense[] = {
    {"\n", "``"},
    {" \n", "``"},
    {"relaod\n", "did you mean `reload`?"},
    {"STATUS\n", "did you mean `status`?"},
    {"GET / HTTP/1.1\r\n", "`GET` is no verb"},
    {"status now\n", "takes no argument"},
    {"log loud\n", "`loud` is not one of debug, info, notice, warn, error"},
    {"log info info\n", "`info info` is not one of"},
    {"status\r\n", "`status\\r` is no verb"},
    {"\x1b[2J\xff\n", "`\\u001b[2J\\ufffd` is no verb"},
    {"version\n", "does not know that verb"},
};

Test(control, nonsense_is_answered_and_the_connection_goes_on)
{
    int fd = client_of(path);
    for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++) {
        say(fd, nonsense[i].line);
        expect_refused(fd, CTL_CODE_USAGE, nonsense[i].part);
    }
    say(fd, "status\n");
    expect_heard(fd, "status=\n");
    close(fd);
}

Test(control, a_nul_is_a_byte_like_any_other)
{
    int fd = client_of(path);
    cr_assert_eq(send(fd, "status\0\n", 8, 0), 8);
    expect_refused(fd, CTL_CODE_USAGE, "`status\\u0000` is no verb");
    close(fd);
}

Test(control, a_line_without_end_is_refused)
{
    char line[CTL_LINE_MAX + 1];
    memset(line, 'x', sizeof line);
    line[CTL_LINE_MAX] = '\0';
    int fd = client_of(path);
    say(fd, line);
    expect_refused(fd, CTL_CODE_USAGE, "too long");
    cr_expect(has_ended(fd));
    close(fd);

    line[CTL_LINE_MAX - 1] = '\n';
    fd = client_of(path);
    say(fd, line);
    expect_refused(fd, CTL_CODE_USAGE, "is no verb");
    cr_expect_not(has_ended(fd), "the longest line was too long");
    close(fd);
}

/* ---- requests ---- */

Test(control, requests_are_answered_one_after_the_other)
{
    int fd = client_of(path);
    say(fd, "log info\nlog\n  log   warn \nreload\nsta");
    expect_heard(fd, "log=info\n");
    expect_heard(fd, "log=\n");
    expect_heard(fd, "log=warn\n");
    say(fd, "tus\n");
    settle();
    char byte;
    cr_expect_lt(recv(fd, &byte, 1, 0), 0, "an answer overtakes another");
    cr_assert_not(list_empty(&waiting));
    struct list *kept = list_pop_front(&waiting);
    cr_expect(list_empty(&waiting), "two requests of one client are at work");
    control_answer(container_of(kept, struct control_request, link), STR("{\"ok\":true}"));
    expect_heard(fd, "{\"ok\":true}\n");
    expect_heard(fd, "status=\n");
    close(fd);
}

Test(control, a_request_that_is_answered_is_in_no_list)
{
    int fd = client_of(path);
    say(fd, "reload\n");
    settle();
    struct control_request *request = container_of(waiting.next, struct control_request, link);
    cr_assert_not(list_empty(&waiting));
    control_refuse(request, CTL_CODE_FAILED, STR("x \"y\""), (struct str[]){STR("a"), STR("b")}, 2);
    cr_expect(list_empty(&waiting));
    expect_heard(fd, "{\"ok\":false,\"code\":\"failed\",\"error\":\"x \\\"y\\\"\",\"messages\":[\"a\",\"b\"]}\n");
    close(fd);
}

Test(control, a_request_ends_with_its_client)
{
    int first = client_of(path), second = client_of(path);
    say(first, "reload\n");
    say(second, "reload\n");
    settle();
    close(first);
    settle();
    cr_assert_not(list_empty(&waiting), "the wrong one is gone");
    cr_expect_eq(waiting.next, waiting.prev, "the request of a client that has gone is still there");
    close(second);
    settle();
    cr_expect(list_empty(&waiting));
    cr_expect_eq(control.count, 0);
}

/* As `echo reload | nc -N -U PATH` does. */
Test(control, who_has_finished_speaking_still_hears_the_answers)
{
    int fd = client_of(path);
    say(fd, "log info\nreload\nlog");
    cr_assert_eq(shutdown(fd, SHUT_WR), 0);
    expect_heard(fd, "log=info\n");
    settle();
    cr_assert_not(list_empty(&waiting));
    control_answer(container_of(waiting.next, struct control_request, link), STR("{}"));
    expect_heard(fd, "{}\n");
    cr_expect(has_ended(fd), "half a line is waited for");
    close(fd);
}

Test(control, as_many_messages_are_sent_as_fit)
{
    int fd = client_of(path);
    say(fd, "drain\n");
    struct str heard = hear(fd);
    cr_expect(str_starts(heard, STR("{\"ok\":false,\"code\":\"refused\",\"error\":\"no\",\"messages\":[\"/etc/tern")));
    cr_expect(str_ends(heard, STR("quite right there\"]}\n")), "cut in the middle");
    cr_expect_gt(heard.n, 60000);
    say(fd, "log\n");
    expect_heard(fd, "log=\n");
    close(fd);
}

/* ---- clients that take their time ---- */

Test(control, a_big_answer_waits_until_it_is_taken)
{
    int slow = client_of(path), quick = client_of(path);
    say(slow, "upgrade\nlog\n");
    settle();
    say(quick, "log info\n");
    expect_heard(quick, "log=info\n");
    struct str heard = hear(slow);
    cr_expect_eq(heard.n, BIG + 1);
    cr_expect_eq(memcmp(heard.p, big, BIG), 0);
    expect_heard(slow, "log=\n");
    close(slow);
    close(quick);
}

Test(control, an_answer_beyond_all_bounds_ends_the_connection)
{
    int fd = client_of(path);
    say(fd, "reopen\n");
    cr_expect(has_ended(fd));
    close(fd);
}

Test(control, who_neither_asks_nor_listens_is_closed)
{
    int silent = client_of(path), halting = client_of(path), deaf = client_of(path);
    say(halting, "sta");
    say(deaf, "upgrade\n");
    settle();
    cr_expect_eq(control.count, 3);
    let_time_pass();
    cr_expect_eq(control.count, 0);
    cr_expect(has_ended(silent));
    close(silent);
    close(halting);
    close(deaf);
}

Test(control, who_waits_for_the_server_is_not)
{
    int fd = client_of(path);
    say(fd, "reload\n");
    settle();
    let_time_pass();
    cr_assert_eq(control.count, 1);
    control_answer(container_of(waiting.next, struct control_request, link), STR("{}"));
    expect_heard(fd, "{}\n");
    let_time_pass();
    cr_expect_eq(control.count, 0, "after the answer it may idle for ever");
    close(fd);
}

/* ---- connections ---- */

Test(control, there_are_not_too_many)
{
    int fds[CONTROL_CLIENTS];
    for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
        fds[i] = client_of(path);
        settle();
    }
    int more = client_of(path);
    expect_refused(more, CTL_CODE_REFUSED, "too many");
    cr_expect(has_ended(more));
    close(more);
    say(fds[CONTROL_CLIENTS - 1], "log\n");
    expect_heard(fds[CONTROL_CLIENTS - 1], "log=\n");
    close(fds[0]);
    settle();
    fds[0] = client_of(path);
    say(fds[0], "log\n");
    expect_heard(fds[0], "log=\n");
    for (size_t i = 0; i < CONTROL_CLIENTS; i++)
        close(fds[i]);
}

static void expect_stranger_refused(int fd)
{
    expect_refused(fd, CTL_CODE_REFUSED, "only root");
    cr_expect(has_ended(fd));
}

Test(control, strangers_are_told_so)
{
    if (geteuid() != 0)
        cr_skip("only root can be somebody else");
    cr_assert(chmod(directory, 0711) == 0 && chmod(path, 0666) == 0);
    control.options.group = 65532;
    cr_assert_eq(setegid(65533), 0);
    cr_assert_eq(seteuid(65533), 0);
    int fd = client_of(path);
    cr_assert_eq(seteuid(0), 0);
    cr_assert_eq(setegid(0), 0);
    say(fd, "reload\n");
    expect_stranger_refused(fd);
    cr_expect(list_empty(&waiting));
    cr_expect_eq(control.count, 0);
    close(fd);
}

/* Without descriptors the listener rests, rather than being ready all the time. */
Test(control, accepting_is_taken_up_again_when_there_are_descriptors)
{
    int fd = client_of(path), last = open("/dev/null", O_RDONLY | O_CLOEXEC);
    struct rlimit before, none;
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = (rlim_t)last + 1;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    settle();
    cr_expect_eq(control.listener.events, 0);
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    let_time_pass();
    say(fd, "log\n");
    expect_heard(fd, "log=\n");
    close(fd);
    close(last);
}

static void expect_nobody_listens(void)
{
    struct sockaddr_un address = control.socket.address;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_expect_lt(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    cr_expect_eq(errno, ECONNREFUSED);
    close(fd);
}

Test(control, after_a_stop_only_those_that_are_there_are_served)
{
    int fd = client_of(path);
    settle();
    control_stop(&control);
    expect_nobody_listens();
    say(fd, "log\n");
    expect_heard(fd, "log=\n");
    close(fd);
}

Test(control, at_the_end_who_waits_is_told)
{
    int fd = client_of(path);
    say(fd, "reload\n");
    settle();
    control_close(&control, true);
    cr_expect(list_empty(&waiting));
    expect_refused(fd, CTL_CODE_FAILED, "ended");
    cr_expect_neq(access(path, F_OK), 0);
    close(fd);
}

Test(control, one_that_is_not_open_takes_everything)
{
    struct control none;
    control_init(&none, &reactor);
    control_start(&none);
    control_stop(&none);
    control_close(&none, true);
    struct control second;
    struct control_options options = {.path = str_of(path), .inherited = -1, .group = getegid()};
    cr_expect_eq(control_open(&second, &reactor, &options), -EADDRINUSE);
    control_start(&second);
    control_close(&second, true);
    close(client_of(path));
}

/* ---- an upgrade ---- */

/* Here the old server and the new one are one process. */
Test(control, a_successor_goes_on_with_the_same_socket)
{
    struct control successor;
    struct control_options options = control.options;
    options.inherited = fcntl(control.socket.fd, F_DUPFD_CLOEXEC, 0);
    cr_assert_eq(control_open(&successor, &reactor, &options), 0);
    int fd = client_of(path);
    settle();
    cr_expect_eq(control.count, 1, "the successor answers before it is told to");
    control_stop(&control);
    control_start(&successor);
    int next = client_of(path);
    settle();
    cr_expect_eq(successor.count, 1);
    say(fd, "log\n");
    expect_heard(fd, "log=\n");
    control_close(&control, true);
    cr_expect_eq(access(path, F_OK), 0, "the file of the successor was removed");
    control_close(&successor, true);
    cr_expect_neq(access(path, F_OK), 0);
    close(next);
    close(fd);
}

Test(control, a_socket_of_another_path_is_not_inherited)
{
    struct control successor;
    struct control_options options = control.options;
    char other[80];
    snprintf(other, sizeof other, "%s/other", directory);
    options.path = str_of(other);
    options.inherited = fcntl(control.socket.fd, F_DUPFD_CLOEXEC, 0);
    cr_assert_eq(control_open(&successor, &reactor, &options), 0);
    control_start(&successor);
    control_stop(&control);
    expect_nobody_listens();
    int fd = client_of(other);
    settle();
    cr_expect_eq(successor.count, 1);
    control_close(&successor, true);
    close(fd);
}
