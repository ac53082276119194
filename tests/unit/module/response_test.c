/* response_test.c: what a module may not do with its response, when it goes out, and in how many pieces. */
#include "visit.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

static const struct answer *const answer = &visit.answer;

/* ---- what is refused ---- */

GreenTest(module_response, statuses_refused)
{
    static const int refused[] = {-1, 0, 100, 101, 199, 600, 1000};
    struct tern_request *r = visit_begin(METHOD_GET);
    cr_expect_eq(tern_status(r, 418), 0);
    for (size_t i = 0; i < COUNT(refused); i++)
        cr_expect_eq(tern_status(r, refused[i]), -EINVAL, "%d", refused[i]);
    cr_expect_eq(visit_finish(0), 0);
    visit_expect(418, "");
    visit_end();
}

static const struct {
    const char *name, *value;
} refused_fields[] = {
    {"", "a"},
    {" A", "a"},
    {"A ", "a"},
    {"A:", "a"},
    {"A:b", "a"},
    {"A\r\nB", "a"},
    {"\xc3\xa4", "a"},
    {"A", "\r\n"},
    {"A", "a\r\nB: b"},
    {"A", "a\nB: b"},
    {"A", "a\r"},
    {"A", "a\x01"},
    {"A", "\x7f"},
    {"Content-Length", "5"},
    {"Transfer-Encoding", "chunked"},
    {"Connection", "close"},
    {"Keep-Alive", "timeout=5"},
    {"Upgrade", "h2c"},
    {"Proxy-Connection", "close"},
    {"Trailer", "A"},
    {"TE", "trailers"},
    {"Date", "now"},
    {"Server", "mine"},
    {"content-length", "5"},
    {"tE", "trailers"},
    {"Content-Type", "a\r\nB: b"},
};

GreenTest(module_response, fields_refused)
{
    struct tern_request *r = visit_begin(METHOD_GET);
    for (size_t i = 0; i < COUNT(refused_fields); i++)
        cr_expect_eq(tern_header(r, refused_fields[i].name, "%s", refused_fields[i].value), -EINVAL, "%s: %s",
                     refused_fields[i].name, refused_fields[i].value);
    cr_expect_eq(visit_finish(0), 0);
    visit_expect(200, "");
    cr_expect(str_eq(answer->fields, STR("Content-Type: text/plain; charset=utf-8\r\n")));
    visit_end();
}

static void expect_too_late(struct tern_request *r)
{
    cr_expect_eq(tern_status(r, 404), -EALREADY);
    cr_expect_eq(tern_status(r, 0), -EALREADY);
    cr_expect_eq(tern_header(r, "A", "b"), -EALREADY);
    cr_expect_eq(tern_header(r, "Date", "now"), -EALREADY);
    cr_expect_eq(tern_promise(r, 5), -EALREADY);
    cr_expect_eq(tern_fail(r, 404), -EALREADY);
    cr_expect_eq(tern_events(r), -EALREADY);
}

GreenTest(module_response, after_the_head)
{
    struct tern_request *r = visit_begin(METHOD_GET);
    cr_expect_eq(tern_flush(r), 0);
    expect_too_late(r);
    cr_expect_eq(visit_finish(0), 0);
    visit_expect(200, "");
    visit_end();
}

GreenTest(module_response, after_the_end)
{
    struct tern_request *r = visit_begin(METHOD_GET);
    cr_expect_eq(tern_write(r, "a", 1), 0);
    cr_expect_eq(tern_end(r), 0);
    expect_too_late(r);
    cr_expect_eq(tern_write(r, "b", 1), -EALREADY);
    cr_expect_eq(tern_printf(r, "b"), -EALREADY);
    cr_expect_eq(tern_event(r, NULL, NULL, "b"), -EALREADY);
    cr_expect_eq(tern_file(r, "/dev/null"), -EINVAL);
    cr_expect_eq(tern_flush(r), -EALREADY);
    cr_expect_eq(tern_end(r), 0, "it has ended already");
    cr_expect_eq(visit_finish(0), 0);
    visit_expect(200, "a");
    visit_end();
}

GreenTest(module_response, promises_that_are_none)
{
    struct tern_request *r = visit_begin(METHOD_GET);
    cr_expect_eq(tern_promise(r, -1), -EINVAL);
    cr_expect_eq(tern_promise(r, INT64_MIN), -EINVAL);
    cr_expect_eq(tern_write(r, "a", 1), 0);
    cr_expect_eq(visit_finish(0), 0);
    cr_expect_eq(answer->length, 1);
    visit_end();
}

GreenTest(module_response, less_than_was_promised)
{
    struct tern_request *r = visit_begin(METHOD_GET);
    cr_expect_eq(tern_promise(r, 5), 0);
    cr_expect_eq(tern_write(r, "1234", 4), 0);
    cr_expect_eq(visit_finish(0), -EPROTO);
    cr_expect_eq(answer->length, 5);
    cr_expect_not(answer->ended);
    visit_end();
}

GreenTest(module_response, more_than_was_promised)
{
    struct tern_request *r = visit_begin(METHOD_GET);
    cr_expect_eq(tern_promise(r, 5), 0);
    cr_expect_eq(tern_write(r, "1234", 4), 0);
    cr_expect_eq(tern_flush(r), 0);
    cr_expect_eq(tern_write(r, "56", 2), 0);
    cr_expect_eq(visit_finish(0), 0);
    cr_expect_eq(answer->length, 5);
    visit_expect(200, "12345");
    visit_end();
}

GreenTest(module_response, pages_of_failures_refused)
{
    static const int refused[] = {0, 200, 304, 399, 600};
    struct tern_request *r = visit_begin(METHOD_GET);
    for (size_t i = 0; i < COUNT(refused); i++)
        cr_expect_eq(tern_fail(r, refused[i]), -EINVAL, "%d", refused[i]);
    cr_expect_eq(visit_finish(0), 0);
    visit_expect(200, "");
    visit_end();
}

/* ---- a client that is gone ---- */

GreenTest(module_response, a_client_that_is_gone_stays_so)
{
    struct tern_request *r = visit_begin(METHOD_GET);
    visit.answer.fail_from = 1;
    cr_expect_eq(tern_write(r, "a", 1), 0);
    cr_expect_eq(tern_flush(r), -ECONNRESET);
    cr_expect_eq(tern_write(r, "b", 1), -ECONNRESET);
    cr_expect_eq(tern_printf(r, "b"), -ECONNRESET);
    cr_expect_eq(tern_flush(r), -ECONNRESET);
    cr_expect_eq(tern_end(r), -ECONNRESET);
    cr_expect_eq(visit_finish(0), -ECONNRESET, "whatever the handler makes of it");
    cr_expect_eq(answer->pieces, 1, "no second try");
    visit_end();
}

GreenTest(module_response, a_client_that_goes_while_much_is_written)
{
    struct tern_request *r = visit_begin(METHOD_GET);
    visit.answer.fail_from = 2;
    cr_expect_eq(tern_write(r, visit_text(MODULE_GATHERED + 1), MODULE_GATHERED + 1), 0);
    cr_expect_eq(tern_write(r, visit_text(MODULE_GATHERED + 1), MODULE_GATHERED + 1), -ECONNRESET);
    cr_expect_eq(visit_finish(-ECONNRESET), -ECONNRESET);
    visit_end();
}

/* ---- what goes out, and when ---- */

GreenTest(module_response, nothing_at_all)
{
    struct tern_request *r = visit_begin(METHOD_GET);
    cr_expect_eq(tern_write(r, NULL, 0), 0);
    cr_expect_eq(tern_printf(r, "%s", ""), 0);
    cr_expect_eq(visit_finish(0), 0);
    visit_expect(200, "");
    cr_expect_eq(answer->length, 0);
    visit_end();
}

GreenTest(module_response, small_pieces_go_out_as_one)
{
    struct tern_request *r = visit_begin(METHOD_GET);
    const char *text = visit_text(MODULE_GATHERED);
    for (size_t n = 0; n < MODULE_GATHERED; n += 64)
        cr_assert_eq(tern_write(r, text + n, 64), 0);
    cr_expect_eq(answer->status, 0, "not before the end");
    cr_expect_eq(visit_finish(0), 0);
    visit_expect(200, text);
    cr_expect_eq(answer->pieces, 1);
    cr_expect_eq(answer->length, MODULE_GATHERED);
    visit_end();
}

/* The buffer grows with what comes; whatever the steps, it is all there. */
GreenTest(module_response, pieces_of_any_size_that_fit)
{
    for (size_t piece = 1; piece < MODULE_GATHERED; piece = 2 * piece + 1) {
        struct tern_request *r = visit_begin(METHOD_GET);
        const char *text = visit_text(MODULE_GATHERED / piece * piece);
        for (size_t n = 0; text[n]; n += piece)
            cr_assert_eq(tern_write(r, text + n, piece), 0);
        cr_expect_eq(answer->status, 0, "%zu", piece);
        cr_expect_eq(visit_finish(0), 0);
        visit_expect(200, text);
        cr_expect_eq(answer->length, (int64_t)strlen(text));
        visit_end();
    }
}

GreenTest(module_response, what_is_larger_goes_out_as_it_is_written)
{
    struct tern_request *r = visit_begin(METHOD_GET);
    const char *text = visit_text(MODULE_GATHERED + 1);
    for (size_t n = 0; text[n]; n++)
        cr_assert_eq(tern_write(r, text + n, 1), 0);
    cr_expect_eq(answer->length, HTTP_LENGTH_UNKNOWN);
    cr_expect_eq(answer->n, MODULE_GATHERED);
    cr_expect_eq(answer->pieces, 1);
    cr_expect_eq(visit_finish(0), 0);
    visit_expect(200, text);
    cr_expect_eq(answer->pieces, 2);
    visit_end();
}

GreenTest(module_response, what_is_larger_and_promised)
{
    struct tern_request *r = visit_begin(METHOD_GET);
    const char *text = visit_text(5 * MODULE_GATHERED);
    cr_expect_eq(tern_promise(r, 1 + 5 * MODULE_GATHERED), 0);
    cr_expect_eq(tern_write(r, "a", 1), 0);
    cr_expect_eq(tern_write(r, text, 5 * MODULE_GATHERED), 0);
    cr_expect_eq(answer->length, 1 + 5 * MODULE_GATHERED);
    cr_expect_eq(answer->pieces, 2, "the large one is not copied");
    cr_expect_eq(visit_finish(0), 0);
    cr_expect_eq(answer->n, 1 + 5 * MODULE_GATHERED);
    cr_expect(str_eq(str_skip(answer_content(answer), 1), str_of(text)));
    visit_end();
}

GreenTest(module_response, what_is_small_and_promised)
{
    struct tern_request *r = visit_begin(METHOD_GET);
    cr_expect_eq(tern_promise(r, 2), 0);
    cr_expect_eq(tern_promise(r, 1), 0, "the last one counts");
    cr_expect_eq(tern_write(r, "a", 1), 0);
    cr_expect_eq(visit_finish(0), 0);
    visit_expect(200, "a");
    cr_expect_eq(answer->length, 1);
    visit_end();
}

GreenTest(module_response, texts_of_any_length)
{
    static const int lengths[] = {0, 1, 254, 255, 256, 257, 8192, 8193, 100000};
    for (size_t i = 0; i < COUNT(lengths); i++) {
        struct tern_request *r = visit_begin(METHOD_GET);
        char *expected = tern_format(r, "[%0*d]", lengths[i] + 1, 7);
        cr_expect_eq(tern_printf(r, "[%0*d]", lengths[i] + 1, 7), 0);
        cr_expect_eq(visit_finish(0), 0);
        visit_expect(200, expected);
        visit_end();
    }
}

GreenTest(module_response, flushes)
{
    struct tern_request *r = visit_begin(METHOD_GET);
    cr_expect_eq(tern_status(r, 202), 0);
    cr_expect_eq(tern_flush(r), 0);
    cr_expect_eq(answer->status, 202, "the head alone");
    cr_expect_eq(answer->length, HTTP_LENGTH_UNKNOWN);
    cr_expect_eq(tern_write(r, "abc", 3), 0);
    cr_expect_eq(answer->n, 0);
    cr_expect_eq(tern_flush(r), 0);
    cr_expect_eq(answer->n, 3);
    cr_expect_eq(answer->flushed, 3, "behind what has gathered");
    cr_expect_eq(tern_write(r, "def", 3), 0);
    cr_expect_eq(answer->n, 3);
    cr_expect_eq(visit_finish(0), 0);
    visit_expect(202, "abcdef");
    cr_expect_eq(answer->flushes, 2);
    visit_end();
}

GreenTest(module_response, an_end_before_the_handler_returns)
{
    struct tern_request *r = visit_begin(METHOD_GET);
    cr_expect_eq(tern_write(r, "abc", 3), 0);
    cr_expect_eq(tern_end(r), 0);
    visit_expect(200, "abc");
    cr_expect_eq(answer->length, 3);
    cr_expect_eq(visit_finish(0), 0);
    visit_end();
}

/* ---- where there is no content ---- */

GreenTest(module_response, the_answer_to_head)
{
    struct tern_request *r = visit_begin(METHOD_HEAD);
    cr_expect_eq(tern_write(r, "abc", 3), 0);
    cr_expect_eq(visit_finish(0), 0);
    visit_expect(200, "");
    cr_expect_eq(answer->length, 3);
    visit_end();
    r = visit_begin(METHOD_HEAD);
    cr_expect_eq(tern_promise(r, 5), 0);
    cr_expect_eq(visit_finish(0), 0, "what was promised need not be written");
    visit_expect(200, "");
    cr_expect_eq(answer->length, 5);
    visit_end();
    r = visit_begin(METHOD_HEAD);
    cr_expect_eq(tern_write(r, visit_text(50000), 50000), 0);
    cr_expect_eq(visit_finish(0), 0);
    visit_expect(200, "");
    visit_end();
}

GreenTest(module_response, statuses_without_content)
{
    static const int statuses[] = {204, 304};
    for (size_t i = 0; i < 2 * COUNT(statuses); i++) {
        struct tern_request *r = visit_begin(METHOD_GET);
        cr_expect_eq(tern_status(r, statuses[i / 2]), 0);
        if (i % 2)
            cr_expect_eq(tern_header(r, "Content-Type", "a/b"), 0);
        cr_expect_eq(tern_write(r, "abc", 3), 0);
        cr_expect_eq(visit_finish(0), 0);
        visit_expect(statuses[i / 2], "");
        cr_expect_str_eq(visit_field("Content-Type"), i % 2 ? "a/b" : "", "none is assumed");
        visit_end();
    }
}

/* ---- fields and pages ---- */

GreenTest(module_response, fields)
{
    struct tern_request *r = visit_begin(METHOD_GET);
    cr_expect_eq(tern_header(r, "content-TYPE", "text/%s", "html"), 0);
    cr_expect_eq(tern_header(r, "Set-Cookie", "a=%d", 1), 0);
    cr_expect_eq(tern_header(r, "Set-Cookie", " b\t=2\t "), 0);
    cr_expect_eq(tern_header(r, "X-Empty", "%s", ""), 0);
    cr_expect_eq(tern_header(r, "X", "\xc3\xa4"), 0);
    cr_expect_eq(tern_header(r, "Content-Type", "text/css"), 0, "the last one counts");
    cr_expect_eq(visit_finish(0), 0);
    cr_expect(str_eq(answer->fields, STR("Content-Type: text/css\r\nSet-Cookie: a=1\r\nSet-Cookie: b\t=2\r\n"
                                         "X-Empty: \r\nX: \xc3\xa4\r\n")),
              STR_FMT, STR_ARG(answer->fields));
    visit_end();
}

GreenTest(module_response, pages_of_failures)
{
    struct tern_request *r = visit_begin(METHOD_GET);
    cr_expect_eq(tern_status(r, 201), 0);
    cr_expect_eq(tern_header(r, "Content-Type", "text/css"), 0);
    cr_expect_eq(tern_header(r, "Retry-After", "5"), 0);
    cr_expect_eq(tern_write(r, "dropped", 7), 0);
    cr_expect_eq(tern_fail(r, 503), 0);
    cr_expect_eq(visit_finish(0), 0);
    visit_expect(503, "503 Service Unavailable\n");
    cr_expect_str_eq(visit_field("Content-Type"), "text/plain");
    cr_expect_str_eq(visit_field("Retry-After"), "5");
    visit_end();
}

/* ---- several threads ---- */

static const struct exchange_ops *below;

static int content_that_waits(struct exchange *x, struct str bytes)
{
    run_yield();
    return below->content(x, bytes);
}

static int write_much(void *r)
{
    return tern_write(r, visit_text(2 * MODULE_GATHERED), 2 * MODULE_GATHERED);
}

GreenTest(module_response, one_thread_sends_at_a_time)
{
    struct tern_request *r = visit_begin(METHOD_GET);
    struct exchange_ops ops = *visit.answer.x.ops;
    below = visit.answer.x.ops;
    ops.content = content_that_waits;
    visit.answer.x.ops = &ops;
    struct green *first = run_spawn(write_much, r), *second = run_spawn(write_much, r);
    cr_assert_eq(green_yield(), 0);
    cr_expect_eq(tern_write(r, "a", 1), -EBUSY);
    cr_expect_eq(tern_flush(r), -EBUSY);
    cr_expect_eq(tern_end(r), -EBUSY);
    cr_expect_eq(tern_file(r, "/dev/null"), -EINVAL, "which is no file");
    cr_expect_eq(run_join(first), 0);
    cr_expect_eq(run_join(second), -EBUSY);
    cr_expect_eq(visit_finish(0), 0);
    visit_expect(200, visit_text(2 * MODULE_GATHERED));
    visit_end();
}
