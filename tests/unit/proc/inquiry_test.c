/* inquiry_test.c: a master whose workers fall silent, die, or tell nonsense, while somebody wants to know about green
 * threads. The test is the workers, too. */
#include "proc/inquiry.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/stall.h"
#include "ctl/protocol.h"
#include "proc/actions.h"
#include "proc/ask.h"

#define NOW (3600 * NSEC_SEC) /* by the workers' clock */

enum { WORKERS = 2, FIRST_PID = 100, ASKERS = 3 };

static struct master m;
static struct generation g;
static struct child children[WORKERS];
static int far[WORKERS]; /* the workers' ends of the pairs */

/* Whoever asks. */
static struct asker {
    struct control_request request;
    char *answer; /* NULL: none yet */
} askers[ASKERS];

static void take_answer(struct control_request *request, struct str json)
{
    struct asker *asker = container_of(request, struct asker, request);
    cr_assert_null(asker->answer, "answered twice");
    asker->answer = strndup(json.p, json.n);
    cr_assert_not_null(asker->answer);
}

static void begin(void)
{
    list_init(&m.generations);
    reactor_init(&m.reactor);
    control_init(&m.control, &m.reactor);
    inquiry_init(&m);
    g = (struct generation){.master = &m, .number = 3, .state = SERVING, .children = children, .count = WORKERS};
    cr_assert_eq(scoreboard_open(&g.board, WORKERS, 1), 0);
    list_push_back(&m.generations, &g.link);
    for (size_t i = 0; i < WORKERS; i++) {
        int pair[2];
        cr_assert_eq(message_pair(pair), 0);
        far[i] = pair[1];
        children[i] = (struct child){
            .generation = &g, .index = i, .pid = FIRST_PID + (pid_t)i, .ready = true, .pair.fd = pair[0]};
    }
    for (size_t i = 0; i < ASKERS; i++) {
        askers[i].request.answer = take_answer;
        list_init(&askers[i].request.link);
    }
}

static void end(void)
{
    cr_expect(list_empty(&m.inquiries.all), "an inquiry is left");
    cr_expect(list_empty(&m.inquiries.asks), "a question of a worker is left");
    cr_expect(list_empty(&m.reactor.alarms), "an alarm is left");
    for (size_t i = 0; i < ASKERS; i++)
        free(askers[i].answer);
    for (size_t i = 0; i < WORKERS; i++) {
        close(far[i]);
        close(children[i].pair.fd);
    }
    scoreboard_close(&g.board);
    reactor_free(&m.reactor);
}

TestSuite(inquiry, .init = begin, .fini = end);

static void ask(size_t asker, const char *line)
{
    actions_run(&m, &askers[asker].request, str_of(line));
}

static void expect_answer(size_t asker, const char *expected)
{
    cr_assert_not_null(askers[asker].answer, "no answer; expected %s", expected);
    cr_expect_str_eq(askers[asker].answer, expected);
}

/* ---- workers ---- */

/* The question that a worker has been asked; its number. */
static uint32_t question(size_t worker, const char *line)
{
    struct message message;
    cr_assert_eq(message_receive(far[worker], &message, NULL), 1, "worker %zu was not asked", worker);
    cr_assert_eq(message.kind, MESSAGE_INQUIRE);
    cr_expect_str_eq(message.question.line, line);
    cr_expect_lt(message.question.until, clock_monotonic() + INQUIRY_PATIENCE, "it may begin when it was given up");
    return message.number;
}

static struct report_writer *begin_report(void)
{
    struct report_writer *writer = report_begin();
    cr_assert_not_null(writer);
    return writer;
}

static int end_report(struct report_writer *writer, enum report_outcome outcome, uint64_t total)
{
    int fd = report_end(writer, &(struct report_head){.outcome = outcome, .total = total, .now = NOW});
    cr_assert_geq(fd, 0);
    return fd;
}

static void add_thread(struct report_writer *writer, uint64_t number, nsec since, const char *request)
{
    const struct str texts[REPORT_TEXTS] = {[REPORT_NAME] = STR("connection"), [REPORT_REQUEST] = str_of(request)};
    const struct report_thread thread = {.number = number, .since = NOW - since, .until = NSEC_NEVER, .fd = -1};
    report_add(writer, &thread, texts);
}

/* One thread, which has been ready for so many milliseconds. */
static int one_thread(uint64_t number, nsec since_ms)
{
    struct report_writer *writer = begin_report();
    add_thread(writer, number, since_ms * NSEC_MS, "");
    return end_report(writer, REPORT_FINE, 1);
}

static void hand_over(size_t worker, uint32_t number, int fd)
{
    inquiry_hear(&children[worker], &(struct message){.kind = MESSAGE_REPORT, .number = number}, fd);
    if (fd >= 0)
        close(fd);
}

static void let_time_pass(void)
{
    cr_assert_not(list_empty(&m.reactor.alarms), "nothing has a deadline");
    list_each (l, next, &m.reactor.alarms)
        container_of(l, struct alarm, link)->at = 0;
    cr_assert_eq(reactor_turn(&m.reactor), 0);
}

#define THREAD(id, worker, since)                                                                                      \
    "{\"id\":\"" id "\",\"worker\":" worker                                                                            \
    ",\"generation\":3,\"name\":\"connection\",\"state\":\"ready\",\"since_ms\":" since                                \
    ",\"stack\":0,\"high_water\":0}"
#define ANSWER(threads, total, silent)                                                                                 \
    "{\"ok\":true,\"threads\":[" threads "],\"total\":" total ",\"silent\":[" silent "]}"
#define SILENT_0 "{\"worker\":0,\"pid\":100}"
#define SILENT_1 "{\"worker\":1,\"pid\":101}"

/* ---- workers that do not answer as they should ---- */

Test(inquiry, nobody_to_ask)
{
    for (size_t i = 0; i < WORKERS; i++)
        children[i].ready = false;
    ask(0, "threads");
    expect_answer(0, ANSWER("", "0", ""));
}

Test(inquiry, one_that_is_silent_is_named_and_the_other_told)
{
    ask(0, "threads");
    question(0, "threads ");
    hand_over(1, question(1, "threads "), one_thread(7, 5));
    cr_expect_null(askers[0].answer, "it was not waited for");
    let_time_pass();
    expect_answer(0, ANSWER(THREAD("101.7", "1", "5"), "1", SILENT_0));
}

Test(inquiry, one_that_does_not_even_listen_is_not_waited_for)
{
    while (message_tell(children[0].pair.fd, MESSAGE_PING, 0) == 0)
        ;
    ask(0, "threads");
    hand_over(1, question(1, "threads "), one_thread(7, 5));
    expect_answer(0, ANSWER(THREAD("101.7", "1", "5"), "1", SILENT_0));
}

Test(inquiry, one_that_dies_is_not_waited_for)
{
    ask(0, "threads");
    uint32_t number = question(1, "threads ");
    inquiry_miss(&m, FIRST_PID);
    inquiry_miss(&m, FIRST_PID);
    inquiry_miss(&m, FIRST_PID + 5);
    cr_expect_null(askers[0].answer);
    hand_over(1, number, one_thread(7, 5));
    expect_answer(0, ANSWER(THREAD("101.7", "1", "5"), "1", ""));
}

Test(inquiry, reports_that_are_none)
{
    int pipes[2], nonsense = memfd_create("nonsense", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    cr_assert_eq(pipe(pipes), 0);
    cr_assert_eq(write(nonsense, "[{}]", 4), 4);
    const int fds[] = {-1, pipes[0], pipes[1], nonsense};
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
        ask(0, "threads");
        hand_over(0, question(0, "threads "), fds[i]);
        hand_over(1, question(1, "threads "), one_thread(7, 5));
        expect_answer(0, ANSWER(THREAD("101.7", "1", "5"), "1", SILENT_0));
        free(askers[0].answer);
        askers[0].answer = NULL;
    }
}

Test(inquiry, reports_that_answer_nothing_that_was_asked)
{
    ask(0, "threads");
    uint32_t number = question(0, "threads ");
    question(1, "threads ");
    hand_over(0, number + 1, one_thread(1, 1));
    hand_over(0, number, one_thread(2, 2));
    hand_over(0, number, one_thread(3, 3));
    cr_expect_null(askers[0].answer, "one worker has answered for two");
    hand_over(1, number, one_thread(4, 4));
    expect_answer(0, ANSWER(THREAD("101.4", "1", "4") "," THREAD("100.2", "0", "2"), "2", ""));
    hand_over(1, number, one_thread(5, 5));
}

Test(inquiry, who_has_asked_is_gone)
{
    ask(0, "threads");
    uint32_t number = question(0, "threads ");
    question(1, "threads ");
    list_unlink(&askers[0].request.link); /* as control.c does */
    hand_over(0, number, one_thread(1, 1));
    hand_over(1, number, one_thread(2, 2));
    cr_expect_null(askers[0].answer);
    ask(1, "threads");
    list_unlink(&askers[1].request.link);
    let_time_pass();
    cr_expect_null(askers[1].answer);
}

/* ---- more than one of everything ---- */

Test(inquiry, several_at_a_time_are_kept_apart)
{
    uint32_t numbers[WORKERS][ASKERS];
    for (size_t asker = 0; asker < ASKERS; asker++)
        ask(asker, asker == 1 ? "threads sort=cpu" : "threads");
    for (size_t worker = 0; worker < WORKERS; worker++)
        for (size_t asker = 0; asker < ASKERS; asker++)
            numbers[worker][asker] = question(worker, asker == 1 ? "threads sort=cpu" : "threads ");
    for (size_t asker = ASKERS; asker-- > 0;)
        for (size_t worker = 0; worker < WORKERS; worker++)
            hand_over(worker, numbers[worker][asker], one_thread(10 * asker + 1, 0));
    expect_answer(0, ANSWER(THREAD("100.1", "0", "0") "," THREAD("101.1", "1", "0"), "2", ""));
    expect_answer(1, ANSWER(THREAD("100.11", "0", "0") "," THREAD("101.11", "1", "0"), "2", ""));
    expect_answer(2, ANSWER(THREAD("100.21", "0", "0") "," THREAD("101.21", "1", "0"), "2", ""));
}

Test(inquiry, the_oldest_come_first_and_no_more_than_wanted)
{
    ask(0, "threads limit=3");
    for (size_t worker = 0; worker < WORKERS; worker++) {
        struct report_writer *writer = begin_report();
        for (uint64_t i = 1; i <= 3; i++)
            add_thread(writer, i, (nsec)(10 * i + worker) * NSEC_MS, "");
        hand_over(worker, question(worker, "threads limit=3"), end_report(writer, REPORT_FINE, 50));
    }
    expect_answer(
        0, ANSWER(THREAD("101.3", "1", "31") "," THREAD("100.3", "0", "30") "," THREAD("101.2", "1", "21"), "100", ""));
}

Test(inquiry, everything_about_a_thread)
{
    const struct str texts[REPORT_TEXTS] = {STR("connection"), STR("127.0.0.1:4242"),           STR("files"),
                                            STR("/"),          STR("GET /\"\x1b?... HTTP/1.1"), STR("#0 a")};
    const struct report_thread thread = {.number = 52,
                                         .until = NOW + 29 * NSEC_SEC,
                                         .since = NOW - 1200 * NSEC_MS,
                                         .running = 12345,
                                         .depth = 1234,
                                         .high_water = 8192,
                                         .fd = 12,
                                         .standing = GREEN_STANDS_WAITING,
                                         .wait = GREEN_WAIT_CLIENT,
                                         .cancelled = 1};
    struct report_writer *writer = begin_report();
    report_add(writer, &thread, texts);
    ask(0, "stack 100.52");
    hand_over(0, question(0, "stack 52"), end_report(writer, REPORT_FINE, 0));
    expect_answer(0, "{\"ok\":true,\"threads\":[{\"id\":\"100.52\",\"worker\":0,\"generation\":3,\"name\":"
                     "\"connection\",\"state\":\"waiting\",\"wait\":\"client\",\"fd\":12,\"peer\":\"127.0.0.1:4242\","
                     "\"until_ms\":29000,\"since_ms\":1200,\"handler\":\"files\",\"route\":\"/\",\"request\":"
                     "\"GET /\\\"\\u001b?... HTTP/1.1\",\"cpu_us\":12,\"stack\":1234,\"high_water\":8192,"
                     "\"cancelled\":true}],\"trace\":[\"#0 a\"]}");
}

Test(inquiry, an_answer_about_twenty_thousand_threads)
{
    enum { MANY = 20000 };
    struct report_writer *writer = begin_report();
    for (uint64_t i = 1; i <= MANY; i++)
        add_thread(writer, i, 0, "GET /a/rather/long/path/of/a/request HTTP/1.1");
    children[1].ready = false;
    ask(0, "threads");
    hand_over(0, question(0, "threads "), end_report(writer, REPORT_FINE, MANY));
    cr_assert_not_null(askers[0].answer);
    size_t count = 0;
    for (const char *at = askers[0].answer; (at = strstr(at, "\"id\":\"100.")); at++)
        count++;
    cr_expect_eq(count, MANY);
}

/* ---- one thread ---- */

#define REFUSED(why) "{\"ok\":false,\"code\":\"refused\",\"error\":\"`100.7`" why "\",\"messages\":[]}"

Test(inquiry, threads_that_are_not_to_be_had)
{
    static const struct {
        enum report_outcome outcome;
        bool there;
        const char *answer;
    } table[] = {
        {REPORT_NO_THREAD, false, REFUSED(" lives no more")},
        {REPORT_BUSY, false, REFUSED(" can't be looked at now: all threads for blocking calls are busy")},
        {REPORT_BUSY, true, REFUSED(" can't be looked at now: all threads for blocking calls are busy")},
        {REPORT_OWN, true, REFUSED(" is the server's own")},
        {REPORT_FINE, false, REFUSED(" lives no more")},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct report_writer *writer = begin_report();
        if (table[i].there)
            add_thread(writer, 7, 0, "");
        ask(0, "kill 100.7");
        hand_over(0, question(0, "kill 7"), end_report(writer, table[i].outcome, 0));
        expect_answer(0, table[i].answer);
        free(askers[0].answer);
        askers[0].answer = NULL;
    }
    ask(0, "kill 100.7");
    inquiry_miss(&m, FIRST_PID);
    expect_answer(0, REFUSED(" lives no more"));
    ask(1, "stack 100.7");
    let_time_pass();
    expect_answer(1, REFUSED(" is of a worker that does not answer"));
    children[0].pid = 0;
    ask(2, "stack 100.7");
    expect_answer(2, REFUSED(": no worker has that process id"));
}

Test(inquiry, a_process_that_cannot_be)
{
    ask(0, "kill 4294967396.7"); /* 100, if it were cut to 32 bits */
    cr_assert_not_null(askers[0].answer);
    cr_expect(strstr(askers[0].answer, "`: no worker has that process id"), "%s", askers[0].answer);
}

/* ---- what drains ---- */

Test(inquiry, only_generations_that_drain_are_asked_what_is_left)
{
    ask(0, "drain show");
    expect_answer(0, "{\"ok\":true,\"left\":[]}");
    g.state = DRAINING;
    ask(1, "drain show");
    struct report_writer *writer = begin_report();
    add_thread(writer, 1, 0, "");
    add_thread(writer, 2, 0, "GET / HTTP/1.1");
    hand_over(0, question(0, "threads"), end_report(writer, REPORT_FINE, 2));
    scoreboard_slot(&g.board, 0)->connections = 2;
    scoreboard_slot(&g.board, 1)->connections = 3;
    let_time_pass();
    expect_answer(1, "{\"ok\":true,\"left\":[{\"generation\":3,\"workers\":2,\"connections\":5,\"requests\":1,"
                     "\"threads\":[{\"id\":\"100.2\",\"worker\":0,\"generation\":3,\"name\":\"connection\",\"state\":"
                     "\"ready\",\"since_ms\":0,\"request\":\"GET / HTTP/1.1\",\"stack\":0,\"high_water\":0}],"
                     "\"silent\":[" SILENT_1 "]}]}");
    g.state = SERVING;
}

/* ---- stalls ---- */

static void stall(size_t worker, uint64_t number, int64_t at_ms, const char *handler)
{
    struct stall stall = {.number = number, .at = at_ms * NSEC_MS, .lasted = 104 * NSEC_MS, .pid = 9, .thread = number};
    memset(stall.name, 'n', sizeof stall.name); /* without an end */
    snprintf(stall.handler, sizeof stall.handler, "%s", handler);
    snprintf(stall.trace, sizeof stall.trace, "#0 a\n#1 b\n");
    stall.over = number % 2;
    stall_write(scoreboard_stalls(&g.board, worker), &stall);
}

#define NAME "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
#define STALL(at, worker, number, over, handler)                                                                       \
    "{\"at_ms\":" at ",\"worker\":" worker ",\"generation\":3,\"id\":\"9." number                                      \
    "\",\"lasted_ms\":104,\"over\":" over ",\"name\":\"" NAME "\"" handler ",\"trace\":[\"#0 a\",\"#1 b\"]}"

Test(inquiry, the_newest_stalls_come_first)
{
    ask(0, "stalls");
    expect_answer(0, "{\"ok\":true,\"stalls\":[]}");
    stall(0, 1, 1000, "files");
    stall(1, 1, 3000, "");
    stall(0, 2, 2000, "");
    ask(1, "stalls");
    expect_answer(
        1, "{\"ok\":true,\"stalls\":[" STALL("3000", "1", "1", "true", "") "," STALL(
               "2000", "0", "2", "false", "") "," STALL("1000", "0", "1", "true", ",\"handler\":\"files\"") "]}");
}

/* ---- workers that ask ---- */

static void ask_until(size_t worker, uint32_t number, const char *line, nsec until)
{
    struct message message = {.kind = MESSAGE_INQUIRE, .number = number, .question.until = until};
    snprintf(message.question.line, sizeof message.question.line, "%s", line);
    ask_hear(&children[worker], &message);
}

static void ask_as(size_t worker, uint32_t number, const char *line)
{
    ask_until(worker, number, line, NSEC_NEVER);
}

/* What a worker hears; its number. */
static uint32_t hear(size_t worker, char text[static 512])
{
    struct message message;
    int fd;
    cr_assert_eq(message_receive(far[worker], &message, &fd), 1, "worker %zu hears nothing", worker);
    cr_assert_eq(message.kind, MESSAGE_REPORT);
    ssize_t n = fd >= 0 ? read(fd, text, 511) : 0;
    cr_assert_geq(n, 0);
    text[n] = '\0';
    if (fd >= 0)
        close(fd);
    return message.number;
}

Test(inquiry, a_worker_may_only_look)
{
    static const struct {
        const char *line, *part;
    } table[] = {
        {"", "is no verb"},
        {"nonsense", "is no verb"},
        {"threads state=no", "\"code\":\"usage\""},
        {"drain", "a worker may only look"},
        {"drain show", "a worker may only look"},
        {" kill 100.7", "a worker may only look"},
        {"reload", "a worker may only look"},
        {"log debug", "a worker may only look"},
        {"version", "{\"ok\":true,\"version\":"},
        {"stalls", "{\"ok\":true,\"stalls\":[]}"},
    };
    char text[512];
    for (uint32_t i = 0; i < sizeof table / sizeof *table; i++) {
        ask_as(1, i, table[i].line);
        cr_expect_eq(hear(1, text), i);
        cr_expect(strstr(text, table[i].part), "%s: %s", table[i].line, text);
    }
}

Test(inquiry, a_worker_that_has_given_up_is_not_answered)
{
    struct message message;
    ask_until(1, 1, "threads", clock_monotonic());
    cr_expect_eq(message_receive(far[0], &message, NULL), -EAGAIN, "others are asked");
    cr_expect_eq(message_receive(far[1], &message, NULL), -EAGAIN);
}

Test(inquiry, a_worker_asks_about_all_of_them)
{
    char text[512];
    ask_as(1, 77, "threads");
    uint32_t number = question(0, "threads ");
    question(1, "threads ");
    hand_over(1, number, one_thread(2, 2));
    hand_over(0, number, one_thread(1, 1));
    cr_expect_eq(hear(1, text), 77);
    cr_expect_str_eq(text, ANSWER(THREAD("101.2", "1", "2") "," THREAD("100.1", "0", "1"), "2", ""));
}

Test(inquiry, a_worker_that_asks_and_dies)
{
    ask_as(1, 1, "threads");
    uint32_t number = question(0, "threads ");
    ask_forget(&m, FIRST_PID + 1);
    inquiry_miss(&m, FIRST_PID + 1);
    hand_over(0, number, one_thread(1, 1));
}

Test(inquiry, a_worker_that_asks_without_end_gets_no_answer_to_what_is_too_much)
{
    char text[512];
    for (uint32_t i = 0; i < ASKS; i++) {
        ask_as(1, i, "threads");
        question(1, "threads ");
        question(0, "threads ");
    }
    ask_as(1, ASKS, "threads");
    cr_expect_eq(hear(1, text), ASKS);
    cr_expect_str_eq(text, "");
    ask_as(0, 5, "version");
    cr_expect_eq(hear(0, text), 5);
    let_time_pass();
    for (uint32_t i = 0; i < ASKS; i++)
        cr_expect_eq(hear(1, text), i);
}
