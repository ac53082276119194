/* What the service manager is told, each datagram in its order (sd_notify(3)). */
#include "harness.h"
#include "harness_file.h"
#include "harness_response.h"
#include "service.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { WORKERS = 2, LIMIT_MS = HARNESS_LIMIT / NSEC_MS };

/* The manager's end. */
static int manager;

/* `name` as in $NOTIFY_SOCKET: a path, or '@' and an abstract name. */
static void listen_on(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", name);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
    if (name[0] == '@')
        address.sun_path[0] = '\0';
    manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(manager, (struct sockaddr *)&address, size), 0, "%m");
    setenv("NOTIFY_SOCKET", name, 1);
}

static void begin(void)
{
    harness_begin();
    listen_on(file_path("notify.sock"));
}

static void end(void)
{
    close(manager);
    unsetenv("NOTIFY_SOCKET");
    harness_end();
}

TestSuite(notify, .init = begin, .fini = end);

/* The next datagram; NULL: none is there within so many ms. */
static const char *receive(int ms)
{
    struct pollfd wait = {.fd = manager, .events = POLLIN};
    char text[4096];
    if (poll(&wait, 1, ms) <= 0)
        return NULL;
    ssize_t n = recv(manager, text, sizeof text, 0);
    cr_assert_geq(n, 0, "%m");
    return harness_text("\n%.*s\n", (int)n, text);
}

/* The value that a datagram gives to a variable, or NULL. */
static const char *value_of(const char *datagram, const char *variable)
{
    const char *at = strstr(datagram, harness_text("\n%s=", variable));
    if (!at)
        return NULL;
    at += strlen(variable) + 2;
    return harness_text("%.*s", (int)strcspn(at, "\n"), at);
}

/* The next datagram that says more than how it goes: neither STATUS alone, nor that more time is needed, nor that the
 * heart beats. */
static const char *next_event(void)
{
    for (;;) {
        const char *datagram = receive(LIMIT_MS);
        cr_assert(datagram, "nothing is told:\n%s", server_log(NULL).p);
        if (value_of(datagram, "READY") || value_of(datagram, "RELOADING") || value_of(datagram, "STOPPING") ||
            value_of(datagram, "MAINPID"))
            return datagram;
    }
}

static void assert_event(const char *datagram, const char *variable, const char *value)
{
    const char *told = value_of(datagram, variable);
    cr_assert(told && strcmp(told, value) == 0, "%s is not %s in:%s", variable, value, datagram);
}

/* The clock reading is what tells a manager which reload this READY=1 belongs to (in one datagram with RELOADING=1). */
static void assert_reloading(const char *datagram)
{
    assert_event(datagram, "RELOADING", "1");
    const char *usec = value_of(datagram, "MONOTONIC_USEC");
    cr_assert(usec, "no time in:%s", datagram);
    nsec then = atoll(usec) * 1000, now = clock_monotonic();
    cr_assert(then <= now && now - then < HARNESS_LIMIT, "%lld is not now, %lld", (long long)then, (long long)now);
}

/* READY=1 says that every worker serves: so they do. */
Test(notify, start_reload_stop)
{
    struct server server = service_start();
    const char *ready = next_event();
    assert_event(ready, "READY", "1");
    cr_assert(value_of(ready, "STATUS"), "no status in:%s", ready);
    pid_t workers[WORKERS];
    server_workers(&server, workers, WORKERS);

    assert_ctl(0, "reload");
    assert_reloading(next_event());
    assert_event(next_event(), "READY", "1");

    file_replace("tern.yaml", STR("listen: [\n"));
    kill(server.pid, SIGHUP);
    assert_reloading(next_event());
    assert_event(next_event(), "READY", "1");

    assert_stop(&server, 0);
    assert_event(next_event(), "STOPPING", "1");
    const char *more = receive(0);
    while (more && !value_of(more, "READY"))
        more = receive(0);
    cr_assert_null(more, "after the end:%s", more);
}

Test(notify, an_abstract_socket)
{
    close(manager);
    listen_on(harness_text("@tern-test-%d", getpid()));
    struct server server = service_start();
    assert_event(next_event(), "READY", "1");
    assert_stop(&server, 0);
    assert_event(next_event(), "STOPPING", "1");
}

/* Nobody who listens is nobody to wait for. */
Test(notify, a_manager_that_is_gone)
{
    close(manager);
    struct server server = service_start();
    assert_status(fetch(server.port, "/hello"), 200);
    assert_ctl(0, "reload");
    assert_stop(&server, 0);
}

/* The old main process names the new one before that says anything, since only the main one is heard. */
Test(notify, upgrade)
{
    struct server server = service_start();
    assert_event(next_event(), "READY", "1");
    assert_ctl(0, "upgrade");
    assert_reloading(next_event());
    assert_exit(&server, 0);
    server.pid = (pid_t)service_status("pid");
    const char *pid = harness_text("%d", server.pid);
    const char *main_pid = next_event();
    assert_event(main_pid, "MAINPID", pid);
    const char *ready = value_of(main_pid, "READY") ? main_pid : next_event();
    assert_event(ready, "READY", "1");
    assert_stop(&server, 0);
    assert_event(next_event(), "STOPPING", "1");
}

Test(notify, an_upgrade_that_fails)
{
    struct server server = service_start();
    assert_event(next_event(), "READY", "1");
    cr_assert_eq(remove(service_binary()), 0);
    assert_ctl(4, "upgrade");
    assert_reloading(next_event());
    const char *ready = next_event();
    assert_event(ready, "READY", "1");
    assert_event(ready, "MAINPID", harness_text("%d", server.pid));
    assert_stop(&server, 0);
    assert_event(next_event(), "STOPPING", "1");
}

/* More time is asked for while what is under way ends. */
Test(notify, draining_takes_its_time)
{
    struct server server = service_start();
    struct client *download = service_download(server.port);
    server_terminate(&server);
    const char *datagram;
    do
        cr_assert(datagram = receive(LIMIT_MS), "nobody asks for more time");
    while (!value_of(datagram, "EXTEND_TIMEOUT_USEC"));
    cr_assert_gt(atoll(value_of(datagram, "EXTEND_TIMEOUT_USEC")), 0);
    service_finish_download(download);
    assert_exit(&server, 0);
}

/* ---- the watchdog ---- */

static size_t beats(void)
{
    size_t count = 0;
    for (const char *datagram; (datagram = receive(0));)
        count += value_of(datagram, "WATCHDOG") != NULL;
    return count;
}

static bool beats_again(void)
{
    return beats() > 0;
}

/* The heart of the service beats while those of all workers do. */
Test(notify, the_watchdog_looks_at_every_worker)
{
    setenv("WATCHDOG_USEC", "400000", 1);
    struct server server = service_start(.more = "timeouts: {stall_kill: 0}\n");
    unsetenv("WATCHDOG_USEC");
    pid_t workers[WORKERS];
    server_workers(&server, workers, WORKERS);
    cr_assert(until(beats_again()));
    kill(workers[1], SIGSTOP);
    cr_assert(until(harness_state(workers[1]) == 'T'));
    usleep(300 * 1000);
    beats();
    usleep(800 * 1000);
    cr_assert_eq(beats(), 0, "the heart beats although a worker stands still");
    kill(workers[1], SIGCONT);
    cr_assert(until(beats_again()), "the heart does not beat again");
    assert_stop(&server, 0);
}

/* The new main process goes on with it. */
Test(notify, the_watchdog_survives_an_upgrade)
{
    setenv("WATCHDOG_USEC", "400000", 1);
    struct server server = service_start();
    unsetenv("WATCHDOG_USEC");
    cr_assert(until(beats_again()));
    assert_ctl(0, "upgrade");
    assert_exit(&server, 0);
    server.pid = (pid_t)service_status("pid");
    beats();
    cr_assert(until(beats_again()), "the heart does not beat again");
    assert_stop(&server, 0);
}
