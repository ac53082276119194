/* slow_test.c: how long a request may take, and the lines about those that took longer. */
#include "http/slow.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../conf/run.h"
#include "log/access_format.h"
#include "log/log.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* ---- as configured ---- */

static const char *const refused[] = {"on", "0", "0ms", "-1s", "1us", "2y", "soon", "", "[1s]", "{time: 1s}", "~"};

static const struct {
    const char *text;
    nsec slow;
} taken[] = {
    {"off", HTTP_SLOW_OFF}, {"1ms", NSEC_MS}, {"1s", NSEC_SEC}, {"2", 2 * NSEC_SEC}, {"1y", 365 * 86400 * NSEC_SEC}};

static int read_slow(const char *text, nsec *slow)
{
    static struct conf_run run;
    char yaml[64];
    snprintf(yaml, sizeof yaml, "slow: %s", text);
    conf_run_start(&run, str_of(yaml));
    cr_assert_eq(run.status, 0, "%s", yaml);
    int error = http_slow_read(&run.reader, conf_find(run.root, STR("slow")), slow);
    conf_run_end(&run);
    return error;
}

Test(slow, what_is_refused)
{
    for (size_t i = 0; i < COUNT(refused); i++) {
        nsec slow;
        cr_expect_lt(read_slow(refused[i], &slow), 0, "%s", refused[i]);
    }
}

Test(slow, what_is_taken)
{
    for (size_t i = 0; i < COUNT(taken); i++) {
        nsec slow = 0;
        cr_expect_eq(read_slow(taken[i].text, &slow), 0, "%s", taken[i].text);
        cr_expect_eq(slow, taken[i].slow, "%s: %lld", taken[i].text, (long long)slow);
    }
}

/* ---- in sites and routes ---- */

static const struct conf_table no_keys = {.what = "to"};
static const struct http_handler handler = {.name = STR_INIT("to"), .table = &no_keys, .size = 1};
static const struct http_handler *const handlers[] = {&handler, NULL};

static bool timed(const void *settings)
{
    return *(const bool *)settings;
}

static const struct conf_key policy_keys[] = {{.name = "watch", .kind = CONF_BOOL}};
static const struct conf_table policy_table = CONF_TABLE("watch", policy_keys);
static const struct http_policy policy = {.table = &policy_table, .size = sizeof(bool), .timed = timed};
static const struct http_policy *const policies[] = {&policy, NULL};

/* "slow" of every route there is, in seconds, with what the log says: 9. */
static const char *read_sites(const char *yaml, bool *any_timed)
{
    static struct conf_run run;
    static char found[64];
    struct http_sites sites = {.fallback = NULL};
    struct out o = out_on(found, sizeof found - 1);
    http_handlers = handlers;
    http_policies = policies;
    conf_run_start(&run, str_of(yaml));
    cr_assert_eq(http_sites_read(&run.reader, run.root, &sites), 0, "%s: %s", yaml, conf_run_errors(&run));
    *any_timed = http_sites_timed(&sites);
    http_slow_default(&sites, 9 * NSEC_SEC);
    cr_expect(http_sites_timed(&sites));
    for (const struct http_route *r = sites.routes; r; r = r->next)
        out_char(&o, r->slow == HTTP_SLOW_OFF ? '-' : (char)('0' + r->slow / NSEC_SEC));
    *o.at = '\0';
    conf_run_end(&run);
    return found;
}

/* Routes in the order of their index: of none, of the site, and its own. */
static const struct {
    const char *yaml, *slow;
    bool timed;
} sites_of[] = {
    {"- routes: [{path: /, to: {}}]", "999", false},
    {"- routes: [{path: /, to: {}, slow: off}]", "99-", false},
    {"- {slow: off, routes: [{path: /, to: {}}]}", "9--", false},
    {"- routes: [{path: /, to: {}, slow: 2s}]", "992", true},
    {"- {slow: 3s, routes: [{path: /, to: {}}, {path: /a, to: {}, slow: 2s}, {path: /b, to: {}, slow: off}]}", "9332-",
     true},
    {"- {slow: off, routes: [{path: /, to: {}}, {path: /a, to: {}, slow: 2s}]}", "9--2", true},
    {"- {watch: off, routes: [{path: /, to: {}}]}", "999", false},
    {"- {watch: on, routes: [{path: /, to: {}}]}", "999", true},
    {"- {watch: off, routes: [{path: /, to: {}, watch: on}]}", "999", true},
};

Test(slow, a_route_takes_what_its_site_says_and_a_site_what_the_log_says)
{
    for (size_t i = 0; i < COUNT(sites_of); i++) {
        bool any_timed;
        cr_expect_str_eq(read_sites(sites_of[i].yaml, &any_timed), sites_of[i].slow, "%s", sites_of[i].yaml);
        cr_expect_eq(any_timed, sites_of[i].timed, "%s", sites_of[i].yaml);
    }
}

/* ---- lines ---- */

static char path[] = "/tmp/tern-slow-XXXXXX", text[32768];

static void setup(void)
{
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    close(fd);
    cr_assert_eq(log_open(str_of(path), LOG_LEVEL_WARN), 0);
}

static void teardown(void)
{
    cr_assert_eq(log_open(STR("stderr"), LOG_LEVEL_NOTICE), 0);
    unlink(path);
}

TestSuite(slow_line, .init = setup, .fini = teardown);

static const char *logged(void)
{
    FILE *f = fopen(path, "r");
    cr_assert_not_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    return text;
}

static size_t lines(void)
{
    size_t count = 0;
    for (const char *p = logged(); *p; p++)
        count += *p == '\n';
    return count;
}

static const struct http_route route = {.label = {STR_INIT("module report"), STR_INIT("/report")}};
static const struct access_times times = {.total = 1204 * NSEC_MS,
                                          .queue = 4 * NSEC_MS / 10,
                                          .cpu = 31 * NSEC_MS / 10,
                                          .upstream = 1190 * NSEC_MS,
                                          .client = 101 * NSEC_MS / 10};

static void tell(const char *line, nsec end)
{
    const struct exchange x = {.request = {.line = str_of(line)},
                               .times = {.begun = end - times.total,
                                         .read = end - times.total,
                                         .handled = end - times.total + NSEC_MS / 10,
                                         .answered = end - 138 * NSEC_MS / 10},
                               .response = {.status = 200, .sent = 512}};
    http_slow_tell(&x, &route, &times, end);
}

static void expect_logged(const char *line)
{
    cr_expect_not_null(strstr(logged(), line), "no `%s` in: %s", line, text);
}

Test(slow_line, says_when_and_where)
{
    tell("GET /report?password=1 HTTP/1.1", 5 * NSEC_SEC);
    cr_expect_eq(lines(), 1);
    expect_logged(" warn ");
    expect_logged("slow: GET /report?... HTTP/1.1 (module report, route /report) took 1.204 s: head +0.0 ms, handler "
                  "+0.1 ms, answer +1190.2 ms, end +1204.0 ms; header 0.0, queue 0.4, cpu 3.1, pool 0.0, upstream "
                  "1190.0, client 10.1, other 0.4 ms; 200, 512 bytes\n");
}

/* A request that has met no route, and of which no head came. */
Test(slow_line, leaves_out_what_there_was_not)
{
    const struct http_route unmet = {.label = {STR_INIT("none"), STR_INIT("")}};
    const struct exchange x = {.times = {.begun = NSEC_SEC}};
    const struct access_times spent = {.total = 10 * NSEC_SEC, .header = 10 * NSEC_SEC};
    http_slow_tell(&x, &unmet, &spent, 11 * NSEC_SEC);
    expect_logged("slow:  (none) took 10.000 s: end +10000.0 ms; header 10000.0, queue 0.0, ");
    expect_logged("; 0, 0 bytes\n");
}

Test(slow_line, is_as_long_as_a_line_may_be)
{
    static char line[65536] = "GET /";
    memset(line + 5, 'a', sizeof line - 6);
    tell(line, 5 * NSEC_SEC);
    expect_logged("aaa (module report, route /report) took 1.204 s: ");
}

Test(slow_line, a_few_a_second)
{
    for (int i = 0; i < 25; i++)
        tell("GET / HTTP/1.1", 100 * NSEC_SEC + i * NSEC_MS);
    cr_expect_eq(lines(), 10);
    cr_expect_null(strstr(text, "not told of"));
    tell("GET / HTTP/1.1", 101 * NSEC_SEC);
    cr_expect_eq(lines(), 11);
    expect_logged("; 15 more were slow, and not told of\n");
    tell("GET / HTTP/1.1", 101 * NSEC_SEC);
    cr_expect_eq(lines(), 12);
    cr_expect_eq(strstr(strstr(text, "15 more") + 1, "more were slow"), strstr(text, "more were slow"), "told once");
}

Test(slow_line, none_below_the_threshold)
{
    log_threshold = LOG_LEVEL_ERROR;
    tell("GET / HTTP/1.1", 5 * NSEC_SEC);
    cr_expect_eq(lines(), 0);
}
