/* The request line, what may stand before it, and how lines end. */
#include "harness.h"
#include "strict.h"

#include <criterion/criterion.h>

#define REST "\r\n" HOST "\r\n"

TestSuite(strict_line, .init = strict_begin, .fini = harness_end);

static const struct strict_row shapes[] = {
    ROW("9112 3", "a method alone", "400", "GET\r\n\r\n"),
    ROW("9112 3", "a method and a space", "400", "GET \r\n\r\n"),
    ROW("9112 3", "no version, as in HTTP/0.9", "400", "GET /\r\n\r\n"),
    ROW("9112 3", "an empty version", "400", "GET / " REST),
    ROW("9112 3", "no target", "400", "GET HTTP/1.1" REST),
    ROW("9112 3", "an empty target", "400", "GET  HTTP/1.1" REST),
    ROW("9112 3", "no method", "400", "/ HTTP/1.1" REST),
    ROW("9112 3", "an empty method", "400", " / HTTP/1.1" REST),
    ROW("9112 3", "a version alone", "400", "HTTP/1.1" REST),
    ROW("9112 3", "two spaces behind the method", "400", "GET  / HTTP/1.1" REST),
    ROW("9112 3", "two spaces before the version", "400", "GET /  HTTP/1.1" REST),
    ROW("9112 3", "a space at the end", "400", "GET / HTTP/1.1 " REST),
    ROW("9112 3", "a space at the start", "400", " GET / HTTP/1.1" REST),
    ROW("9112 3", "a tab behind the method", "400", "GET\t/ HTTP/1.1" REST),
    ROW("9112 3", "a tab before the version", "400", "GET /\tHTTP/1.1" REST),
    ROW("9112 3", "a tab at the end", "400", "GET / HTTP/1.1\t" REST),
    ROW("9112 3", "a tab at the start", "400", "\tGET / HTTP/1.1" REST),
    ROW("9112 3", "a space and a tab", "400", "GET \t/ HTTP/1.1" REST),
    ROW("9112 3", "a vertical tab for a space", "400", "GET\v/ HTTP/1.1" REST),
    ROW("9112 3", "a form feed for a space", "400", "GET /\fHTTP/1.1" REST),
    ROW("9112 3", "a CR for a space", "400", "GET\r/ HTTP/1.1" REST),
    ROW("9112 3", "an LF for a space", "400", "GET /\nHTTP/1.1" REST),
    ROW("9112 3", "a NUL for a space", "400", "GET /\0HTTP/1.1" REST),
    ROW("9112 3", "a space in the target", "400", "GET /a b HTTP/1.1" REST),
    ROW("9112 3", "a fourth word", "400", "GET / HTTP/1.1 x" REST),
    ROW("9112 3", "two request lines", "400", "GET / HTTP/1.1\r\nGET / HTTP/1.1" REST),
    ROW("9112 3", "a status line", "400", "HTTP/1.1 200 OK" REST),
    ROW("9112 3", "a folded request line", "400", "GET /\r\n HTTP/1.1" REST),
};

Test(strict_line, shape)
{
    STRICT_RUN(shapes);
}

static const struct strict_row methods[] = {
    ROW("9110 5.6.2", "a NUL in the method", "400", "G\0ET / HTTP/1.1" REST),
    ROW("9110 5.6.2", "a control byte in the method", "400", "G\001ET / HTTP/1.1" REST),
    ROW("9110 5.6.2", "DEL in the method", "400", "GET\177 / HTTP/1.1" REST),
    ROW("9110 5.6.2", "8 bits in the method", "400", "G\303\211T / HTTP/1.1" REST),
    ROW("9110 5.6.2", "a no-break space behind the method", "400", "GET\240/ HTTP/1.1" REST),
    ROW("9110 5.6.2", "a byte order mark before the method", "400", "\357\273\277GET / HTTP/1.1" REST),
    ROW("9110 5.6.2", "a quote in the method", "400", "G\"ET / HTTP/1.1" REST),
    ROW("9110 5.6.2", "( in the method", "400", "GE(T / HTTP/1.1" REST),
    ROW("9110 5.6.2", ") in the method", "400", "GET) / HTTP/1.1" REST),
    ROW("9110 5.6.2", ", in the method", "400", "GET, / HTTP/1.1" REST),
    ROW("9110 5.6.2", "/ in the method", "400", "GET/ / HTTP/1.1" REST),
    ROW("9110 5.6.2", ": in the method", "400", "GET: / HTTP/1.1" REST),
    ROW("9110 5.6.2", "; in the method", "400", "GET;a / HTTP/1.1" REST),
    ROW("9110 5.6.2", "< in the method", "400", "<GET / HTTP/1.1" REST),
    ROW("9110 5.6.2", "= in the method", "400", "=GET / HTTP/1.1" REST),
    ROW("9110 5.6.2", "> in the method", "400", "GET> / HTTP/1.1" REST),
    ROW("9110 5.6.2", "? in the method", "400", "GET? / HTTP/1.1" REST),
    ROW("9110 5.6.2", "@ in the method", "400", "G@T / HTTP/1.1" REST),
    ROW("9110 5.6.2", "[ in the method", "400", "[GET / HTTP/1.1" REST),
    ROW("9110 5.6.2", "\\ in the method", "400", "G\\ET / HTTP/1.1" REST),
    ROW("9110 5.6.2", "] in the method", "400", "GET] / HTTP/1.1" REST),
    ROW("9110 5.6.2", "{ in the method", "400", "{GET / HTTP/1.1" REST),
    ROW("9110 5.6.2", "} in the method", "400", "GET} / HTTP/1.1" REST),
    ROW("9110 9.1", "a method in lower case", "501|501+", "get / HTTP/1.1" REST),
    ROW("9110 9.1", "a method in mixed case", "501|501+", "Get / HTTP/1.1" REST),
    ROW("9110 9.1", "the beginning of a method", "501|501+", "GE / HTTP/1.1" REST),
    ROW("9110 9.1", "more than a method", "501|501+", "GETS / HTTP/1.1" REST),
    ROW("9110 9.1", "an unknown method", "501|501+", "BREW / HTTP/1.1" REST),
    ROW("9110 5.6.2", "a method of every other tchar", "501|501+", "!#$%&'*+-.^_`|~09az / HTTP/1.1" REST),
    ROW("9112 3", "a method of 8,000 bytes", "501|501+", "", FILL(8000, "A", " / HTTP/1.1" REST)),
    ROW("9112 3", "a method of 33 KiB", "400|414|431|501", "", FILL(33 * 1024, "A", " / HTTP/1.1" REST)),
    ROW("9110 9.3.8", "TRACE", "405|405+", "TRACE / HTTP/1.1" REST),
    ROW("9110 9.3.8", "TRACE of a fixed answer", "405|405+", "TRACE /target HTTP/1.1" REST),
    ROW("9110 9.3.8", "TRACE of a file", "405|405+", "TRACE /files/one.txt HTTP/1.1" REST),
    ROW("9110 9.3.8", "TRACE with Max-Forwards", "405|405+", "TRACE / HTTP/1.1\r\n" HOST "Max-Forwards: 0\r\n\r\n"),
    ROW("9110 9.3.8", "TRACE with content", "400|405|405+", "TRACE / HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc"),
};

Test(strict_line, method)
{
    STRICT_RUN(methods);
}

static const struct strict_row versions[] = {
    ROW("9112 2.3", "HTTP/0.9", "505", "GET / HTTP/0.9" REST),
    ROW("9112 2.3", "HTTP/2.0", "505", "GET / HTTP/2.0" REST),
    ROW("9112 2.3", "HTTP/3.0", "505", "GET / HTTP/3.0" REST),
    ROW("9112 2.3", "HTTP/9.9", "505", "GET / HTTP/9.9" REST),
    ROW("9112 2.3", "HTTP/1.10", "400", "GET / HTTP/1.10" REST),
    ROW("9112 2.3", "HTTP/01.1", "400", "GET / HTTP/01.1" REST),
    ROW("9112 2.3", "HTTP/1.01", "400", "GET / HTTP/1.01" REST),
    ROW("9112 2.3", "HTTP/11.1", "400", "GET / HTTP/11.1" REST),
    ROW("9112 2.3", "HTTP/1.", "400", "GET / HTTP/1." REST),
    ROW("9112 2.3", "HTTP/.1", "400", "GET / HTTP/.1" REST),
    ROW("9112 2.3", "HTTP/1", "400", "GET / HTTP/1" REST),
    ROW("9112 2.3", "HTTP/", "400", "GET / HTTP/" REST),
    ROW("9112 2.3", "HTTP", "400", "GET / HTTP" REST),
    ROW("9112 2.3", "HTTP/11", "400", "GET / HTTP/11" REST),
    ROW("9112 2.3", "HTTP/1,1", "400", "GET / HTTP/1,1" REST),
    ROW("9112 2.3", "HTTP/1 1", "400", "GET / HTTP/1 1" REST),
    ROW("9112 2.3", "HTTP/ 1.1", "400", "GET / HTTP/ 1.1" REST),
    ROW("9112 2.3", "HTTP 1.1", "400", "GET / HTTP 1.1" REST),
    ROW("9112 2.3", "HTTP\\1.1", "400", "GET / HTTP\\1.1" REST),
    ROW("9112 2.3", "HTTP/+1.1", "400", "GET / HTTP/+1.1" REST),
    ROW("9112 2.3", "HTTP/-1.1", "400", "GET / HTTP/-1.1" REST),
    ROW("9112 2.3", "HTTP/1.+1", "400", "GET / HTTP/1.+1" REST),
    ROW("9112 2.3", "HTTP/1.-", "400", "GET / HTTP/1.-" REST),
    ROW("9112 2.3", "HTTP/1.a", "400", "GET / HTTP/1.a" REST),
    ROW("9112 2.3", "HTTP/a.1", "400", "GET / HTTP/a.1" REST),
    ROW("9112 2.3", "HTTP/1.1x", "400", "GET / HTTP/1.1x" REST),
    ROW("9112 2.3", "HTTP/1.1;x", "400", "GET / HTTP/1.1;x" REST),
    ROW("9112 2.3", "HTTP/1.1.1", "400", "GET / HTTP/1.1.1" REST),
    ROW("9112 2.3", "a NUL behind the version", "400", "GET / HTTP/1.1\0" REST),
    ROW("9112 2.3", "a NUL in the version", "400", "GET / HTTP/1\0.1" REST),
    ROW("9112 2.3", "http/1.1", "400", "GET / http/1.1" REST),
    ROW("9112 2.3", "Http/1.1", "400", "GET / Http/1.1" REST),
    ROW("9112 2.3", "HTTPS/1.1", "400", "GET / HTTPS/1.1" REST),
    ROW("9112 2.3", "HTP/1.1", "400", "GET / HTP/1.1" REST),
    ROW("9112 2.3", "FTP/1.1", "400", "GET / FTP/1.1" REST),
    ROW("9112 2.3", "ICE/1.1", "400", "GET / ICE/1.1" REST),
    ROW("9112 2.3", "RTSP/1.0", "400", "OPTIONS * RTSP/1.0" REST),
    ROW("9112 2.3", "SIP/2.0", "400", "OPTIONS * SIP/2.0" REST),
    ROW("9112 2.3", "a version twice", "400", "GET / HTTP/1.1HTTP/1.1" REST),
    ROW("9112 2.3", "HTTP/1.1 served after HTTP/2.0 was refused", "200 505", GET "\r\nGET / HTTP/2.0" REST),
    ROW("9110 2.5", "HTTP/1.2", "200+", "GET / HTTP/1.2" REST),
    ROW("9110 2.5", "HTTP/1.9", "200+", "GET / HTTP/1.9" REST),
    ROW("9112 2.3", "HTTP/1.0", "200", "GET / HTTP/1.0" REST),
};

Test(strict_line, version)
{
    STRICT_RUN(versions);
}

static const struct strict_row line_ends[] = {
    ROW("9112 2.2", "LF ends the request line", "400", "GET / HTTP/1.1\n" HOST "\r\n"),
    ROW("9112 2.2", "LF ends a field line", "400", "GET / HTTP/1.1\r\nHost: t\n\r\n"),
    ROW("9112 2.2", "LF ends the head", "400", GET "\n"),
    ROW("9112 2.2", "LF ends every line", "400", "GET / HTTP/1.1\nHost: t\n\n"),
    ROW("9112 2.2", "LF LF ends the head", "400", "GET / HTTP/1.1\r\nHost: t\n\n"),
    ROW("9112 2.2", "LF CR ends a line", "400", "GET / HTTP/1.1\n\rHost: t\r\n\r\n"),
    ROW("9112 2.2", "CR ends the request line", "400", "GET / HTTP/1.1\rHost: t\r\n\r\n"),
    ROW("9112 2.2", "CR ends a field line", "400", "GET / HTTP/1.1\r\nHost: t\rX: y\r\n\r\n"),
    ROW("9112 2.2", "CR CR LF ends the request line", "400", "GET / HTTP/1.1\r\r\n" HOST "\r\n"),
    ROW("9112 2.2", "CR CR LF ends a field line", "400", "GET / HTTP/1.1\r\nHost: t\r\r\n\r\n"),
    ROW("9112 2.2", "CR CR LF ends the head", "400", GET "\r\r\n"),
    ROW("9112 2.2", "CR and another byte end the head", "400", GET "\rX"),
    ROW("9112 2.2", "CR ends the head", "400", GET "\r"),
    ROW("9112 2.2", "CR ends every line", "400", "GET / HTTP/1.1\rHost: t\r\r"),
    ROW("9112 2.2", "NUL before the end of a line", "400", "GET / HTTP/1.1\0\r\n" HOST "\r\n"),
    ROW("9112 2.2", "five empty lines before the request", "400", "\r\n\r\n\r\n\r\n\r\n" GET "\r\n"),
    ROW("9112 2.2", "a thousand empty lines", "400", "", FILL(1000, "\r\n", "")),
    ROW("9112 2.2", "five empty lines after a request", "200 400", GET "\r\n\r\n\r\n\r\n\r\n\r\n"),
    ROW("9112 2.2", "LF before the request", "400", "\n" GET "\r\n"),
    ROW("9112 2.2", "CR before the request", "400", "\r" GET "\r\n"),
    ROW("9112 2.2", "a line of one space before the request", "400", " \r\n" GET "\r\n"),
    ROW("9112 2.2", "a NUL before the request", "400", "\0" GET "\r\n"),
    ROW("9112 2.2", "an empty line before the request", "200+", "\r\n" GET "\r\n"),
    ROW("9112 2.2", "four empty lines before the request", "200+", "\r\n\r\n\r\n\r\n" GET "\r\n"),
    ROW("9112 2.2", "an empty line after a request", "200+", GET "\r\n\r\n"),
    ROW("9112 2.2", "an empty line after content", "200+", LENGTH("3") "\r\nabc\r\n", CONTENT("abc")),
};

Test(strict_line, end_of_line)
{
    STRICT_RUN(line_ends);
}

static const struct strict_row others[] = {
    ROW("8446 4.1.2", "TLS", "400", "\026\003\001\000\005\001\000\000\001\003\r\n\r\n"),
    ROW("1928 3", "SOCKS 5", "400", "\005\001\000\r\n"),
    ROW("4253 4.2", "SSH", "400", "SSH-2.0-OpenSSH_9.2\r\n\r\n"),
    ROW("5321 4.1.1.1", "SMTP", "400", "EHLO t\r\n\r\n"),
    ROW("9112 3", "the PROXY protocol, not configured", "400", "PROXY TCP4 192.0.2.1 192.0.2.2 1024 80\r\n" GET "\r\n"),
    ROW("9112 3", "the PROXY protocol, version 2", "400", "\r\n\r\n\0\r\nQUIT\n\041\021\0\014\1\2\3\4\1\2\3\4\0\1\0\2"),
    ROW("9112 3", "every byte from 0x80 up", "400", "\200\220\240\260\300\320\340\360\377\r\n\r\n"),
    ROW("9112 3", "JSON", "400", "{\"method\": \"GET\"}\r\n\r\n"),
    ROW("9112 8", "a request line that breaks off", "-|400", "GET /", CUT),
    ROW("9112 8", "a method that breaks off", "-|400", "G", CUT),
    ROW("9112 8", "a head that breaks off behind CR", "-|400", GET "\r", CUT),
    ROW("9112 8", "a head that breaks off before its end", "-|400", GET, CUT),
    ROW("9112 8", "only an empty line", "-|400", "\r\n", CUT),
    ROW("9112 8", "half a request after a whole one", "200-|200 400", GET "\r\nGET / HT", CUT),
    ROW("9112 3", "a target of 8193 bytes", "414", "GET /", FILL(8192, "a", " HTTP/1.1" REST)),
    ROW("9112 3", "a query of 8193 bytes", "414", "GET /?", FILL(8192, "a", " HTTP/1.1" REST)),
    ROW("9112 3", "a target of 20,000 bytes", "414", "GET /", FILL(20000, "a", " HTTP/1.1" REST)),
    ROW("9112 3", "a target of 33 KiB", "414", "GET /", FILL(33 * 1024, "a", " HTTP/1.1" REST)),
    ROW("9112 3", "a target of 100,000 bytes without an end", "414", "GET /", FILL(100000, "a", "")),
    ROW("9112 3", "65,536 bytes behind a target", "414", "GET /target", FILL(65536, "x", " HTTP/1.1" REST)),
    ROW("9112 3", "an absolute-form of 8193 bytes", "414", "GET http://t/", FILL(8184, "a", " HTTP/1.1" REST)),
    ROW("9112 3", "a target of 8192 bytes", "200+", "GET /", FILL(8191, "a", " HTTP/1.1" REST)),
    ROW("9112 3", "a query of 8190 bytes", "200+", "GET /?", FILL(8190, "a", " HTTP/1.1" REST)),
    ROW("9110 4.1", "a target of 8,000 bytes, as recommended", "200+", "GET /", FILL(1999, "/abc", " HTTP/1.1" REST)),
};

Test(strict_line, other_protocols_and_long_lines)
{
    STRICT_RUN(others);
}
