/* print_test.c: what people see of an answer. */
#include "ctl/print.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

static char *shown;
static size_t shown_size;

static FILE *screen(void)
{
    FILE *f = open_memstream(&shown, &shown_size);
    cr_assert_not_null(f);
    return f;
}

static void expect_shown(FILE *f, const char *expected)
{
    cr_assert_eq(fclose(f), 0);
    cr_expect_str_eq(shown, expected);
    free(shown);
}

static void expect_printed(const char *verb, const char *line, const char *expected)
{
    struct answer *answer = answer_read(str_of(line));
    cr_assert_not_null(answer, "%s", line);
    FILE *f = screen();
    cr_expect_eq(print_answer(f, verb_find(str_of(verb)), answer), 0);
    expect_shown(f, expected);
    answer_free(answer);
}

Test(print, no_control_character_reaches_the_terminal)
{
    expect_printed("version", "{\"version\":\"\\u001b[2J\\n\\u007f\\u009b1m\\u0000gr\xc3\xbcn\"}",
                   "tern ?[2J???1m?gr\xc3\xbcn [0]\n");
    expect_printed("log", "{\"level\":\"\\r\"}", "?\n");
    expect_printed("log", "{\"level\":\"\xc2\x80 \xc2\x9b \\u061c\\u200f\\u2028\\u202e\\u2066\\u2069\"}",
                   "? ? ??????\n");
}

Test(print, short_answers)
{
    expect_printed("reload", "{\"generation\":4,\"workers\":2}", "generation 4 serves, with 2 workers\n");
    expect_printed("reload", "{\"generation\":5,\"workers\":1}", "generation 5 serves, with 1 worker\n");
    expect_printed("upgrade", "{\"pid\":77,\"version\":\"tern 0.1.0\"}", "tern 0.1.0 serves, as process 77\n");
    expect_printed("reopen", "{\"logs\":2}", "2 logs opened anew\n");
    expect_printed("drain", "{\"connections\":0,\"deadline_s\":30}", "0 connections left, to end within 30 s\n");
    expect_printed("log", "{\"level\":\"notice\"}", "notice\n");
    expect_printed("version", "{\"version\":\"0.1.0\",\"pid\":1}", "tern 0.1.0 [1]\n");
}

Test(print, an_answer_that_says_less_than_it_should)
{
    expect_printed("status", "{}",
                   "tern  [0] is , generation 0, up 0s\n"
                   "configuration  \n"
                   "\n"
                   "WORKER  PID  GENERATION  STATE  UP  OPEN  IDLE  ACCEPTED  REQUESTS  RESTARTS  LOST\n");
    expect_printed("status", "{\"listeners\":[1],\"workers\":[null]}",
                   "tern  [0] is , generation 0, up 0s\n"
                   "configuration  \n"
                   "listening on    (0 sockets)\n"
                   "\n"
                   "WORKER  PID  GENERATION  STATE  UP  OPEN  IDLE  ACCEPTED  REQUESTS  RESTARTS  LOST\n"
                   "     0    0           0         0s     0     0         0         0         0     0\n");
}

static const char status[] =
    "{\"ok\":true,\"version\":\"0.1.0\",\"pid\":1,\"state\":\"serving\",\"generation\":3,\"uptime_s\":7512,"
    "\"config\":\"/etc/tern/tern.yaml\",\"listeners\":[{\"address\":\"0.0.0.0:80\",\"sockets\":2,\"passed\":false},"
    "{\"address\":\"unix:/run/x\",\"sockets\":1,\"passed\":true}],"
    "\"workers\":[{\"index\":0,\"pid\":2,\"generation\":3,\"state\":\"serving\",\"uptime_s\":59,\"connections\":5,"
    "\"idle\":4,\"accepted\":100,\"requests\":1000,\"restarts\":1,\"access_lines_lost\":0},"
    "{\"index\":1,\"pid\":22222,\"generation\":2,\"state\":\"a state that nobody has ever heard of\","
    "\"uptime_s\":350000,\"connections\":6,\"idle\":0,\"accepted\":1,\"requests\":12345678901,\"restarts\":0,"
    "\"access_lines_lost\":7}]}";

Test(print, the_status_is_a_table_with_sums)
{
    expect_printed(
        "status", status,
        "tern 0.1.0 [1] is serving, generation 3, up 2h05m\n"
        "configuration  /etc/tern/tern.yaml\n"
        "listening on   0.0.0.0:80 (2 sockets)\n"
        "listening on   unix:/run/x (1 socket, passed)\n"
        "\n"
        "WORKER    PID  GENERATION  STATE                                     UP  OPEN  IDLE  ACCEPTED     REQUESTS  "
        "RESTARTS  LOST\n"
        "     0      2           3  serving                                  59s     5     4       100         1000  "
        "       1     0\n"
        "     1  22222           2  a state that nobody has ever heard of  4d01h     6     0         1  12345678901  "
        "       0     7\n"
        "   all                                                                     11     4       101  12345679901  "
        "       1     7\n");
}

Test(print, compute_processes_are_a_line)
{
    static const struct {
        const char *compute, *line;
    } rows[] = {
        {"", ""},
        {"null", "computing      1 process, 0 jobs, 0 restarts\n"},
        {"{\"index\":0,\"jobs\":1,\"restarts\":1}", "computing      1 process, 1 job, 1 restart\n"},
        {"{\"jobs\":1,\"restarts\":2},{\"jobs\":16,\"restarts\":0}",
         "computing      2 processes, 17 jobs, 2 restarts\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char line[128], text[256];
        snprintf(line, sizeof line, "{\"compute\":[%s]}", rows[i].compute);
        snprintf(text, sizeof text,
                 "tern  [0] is , generation 0, up 0s\n"
                 "configuration  \n"
                 "%s\n"
                 "WORKER  PID  GENERATION  STATE  UP  OPEN  IDLE  ACCEPTED  REQUESTS  RESTARTS  LOST\n",
                 rows[i].line);
        expect_printed("status", line, text);
    }
}

Test(print, times_are_two_units_long)
{
    static const struct {
        const char *seconds, *text;
    } times[] = {{"0", "0s"},       {"59", "59s"},       {"60", "1m00s"},    {"3599", "59m59s"},
                 {"3600", "1h00m"}, {"86399", "23h59m"}, {"86400", "1d00h"}, {"31622400", "366d00h"}};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        char line[64], start[64];
        snprintf(line, sizeof line, "{\"uptime_s\":%s}", times[i].seconds);
        snprintf(start, sizeof start, "tern  [0] is , generation 0, up %s\n", times[i].text);
        struct answer *answer = answer_read(str_of(line));
        FILE *f = screen();
        cr_assert_eq(print_answer(f, verb_find(STR("status")), answer), 0);
        cr_assert_eq(fclose(f), 0);
        cr_expect(str_starts(str_of(shown), str_of(start)), "%s: %s", start, shown);
        free(shown);
        answer_free(answer);
    }
}

Test(print, threads)
{
    expect_printed("threads", "{\"total\":1}",
                   "ID  STATE  WAITS-FOR  SINCE  HANDLER  ROUTE  CPU  STACK  HIGH  REQUEST\n\n0 of 1 thread\n");
    expect_printed(
        "threads",
        "{\"threads\":[{\"id\":\"1.52\",\"state\":\"waiting\",\"wait\":\"client\",\"fd\":12,\"peer\":\"[::1]:4242\","
        "\"until_ms\":5,\"since_ms\":1250,\"handler\":\"files\",\"route\":\"/\",\"request\":\"GET /a?... HTTP/1.1\","
        "\"cpu_us\":12,\"stack\":1234,\"high_water\":8192},"
        "{\"id\":\"1.5\",\"state\":\"waiting\",\"wait\":\"timer\",\"until_ms\":61000,\"since_ms\":35,"
        "\"handler\":\"module sleep\",\"request\":\"GET /\\u001b[2J\",\"cpu_us\":2500,\"high_water\":16384},"
        "{\"id\":\"1.2\",\"name\":\"accept\",\"state\":\"waiting\",\"wait\":\"descriptor\",\"fd\":5},"
        "{\"id\":\"1.1\",\"name\":\"main\",\"state\":\"ready\",\"since_ms\":0},"
        "{\"id\":\"1.9\",\"name\":\"x\",\"state\":\"waiting\",\"wait\":\"pool\",\"cancelled\":true}],"
        "\"total\":10000,\"silent\":[{\"worker\":1,\"pid\":77}]}",
        "ID    STATE      WAITS-FOR          SINCE  HANDLER       ROUTE   CPU  STACK   HIGH  REQUEST\n"
        "1.52  waiting    client [::1]:4242   1.2s  files         /      12us   1234   8192  GET /a?... HTTP/1.1\n"
        "1.5   waiting    timer 1m01s         35ms  module sleep          2ms      0  16384  GET /?[2J\n"
        "1.2   waiting    descriptor 5              (accept)                       0      0  \n"
        "1.1   ready                           0us  (main)                         0      0  \n"
        "1.9   cancelled  pool                      (x)                            0      0  \n"
        "\n5 of 10000 threads\nworker 1 [77] has not answered; `ternctl stalls` may tell why\n");
}

Test(print, one_thread)
{
    expect_printed("stack",
                   "{\"threads\":[{\"id\":\"1.5\",\"state\":\"waiting\",\"wait\":\"timer\",\"name\":\"connection\","
                   "\"handler\":\"module sleep\",\"route\":\"/s\",\"request\":\"GET /s HTTP/1.1\"}],"
                   "\"trace\":[\"#0 hand_over\",\"#1 \\u001b[2J\"]}",
                   "1.5, GET /s HTTP/1.1 (module sleep, route /s) is waiting for: timer\n#0 hand_over\n#1 ?[2J\n");
    expect_printed("stack", "{\"threads\":[{\"id\":\"1.1\",\"state\":\"ready\",\"name\":\"main\"}]}",
                   "1.1 (main) is ready\n");
    expect_printed(
        "stack",
        "{\"threads\":[{\"id\":\"1.5\",\"state\":\"waiting\",\"wait\":\"pool\",\"name\":\"x\",\"cancelled\":true}]}",
        "1.5 (x) is cancelled, and waiting for: pool\n");
    expect_printed("kill", "{\"threads\":[{\"id\":\"1.5\",\"name\":\"connection\"}]}", "cancelled 1.5 (connection)\n");
    expect_printed("kill", "{\"threads\":[{\"id\":\"1.5\",\"name\":\"connection\",\"cancelled\":true}]}",
                   "1.5 (connection) was cancelled already\n");
    expect_printed("kill", "{}", "cancelled  ()\n");
}

Test(print, what_drains)
{
    expect_printed("drain", "{\"left\":[]}", "nothing drains\n");
    expect_printed("drain",
                   "{\"connections\":3,\"deadline_s\":30,\"left\":[{\"generation\":1,\"workers\":1,\"connections\":1},"
                   "{\"generation\":2,\"workers\":2,\"connections\":2,\"requests\":21,\"threads\":["
                   "{\"id\":\"1.1\",\"state\":\"ready\",\"handler\":\"x\",\"request\":\"GET /\"}],"
                   "\"silent\":[{\"worker\":0,\"pid\":9}]}]}",
                   "3 connections left, to end within 30 s\n"
                   "generation 1 drains: 1 worker, 1 connection, 0 requests\n"
                   "generation 2 drains: 2 workers, 2 connections, 21 requests\n"
                   "ID   STATE  WAITS-FOR  SINCE  HANDLER  ROUTE  CPU  STACK  HIGH  REQUEST\n"
                   "1.1  ready                    x                        0     0  GET /\n"
                   "worker 0 [9] has not answered; `ternctl stalls` may tell why\n");
}

Test(print, a_status_hints_at_what_drains)
{
    static const char hint[] = "\n`ternctl drain show` tells what keeps the workers that drain\n";
    struct answer *answer = answer_read(STR("{\"workers\":[{\"state\":\"serving\"},{\"state\":\"draining\"}]}"));
    FILE *f = screen();
    cr_assert_eq(print_answer(f, verb_find(STR("status")), answer), 0);
    cr_assert_eq(fclose(f), 0);
    cr_expect(str_ends(str_of(shown), str_of(hint)), "%s", shown);
    free(shown);
    answer_free(answer);
}

Test(print, stalls)
{
    setenv("TZ", "UTC", 1);
    expect_printed("stalls", "{}", "no green thread has stalled\n");
    expect_printed("stalls",
                   "{\"stalls\":[{\"at_ms\":1764504000250,\"worker\":1,\"id\":\"9.7\",\"lasted_ms\":104,\"over\":true,"
                   "\"name\":\"connection\",\"handler\":\"module spin\",\"route\":\"/spin\",\"request\":"
                   "\"GET /spin?... HTTP/1.1\",\"cause\":\"CPU\",\"trace\":[\"#0 a\",\"#1 \\u001bb\"]},"
                   "{\"at_ms\":0,\"id\":\"9.0\",\"lasted_ms\":2500,\"name\":\"loop\",\"cause\":\"page fault\"},"
                   "{\"at_ms\":0,\"id\":\"9.1\",\"lasted_ms\":3300,\"over\":true,\"killed\":true,\"name\":\"x\","
                   "\"cause\":\"CPU\"}]}",
                   "2025-11-30 12:00:00.250  worker 1, thread 9.7: 104ms, CPU\n"
                   "    GET /spin?... HTTP/1.1 (module spin, route /spin)\n"
                   "    #0 a\n"
                   "    #1 ?b\n"
                   "1970-01-01 00:00:00.000  worker 0, thread 9.0: still, for 2.5s, page fault\n"
                   "    (loop)\n"
                   "1970-01-01 00:00:00.000  worker 0, thread 9.1: 3.3s until its worker was ended, CPU\n"
                   "    (x)\n");
}

Test(print, a_refusal_is_its_messages_and_then_its_error)
{
    struct answer *answer = answer_read(
        STR("{\"error\":\"reload refused\",\"messages\":[\"a.yaml:1:2: error: x\",\"a.yaml:3:4: error: \\u001by\"]}"));
    FILE *f = screen();
    print_refusal(f, answer);
    expect_shown(f, "a.yaml:1:2: error: x\na.yaml:3:4: error: ?y\nternctl: reload refused\n");
    answer_free(answer);
}

/* A row in the table of verbs needs one here. */
Test(print, every_verb_has_a_printer)
{
    struct answer *answer = answer_read(STR("{}"));
    for (const struct verb *verb = verbs; verb->name; verb++) {
        FILE *f = screen();
        cr_expect_eq(print_answer(f, verb, answer), verb->repeats ? -ENOENT : 0, "%s", verb->name);
        fclose(f);
        free(shown);
    }
    cr_expect_lt(print_answer(stdout, &(struct verb){.name = "elephant"}, answer), 0);
    answer_free(answer);
}
