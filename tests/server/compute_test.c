/* Compute processes: what jobs come to, what becomes of a process that does not survive one, who is served meanwhile,
 * and that none is left behind. */
#include "harness.h"
#include "harness_file.h"
#include "harness_response.h"
#include "library_service.h"
#include "service.h"

#include <criterion/criterion.h>
#include <crypt.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PROCESSES = 2, MOST = 8 };

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define TWO "modules: @DIR@/modules\ncompute: 2\n"
#define ONE "modules: @DIR@/modules\ncompute: 1\n"
#define ROUTES                                                                                                         \
    LIBRARY_ROUTE("/run", "compute_jobs", "call", "")                                                                  \
    LIBRARY_ROUTE("/short", "compute_jobs", "call", "within: 300ms")                                                   \
    LIBRARY_ROUTE("/plain", "compute_jobs", "call", "within: 300ms, plain: on")                                        \
    LIBRARY_ROUTE("/large", "compute_jobs", "call", "room: 16m")

static struct server server;

static void begin(void)
{
    harness_begin();
    library_link("compute_jobs", "hash");
    file_directory("hold");
    cr_assert_eq(chmod(file_path("hold"), 0777), 0);
}

TestSuite(compute, .init = begin, .fini = harness_end);

/* ---- jobs ---- */

static struct client *post(const char *target, struct str content)
{
    struct client *c = client_open(server.port);
    client_printf(c, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %zu\r\n\r\n", target, content.n);
    client_send(c, content);
    return c;
}

static struct response call(const char *target, const char *content)
{
    struct client *c = post(target, str_of(content));
    struct response r = response_read(c);
    client_close(c);
    return r;
}

#define assert_call(target, content, body) assert_body(call((target), (content)), str_of(body))

/* A job that goes on until let_go(). */
static struct client *hold(const char *target)
{
    return post(target, str_of(file_path("hold")));
}

static size_t held(void)
{
    DIR *directory = opendir(file_path("hold"));
    size_t count = 0;
    cr_assert_not_null(directory);
    for (struct dirent *entry; (entry = readdir(directory));)
        count += entry->d_name[0] != '.';
    closedir(directory);
    return count;
}

static void let_go(void)
{
    file_write("hold/open", STR(""));
}

static pid_t pid_in(struct response r)
{
    assert_status(r, 200);
    return atoi(harness_text(STR_FMT, STR_ARG(r.body)));
}

/* ---- processes ---- */

static const char *status_json(void)
{
    struct result r = service_ctl((const char *const[]){"--json", "status", NULL});
    cr_assert_eq(r.status, 0, "ternctl status: %s%s", r.out.p, r.err.p);
    return r.out.p;
}

static bool status_has(const char *text)
{
    return strstr(status_json(), text);
}

/* The compute processes that ternctl tells of; how many. */
static size_t list_processes(pid_t pids[static MOST])
{
    static const char name[] = "\"pid\":";
    size_t count = 0;
    const char *at = strstr(status_json(), "\"compute\":");
    while (count < MOST && at && (at = strstr(at, name)))
        pids[count++] = atoi(at += sizeof name - 1);
    return count;
}

static pid_t first_worker(void)
{
    const char *at = strstr(status_json(), "\"workers\":");
    int pid = 0;
    cr_assert(at && sscanf(at, "\"workers\":[{\"index\":0,\"pid\":%d", &pid) == 1, "%s", status_json());
    return pid;
}

/* The sum that ternctl prints, such as "2 processes, 5 jobs, 1 restart". */
static bool is_told(const char *sums)
{
    struct result r = service_ctl((const char *const[]){"status", NULL});
    return strstr(r.out.p, sums);
}

#define assert_told(sums)                                                                                              \
    cr_assert(until(is_told(sums)), "not %s:\n%s\n%s", (sums),                                                         \
              service_ctl((const char *const[]){"status", NULL}).out.p, server_log(&server).p)

static bool are_gone(const pid_t *pids, size_t count)
{
    bool gone = true;
    for (size_t i = 0; i < count; i++)
        gone &= service_is_gone(pids[i]);
    return gone;
}

/* Stops the server, which must leave none of its processes. */
static void assert_ends_well(void)
{
    pid_t pids[MOST];
    size_t count = list_processes(pids);
    assert_body(fetch(server.port, "/hello"), STR("hello"));
    assert_stop(&server, 0);
    cr_assert(are_gone(pids, count), "a compute process is left");
}

/* ---- what jobs come to ---- */

Test(compute, no_result)
{
    static const struct {
        const char *target, *content, *body;
    } table[] = {
        {"/run?job=fail", "", "EDOM\n"},
        {"/run?job=boast", "", "EMSGSIZE\n"},
        {"/run?job=nothing", "", "ENOSYS\n"},
        {"/run?job=", "", "ENOSYS\n"},
        {"/run?job=0123456789012345678901234567890123456789012345678901234567890123456789", "", "EMSGSIZE\n"},
        {"/run?job=abort", "", "EPIPE\n"},
        {"/run?job=exit", "7", "EPIPE\n"},
        {"/run?job=exit", "0", "EPIPE\n"},
        {"/short?job=loop", "", "ETIMEDOUT\n"},
    };
    server = service_start(.more = TWO, .routes = ROUTES);
    for (size_t i = 0; i < COUNT(table); i++)
        assert_call(table[i].target, table[i].content, table[i].body);
    assert_told("2 processes, 2 jobs, 4 restarts");
    assert_ends_well();
}

Test(compute, results)
{
    server = service_start(.more = TWO, .routes = ROUTES);
    assert_call("/run?job=echo", "", "");
    assert_call("/run?job=echo", "hello", "hello");
    assert_call("/run?job=sum", "abc", "294\n");
    assert_told("2 processes, 3 jobs, 0 restarts");
    assert_ends_well();
}

Test(compute, errors_that_handlers_return)
{
    static const struct {
        const char *target;
        int status;
    } table[] = {
        {"/plain?job=loop", 504}, {"/plain?job=abort", 502}, {"/plain?job=nothing", 500}, {"/plain?job=fail", 500}};
    server = service_start(.more = TWO, .routes = ROUTES);
    for (size_t i = 0; i < COUNT(table); i++)
        assert_status(fetch(server.port, table[i].target), table[i].status);
    assert_ends_well();
}

Test(compute, much_goes_both_ways)
{
    struct str much = file_pattern(10 << 20);
    server = service_start(.more = TWO "limits: {body_size: 16m}\n", .routes = ROUTES);
    for (int i = 0; i < 3; i++)
        assert_body(response_read(post("/large?job=echo", much)), much);
    assert_ends_well();
}

Test(compute, there_are_none)
{
    server = service_start(.more = "modules: @DIR@/modules\n", .routes = ROUTES);
    assert_call("/run?job=echo", "hello", "EOPNOTSUPP\n" /* ENOTSUP by its other name */);
    assert_ends_well();
}

/* The example. */
Test(compute, hashes_passwords)
{
    static const char password[] = "correct horse";
    server = service_start(.more = TWO, .routes = LIBRARY_ROUTE("/hash", "hash", "hash", "method: $6$"));
    assert_status(call("/hash", ""), 400);
    struct response r = call("/hash", password);
    assert_status(r, 200);
    const char *hash = harness_text("%.*s", (int)r.body.n - 1, r.body.p); /* a line */
    cr_assert(str_starts(r.body, STR("$6$")) && strcmp(crypt(password, hash), hash) == 0, "%s", hash);
    assert_ends_well();
}

/* ---- a process that does not survive ---- */

/* Whoever runs next has a whole crew again, and the log names who is to blame. */
static void assert_refilled(const char *sums, const char *told)
{
    assert_told(sums);
    cr_assert(service_logged(told), "no `%s` in:\n%s", told, server_log(&server).p);
    assert_call("/run?job=echo", "hello", "hello");
    assert_ends_well();
}

Test(compute, one_that_crashes)
{
    server = service_start(.more = ONE, .routes = ROUTES);
    assert_call("/run?job=abort", "", "EPIPE\n");
    assert_refilled("1 process, 0 jobs, 1 restart", "was ended by signal 6 (Aborted) in job abort");
}

Test(compute, one_that_exits)
{
    server = service_start(.more = ONE, .routes = ROUTES);
    assert_call("/run?job=exit", "7", "EPIPE\n");
    assert_refilled("1 process, 0 jobs, 1 restart", "ended with status 7 in job exit");
}

Test(compute, one_that_is_late)
{
    server = service_start(.more = ONE, .routes = ROUTES);
    assert_call("/short?job=loop", "", "ETIMEDOUT\n");
    assert_refilled("1 process, 0 jobs, 1 restart", "job loop was not done by its deadline: compute process 0 [");
}

Test(compute, one_that_is_killed_at_work)
{
    pid_t pids[MOST];
    server = service_start(.more = ONE, .routes = ROUTES);
    struct client *c = hold("/run?job=hold");
    cr_assert(until(held() == 1));
    cr_assert_eq(list_processes(pids), 1);
    kill(pids[0], SIGKILL);
    assert_body(response_read(c), STR("EPIPE\n"));
    assert_refilled("1 process, 0 jobs, 1 restart", "was ended by signal 9 (Killed) in job hold");
}

Test(compute, one_that_is_killed_at_rest)
{
    pid_t pids[MOST];
    server = service_start(.more = ONE, .routes = ROUTES);
    cr_assert_eq(list_processes(pids), 1);
    kill(pids[0], SIGKILL);
    assert_refilled("1 process, 0 jobs, 1 restart", harness_text("[%d] was ended by signal 9 (Killed)\n", pids[0]));
}

/* However often: nobody is told to wait for a restart because of what jobs do. */
Test(compute, one_that_crashes_again_and_again)
{
    enum { TIMES = 30 };
    server = service_start(.workers = 1, .more = TWO, .routes = ROUTES);
    assert_call("/run?job=abort", "", "EPIPE\n");
    assert_told("2 processes, 0 jobs, 1 restart");
    pid_t worker = first_worker();
    size_t before = service_descriptors(worker), mine = service_descriptors(server.pid);
    for (int i = 0; i < TIMES; i++)
        assert_call(i % 2 ? "/run?job=abort" : "/run?job=echo", "", i % 2 ? "EPIPE\n" : "");
    assert_told(harness_text("2 processes, %d jobs, %d restarts", TIMES / 2, TIMES / 2 + 1));
    cr_assert_not(service_logged("keeps dying"), "%s", server_log(&server).p);
    cr_assert(until(service_descriptors(worker) <= before + 1), "descriptors are lost");
    cr_assert_eq(service_descriptors(server.pid), mine, "the master's descriptors are lost");
    assert_ends_well();
}

/* ---- who is served meanwhile ---- */

Test(compute, others_go_on_and_jobs_queue)
{
    enum { JOBS = 10 };
    pid_t pids[MOST];
    struct client *clients[JOBS];
    server = service_start(.workers = 1, .more = TWO, .routes = ROUTES);
    cr_assert_eq(list_processes(pids), PROCESSES);
    for (size_t i = 0; i < JOBS; i++)
        clients[i] = hold("/run?job=hold");
    cr_assert(until(held() == PROCESSES));
    assert_body(fetch(server.port, "/hello"), STR("hello"));
    assert_call("/short?job=echo", "hello", "ETIMEDOUT\n"); /* in the queue, which costs no process */
    cr_assert_eq(held(), PROCESSES, "more jobs run than there are processes");
    let_go();
    for (size_t i = 0; i < JOBS; i++) {
        pid_t pid = pid_in(response_read(clients[i]));
        cr_assert(pid == pids[0] || pid == pids[1], "process %d", pid);
    }
    assert_told("2 processes, 10 jobs, 0 restarts");
    assert_ends_well();
}

/* A job that hangs takes one process, and the other one serves. */
Test(compute, one_hangs_and_the_other_works)
{
    server = service_start(.more = TWO, .routes = ROUTES);
    struct client *c = hold("/run?job=hold");
    cr_assert(until(held() == 1));
    for (int i = 0; i < 20; i++)
        assert_call("/run?job=echo", "hello", "hello");
    let_go();
    assert_status(response_read(c), 200);
    assert_ends_well();
}

/* Through whichever worker. */
static bool both_workers_reach(pid_t process)
{
    pid_t pid = pid_in(call("/run?job=pid", ""));
    cr_assert_eq(pid, process, "process %d", pid);
    return !status_has("\"accepted\":0,");
}

Test(compute, workers_share_them)
{
    pid_t pids[MOST];
    server = service_start(.workers = 2, .more = ONE, .routes = ROUTES);
    cr_assert_eq(list_processes(pids), 1);
    cr_assert(until(both_workers_reach(pids[0])));
    assert_ends_well();
}

/* ---- the end of a generation ---- */

Test(compute, reload_lets_jobs_end)
{
    pid_t old[MOST], new[MOST];
    server = service_start(.more = TWO, .routes = ROUTES);
    cr_assert_eq(list_processes(old), PROCESSES);
    struct client *c = hold("/run?job=hold");
    cr_assert(until(held() == 1));
    service_write(.version = "2", .more = ONE, .routes = ROUTES);
    assert_ctl(0, "reload");
    cr_assert(service_serves(server.port, "2"));
    pid_t pid = pid_in(call("/run?job=pid", ""));
    cr_assert(pid != old[0] && pid != old[1], "a new worker has an old process");
    let_go();
    pid = pid_in(response_read(c));
    cr_assert(pid == old[0] || pid == old[1], "an old worker has a new process");
    client_close(c);
    cr_assert(until(are_gone(old, PROCESSES)), "the old generation does not end");
    cr_assert(until(list_processes(new) == 1));
    assert_ends_well();
}

/* The old generation's process is replaced even while it drains, for what still waits there. */
Test(compute, reload_lets_queued_jobs_end)
{
    pid_t old[MOST];
    server = service_start(.more = ONE, .routes = ROUTES);
    cr_assert_eq(list_processes(old), 1);
    struct client *first = hold("/run?job=hold"), *second;
    cr_assert(until(held() == 1));
    second = post("/run?job=echo", STR("hello"));
    service_write(.version = "2", .more = ONE, .routes = ROUTES);
    assert_ctl(0, "reload");
    kill(old[0], SIGKILL);
    assert_body(response_read(first), STR("EPIPE\n"));
    assert_body(response_read(second), STR("hello"));
    client_close(first);
    client_close(second);
    assert_ends_well();
}

Test(compute, stop_lets_jobs_end)
{
    pid_t pids[MOST];
    server = service_start(.more = TWO, .routes = ROUTES);
    size_t count = list_processes(pids);
    struct client *c = hold("/run?job=hold");
    cr_assert(until(held() == 1));
    server_terminate(&server);
    cr_assert(until(service_logged("stopping, ")));
    let_go();
    assert_status(response_read(c), 200);
    client_close(c);
    assert_exit(&server, 0);
    cr_assert(are_gone(pids, count), "a compute process is left");
}

/* The request is cancelled when the drain has lasted for long enough; its job ends with the worker. */
Test(compute, stop_cuts_jobs_at_last)
{
    pid_t pids[MOST];
    server = service_start(.more = TWO "timeouts: {shutdown: 200ms}\n", .routes = ROUTES);
    size_t count = list_processes(pids);
    struct client *c = hold("/run?job=hold");
    cr_assert(until(held() == 1));
    assert_stop(&server, SERVICE_CUT);
    cr_assert_neq(response_read(c).status, 200);
    cr_assert(are_gone(pids, count), "a compute process is left");
}

/* Nobody is there to kill them then: the one at rest ends with the last worker, the one at work by an alarm. */
Test(compute, they_do_not_outlive_their_master)
{
    pid_t pids[MOST];
    server = service_start(.more = TWO "timeouts: {shutdown: 1ms}\n", .routes = ROUTES);
    size_t count = list_processes(pids);
    post("/run?job=loop", STR(""));
    cr_assert(until(status_has("\"state\":\"busy\"")));
    kill(server.pid, SIGKILL);
    cr_assert(until(are_gone(pids, count)), "a compute process is left");
}
