/* exchange_test.c: what handlers may do wrong, and what the protocol below gets. */
#include "http/exchange.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

static char log_of_calls[1024];
static int failure; /* of the protocol */

static void note(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void note(const char *format, ...)
{
    size_t n = strlen(log_of_calls);
    va_list args;
    va_start(args, format);
    vsnprintf(log_of_calls + n, sizeof log_of_calls - n, format, args);
    va_end(args);
}

static int head(struct exchange *x, const struct http_head *head)
{
    (void)x;
    note("head %d [" STR_FMT "] %lld;", head->status, STR_ARG(head->fields), (long long)head->length);
    return failure;
}

static int content(struct exchange *x, struct str bytes)
{
    (void)x;
    note("content [" STR_FMT "];", STR_ARG(bytes));
    return failure;
}

static int file(struct exchange *x, int fd, off_t at, size_t n, const struct file_stamp *stamp)
{
    (void)x, (void)stamp;
    note("file %d %lld %zu;", fd, (long long)at, n);
    return failure;
}

static int flush(struct exchange *x)
{
    (void)x;
    note("flush;");
    return failure;
}

static int end(struct exchange *x)
{
    (void)x;
    note("end;");
    return failure;
}

static ssize_t read_nothing(struct exchange *x, void *to, size_t n)
{
    (void)x, (void)to;
    return (ssize_t)n;
}

static const struct exchange_ops ops = {head, content, file, flush, end, read_nothing};
static struct exchange x;

static void setup(void)
{
    x = (struct exchange){.ops = &ops};
    arena_init(&x.arena, NULL, 0);
}

static void teardown(void)
{
    arena_clear(&x.arena);
}

TestSuite(exchange, .init = setup, .fini = teardown);

static void expect_calls(const char *calls)
{
    cr_expect_str_eq(log_of_calls, calls);
    log_of_calls[0] = '\0';
}

Test(exchange, less_than_was_promised)
{
    cr_expect_eq(http_head(&x, 200, STR(""), 5), 0);
    cr_expect_eq(http_content(&x, STR("1234")), 0);
    cr_expect_eq(http_end(&x), -EPROTO);
    cr_expect_not(x.response.ended);
    expect_calls("head 200 [] 5;content [1234];");
}

Test(exchange, more_than_was_promised)
{
    cr_expect_eq(http_head(&x, 200, STR(""), 5), 0);
    cr_expect_eq(http_content(&x, STR("123")), 0);
    cr_expect_eq(http_content(&x, STR("4567")), 0);
    cr_expect_eq(http_content(&x, STR("8")), 0);
    cr_expect_eq(http_file(&x, 9, 0, 10, NULL), 0);
    cr_expect_eq(http_end(&x), 0);
    cr_expect_eq(x.response.given, 5);
    expect_calls("head 200 [] 5;content [123];content [45];end;");
}

Test(exchange, a_file_beyond_what_was_promised)
{
    cr_expect_eq(http_head(&x, 200, STR(""), 5), 0);
    cr_expect_eq(http_file(&x, 9, 100, 50, NULL), 0);
    cr_expect_eq(http_file(&x, 9, 150, 50, NULL), 0);
    cr_expect_eq(http_end(&x), 0);
    expect_calls("head 200 [] 5;file 9 100 5;end;");
}

Test(exchange, a_broken_connection)
{
    failure = -EPIPE;
    cr_expect_eq(http_send(&x, 200, STR(""), STR("a")), -EPIPE);
    expect_calls("head 200 [] 1;");
    cr_expect_eq(http_content(&x, STR("a")), -EPIPE);
    cr_expect_eq(x.response.given, 0);
    cr_expect_eq(http_end(&x), -EPROTO, "the promised byte is missing");
}

/* RFC 9110, 9.3.2 and 6.4.1: the length is told, nothing is sent */
Test(exchange, where_there_is_no_content)
{
    x.request.method = METHOD_HEAD;
    cr_expect_eq(http_send(&x, 200, STR("A: b\r\n"), STR("hello")), 0);
    expect_calls("head 200 [A: b\r\n] 5;end;");
    cr_expect_eq(x.response.given, 0);
    cr_expect(x.response.ended);
    x.request.method = METHOD_GET;
    cr_expect_eq(http_send(&x, 304, STR(""), STR("hello")), 0);
    expect_calls("head 304 [] 5;end;");
    cr_expect_eq(http_head(&x, 204, STR(""), HTTP_LENGTH_UNKNOWN), 0);
    cr_expect_eq(http_file(&x, 9, 0, 5, NULL), 0);
    cr_expect_eq(http_end(&x), 0);
    expect_calls("head 204 [] -1;end;");
}

Test(exchange, content_of_unknown_length)
{
    cr_expect_eq(http_head(&x, 200, STR(""), HTTP_LENGTH_UNKNOWN), 0);
    cr_expect_eq(http_content(&x, STR("a")), 0);
    cr_expect_eq(http_content(&x, STR("")), 0, "an empty chunk would be the last one");
    cr_expect_eq(http_file(&x, 9, 7, 0, NULL), 0);
    cr_expect_eq(http_content(&x, STR("b")), 0);
    cr_expect_eq(http_end(&x), 0);
    cr_expect_eq(x.response.given, 2);
    expect_calls("head 200 [] -1;content [a];content [b];end;");
}

Test(exchange, a_status_as_text)
{
    cr_expect_eq(http_send_status(&x, 404, STR("A: b\r\n")), 0);
    expect_calls("head 404 [A: b\r\nContent-Type: text/plain\r\n] 14;content [404 Not Found\n];end;");
    cr_expect_eq(x.response.status, 404);
}

Test(exchange, fields_by_name)
{
    struct http_field fields[] = {{STR("A"), STR("1")}, {STR("b"), STR("")}, {STR("a"), STR("2")}};
    struct http_request request = {.fields = fields, .field_count = 3};
    cr_expect(str_eq(http_field(&request, STR("a")), STR("1")));
    cr_expect_not_null(http_field(&request, STR("B")).p);
    cr_expect_null(http_field(&request, STR("")).p);
    cr_expect_null(http_field(&request, STR("ab")).p);
}

Test(exchange, flushing_is_the_protocols)
{
    cr_expect_eq(http_head(&x, 200, STR(""), HTTP_LENGTH_UNKNOWN), 0);
    cr_expect_eq(http_flush(&x), 0);
    failure = -EPIPE;
    cr_expect_eq(http_flush(&x), -EPIPE);
    expect_calls("head 200 [] -1;flush;flush;");
}

Test(exchange, reading_is_the_protocols)
{
    char byte;
    cr_expect_eq(http_read(&x, &byte, 1), 1);
}

Test(exchange, no_query_is_shown)
{
    char room[HTTP_LINE_SHOWN];
    static char longest[4 * HTTP_LINE_SHOWN] = "GET /";
    struct exchange asked = {.request.line = STR("GET /a?pw=1 HTTP/1.1")};
    cr_expect(str_eq(http_shown_line(&asked, room), STR("GET /a?... HTTP/1.1")));
    memset(longest + 5, 'a', sizeof longest - 6);
    asked.request.line = str_of(longest);
    cr_expect(str_starts(str_of(longest), http_shown_line(&asked, room)));
    cr_expect_gt(http_shown_line(&asked, room).n, HTTP_LINE_SHOWN / 2);
    longest[5] = '?';
    longest[6] = 'x';
    longest[7] = ' ';
    cr_expect(str_starts(http_shown_line(&asked, room), STR("GET /?... aaa")), "its end is missing");
}
