/* status_report_test.c: a master that is asked, by a stand-in: who asks, how often, and what becomes of its answers. */
#include "handler/status_report.h"

#include <criterion/criterion.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../green/run.h"
#include "http/inspect.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* ---- the master ---- */

static struct {
    struct str answer;
    int error;  /* instead of an answer; 0: none */
    nsec delay; /* before either */
    size_t asked;
    struct str line; /* the last question */
} master;

static int answer(struct str line, nsec deadline)
{
    (void)deadline;
    master.asked++;
    master.line = line;
    int error = master.delay ? green_sleep(master.delay) : 0;
    if (error || master.error)
        return error ? error : master.error;
    int fd = memfd_create("answer", MFD_CLOEXEC);
    cr_assert_eq(write(fd, master.answer.p, master.answer.n), (ssize_t)master.answer.n);
    return fd;
}

static void setup(void)
{
    http_inspection.ask = answer;
    master.answer = STR("{\"ok\":true}");
}

TestSuite(status_report, .init = setup);

/* ---- who asks ---- */

static struct green_cond news;
static struct green_scope scope;

static void begin(void)
{
    green_cond_init(&news);
    green_scope_enter(&scope);
}

/* Asks, if it is time, and waits until that is over. */
static void ask(enum status_question question)
{
    status_report_ask(question, &scope, &news);
    cr_assert_eq(green_scope_join(&scope, NSEC_NEVER), 0);
}

static void expect_answer(enum status_question question, const char *text)
{
    struct status_report *report = status_report_get(question, 0);
    cr_assert_not_null(report);
    struct str got = {report->text, report->n};
    cr_expect(str_eq(str_cut(&got, ' '), STR("event:")));
    cr_expect(str_eq(str_cut(&got, '\n'), question == STATUS_STALLS ? STR("stalls") : STR("threads")));
    cr_expect(str_eq(got, str_of(text)), STR_FMT, STR_ARG(got));
    status_report_release(report);
}

GreenTest(status_report, failures_are_told, .threads = 4)
{
    static const struct {
        int error;
        const char *text;
    } table[] = {
        {-ETIMEDOUT, "data: {\"ok\":false,\"error\":\"Connection timed out\"}\n\n"},
        {-EAGAIN, "data: {\"ok\":false,\"error\":\"Resource temporarily unavailable\"}\n\n"},
    };
    begin();
    for (size_t i = 0; i < COUNT(table); i++) {
        master.error = table[i].error;
        ask(STATUS_THREADS);
        expect_answer(STATUS_THREADS, table[i].text);
        status_reports_forget();
    }
    master.error = 0;
    master.answer = STR("");
    ask(STATUS_THREADS);
    expect_answer(STATUS_THREADS, "data: {\"ok\":false,\"error\":\"Input/output error\"}\n\n");
    status_reports_forget();
    http_inspection.ask = NULL;
    ask(STATUS_THREADS);
    expect_answer(STATUS_THREADS, "data: {\"ok\":false,\"error\":\"Operation not supported\"}\n\n");
    status_reports_forget();
}

GreenTest(status_report, an_answer_is_one_line, .threads = 4)
{
    begin();
    master.answer = STR("{\"ok\":\r\ntrue}\n");
    ask(STATUS_STALLS);
    cr_expect(str_eq(master.line, STR("stalls")));
    expect_answer(STATUS_STALLS, "data: {\"ok\":  true} \n\n");
    cr_expect_null(status_report_get(STATUS_THREADS, 0), "nobody has asked that");
    status_reports_forget();
}

/* However many want to know. */
GreenTest(status_report, asked_once_and_not_again_at_once, .threads = 4)
{
    begin();
    master.delay = 10 * NSEC_MS;
    for (int i = 0; i < 3; i++)
        status_report_ask(STATUS_THREADS, &scope, &news);
    ask(STATUS_THREADS);
    cr_expect_eq(master.asked, 1);
    ask(STATUS_THREADS);
    cr_expect_eq(master.asked, 1, "it is not due");
    status_reports_forget();
    ask(STATUS_THREADS);
    cr_expect_eq(master.asked, 2, "nobody is told what was");
    status_reports_forget();
}

GreenTest(status_report, the_same_answer_is_no_news, .threads = 4)
{
    begin();
    ask(STATUS_THREADS);
    struct status_report *first = status_report_get(STATUS_THREADS, 0);
    cr_assert_not_null(first);
    cr_expect_null(status_report_get(STATUS_THREADS, first->number));
    cr_assert_eq(green_sleep(1100 * NSEC_MS), 0);
    ask(STATUS_THREADS);
    cr_expect_eq(master.asked, 2);
    cr_expect_null(status_report_get(STATUS_THREADS, first->number));
    master.answer = STR("{\"ok\":1}");
    cr_assert_eq(green_sleep(1100 * NSEC_MS), 0);
    ask(STATUS_THREADS);
    struct status_report *second = status_report_get(STATUS_THREADS, first->number);
    cr_assert_not_null(second);
    cr_expect(str_eq((struct str){first->text, first->n}, STR("event: threads\ndata: {\"ok\":true}\n\n")),
              "an answer in use stays as it is");
    status_report_release(first);
    status_report_release(second);
    status_reports_forget();
}

/* He who has asked leaves; the next one asks anew, and at once. */
GreenTest(status_report, a_question_ends_with_who_asks, .threads = 4)
{
    begin();
    master.delay = NSEC_NEVER;
    status_report_ask(STATUS_THREADS, &scope, &news);
    run_yield();
    green_scope_leave(&scope);
    cr_expect_null(status_report_get(STATUS_THREADS, 0));
    green_scope_enter(&scope);
    master.delay = 0;
    ask(STATUS_THREADS);
    cr_expect_eq(master.asked, 2);
    expect_answer(STATUS_THREADS, "data: {\"ok\":true}\n\n");
    status_reports_forget();
}
