/* finish_test.c: what a handler's result means for its client, and for the threads that it has started. */
#include <limits.h>

#include "visit.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

TestSuite(module_finish, .init = visit_log_begin, .fini = visit_log_end);

/* The line ends so. */
static void expect_logged(const char *line)
{
    const char *text = visit_logged();
    cr_expect(str_ends(str_of(text), str_of(line)), "%s, not %s", text, line);
}

/* ---- errors ---- */

static const struct {
    int error, status;
} failures[] = {
    {-ECONNREFUSED, 502}, {-ECONNRESET, 502}, {-EPIPE, 502},     {-EHOSTUNREACH, 502},
    {-ENETUNREACH, 502},  {-EPROTO, 502},     {-ETIMEDOUT, 504}, {-EAGAIN, 503},
    {-ENOMEM, 503},       {-EMFILE, 503},     {-ENFILE, 503},    {-EBUSY, 503},
    {-ENOBUFS, 503},      {-EMSGSIZE, 413},   {-EBADMSG, 500},   {-EIO, 500},
    {-ENOENT, 404},       {-ECANCELED, 500},  {-1, 500},         {-EKEYREJECTED, 502},
    {-100000, 500},       {1, 500},           {INT_MAX, 500},
};

GreenTest(module_finish, errors_are_answered)
{
    for (size_t i = 0; i < COUNT(failures); i++) {
        struct tern_request *r = visit_begin(METHOD_GET);
        cr_expect_eq(tern_status(r, 201), 0);
        cr_expect_eq(tern_header(r, "Cache-Control", "max-age=60"), 0);
        cr_expect_eq(tern_write(r, "half of it", 10), 0);
        cr_expect_eq(visit_finish(failures[i].error), 0, "%d", failures[i].error);
        cr_expect_eq(visit.answer.status, failures[i].status, "%d: %d", failures[i].error, visit.answer.status);
        cr_expect(visit.answer.ended);
        cr_expect_not(answer_has(&visit.answer, "half"));
        cr_expect_str_eq(visit_field("Cache-Control"), "", "it was meant for something else");
        visit_end();
    }
}

GreenTest(module_finish, an_error_is_logged)
{
    visit_begin(METHOD_GET);
    cr_expect_eq(visit_finish(-ECONNREFUSED), 0);
    expect_logged("] test: it returned -ECONNREFUSED (Connection refused): GET /app/page HTTP/1.1\n");
    visit_end();
}

GreenTest(module_finish, a_result_above_0_is_a_mistake)
{
    visit_begin(METHOD_GET);
    cr_expect_eq(visit_finish(5), 0);
    expect_logged("] test: it returned 5: GET /app/page HTTP/1.1\n");
    visit_expect(500, "500 Internal Server Error\n");
    visit_end();
}

GreenTest(module_finish, an_error_after_the_head)
{
    struct tern_request *r = visit_begin(METHOD_GET);
    cr_expect_eq(tern_write(r, "half", 4), 0);
    cr_expect_eq(tern_flush(r), 0);
    cr_expect_eq(visit_finish(-EIO), -EPROTO, "it is cut off");
    cr_expect_eq(visit.answer.status, 200);
    cr_expect_not(visit.answer.ended);
    visit_end();
}

GreenTest(module_finish, an_error_after_the_end)
{
    struct tern_request *r = visit_begin(METHOD_GET);
    cr_expect_eq(tern_write(r, "all", 3), 0);
    cr_expect_eq(tern_end(r), 0);
    cr_expect_eq(visit_finish(-EIO), 0, "the client has what it asked for");
    visit_expect(200, "all");
    cr_expect_str_not_empty(visit_logged());
    visit_end();
}

GreenTest(module_finish, an_error_after_a_failure)
{
    struct tern_request *r = visit_begin(METHOD_GET);
    cr_expect_eq(tern_fail(r, 404), 0);
    cr_expect_eq(visit_finish(-EIO), 0);
    visit_expect(404, "404 Not Found\n");
    visit_end();
}

/* The protocol answers, since it knows why. */
GreenTest(module_finish, errors_of_reading_are_passed_on)
{
    static const int errors[] = {-EMSGSIZE, -ETIMEDOUT, -EBADMSG, -ECONNRESET};
    for (size_t i = 0; i < COUNT(errors); i++) {
        struct tern_request *r = visit_begin(METHOD_POST);
        char byte;
        visit.answer.body_error = errors[i];
        cr_expect_eq(tern_read(r, &byte, 1), errors[i]);
        cr_expect_eq(visit_finish(errors[i]), errors[i]);
        cr_expect_eq(visit.answer.status, 0);
        visit_end();
    }
    cr_expect_str_empty(visit_logged());
}

GreenTest(module_finish, an_error_beside_that_of_reading)
{
    struct tern_request *r = visit_begin(METHOD_POST);
    char byte;
    visit.answer.body_error = -EBADMSG;
    cr_expect_eq(tern_read(r, &byte, 1), -EBADMSG);
    cr_expect_eq(visit_finish(-ECONNREFUSED), 0);
    cr_expect_eq(visit.answer.status, 502);
    visit_end();
}

GreenTest(module_finish, an_error_of_reading_that_is_made_nothing_of)
{
    struct tern_request *r = visit_begin(METHOD_POST);
    char byte;
    visit.answer.body_error = -EBADMSG;
    cr_expect_eq(tern_read(r, &byte, 1), -EBADMSG);
    cr_expect_eq(tern_printf(r, "never mind"), 0);
    cr_expect_eq(visit_finish(0), 0);
    visit_expect(200, "never mind");
    visit_end();
}

GreenTest(module_finish, errors_of_sending_are_passed_on)
{
    struct tern_request *r = visit_begin(METHOD_GET);
    visit.answer.fail_from = 1;
    cr_expect_eq(tern_write(r, "a", 1), 0);
    cr_expect_eq(visit_finish(0), -ECONNRESET, "of the end");
    visit_end();
    r = visit_begin(METHOD_GET);
    visit.answer.fail_from = 1;
    cr_expect_eq(tern_write(r, "a", 1), 0);
    cr_expect_eq(tern_flush(r), -ECONNRESET);
    cr_expect_eq(visit_finish(-ECONNRESET), -ECONNRESET);
    cr_expect_str_empty(visit_logged());
    visit_end();
}

static int serve_until_cancelled(void *arg)
{
    (void)arg;
    visit_begin(METHOD_GET);
    return visit_finish(tern_sleep(3600 * TERN_SEC));
}

GreenTest(module_finish, a_cancel_is_passed_on)
{
    struct green *thread = run_spawn(serve_until_cancelled, NULL);
    run_yield();
    green_cancel(thread);
    cr_expect_eq(run_join(thread), -ECANCELED);
    cr_expect_eq(visit.answer.status, 0);
    cr_expect_str_empty(visit_logged());
    visit_end();
}

/* ---- threads of the request ---- */

static int work_until_cancelled(void *arg)
{
    struct tern_request *r = arg;
    int error = tern_sleep(3600 * TERN_SEC);
    cr_expect(tern_cancelled());
    cr_expect_eq(visit.answer.status, 0, "the response waits for it");
    cr_expect_eq(tern_printf(r, ", and its thread's"), 0);
    return error;
}

GreenTest(module_finish, threads_end_before_the_response)
{
    struct tern_request *r = visit_begin(METHOD_GET);
    struct tern_future *future;
    cr_expect_eq(tern_start(tern_scope_of(r), NULL, work_until_cancelled, r), 0);
    cr_expect_eq(tern_start(tern_scope_of(r), &future, work_until_cancelled, r), 0);
    cr_expect_eq(tern_yield(), 0);
    cr_expect_eq(tern_printf(r, "the handler's"), 0);
    cr_expect_eq(visit_finish(0), 0);
    visit_expect(200, "the handler's, and its thread's, and its thread's");
    visit_end();
}

GreenTest(module_finish, threads_end_before_an_error_is_answered)
{
    struct tern_request *r = visit_begin(METHOD_GET);
    cr_expect_eq(tern_start(tern_scope_of(r), NULL, work_until_cancelled, r), 0);
    cr_expect_eq(visit_finish(-EIO), 0);
    cr_expect_eq(visit.answer.status, 500);
    visit_end();
}
