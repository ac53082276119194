/* server_timing_test.c: what is refused, and what a response says. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "../green/run.h"
#include "http/times.h"
#include "policy/registry.h"
#include "run.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

TestSuite(policy_server_timing, .init = run_begin, .fini = run_end);

static const struct {
    const char *yaml, *errors;
} rejects[] = {
    {"server_timing: 1", "t:1:16: error: server_timing: `1` is not on or off\n"},
    {"server_timing: total", "t:1:16: error: server_timing: `total` is not on or off\n"},
    {"server_timing:", "t:1:15: error: server_timing: has no value\n"},
    {"server_timing: {}", "t:1:16: error: server_timing: takes a single value, not a mapping\n"},
    {"server_timing: [on]", "t:1:16: error: server_timing: takes a single value, not a list\n"},
};

Test(policy_server_timing, rejects)
{
    for (size_t i = 0; i < COUNT(rejects); i++) {
        cr_expect_null(run_read(&policy_server_timing, rejects[i].yaml, NULL), "%s", rejects[i].yaml);
        cr_expect_str_eq(run_errors(), rejects[i].errors, "%s: %s", rejects[i].yaml, run_errors());
    }
}

Test(policy_server_timing, accounts_are_kept_for_who_says_it)
{
    cr_expect(policy_server_timing.timed(run_good(&policy_server_timing, "server_timing: on", NULL)));
    cr_expect_not(policy_server_timing.timed(run_good(&policy_server_timing, "server_timing: off", NULL)));
}

/* The fields of a head that had one. */
static const char *dressed(const char *yaml, struct http_times times)
{
    static char text[512];
    struct exchange x = {.times = times};
    struct http_head head = {200, STR("Server-Timing: mine\r\n"), 0};
    arena_init(&x.arena, NULL, 0);
    cr_assert_eq(policy_server_timing.dress(&x, run_good(&policy_server_timing, yaml, NULL), &head), 0);
    snprintf(text, sizeof text, STR_FMT, STR_ARG(head.fields));
    arena_clear(&x.arena);
    return text;
}

GreenTest(policy_server_timing, off_says_nothing, .accounts = true)
{
    cr_expect_str_eq(dressed("server_timing: off", (struct http_times){.begun = 1}), "Server-Timing: mine\r\n");
}

/* W3C Server Timing, 3: metrics apart by commas, each a name and its parameters. */
GreenTest(policy_server_timing, on_says_where_the_time_went, .accounts = true)
{
    struct green_spent now = green_spent();
    struct http_times times = {.begun = now.at - 3600 * NSEC_SEC, .read = now.at - 60 * NSEC_SEC, .before = now};
    times.before.upstream -= 20 * NSEC_SEC;
    times.before.client -= 30 * NSEC_SEC;
    const char *text = dressed("server_timing: on", times);
    double header, queue, cpu, pool, upstream, client, other, total;
    int n = 0;
    sscanf(text,
           "Server-Timing: mine\r\nServer-Timing: header;dur=%lf, queue;dur=%lf, cpu;dur=%lf, pool;dur=%lf, "
           "upstream;dur=%lf, client;dur=%lf, other;dur=%lf, total;dur=%lf\r\n%n",
           &header, &queue, &cpu, &pool, &upstream, &client, &other, &total, &n);
    cr_assert_eq((size_t)n, strlen(text), "%s", text);
    cr_expect_eq(header, 3540000);
    cr_expect_eq(queue, 0);
    cr_expect_lt(cpu, 20000);
    cr_expect_eq(pool, 0);
    cr_expect_eq(upstream, 20000);
    cr_expect_eq(client, 30000);
    cr_expect_geq(other, 9000, "of 60 s, 50 are in accounts");
    cr_expect_lt(other, 60000);
    cr_expect_geq(total, 3600000);
}
