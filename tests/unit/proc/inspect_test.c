/* inspect_test.c: a worker that is asked about its green threads, and one that asks. The test is the master. */
#include "proc/inspect.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../green/run.h"
#include "green/fd.h"
#include "green/view.h"
#include "proc/consult.h"
#include "proc/report.h"

enum { SLEEPERS = 300 };

static int pair[2]; /* the master's end, and the worker's */
static struct green_scope scope;
static const struct green_label label = {STR_INIT("files"), STR_INIT("/a/")};

static void begin(void)
{
    cr_assert_eq(message_pair(pair), 0);
    green_scope_enter(&scope);
    inspect_begin(pair[1], &scope);
    consult_begin(pair[1]);
}

static void end(void)
{
    green_scope_leave(&scope);
    inspect_end();
    close(pair[0]);
    close(pair[1]);
}

static void ask_until(uint32_t number, const char *line, nsec until)
{
    struct message message = {.kind = MESSAGE_INQUIRE, .number = number, .question.until = until};
    snprintf(message.question.line, sizeof message.question.line, "%s", line);
    inspect_serve(&message);
}

static void ask(uint32_t number, const char *line)
{
    ask_until(number, line, NSEC_NEVER);
}

/* The next report that comes; its number. */
static uint32_t hear(struct report *report)
{
    struct message message;
    int fd, got;
    while ((got = message_receive(pair[0], &message, &fd)) == -EAGAIN)
        cr_assert_eq(green_sleep(NSEC_MS), 0);
    cr_assert_eq(got, 1);
    cr_assert_eq(message.kind, MESSAGE_REPORT);
    cr_assert_geq(fd, 0);
    cr_assert_eq(report_read(report, fd), 0);
    close(fd);
    return message.number;
}

static void expect_outcome(const char *line, enum report_outcome outcome)
{
    struct report report;
    ask(9, line);
    cr_expect_eq(hear(&report), 9);
    cr_expect_eq(report.head.outcome, outcome, "%s: %llu", line, (unsigned long long)report.head.outcome);
    report_free(&report);
}

static int sleep_for_ever(void *arg)
{
    (void)arg;
    green_label(&label);
    green_describe(STR("GET /?key=secret HTTP/1.1"));
    return green_sleep(3600 * NSEC_SEC);
}

static int accept_for_ever(void *arg)
{
    return sleep_for_ever(arg);
}

/* The number of a thread of that name. */
static uint64_t number_of(const char *name)
{
    struct report report;
    struct report_entry entry;
    uint64_t number = 0;
    ask(1, "threads");
    hear(&report);
    for (size_t at = 0; report_next(&report, &at, &entry);)
        if (str_eq(entry.texts[REPORT_NAME], str_of(name)))
            number = entry.thread.number;
    report_free(&report);
    return number;
}

/* ---- questions ---- */

GreenTest(inspect, questions_about_threads_that_are_not_there)
{
    begin();
    expect_outcome("stack 999999", REPORT_NO_THREAD);
    expect_outcome("stack x", REPORT_NO_THREAD);
    expect_outcome("stack", REPORT_NO_THREAD);
    expect_outcome("kill 0", REPORT_NO_THREAD);
    expect_outcome("kill 18446744073709551616", REPORT_NO_THREAD);
    end();
}

/* Of 1 the master has said that nothing is done. */
GreenTest(inspect, what_the_master_has_given_up_on_is_not_begun)
{
    struct report report;
    struct green *thread;
    struct green_view view;
    char line[64];
    begin();
    cr_assert_eq(green_scope_go_as(&scope, "connection", sleep_for_ever, NULL, &thread), 0);
    run_yield();
    uint64_t number = number_of("connection");
    snprintf(line, sizeof line, "kill %llu", (unsigned long long)number);
    ask_until(1, line, clock_monotonic());
    ask(2, "threads");
    cr_expect_eq(hear(&report), 2);
    cr_assert(green_find(number, &view), "it was ended");
    cr_expect_not(view.cancelled);
    report_free(&report);
    end();
}

GreenTest(inspect, what_is_its_own_lives_on)
{
    char line[64];
    struct green *thread;
    begin();
    cr_assert_eq(green_scope_go_as(&scope, "accept", accept_for_ever, NULL, &thread), 0);
    run_yield();
    snprintf(line, sizeof line, "kill %llu", (unsigned long long)number_of("accept"));
    expect_outcome(line, REPORT_OWN);
    cr_expect_neq(number_of("accept"), 0, "it was cancelled");
    cr_assert_eq(green_scope_go_as(&scope, "connection", sleep_for_ever, NULL, &thread), 0);
    run_yield();
    snprintf(line, sizeof line, "kill %llu", (unsigned long long)number_of("connection"));
    expect_outcome(line, REPORT_FINE);
    expect_outcome(line, REPORT_NO_THREAD);
    end();
}

GreenTest(inspect, many_threads_in_several_reports_at_once, .accounts = true)
{
    struct report report;
    struct report_entry entry;
    begin();
    for (int i = 0; i < SLEEPERS; i++)
        cr_assert_eq(green_scope_go(&scope, "sleeper", sleep_for_ever, NULL), 0);
    run_yield();
    ask(1, "threads handler=files");
    ask(2, "threads handler=echo");
    ask(3, "threads state=waiting wait=timer");
    for (uint32_t i = 1; i <= 3; i++) {
        size_t count = 0;
        cr_expect_eq(hear(&report), i);
        cr_expect_eq(report.head.outcome, REPORT_FINE);
        cr_expect_geq(report.head.total, SLEEPERS);
        for (size_t at = 0; report_next(&report, &at, &entry); count++) {
            cr_expect_eq(entry.thread.wait, GREEN_WAIT_TIMER);
            cr_expect_gt(entry.thread.until, entry.thread.since);
        }
        cr_expect_geq(count, i == 2 ? 0 : SLEEPERS, "%u: %zu", i, count);
        cr_expect(i != 2 || count == 0);
        report_free(&report);
    }
    end();
}

GreenTest(inspect, the_query_is_masked_and_labels_are_told)
{
    struct report report;
    struct report_entry entry;
    size_t at = 0;
    begin();
    cr_assert_eq(green_scope_go(&scope, "connection", sleep_for_ever, NULL), 0);
    run_yield();
    ask(1, "threads route=/a/");
    hear(&report);
    cr_assert_eq(report.count, 1);
    cr_assert(report_next(&report, &at, &entry));
    cr_expect(str_eq(entry.texts[REPORT_REQUEST], STR("GET /?... HTTP/1.1")));
    cr_expect(str_eq(entry.texts[REPORT_HANDLER], label.handler) && str_eq(entry.texts[REPORT_ROUTE], label.route));
    cr_expect_eq(entry.texts[REPORT_TRACE].n, 0);
    report_free(&report);
    end();
}

/* Whoever has received the question answers it then. */
GreenTest(inspect, without_a_thread_to_be_had, .threads = 3)
{
    struct green *threads[2];
    begin();
    for (int i = 0; i < 2; i++)
        cr_assert_eq(green_spawn(&threads[i], "sleeper", sleep_for_ever, NULL), 0);
    expect_outcome("threads", REPORT_FINE);
    for (int i = 0; i < 2; i++) {
        green_cancel(threads[i]);
        cr_expect_eq(run_join(threads[i]), -ECANCELED);
    }
    end();
}

/* ---- asking the master ---- */

static int consult_it(void *arg)
{
    return consult(str_of(arg), run_in(50));
}

static struct message question(void)
{
    struct message message;
    cr_assert_eq(message_receive(pair[0], &message, NULL), 1);
    cr_assert_eq(message.kind, MESSAGE_INQUIRE);
    return message;
}

static void answer(uint32_t number, int fd)
{
    consult_serve(&(struct message){.kind = MESSAGE_REPORT, .number = number}, fd);
}

GreenTest(inspect, answers_go_to_those_who_have_asked)
{
    begin();
    struct green *first = run_spawn(consult_it, "threads"), *second = run_spawn(consult_it, "stalls");
    run_yield();
    struct message one = question(), two = question();
    cr_expect_str_eq(one.question.line, "threads");
    cr_expect_str_eq(two.question.line, "stalls");
    int fd = dup(pair[0]);
    answer(two.number, fd);
    answer(two.number, dup(pair[0])); /* nobody waits for it: it is closed */
    answer(one.number + 100, dup(pair[0]));
    answer(one.number, -1);
    cr_expect_eq(run_join(first), -ENODATA);
    cr_expect_eq(run_join(second), fd);
    cr_expect_eq(dup(pair[0]), fd + 1, "a descriptor was left open");
    close(fd);
    close(fd + 1);
    end();
}

GreenTest(inspect, a_master_that_does_not_answer)
{
    char line[MESSAGE_TEXT + 1];
    begin();
    cr_expect_eq(consult(STR("threads"), run_in(1)), -ETIMEDOUT);
    answer(question().number, -1);
    memset(line, 'x', sizeof line);
    cr_expect_eq(consult((struct str){line, MESSAGE_TEXT}, NSEC_NEVER), -EMSGSIZE);
    while (message_tell(pair[1], MESSAGE_PONG, 0) == 0)
        ;
    cr_expect_eq(consult(STR("threads"), NSEC_NEVER), -EAGAIN);
    struct green *thread = run_spawn(consult_it, "threads");
    cr_expect_eq(run_join(thread), -EAGAIN);
    end();
}
