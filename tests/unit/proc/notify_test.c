/* notify_test.c: each datagram that the service manager gets, byte for byte, and an environment that can't be used. */
#include "proc/notify.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/out.h"

static char directory[] = "/tmp/tern-notify-XXXXXX", path[64], abstract[64];
static int manager = -1; /* the socket of what stands for the service manager */

static void setup(void)
{
    cr_assert_not_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/notify", directory);
    snprintf(abstract, sizeof abstract, "@tern-notify-%d", (int)getpid());
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
}

static void teardown(void)
{
    unlink(path);
    rmdir(directory);
}

TestSuite(notify, .init = setup, .fini = teardown);

/* Binds the manager's socket to a path or to an abstract name, and says so in the environment. */
static void listen_at(const char *name)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    memcpy(at.sun_path, name, strlen(name));
    if (*name == '@')
        at.sun_path[0] = '\0';
    manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    cr_assert_geq(manager, 0);
    cr_assert_eq(bind(manager, (struct sockaddr *)&at, (socklen_t)(sizeof at.sun_family + strlen(name))), 0);
    setenv("NOTIFY_SOCKET", name, true);
}

static struct notify opened(void)
{
    struct notify notify;
    notify_open(&notify);
    return notify;
}

static void set_watchdog(const char *usec, const char *pid)
{
    setenv("WATCHDOG_USEC", usec, true);
    if (pid)
        setenv("WATCHDOG_PID", pid, true);
    else
        unsetenv("WATCHDOG_PID");
}

static const char *own_pid(void)
{
    static char text[16];
    snprintf(text, sizeof text, "%d", (int)getpid());
    return text;
}

/* The next datagram; one over a unix socket is there as soon as it has been sent. */
static struct str received(void)
{
    static char message[4096];
    ssize_t n = recv(manager, message, sizeof message, 0);
    return (struct str){message, n < 0 ? 0 : (size_t)n};
}

static void expect_message(const char *text)
{
    struct str got = received();
    cr_expect(str_eq(got, str_of(text)), "got <" STR_FMT "> for <%s>", STR_ARG(got), text);
}

static void expect_silence(void)
{
    cr_expect(recv(manager, (char[1]){0}, 1, 0) < 0 && errno == EAGAIN, "a message that should not be there");
}

static void send_each(const struct notify *notify)
{
    notify_ready(notify, STR("ready"));
    notify_reloading(notify, STR("reloading"));
    notify_stopping(notify, STR("stopping"));
    notify_status(notify, STR("status"));
    notify_extend(notify, NSEC_SEC);
    notify_alive(notify);
}

/* ---- what can't be used ---- */

Test(notify, without_a_socket_nothing_is_sent_and_nothing_fails)
{
    char long_path[256] = "/";
    memset(long_path + 1, 'x', 120);
    const char *useless[] = {NULL, "", "/", "@", "relative", "vsock:2:1234", long_path};
    for (size_t i = 0; i < sizeof useless / sizeof *useless; i++) {
        if (useless[i])
            setenv("NOTIFY_SOCKET", useless[i], true);
        set_watchdog("30000000", NULL);
        struct notify notify = opened();
        cr_expect_eq(notify.fd, -1, "%s", useless[i]);
        cr_expect_eq(notify.watchdog, 0, "nobody can be told, so nobody waits");
        send_each(&notify);
        cr_expect_eq(notify_main_pid(&notify, 1), 0);
        cr_expect_eq(notify_pass_on(&notify), 0);
        cr_expect_null(getenv("NOTIFY_SOCKET"));
        notify_close(&notify);
    }
}

Test(notify, a_manager_that_is_gone_is_no_error_but_for_an_upgrade)
{
    listen_at(path);
    struct notify notify = opened();
    close(manager);
    send_each(&notify);
    cr_expect_eq(notify_main_pid(&notify, 1), -ECONNREFUSED);
    unlink(path);
    send_each(&notify);
    cr_expect_eq(notify_main_pid(&notify, 1), -ENOENT);
    notify_close(&notify);
}

Test(notify, a_manager_that_does_not_read_is_not_waited_for)
{
    listen_at(path);
    struct notify notify = opened();
    int error = 0;
    for (unsigned i = 0; i < 100000 && !error; i++)
        error = notify_main_pid(&notify, 1);
    cr_expect_eq(error, -EAGAIN);
    notify_close(&notify);
}

Test(notify, a_watchdog_that_is_not_for_us_or_makes_no_sense_is_none)
{
    static const struct {
        const char *usec, *pid;
    } useless[] = {
        {"", NULL},
        {"0", NULL},
        {"-1", NULL},
        {"30s", NULL},
        {"9223372036854775807", NULL}, /* in nanoseconds it is too much */
        {"99999999999999999999", NULL},
        {"30000000", "1"}, /* the process that started us; we are another one */
        {"30000000", ""},
        {"30000000", "x"},
    };
    listen_at(path);
    for (size_t i = 0; i < sizeof useless / sizeof *useless; i++) {
        setenv("NOTIFY_SOCKET", path, true);
        set_watchdog(useless[i].usec, useless[i].pid);
        struct notify notify = opened();
        cr_expect_eq(notify.watchdog, 0, "%s for %s", useless[i].usec, useless[i].pid);
        notify_close(&notify);
    }
}

/* ---- the environment ---- */

Test(notify, the_environment_is_read_and_forgotten)
{
    listen_at(path);
    set_watchdog("30000000", own_pid());
    struct notify notify = opened();
    cr_expect_eq(notify.watchdog, 30 * NSEC_SEC);
    cr_expect_null(getenv("NOTIFY_SOCKET"));
    cr_expect_null(getenv("WATCHDOG_USEC"));
    cr_expect_null(getenv("WATCHDOG_PID"));
    notify_close(&notify);
    cr_expect_eq(notify.fd, -1);
    cr_expect_eq(notify.watchdog, 0);
}

Test(notify, a_watchdog_without_an_owner_is_for_us)
{
    listen_at(path);
    set_watchdog("1500000", NULL);
    struct notify notify = opened();
    cr_expect_eq(notify.watchdog, 3 * NSEC_SEC / 2);
    notify_close(&notify);
}

Test(notify, the_socket_is_not_left_to_programs_that_are_started)
{
    listen_at(path);
    struct notify notify = opened();
    cr_expect(fcntl(notify.fd, F_GETFD) & FD_CLOEXEC);
    notify_close(&notify);
}

/* The child that becomes the next master has a pid of its own, and the watchdog is for that one. */
static void expect_passed_on(const char *name)
{
    listen_at(name);
    set_watchdog("30000000", own_pid());
    struct notify old = opened();
    pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        if (notify_pass_on(&old) < 0 || strcmp(getenv("NOTIFY_SOCKET"), name) != 0)
            _exit(1);
        struct notify next = opened();
        if (next.watchdog == old.watchdog)
            notify_status(&next, STR("the next one"));
        _exit(0);
    }
    int status;
    cr_expect_eq(waitpid(child, &status, 0), child);
    cr_expect_eq(status, 0);
    expect_message("STATUS=the next one\n");
    notify_close(&old);
    close(manager);
}

Test(notify, an_upgrade_hands_the_manager_and_its_watchdog_on)
{
    expect_passed_on(path);
    expect_passed_on(abstract);
}

Test(notify, without_a_watchdog_none_is_handed_on)
{
    listen_at(path);
    struct notify notify = opened();
    cr_assert_eq(notify_pass_on(&notify), 0);
    cr_expect_str_eq(getenv("NOTIFY_SOCKET"), path);
    cr_expect_null(getenv("WATCHDOG_USEC"));
    cr_expect_null(getenv("WATCHDOG_PID"));
    notify_close(&notify);
}

/* ---- messages ---- */

static void expect_each(void)
{
    struct notify notify = opened();
    char ready[80];
    snprintf(ready, sizeof ready, "READY=1\nMAINPID=%d\nSTATUS=2 workers\n", (int)getpid());
    notify_ready(&notify, STR("2 workers"));
    expect_message(ready);
    notify_stopping(&notify, STR("5 connections"));
    expect_message("STOPPING=1\nSTATUS=5 connections\n");
    notify_status(&notify, STR("generation 3"));
    expect_message("STATUS=generation 3\n");
    notify_extend(&notify, 35 * NSEC_SEC);
    expect_message("EXTEND_TIMEOUT_USEC=35000000\n");
    notify_alive(&notify);
    expect_message("WATCHDOG=1\n");
    cr_expect_eq(notify_main_pid(&notify, 4711), 0);
    expect_message("MAINPID=4711\n");
    expect_silence();
    notify_close(&notify);
    close(manager);
}

Test(notify, each_message_is_one_datagram)
{
    listen_at(path);
    expect_each();
}

Test(notify, an_abstract_socket_is_as_good)
{
    listen_at(abstract);
    expect_each();
}

/* The manager wants both fields in one datagram, and a time between the signal and now. */
Test(notify, a_reload_tells_its_time_in_the_same_datagram)
{
    listen_at(path);
    struct notify notify = opened();
    nsec before = clock_monotonic();
    notify_reloading(&notify, STR("reading"));
    nsec after = clock_monotonic();

    struct str message = received(), lead = STR("RELOADING=1\nMONOTONIC_USEC=");
    cr_assert(str_starts(message, lead), STR_FMT, STR_ARG(message));
    message = str_skip(message, lead.n);
    uint64_t usec = 0;
    cr_expect_eq(str_to_u64(str_cut(&message, '\n'), &usec), 0);
    cr_expect_geq((nsec)usec, before / 1000);
    cr_expect_leq((nsec)usec, after / 1000);
    cr_expect(str_eq(message, STR("STATUS=reading\n")));
    notify_close(&notify);
}

Test(notify, a_status_is_one_line_and_has_an_end)
{
    char endless[3000], text[1024] = "STATUS=";
    memset(endless, 'x', sizeof endless);
    memset(text + 7, 'x', 800);
    strcpy(text + 807, "\n");
    listen_at(path);
    struct notify notify = opened();
    notify_status(&notify, STR("one\nREADY=1"));
    expect_message("STATUS=one\n");
    notify_status(&notify, (struct str){endless, sizeof endless});
    expect_message(text);
    notify_stopping(&notify, STR(""));
    expect_message("STOPPING=1\n");
    notify_close(&notify);
}
