/* A clock that is wrong, and one that stands still for everybody: timers go by neither. */
#include "harness.h"
#include "harness_faults.h"
#include "harness_file.h"
#include "harness_response.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

TestSuite(fault_clock, .init = harness_begin, .fini = harness_end);

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define HOST "Host: localhost\r\n"
#define HELLO "GET /hello HTTP/1.1\r\n" HOST "\r\n"
#define CONFIG                                                                                                         \
    "listen: 127.0.0.1:@PORT@\n"                                                                                       \
    "workers: 1\n"                                                                                                     \
    "log: {access: @DIR@/access.log}\n"                                                                                \
    "sites: [{routes: [{exact: /hello, respond: {type: text/plain, body: hello}},\n"                                   \
    "                  {path: /, files: {root: @DIR@/www, cache: 1ms}, expires: {\"*\": 1d}}]}]\n"

enum { HOUR = 3600, DAY = 24 * HOUR, YEAR = 365 * DAY };

/* The times at which the clock is put, beside those relative to now. */
enum { YEAR_1999 = 946684790, YEAR_2038 = 2147483640 };

static time_t date_of(const struct response *r)
{
    struct str date = response_field(r, "Date");
    struct tm tm = {0};
    const char *text = harness_text(STR_FMT, STR_ARG(date)), *end = strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm);
    cr_assert(end && *end == '\0' && date.n == 29, "this is no date: %s", text);
    return timegm(&tm);
}

static bool is_right(const struct response *r, int64_t shift)
{
    int64_t expected = (int64_t)time(NULL) + shift, date = date_of(r);
    return date >= expected - 1 && date <= expected + 1;
}

static bool tells(struct client *c, const char *target, int64_t shift)
{
    struct response r = get(c, target);
    assert_status(r, 200);
    return is_right(&r, shift);
}

/* Connections outlive any jump, files are served, and a date is right as soon as the clock is wrong. */
static void jump(const struct server *server, int64_t shift)
{
    struct client *c = client_open(server->port), *begun = client_open(server->port);
    client_printf(begun, "GET /hello HTTP/1.1\r\nHo");
    assert_status(get(c, "/hello"), 200);
    faults_shift_clock(shift);
    cr_assert(until(tells(c, "/hello", shift)), "the date stays wrong after %lld s", (long long)shift);
    file_replace("www/file", STR("new"));
    cr_assert(until(str_eq(get(c, "/file").body, STR("new"))), "an old file is served after %lld s", (long long)shift);
    cr_assert(tells(c, "/file", shift));
    assert_status(ask(begun, "st: localhost\r\n\r\n"), 200);
    cr_assert_not(faults_spins(), "it spins after %lld s", (long long)shift);
    file_replace("www/file", STR("old"));
}

Test(fault_clock, jumps)
{
    int64_t now = (int64_t)time(NULL);
    const int64_t shifts[] = {
        HOUR, -HOUR, 10LL * YEAR, -10LL * YEAR, YEAR_1999 - now, -9 - now, YEAR_2038 - now, 150LL * YEAR, 0};
    file_write("www/file", STR("old"));
    struct server server = faults_start(CONFIG);
    for (size_t i = 0; i < COUNT(shifts); i++)
        jump(&server, shifts[i]);
    assert_stop(&server, 0);
}

/* A request that never ends has its time, and no other, whatever the clock says meanwhile. */
Test(fault_clock, deadlines_stay_where_they_are)
{
    static const int64_t shifts[] = {10LL * YEAR, -10LL * YEAR};
    struct server server = faults_start("timeouts: {header: 500ms, idle: 500ms}\n" CONFIG);
    for (size_t i = 0; i < COUNT(shifts); i++) {
        struct client *idle = client_open(server.port), *begun = client_open(server.port);
        assert_status(get(idle, "/hello"), 200);
        client_printf(begun, "GET /hello HTTP/1.1\r\nHo");
        faults_shift_clock(shifts[i]);
        assert_status(response_read(begun), 408);
        cr_assert(client_ends(idle));
        client_close(begun);
    }
    assert_stop(&server, 0);
}

/* ---- everything stands still ---- */

static void signal_all(const struct server *server, pid_t worker, int number)
{
    kill(server->pid, number);
    kill(worker, number);
}

/* What expires meanwhile expires once; what was sent meanwhile is served. */
Test(fault_clock, a_pause_of_all_processes)
{
    enum { IDLE = 50, BEGUN = 20, QUEUED = 20, PAUSE_USEC = 1500 * 1000 };
    struct client *idle[IDLE], *begun[BEGUN], *queued[QUEUED];
    struct server server = faults_start("timeouts: {header: 1s, idle: 1s}\n" CONFIG);
    pid_t worker = faults_follow(&server);
    for (int i = 0; i < IDLE; i++) {
        idle[i] = client_open(server.port);
        assert_status(get(idle[i], "/hello"), 200);
    }
    for (int i = 0; i < BEGUN; i++) {
        begun[i] = client_open(server.port);
        client_printf(begun[i], HELLO "GET /hello HTTP/1.1\r\nHo");
        assert_status(response_read(begun[i]), 200);
    }
    signal_all(&server, worker, SIGSTOP);
    for (int i = 0; i < QUEUED; i++) {
        queued[i] = client_open(server.port);
        client_printf(queued[i], HELLO);
    }
    usleep(PAUSE_USEC);
    signal_all(&server, worker, SIGCONT);
    for (int i = 0; i < QUEUED; i++)
        assert_status(response_read(queued[i]), 200);
    for (int i = 0; i < IDLE; i++)
        cr_assert(client_ends(idle[i]) && !idle[i]->reset);
    for (int i = 0; i < BEGUN; i++) {
        assert_status(response_read(begun[i]), 408);
        cr_assert(client_ends(begun[i]), "told twice");
        client_close(begun[i]);
    }
    assert_status(fetch(server.port, "/hello"), 200);
    cr_assert_not(faults_spins());
    cr_assert_eq(faults_follow(&server), worker, "the worker was replaced");
    assert_stop(&server, 0);
}
