/* limit_test.c: limits that are refused, who counts as one, and what is answered beyond. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policy/registry.h"
#include "run.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

TestSuite(limit, .init = run_begin, .fini = run_end);

struct reject {
    const char *yaml, *errors;
};

#define TAKES "takes `off`, or a mapping such as {requests: 100/s}\n"
#define REQUESTS "how many are answered in a second, minute or hour: 100/s, 600/m, 1000/h\n"

static const struct reject rejects[] = {
    {"limit: on", "t:1:8: error: limit: " TAKES},
    {"limit: 100/s", "t:1:8: error: limit: " TAKES},
    {"limit: [1/s]", "t:1:8: error: limit: " TAKES},
    {"limit:", "t:1:7: error: limit: has no value\n"},
    {"limit: {}", "t:1:8: error: limit: lacks `requests`: " REQUESTS},
    {"limit: {burst: 5}", "t:1:8: error: limit: lacks `requests`: " REQUESTS},
    {"limit: {requests: 100}", "t:1:19: error: limit.requests: `100` is not a rate; write 100/s, 600/m or 1000/h\n"},
    {"limit: {requests: /s}", "t:1:19: error: limit.requests: `/s` is not a rate; write 100/s, 600/m or 1000/h\n"},
    {"limit: {requests: 1/d}", "t:1:19: error: limit.requests: `1/d` is not a rate; write 100/s, 600/m or 1000/h\n"},
    {"limit: {requests: 1.5/s}",
     "t:1:19: error: limit.requests: `1.5/s` is not a rate; write 100/s, 600/m or 1000/h\n"},
    {"limit: {requests: 1 /s}", "t:1:19: error: limit.requests: `1 /s` is not a rate; write 100/s, 600/m or 1000/h\n"},
    {"limit: {requests: -1/s}", "t:1:19: error: limit.requests: `-1/s` is not a rate; write 100/s, 600/m or 1000/h\n"},
    {"limit: {requests: 1k/s}", "t:1:19: error: limit.requests: `1k/s` is not a rate; write 100/s, 600/m or 1000/h\n"},
    {"limit: {requests: 0/s}", "t:1:19: error: limit.requests: `0/s` is out of range (1 to 1000000)\n"},
    {"limit: {requests: 1000001/h}", "t:1:19: error: limit.requests: `1000001/h` is out of range (1 to 1000000)\n"},
    {"limit: {requests: 99999999999999999999/s}",
     "t:1:19: error: limit.requests: `99999999999999999999/s` is out of range (1 to 1000000)\n"},
    {"limit: {requests: [1/s]}", "t:1:19: error: limit.requests: takes a single value, not a list\n"},
    {"limit: {requests: 1/s, burst: 0}", "t:1:31: error: limit.burst: 0 is out of range (1 to 1000000)\n"},
    {"limit: {requests: 1/s, burst: 1000001}", "t:1:31: error: limit.burst: 1000001 is out of range (1 to 1000000)\n"},
    {"limit: {requests: 1/s, by: user}", "t:1:28: error: limit.by: `user` is not one of client, server\n"},
    {"limit: {request: 1/s}", "t:1:8: error: limit: lacks `requests`: " REQUESTS
                              "t:1:9: error: limit.request: unknown key in limit; did you mean `requests`?\n"},
};

Test(limit, rejects)
{
    for (size_t i = 0; i < COUNT(rejects); i++) {
        cr_expect_null(run_read(&policy_limit, rejects[i].yaml, NULL), "%s", rejects[i].yaml);
        cr_expect_str_eq(run_errors(), rejects[i].errors);
    }
}

/* How many of `most` requests are let in. */
static int admitted(const void *settings, const char *address, int most)
{
    int count = 0;
    for (int i = 0; i < most; i++)
        count += run_ask(&policy_limit, settings, address, NULL).status == 0;
    return count;
}

/* Rates of one an hour or less: none of it comes back while a test runs. */
Test(limit, what_is_beyond_is_refused)
{
    const void *settings = run_good(&policy_limit, "limit: {requests: 1/h, burst: 5}", NULL);
    cr_expect_eq(admitted(settings, "192.0.2.1", 20), 5);
    struct run_answer answer = run_ask(&policy_limit, settings, "192.0.2.1", NULL);
    int seconds = 0, end = 0;
    cr_expect_eq(answer.error, 0);
    cr_expect_eq(answer.status, 429);
    cr_expect_eq(sscanf(answer.fields, "Retry-After: %d\r\n%n", &seconds, &end), 1, "%s", answer.fields);
    cr_expect(end > 0 && seconds > 3000 && seconds <= 3600, "%s", answer.fields);
}

Test(limit, a_client_never_has_to_wait_for_less_than_a_second)
{
    const void *settings = run_good(&policy_limit, "limit: {requests: 100/s, burst: 1}", NULL);
    struct run_answer answer = {0};
    while (answer.status == 0)
        answer = run_ask(&policy_limit, settings, "192.0.2.1", NULL);
    cr_expect_eq(answer.status, 429);
    cr_expect(str_starts(str_of(answer.fields), STR("Retry-After: 1\r\n")), "%s", answer.fields);
}

Test(limit, off)
{
    const void *settings = run_good(&policy_limit, "limit: off", NULL);
    cr_expect_eq(admitted(settings, "192.0.2.1", 1000), 1000);
}

Test(limit, a_burst_is_as_large_as_the_number_of_requests)
{
    cr_expect_eq(admitted(run_good(&policy_limit, "limit: {requests: 30/h}", NULL), "192.0.2.1", 50), 30);
    cr_expect_eq(admitted(run_good(&policy_limit, "limit: {requests: 3/h, burst: 7}", NULL), "192.0.2.1", 50), 7);
}

struct group {
    const char *one, *other;
    bool same; /* both count as one */
};

static const struct group groups[] = {
    {"192.0.2.1", "192.0.2.2", false},
    {"192.0.2.1", "unix", false},
    {"192.0.2.1", "::ffff:192.0.2.1", true},
    {"192.0.2.1", "::192.0.2.1", false},
    {"2001:db8::1", "2001:db8::2", true},
    {"2001:db8::1", "2001:db8:0:0:ffff:ffff:ffff:ffff", true},
    {"2001:db8::1", "2001:db8:0:1::1", false},
    {"::1", "unix", false},
    {"::1", "0.0.0.0", false},
    {"0:ffff:c000:201::", "192.0.2.1", false},
    {"unix", "unix", true},
};

Test(limit, who_counts_as_one)
{
    for (size_t i = 0; i < COUNT(groups); i++) {
        const struct group *g = &groups[i];
        const void *settings = run_good(&policy_limit, "limit: {requests: 1/h, burst: 3}", NULL);
        cr_expect_eq(admitted(settings, g->one, 10), 3);
        cr_expect_eq(admitted(settings, g->other, 10), g->same ? 0 : 3, "%s and %s", g->one, g->other);
    }
}

Test(limit, all_together)
{
    const void *settings = run_good(&policy_limit, "limit: {requests: 1/h, burst: 3, by: server}", NULL);
    cr_expect_eq(admitted(settings, "192.0.2.1", 2), 2);
    cr_expect_eq(admitted(settings, "2001:db8::1", 10), 1);
    cr_expect_eq(admitted(settings, "unix", 10), 0);
}

Test(limit, each_limit_counts_for_itself)
{
    const void *site = run_good(&policy_limit, "limit: {requests: 1/h, burst: 3}", NULL);
    const void *route = run_good(&policy_limit, "limit: {requests: 1/h, burst: 2}", site);
    cr_expect_eq(admitted(site, "192.0.2.1", 10), 3);
    cr_expect_eq(admitted(route, "192.0.2.1", 10), 2);
}

Test(limit, forked_processes_count_together)
{
    const void *settings = run_good(&policy_limit, "limit: {requests: 1/h, burst: 100}", NULL);
    int sum = 0;
    for (int i = 0; i < 4; i++) {
        int status;
        pid_t pid = fork();
        cr_assert_geq(pid, 0);
        if (pid == 0)
            _exit(admitted(settings, "192.0.2.1", 30));
        cr_assert_eq(waitpid(pid, &status, 0), pid);
        cr_assert(WIFEXITED(status));
        sum += WEXITSTATUS(status);
    }
    cr_expect_eq(sum, 100);
    cr_expect_eq(admitted(settings, "192.0.2.1", 30), 0);
}
