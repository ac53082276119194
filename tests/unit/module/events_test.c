/* events_test.c: events that would break the stream, and what a browser gets of the others (WHATWG HTML, 9.2.5). */
#include "visit.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

static struct tern_request *begin(void)
{
    struct tern_request *r = visit_begin(METHOD_GET);
    cr_assert_eq(tern_events(r), 0);
    return r;
}

/* ---- what is refused ---- */

GreenTest(module_events, names_and_ids_of_several_lines)
{
    static const char *const texts[] = {"\n", "\r", "a\nb", "a\rb", "a\r\n", "a\ndata: b"};
    struct tern_request *r = begin();
    for (size_t i = 0; i < COUNT(texts); i++) {
        cr_expect_eq(tern_event(r, texts[i], NULL, "data"), -EINVAL, "id %zu", i);
        cr_expect_eq(tern_event(r, NULL, texts[i], "data"), -EINVAL, "name %zu", i);
        cr_expect_eq(tern_event(r, "1", texts[i], NULL), -EINVAL, "comment %zu", i);
    }
    cr_expect_eq(visit_finish(0), 0);
    visit_expect(200, "");
    visit_end();
}

GreenTest(module_events, behind_something_else)
{
    struct tern_request *r = visit_begin(METHOD_GET);
    cr_expect_eq(tern_write(r, "a", 1), 0);
    cr_expect_eq(tern_events(r), -EALREADY);
    cr_expect_eq(visit_finish(0), 0);
    visit_expect(200, "a");
    cr_expect_str_eq(visit_field("Content-Type"), "text/plain; charset=utf-8");
    visit_end();
    r = begin();
    cr_expect_eq(tern_events(r), -EALREADY, "a second time");
    visit_end();
}

GreenTest(module_events, a_client_that_wants_none)
{
    struct tern_request *r = visit_begin(METHOD_HEAD);
    cr_expect_eq(tern_events(r), -EPIPE);
    cr_expect_eq(tern_event(r, NULL, NULL, "a"), -EALREADY);
    cr_expect_eq(visit_finish(-EPIPE), 0, "its connection goes on");
    visit_expect(200, "");
    cr_expect_str_eq(visit_field("Content-Type"), "text/event-stream");
    visit_end();
}

GreenTest(module_events, a_client_that_is_gone)
{
    struct tern_request *r = begin();
    visit.answer.fail_from = 2;
    cr_expect_eq(tern_event(r, NULL, NULL, "a"), 0);
    cr_expect_eq(tern_event(r, NULL, NULL, NULL), -ECONNRESET, "a comment finds out");
    cr_expect_eq(tern_event(r, NULL, NULL, "b"), -ECONNRESET);
    cr_expect_eq(visit_finish(-ECONNRESET), -ECONNRESET);
    visit_end();
}

/* ---- what is sent ---- */

GreenTest(module_events, the_head_goes_out_at_once)
{
    struct tern_request *r = visit_begin(METHOD_GET);
    cr_expect_eq(tern_header(r, "X-Accel", "b"), 0);
    cr_expect_eq(tern_events(r), 0);
    cr_expect_eq(visit.answer.status, 200);
    cr_expect_eq(visit.answer.flushes, 1);
    cr_expect_eq(visit.answer.length, HTTP_LENGTH_UNKNOWN);
    cr_expect_str_eq(visit_field("Content-Type"), "text/event-stream");
    cr_expect_str_eq(visit_field("Cache-Control"), "no-cache");
    cr_expect_str_eq(visit_field("X-Accel"), "b");
    visit_end();
}

static const struct {
    const char *id, *name, *data, *sent;
} events[] = {
    {NULL, NULL, NULL, ":\n\n"},
    {"7", NULL, NULL, "id: 7\n:\n\n"},
    {NULL, NULL, "", "data: \n\n"},
    {NULL, NULL, "a", "data: a\n\n"},
    {"", "", "a", "id: \nevent: \ndata: a\n\n"},
    {"7", "tick", "a", "id: 7\nevent: tick\ndata: a\n\n"},
    {NULL, NULL, " a:b ", "data:  a:b \n\n"},
    {NULL, NULL, "a\nb", "data: a\ndata: b\n\n"},
    {NULL, NULL, "a\rb", "data: a\ndata: b\n\n"},
    {NULL, NULL, "a\r\nb", "data: a\ndata: b\n\n"},
    {NULL, NULL, "a\n\nb", "data: a\ndata: \ndata: b\n\n"},
    {NULL, NULL, "a\n\rb", "data: a\ndata: \ndata: b\n\n"},
    {NULL, NULL, "\na", "data: \ndata: a\n\n"},
    {NULL, NULL, "a\n", "data: a\n\n"},
    {NULL, NULL, "a\n\nevent: b\n\n", "data: a\ndata: \ndata: event: b\ndata: \n\n"},
};

GreenTest(module_events, each_line_is_a_field)
{
    for (size_t i = 0; i < COUNT(events); i++) {
        struct tern_request *r = begin();
        cr_expect_eq(tern_event(r, events[i].id, events[i].name, events[i].data), 0);
        cr_expect_eq(visit.answer.pieces, 1, "%zu: in one piece", i);
        cr_expect_eq(visit.answer.flushed, strlen(events[i].sent), "%zu: at once", i);
        cr_expect_eq(visit_finish(0), 0);
        visit_expect(200, events[i].sent);
        visit_end();
    }
}

GreenTest(module_events, a_large_one)
{
    struct tern_request *r = begin();
    const char *text = visit_text(100000);
    cr_expect_eq(tern_event(r, NULL, NULL, text), 0);
    cr_expect_eq(visit.answer.flushed, strlen("data: \n\n") + 100000);
    cr_expect_eq(visit_finish(0), 0);
    visit_expect(200, tern_format(r, "data: %s\n\n", text));
    visit_end();
}
