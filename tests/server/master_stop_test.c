/* The master, in conditions that nobody plans for: told to stop twice, told to stop or reload while it has no worker,
 * started by somebody strange, or standing still together with its workers. */
#include "harness.h"
#include "harness_file.h"
#include "harness_response.h"
#include "service.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <unistd.h>

TestSuite(master_stop, .init = harness_begin, .fini = harness_end);

/* ---- told twice ---- */

enum { DRAIN = -1 }; /* in the place of a signal: `ternctl drain` */

static void tell(const struct server *server, int how)
{
    if (how == DRAIN)
        assert_ctl(0, "drain");
    else
        kill(server->pid, how);
}

/* The same, and comes back when the master has heard it: a signal that is still pending would swallow the next one. */
static void tell_and_wait(const struct server *server, int how)
{
    tell(server, how);
    cr_assert(until(service_logged("stopping, ")));
    assert_ctl(0, "status");
}

/* A request that a worker serves, and whose content it waits for. */
static struct client *begin_upload(int port)
{
    struct client *c = client_open(port);
    assert_status(ask(c, "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n"
                         "Expect: 100-continue\r\n\r\n"),
                  100);
    return c;
}

static void finish_upload(struct client *c)
{
    struct response r = ask(c, "0123456789");
    assert_status(r, 200);
    assert_body(r, STR("0123456789"));
    client_close(c);
}

Test(master_stop, requests_in_flight_are_finished)
{
    static const int table[][2] = {{DRAIN, DRAIN},   {DRAIN, SIGTERM},   {DRAIN, SIGINT},    {DRAIN, SIGQUIT},
                                   {SIGTERM, DRAIN}, {SIGTERM, SIGQUIT}, {SIGQUIT, SIGTERM}, {SIGQUIT, SIGQUIT}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct server server = service_start(.workers = 1);
        struct client *upload = begin_upload(server.port);
        for (int j = 0; j < 2; j++)
            tell_and_wait(&server, table[i][j]);
        finish_upload(upload);
        assert_exit(&server, 0);
    }
}

/* After any other way to stop it takes one more. */
Test(master_stop, a_second_term_or_int_cuts_them)
{
    static const struct {
        int before[2], last;
    } table[] = {
        {{SIGTERM}, SIGTERM}, {{SIGTERM}, SIGINT},        {{SIGINT}, SIGTERM},
        {{SIGINT}, SIGINT},   {{DRAIN, SIGTERM}, SIGINT}, {{SIGQUIT, SIGTERM}, SIGTERM},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct server server = service_start(.workers = 1, .more = "timeouts: {shutdown: 1h}\n");
        struct client *upload = begin_upload(server.port);
        for (int j = 0; j < 2 && table[i].before[j]; j++)
            tell_and_wait(&server, table[i].before[j]);
        tell(&server, table[i].last);
        assert_exit(&server, SERVICE_CUT);
        cr_assert_eq(response_read(upload).status, 0, "a request that was cut is answered");
    }
}

/* ---- no worker left ---- */

/* One whose only worker dies as soon as it lives, until it is not replaced at once any more. */
static struct server start_without_worker(void)
{
    struct server server = service_start(.workers = 1);
    pid_t worker;
    cr_assert(until(service_logged("keeps dying: ") ||
                    (harness_children(server.pid, &worker, 1) == 1 && kill(worker, SIGKILL) < 0)));
    cr_assert(until(harness_children(server.pid, &worker, 1) == 0));
    return server;
}

Test(master_stop, without_a_worker_the_master_ends)
{
    static const int ways[] = {SIGTERM, SIGQUIT, DRAIN};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        struct server server = start_without_worker();
        tell(&server, ways[i]);
        assert_exit(&server, 0);
        cr_assert(server_refuses(&server));
    }
}

/* A reload may be what helps. */
Test(master_stop, without_a_worker_the_master_reloads)
{
    struct server server = start_without_worker();
    struct client *waiting = client_open(server.port);
    client_printf(waiting, "GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n");
    service_write(.workers = 1, .version = "2");
    kill(server.pid, SIGHUP);
    struct response r = response_read(waiting);
    assert_status(r, 200);
    assert_body(r, STR("2"));
    pid_t worker;
    server_workers(&server, &worker, 1);
    service_write(.workers = 1, .version = "3");
    assert_ctl(0, "reload");
    cr_assert(until(service_serves(server.port, "3")));
    assert_stop(&server, 0);
}

/* ---- who starts it ---- */

/* An ignored SIGCHLD is inherited; then the kernel would keep from the master how its workers end. */
Test(master_stop, an_ignored_sigchld_is_not_inherited)
{
    signal(SIGCHLD, SIG_IGN);
    struct server server = service_start(.workers = 1);
    signal(SIGCHLD, SIG_DFL);
    pid_t first, second = 0;
    server_workers(&server, &first, 1);
    kill(first, SIGKILL);
    cr_assert(until(harness_children(server.pid, &second, 1) == 1 && second != first), "worker %d is not replaced",
              first);
    assert_body(fetch(server.port, "/hello"), STR("hello"));
    cr_assert(service_logged(harness_text("[%d] was ended by signal 9", first)), "%s", server_log(&server).p);
    assert_stop(&server, 0);
}

/* Then the first descriptors are those of sockets and files. Nothing is to be written there that was meant for stderr,
 * and none of them is to be closed as if it were stdin. */
Test(master_stop, without_standard_descriptors_it_works)
{
    struct server server = service_start(.workers = 1);
    assert_stop(&server, 0);
    service_write(.more = "log: {error: @DIR@/run/error.log, access: @DIR@/run/access.log}\n");
    struct command command = {.arguments = {"bash", "-c", "exec \"$0\" \"$@\" 0<&- 1>&- 2>&-", service_binary(), "-c",
                                            file_path("tern.yaml"), "--pid", service_pid_file()}};
    server.pid = command_start(&command);
    cr_assert(until(service_is_ready(server.pid) || service_is_gone(server.pid)) && !service_is_gone(server.pid), "%s",
              file_read("run/error.log").p);
    struct load *load = service_load(server.port, NULL);
    service_write(.version = "2", .more = "log: {error: @DIR@/run/error.log, access: @DIR@/run/access.log}\n");
    assert_ctl(0, "reload");
    assert_ctl(0, "reopen");
    cr_assert(until(service_serves(server.port, "2")));
    assert_ctl(0, "upgrade");
    assert_exit(&server, 0);
    server.pid = (pid_t)service_status("pid");
    assert_load_goes_on(load, 50);
    assert_no_loss(load);
    assert_stop(&server, 0);
    cr_assert(strstr(file_read("run/error.log").p, "stopped"));
}

/* ---- all of it stands still ---- */

static void nap(nsec time)
{
    for (nsec end = nsec_add(clock_monotonic(), time); harness_nap(end);)
        ;
}

/* A machine that was suspended, or starved. The workers stop a little earlier, so that the master has asked them and
 * has no answer. When all go on, time has passed that nobody had. */
Test(master_stop, time_in_which_all_stood_still_is_not_held_against_workers)
{
    enum { WORKERS = 2 };
    struct server server = service_start(.more = "timeouts: {stall_kill: 2s}\n");
    pid_t workers[WORKERS], now[WORKERS];
    server_workers(&server, workers, WORKERS);
    for (int i = 0; i < WORKERS; i++)
        kill(workers[i], SIGSTOP);
    nap(600 * NSEC_MS);
    kill(server.pid, SIGSTOP);
    nap(2100 * NSEC_MS);
    kill(server.pid, SIGCONT);
    nap(100 * NSEC_MS);
    for (int i = 0; i < WORKERS; i++)
        kill(workers[i], SIGCONT);
    for (int i = 0; i < 10; i++)
        assert_body(fetch(server.port, "/hello"), STR("hello"));
    assert_ctl(0, "status");
    server_workers(&server, now, WORKERS);
    cr_assert_arr_eq(now, workers, sizeof now, "other workers:\n%s", server_log(&server).p);
    cr_assert_not(service_logged("no sign of life"), "%s", server_log(&server).p);
    assert_stop(&server, 0);
}
