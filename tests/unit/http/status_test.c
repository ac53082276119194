/* status_test.c: lines and texts of status codes, those without a name too. */
#include "http/status.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <stdio.h>

static void expect_line(int status, const char *line)
{
    cr_expect(str_eq(http_status_line(status), str_of(line)), "%d: " STR_FMT, status,
              STR_ARG(http_status_line(status)));
}

Test(status, outside_the_range)
{
    static const int codes[] = {INT_MIN, -1, 0, 99, 600, 1000, INT_MAX};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        expect_line(codes[i], "HTTP/1.1 500 Internal Server Error\r\n");
}

Test(status, without_a_reason)
{
    expect_line(418, "HTTP/1.1 418 \r\n");
    expect_line(299, "HTTP/1.1 299 \r\n");
    expect_line(599, "HTTP/1.1 599 \r\n");
    expect_line(299, "HTTP/1.1 299 \r\n");
    cr_expect(str_eq(http_status_text(599), STR("599 ")));
}

Test(status, with_one)
{
    expect_line(100, "HTTP/1.1 100 Continue\r\n");
    expect_line(200, "HTTP/1.1 200 OK\r\n");
    expect_line(413, "HTTP/1.1 413 Content Too Large\r\n");
    expect_line(505, "HTTP/1.1 505 HTTP Version Not Supported\r\n");
    cr_expect(str_eq(http_status_text(404), STR("404 Not Found")));
}

/* RFC 9112, 4: HTTP-version SP 3DIGIT SP [reason] CRLF */
Test(status, every_line_is_well_formed)
{
    for (int status = 100; status <= 599; status++) {
        char start[32];
        snprintf(start, sizeof start, "HTTP/1.1 %d ", status);
        struct str line = http_status_line(status);
        cr_expect(str_starts(line, str_of(start)) && str_ends(line, STR("\r\n")), "%d", status);
        cr_expect_eq(str_find(line, '\r'), line.n - 2, "%d", status);
    }
}

/* RFC 9110, 6.4.1 */
Test(status, bodiless)
{
    for (int status = 100; status <= 599; status++)
        cr_expect_eq(http_status_bodiless(status), status < 200 || status == 204 || status == 304, "%d", status);
}
