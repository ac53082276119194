/* Green threads, seen and cancelled from outside: what each waits for, whose it is, and what is left when it has gone.
 * */
#include "ctl/answer.h"
#include "harness.h"
#include "harness_file.h"
#include "module_service.h"
#include "service.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum { REFUSED = 4, USAGE = 2, MANY = 10000 };

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define MORE MODULES "log: {access: {path: @DIR@/access.log, flush: 100ms, format: '%r: %E; %{cpu}D'}}\n"

static struct server server;

static void begin(void)
{
    harness_begin();
    module_install("parked");
    module_install("stall");
}

TestSuite(threads, .init = begin, .fini = harness_end);

static void start(unsigned workers)
{
    server = service_start(.workers = workers, .more = MORE,
                           .routes = MODULE_ROUTE("/p/", "parked.so", "parked", "")
                               MODULE_ROUTE("/other/", "parked.so", "parked", ""));
}

/* ---- what ternctl says ---- */

static struct answer *list_with(const char *const *words)
{
    const char *arguments[8] = {"--json", "threads"};
    for (size_t i = 0; words[i]; i++)
        arguments[i + 2] = words[i];
    struct result r = service_ctl(arguments);
    cr_assert_eq(r.status, 0, "%s%s", r.out.p, r.err.p);
    struct answer *answer = answer_read((struct str){r.out.p, r.out.n - 1});
    cr_assert_not_null(answer, "%s", r.out.p);
    return answer;
}

#define list(...) list_with((const char *const[]){__VA_ARGS__, NULL})

/* How many there are now. */
static size_t count_with(const char *const *words)
{
    struct answer *answer = list_with(words);
    size_t count = answer_count(answer, "threads");
    answer_free(answer);
    return count;
}

#define count(...) count_with((const char *const[]){__VA_ARGS__, NULL})

/* The id of the only thread that waits so for this path. */
static const char *id_of(const char *wait, const char *path)
{
    const char *id = NULL;
    struct answer *answer = list(harness_text("wait=%s", wait), "handler=parked");
    for (size_t i = 0; i < answer_count(answer, "threads"); i++) {
        const struct answer *thread = answer_item(answer, "threads", i);
        if (!str_starts(answer_text(thread, "request"), str_of(harness_text("GET %s", path))))
            continue;
        cr_assert_null(id, "two wait in %s", path);
        id = harness_text(STR_FMT, STR_ARG(answer_text(thread, "id")));
    }
    answer_free(answer);
    return id;
}

#define assert_parked(wait, path)                                                                                      \
    ({                                                                                                                 \
        const char *parked = NULL;                                                                                     \
        cr_assert(until((parked = id_of(wait, path))), "nothing waits for a %s in %s", wait, path);                    \
        parked;                                                                                                        \
    })

/* ---- lists ---- */

static const struct {
    const char *wait, *path;
} waits[] = {{"timer", "/p/timer"}, {"descriptor", "/p/descriptor"}, {"channel", "/p/channel"},
             {"pool", "/p/pool"},   {"thread", "/p/thread"},         {"lock", "/p/lock"}};

/* One of each; before what waits for the lock comes what has it. */
static struct call park(enum carrier carrier, size_t i)
{
    if (strcmp(waits[i].wait, "lock") == 0) {
        call_begin(carrier, .path = "/p/lock");
        assert_parked("timer", "/p/lock");
    }
    struct call call = call_begin(carrier, .path = harness_text("%s?key=secret%zu", waits[i].path, i));
    assert_parked(waits[i].wait, harness_text("%s?... HTTP", waits[i].path));
    return call;
}

Test(threads, filters_that_make_no_sense_are_refused_here_and_there)
{
    start(1);
    struct str told;
    assert_ctl_tells(&told, USAGE, "threads", "state=parked");
    cr_expect(strstr(told.p, "ready, waiting, running"), "%s", told.p);
    assert_ctl(USAGE, "threads", "all");
    assert_ctl_tells(&told, USAGE, "stack", "52");
    cr_expect(strstr(told.p, "(ternctl stack --help tells how it is used)"), "%s", told.p);
    assert_ctl(USAGE, "stack");
    assert_ctl(USAGE, "kill", "52");
    struct client *c = client_open_unix(service_control());
    client_printf(c, "threads limit=0\n");
    struct str line = client_take_through(c, STR("\n"));
    cr_expect(str_starts(line, STR("{\"ok\":false,\"code\":\"usage\",")), STR_FMT, STR_ARG(line));
    client_close(c);
    assert_stop(&server, 0);
}

Test(threads, each_is_listed_with_what_it_waits_for)
{
    for (enum carrier carrier = HTTP_1_1; carrier <= HTTP_2; carrier++) {
        start(1);
        for (size_t i = 0; i < COUNT(waits); i++)
            park(carrier, i);
        struct str told;
        assert_ctl_tells(&told, 0, "threads", "state=waiting", "handler=parked");
        cr_expect(strstr(told.p, "WAITS-FOR"), "%s", told.p);
        cr_expect(!strstr(told.p, "secret"), "the query of a request is shown: %s", told.p);
        cr_expect_eq(count("handler=module parked", "wait=lock"), 1, "as the list has it");
        struct answer *answer = list("route=/p/", "wait=descriptor");
        const struct answer *thread = answer_item(answer, "threads", 0);
        cr_assert_eq(answer_count(answer, "threads"), 1);
        cr_expect(str_eq(answer_text(thread, "handler"), STR("module parked")));
        cr_expect(str_eq(answer_text(thread, "state"), STR("waiting")));
        cr_expect(answer_u64(thread, "fd") > 0 && answer_u64(thread, "stack") > 0);
        cr_expect_geq(answer_u64(thread, "high_water"), answer_u64(thread, "stack"));
        cr_expect(answer_knows(thread, "since_ms") && answer_knows(thread, "cpu_us"), "no accounts are kept");
        answer_free(answer);
        kill(server.pid, SIGKILL);
        server_wait(&server);
    }
}

/* Content that does not come: over HTTP/1 the thread has the connection, over HTTP/2 another one has. */
Test(threads, a_client_is_named)
{
    start(1);
    struct client *c = client_open(server.port);
    client_printf(c, "GET /p/client HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n");
    assert_parked("client", "/p/client");
    struct answer *answer = list("wait=client", "handler=parked");
    struct str peer = answer_text(answer_item(answer, "threads", 0), "peer");
    cr_expect(str_starts(peer, STR("127.0.0.1:")), STR_FMT, STR_ARG(peer));
    answer_free(answer);
    client_close(c);
    struct h2c *h = h2c_open(server.port);
    h2c_request(h, ":method: GET\n:scheme: http\n:path: /p/client\n:authority: x\n", false);
    assert_parked("window", "/p/client");
    h2c_close(h);
    cr_assert(until(count("handler=parked") == 0), "handlers have outlived their clients");
    assert_stop(&server, 0);
}

Test(threads, filters_pick)
{
    start(1);
    call_begin(HTTP_1_1, .path = "/p/timer");
    call_begin(HTTP_1_1, .path = "/other/timer");
    call_begin(HTTP_1_1, .path = "/other/pool");
    cr_assert(until(count("handler=parked") == 3));
    cr_expect_eq(count("handler=parked", "wait=timer"), 2);
    cr_expect_eq(count("route=/other/"), 2);
    cr_expect_eq(count("route=/other/", "wait=pool"), 1);
    cr_expect_eq(count("route=/nowhere/"), 0);
    cr_expect_eq(count("handler=parked", "limit=2"), 2);
    cr_expect_eq(count("handler=parked", "state=running"), 0);
    cr_expect_eq(count("state=running"), 1, "not the one that looks alone");
    cr_expect_eq(count("handler=parked", "age=1h"), 0);
    cr_expect_eq(count("handler=parked", "age=0s"), 3);
    struct answer *all = list("limit=1");
    cr_expect_gt(answer_u64(all, "total"), 3);
    cr_expect(str_eq(answer_text(answer_item(all, "threads", 0), "name"), STR("main")), "the oldest is another");
    answer_free(all);
    kill(server.pid, SIGKILL);
}

/* With two workers, of which one stands still, the other one is told all the same. */
Test(threads, a_worker_that_hangs_is_named_and_the_other_listed)
{
    pid_t workers[2];
    start(2);
    server_workers(&server, workers, 2);
    struct answer *answer = list("limit=1000");
    cr_expect_eq(answer_count(answer, "silent"), 0);
    answer_free(answer);
    size_t all = count("limit=1000");
    kill(workers[0], SIGSTOP);
    answer = list("limit=1000");
    const struct answer *silent = answer_item(answer, "silent", 0);
    cr_assert_eq(answer_count(answer, "silent"), 1);
    cr_expect_eq(answer_u64(silent, "pid"), (uint64_t)workers[0]);
    cr_expect_eq(answer_count(answer, "threads"), all / 2);
    for (size_t i = 0; i < answer_count(answer, "threads"); i++) {
        struct str id = answer_text(answer_item(answer, "threads", i), "id");
        cr_expect(str_starts(id, str_of(harness_text("%d.", workers[1]))), STR_FMT, STR_ARG(id));
    }
    answer_free(answer);
    struct str told;
    assert_ctl_tells(&told, REFUSED, "stack", harness_text("%d.1", workers[0]));
    cr_expect(strstr(told.p, "does not answer"), "%s", told.p);
    kill(workers[0], SIGCONT);
    cr_expect(until(count("limit=1000") == all), "it is not listed when it goes on");
    assert_stop(&server, 0);
}

/* What was refused is not done later. */
Test(threads, nothing_is_killed_by_a_worker_that_did_not_answer)
{
    pid_t worker;
    struct str told;
    start(1);
    server_workers(&server, &worker, 1);
    struct call call = call_begin(HTTP_1_1, .path = "/p/timer");
    const char *id = assert_parked("timer", "/p/timer");
    kill(worker, SIGSTOP);
    assert_ctl_tells(&told, REFUSED, "kill", id);
    kill(worker, SIGCONT);
    struct answer *answer = list("handler=parked");
    cr_assert_eq(answer_count(answer, "threads"), 1);
    cr_expect(!answer_bool(answer_item(answer, "threads", 0), "cancelled"));
    answer_free(answer);
    assert_ctl(0, "kill", id);
    call_answer(&call);
    assert_stop(&server, 0);
}

Test(threads, ten_thousand)
{
    start(1);
    call_begin(HTTP_1_1, .path = harness_text("/p/many?count=%d", MANY));
    cr_assert(until(count("wait=timer", "route=/p/") == MANY), "%zu", count("route=/p/"));
    struct answer *answer = list("wait=timer", "route=/p/");
    cr_expect_geq(answer_u64(answer, "total"), MANY);
    uint64_t last = 0, wrong = 0;
    for (size_t i = 0; i < MANY; i++) {
        struct str number = answer_text(answer_item(answer, "threads", i), "id");
        uint64_t value = 0;
        str_cut(&number, '.');
        wrong += str_to_u64(number, &value) < 0 || value <= last;
        last = value;
    }
    cr_expect_eq(wrong, 0, "%llu are not in their order, or there twice", (unsigned long long)wrong);
    answer_free(answer);
    cr_expect_eq(fetch(server.port, "/p/pass").status, 200);
    kill(server.pid, SIGKILL);
}

/* ---- stacks ---- */

Test(threads, the_functions_that_one_is_in)
{
    start(1);
    call_begin(HTTP_1_1, .path = "/p/descriptor?key=secret");
    struct str told;
    assert_ctl_tells(&told, 0, "stack", assert_parked("descriptor", "/p/descriptor"));
    cr_expect(strstr(told.p, "GET /p/descriptor?... HTTP/1.1 (module parked, route /p/) is waiting for: descriptor"),
              "%s", told.p);
    cr_expect(strstr(told.p, "wait_in_descriptor"), "%s", told.p);
    cr_expect(strstr(told.p, "parked.so"), "%s", told.p);
    kill(server.pid, SIGKILL);
}

/* ---- the end of one ---- */

static size_t logged(const char *line)
{
    size_t found = 0;
    struct str log = file_read("access.log");
    while (log.n) {
        struct str each = str_cut(&log, '\n');
        found += str_starts(each, str_of(line));
    }
    return found;
}

/* What `kill` has told, as the log has it. */
static const char *told_name(struct str told)
{
    struct str name = str_skip(told, sizeof "cancelled " - 1);
    name.n -= str_ends(name, STR("\n"));
    return harness_text("green thread " STR_FMT ",", STR_ARG(name));
}

/* Of one that waits for a job the end may take a while. */
static void expect_cancelled(const char *id)
{
    struct str told;
    cr_expect_eq(count("state=waiting", "wait=pool", "handler=parked"), 1);
    assert_ctl_tells(&told, 0, "threads", "state=cancelled", "wait=pool");
    cr_expect(strstr(told.p, harness_text("%s  cancelled  pool", id)), "%s", told.p);
    assert_ctl_tells(&told, 0, "kill", id);
    cr_expect(str_starts(told, str_of(id)) && str_ends(told, STR(" was cancelled already\n")), "%s", told.p);
}

Test(threads, who_is_killed_is_cut_and_the_log_says_why)
{
    for (enum carrier carrier = HTTP_1_1; carrier <= HTTP_2; carrier++) {
        start(1);
        for (size_t i = 0; i < COUNT(waits); i++) {
            const char *path = harness_text("%s?... HTTP", waits[i].path);
            struct call call = park(carrier, i);
            struct str told;
            const char *id = id_of(waits[i].wait, path);
            assert_ctl_tells(&told, 0, "kill", id);
            cr_expect(str_starts(told, STR("cancelled ")), "%s", told.p);
            cr_expect(service_logged(harness_text("%s is cancelled by ternctl kill", told_name(told))), "%s: %s",
                      told.p, server_log(&server).p);
            if (strcmp(waits[i].wait, "pool") == 0) {
                expect_cancelled(id);
                assert_status(fetch(server.port, "/p/release"), 200);
            }
            struct response r = call_answer(&call);
            cr_expect(call_is_cut(&call, &r), "%s, %s: an answer", carrier_name(carrier), path);
            cr_expect(until(id_of(waits[i].wait, path) == NULL), "%s is still there", path);
            const char *line = harness_text("GET %s?key=secret%zu %s: cancelled by ternctl kill;", waits[i].path, i,
                                            carrier == HTTP_2 ? "HTTP/2.0" : "HTTP/1.1");
            cr_expect(until(logged(line) == 1), "no line %s: %s", line, file_read("access.log").p);
            call_leave(&call);
        }
        cr_expect_eq(count("wait=timer", "route=/p/"), 1, "others have gone with them");
        assert_status(fetch(server.port, "/p/pass"), 200);
        kill(server.pid, SIGKILL);
        server_wait(&server);
    }
}

/* Of HTTP/2 that is a thread of its own, and its streams are others. */
Test(threads, the_connection_of_streams_can_be_killed_too)
{
    start(1);
    struct call call = call_begin(HTTP_2, .path = "/p/timer"),
                other = call_along(&call, &(struct request){.path = "/p/pool"});
    assert_parked("timer", "/p/timer");
    assert_parked("pool", "/p/pool");
    struct answer *answer = list("wait=client");
    cr_assert_eq(answer_count(answer, "threads"), 1);
    assert_ctl(0, "kill", harness_text(STR_FMT, STR_ARG(answer_text(answer_item(answer, "threads", 0), "id"))));
    answer_free(answer);
    cr_expect(until(logged("GET /p/timer HTTP/2.0: cancelled by ternctl kill;") == 1), "%s", file_read("access.log").p);
    assert_status(fetch(server.port, "/p/release"), 200);
    cr_expect(until(logged("GET /p/pool HTTP/2.0: cancelled by ternctl kill;") == 1), "%s", file_read("access.log").p);
    struct response r = call_answer(&call), of_other = call_answer(&other);
    cr_expect(r.status == 0 && of_other.status == 0, "%d, %d", r.status, of_other.status);
    cr_expect(until(count("handler=parked") == 0));
    assert_stop(&server, 0);
}

/* What comes of it is the handler's affair, which here fails by the error that its child has ended with. */
Test(threads, a_child_that_is_killed_is_no_more_than_that)
{
    start(1);
    struct call call = call_begin(HTTP_1_1, .path = "/p/thread");
    assert_parked("thread", "/p/thread");
    assert_ctl(0, "kill", assert_parked("timer", "/p/thread"));
    struct response r = call_answer(&call);
    assert_status(r, 500);
    cr_expect(service_logged("parked: it returned -ECANCELED"), "%s", server_log(&server).p);
    assert_stop(&server, 0);
}

Test(threads, what_is_the_servers_own_is_left_alone)
{
    static const char *const names[] = {"main", "master", "accept"};
    start(1);
    struct answer *answer = list("limit=100");
    size_t refused = 0;
    for (size_t i = 0; i < answer_count(answer, "threads"); i++)
        for (size_t k = 0; k < COUNT(names); k++) {
            const struct answer *thread = answer_item(answer, "threads", i);
            struct str told;
            if (!str_eq(answer_text(thread, "name"), str_of(names[k])))
                continue;
            assert_ctl_tells(&told, REFUSED, "kill", harness_text(STR_FMT, STR_ARG(answer_text(thread, "id"))));
            cr_expect(strstr(told.p, "is the server's own"), "%s", told.p);
            refused++;
        }
    cr_expect_geq(refused, COUNT(names));
    answer_free(answer);
    pid_t worker;
    struct str told;
    server_workers(&server, &worker, 1);
    assert_ctl_tells(&told, REFUSED, "kill", harness_text("%d.999999", worker));
    cr_expect(strstr(told.p, "lives no more"), "%s", told.p);
    assert_ctl_tells(&told, REFUSED, "kill", harness_text("%d.1", server.pid));
    cr_expect(strstr(told.p, ": no worker has that process id"), "%s", told.p);
    assert_status(fetch(server.port, "/p/pass"), 200);
    assert_stop(&server, 0);
}

/* ---- what is left ---- */

Test(threads, what_keeps_an_old_generation_is_named_and_can_be_ended)
{
    struct str told;
    start(1);
    assert_ctl_tells(&told, 0, "drain", "show");
    cr_expect(str_eq(told, STR("nothing drains\n")), "%s", told.p);
    struct call call = call_begin(HTTP_1_1, .path = "/p/timer?key=secret");
    const char *id = assert_parked("timer", "/p/timer");
    assert_ctl(0, "reload");
    assert_ctl_tells(&told, 0, "status");
    cr_expect(strstr(told.p, "ternctl drain show"), "%s", told.p);
    assert_ctl_tells(&told, 0, "drain", "show");
    cr_expect(str_starts(told, STR("generation 1 drains: 1 worker, 1 connection, 1 request\n")), "%s", told.p);
    cr_expect(strstr(told.p, id) && strstr(told.p, "GET /p/timer?... HTTP/1.1"), "%s", told.p);
    assert_ctl(0, "kill", id);
    call_answer(&call);
    cr_expect(
        until((service_ctl((const char *const[]){"drain", "show", NULL}).out.n == sizeof("nothing drains\n") - 1)),
        "generation 1 is still there");
    assert_stop(&server, 0);
}

Test(threads, a_drain_says_what_it_waits_for)
{
    struct str told;
    start(2);
    for (int i = 0; i < 3; i++)
        call_begin(HTTP_1_1, .path = "/p/timer");
    cr_assert(until(count("wait=timer", "handler=parked") == 3));
    assert_ctl_tells(&told, 0, "--json", "drain");
    struct answer *answer = answer_read((struct str){told.p, told.n - 1});
    cr_assert_not_null(answer);
    const struct answer *left = answer_item(answer, "left", 0);
    cr_expect_eq(answer_count(answer, "left"), 1);
    cr_expect_eq(answer_u64(left, "requests"), 3);
    cr_assert_eq(answer_count(left, "threads"), 3);
    cr_expect_gt(answer_u64(answer, "deadline_s"), 0);
    for (size_t i = 0; i < 3; i++)
        assert_ctl(0, "kill", harness_text(STR_FMT, STR_ARG(answer_text(answer_item(left, "threads", i), "id"))));
    answer_free(answer);
    assert_exit(&server, 0);
}

/* It has more stacks than are looked at in one go, and ends before all of them have been. */
Test(threads, a_worker_that_ends_while_it_is_asked_is_not_silent)
{
    struct str told;
    start(1);
    struct call call = call_begin(HTTP_1_1, .path = "/p/many?count=1000");
    cr_assert(until(count("wait=timer", "route=/p/") == 1000));
    assert_ctl(0, "kill", assert_parked("thread", "/p/many"));
    call_answer(&call);
    cr_assert(until(count("route=/p/") == 0));
    assert_ctl_tells(&told, 0, "drain");
    cr_expect(!strstr(told.p, "has not answered"), "%s", told.p);
    assert_exit(&server, 0);
}

/* ---- stalls ---- */

Test(threads, stalls_are_kept_and_told)
{
    struct str told;
    server = service_start(.workers = 1, .more = MORE "timeouts: {stall: 100ms}\n",
                           .routes = MODULE_ROUTE("/stall/", "stall.so", "stall", "time: 400ms"));
    assert_ctl_tells(&told, 0, "stalls");
    cr_expect(str_eq(told, STR("no green thread has stalled\n")), "%s", told.p);
    assert_status(fetch(server.port, "/stall/compute?key=secret"), 200);
    static const char *const parts[] = {"worker 0, thread ", "CPU", "GET /stall/compute?... HTTP/1.1", "module stall",
                                        "compute_on"};
    for (size_t i = 0; i < COUNT(parts); i++) {
        const char *part = parts[i];
        cr_expect(until((told = service_ctl((const char *const[]){"stalls", NULL}).out, strstr(told.p, part))),
                  "no %s: %s", part, told.p);
    }
    assert_stop(&server, 0);
}
