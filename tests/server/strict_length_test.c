/* Content-Length: digits, once. */
#include "harness.h"
#include "strict.h"

#include <criterion/criterion.h>

#define ABC(value) LENGTH(value) "\r\nabc"

TestSuite(strict_length, .init = strict_begin, .fini = harness_end);

static const struct strict_row values[] = {
    ROW("9110 8.6", "an empty length", "400", ABC("")),
    ROW("9110 8.6", "a length of white space", "400", ABC(" \t ")),
    ROW("9110 8.6", "a plus sign", "400", ABC("+3")),
    ROW("9110 8.6", "a minus sign", "400", ABC("-3")),
    ROW("9110 8.6", "minus one", "400", ABC("-1")),
    ROW("9110 8.6", "plus zero", "400", LENGTH("+0") "\r\n"),
    ROW("9110 8.6", "minus zero", "400", LENGTH("-0") "\r\n"),
    ROW("9110 8.6", "a sign behind", "400", ABC("3+")),
    ROW("9110 8.6", "a hexadecimal length", "400", ABC("0x3")),
    ROW("9110 8.6", "hexadecimal digits", "400", LENGTH("a") "\r\n0123456789"),
    ROW("9110 8.6", "a binary length", "400", ABC("0b11")),
    ROW("9110 8.6", "a fraction", "400", ABC("3.0")),
    ROW("9110 8.6", "a decimal comma", "400", ABC("3,0")),
    ROW("9110 8.6", "an exponent", "400", ABC("3e0")),
    ROW("9110 8.6", "an underscore", "400", ABC("0_3")),
    ROW("9110 8.6", "a word", "400", ABC("three")),
    ROW("9110 8.6", "letters behind a length", "400", ABC("3abc")),
    ROW("9110 8.6", "letters before a length", "400", ABC("x3")),
    ROW("9110 8.6", "a unit", "400", ABC("3k")),
    ROW("9110 8.6", "a quoted length", "400", ABC("\"3\"")),
    ROW("9110 8.6", "a parameter", "400", ABC("3;q=1")),
    ROW("9110 8.6", "a semicolon behind", "400", ABC("3;")),
    ROW("9110 8.6", "a comment", "400", ABC("3 (three)")),
    ROW("9110 8.6", "a space between digits", "400", ABC("0 3")),
    ROW("9110 8.6", "a tab between digits", "400", ABC("0\t3")),
    ROW("9110 8.6", "two lengths by a space", "400", ABC("3 3")),
    ROW("9110 8.6", "a vertical tab behind", "400", ABC("3\v")),
    ROW("9110 8.6", "a NUL behind", "400", ABC("3\0")),
    ROW("9110 8.6", "a NUL between digits", "400", ABC("3\0000")),
    ROW("9110 8.6", "a no-break space before", "400", ABC("\2403")),
    ROW("9110 8.6", "Arabic digits", "400", ABC("\331\243")),
    ROW("9110 8.6", "full-width digits", "400", ABC("\357\274\223")),
    ROW("9110 8.6", "infinity", "400", ABC("Infinity")),
    ROW("9110 8.6", "a bad length in HTTP/1.0", "400", "POST / HTTP/1.0\r\nContent-Length: +3\r\n\r\nabc"),
    ROW("9110 8.6", "a bad length of GET", "400", GET "Content-Length: x\r\n\r\n"),
    ROW("9110 8.6", "a bad length after a request", "200 400", GET "\r\n" ABC("-3")),
    ROW("9110 8.6", "2^63 - 1", "413|400", ABC("9223372036854775807")),
    ROW("9110 8.6", "2^63", "400|413", ABC("9223372036854775808")),
    ROW("9110 8.6", "2^64 - 1", "400|413", ABC("18446744073709551615")),
    ROW("9110 8.6", "2^64", "400|413", ABC("18446744073709551616")),
    ROW("9110 8.6", "2^64 + 3", "400|413", ABC("18446744073709551619")),
    ROW("9110 8.6", "2^32 + 3", "413", ABC("4294967299")),
    ROW("9110 8.6", "2^128 + 3", "400|413", ABC("340282366920938463463374607431768211459")),
    ROW("9110 8.6", "a thousand digits", "400|413", POST "Content-Length: ", FILL(1000, "9", "\r\n\r\nabc")),
    ROW("9110 15.5.14", "a byte more than the limit", "413", LENGTH("65537") "\r\nabc"),
    ROW("9110 15.5.14", "a byte more than the limit, all sent", "413", LENGTH("65537") "\r\n", FILL(65537, "a", "")),
    ROW("9110 15.5.14", "a byte more where nobody reads", "413",
        "POST /target HTTP/1.1\r\n" HOST "Content-Length: 65537\r\n\r\nabc"),
    ROW("9110 8.6", "the limit", "200+", LENGTH("65536") "\r\n", FILL(65536, "a", "")),
    ROW("9110 8.6", "zero", "200+", LENGTH("0") "\r\n", CONTENT("")),
    ROW("9110 8.6", "three", "200+", ABC("3"), CONTENT("abc")),
    ROW("9110 8.6", "zeros before it", "200+", ABC("0003"), CONTENT("abc")),
    ROW("9110 8.6", "more zeros than a number has digits", "200+", ABC("000000000000000000000000000003"),
        CONTENT("abc")),
    ROW("9110 5.5", "a tab behind", "200+", ABC("3\t"), CONTENT("abc")),
    ROW("9110 5.5", "a tab before", "200+", ABC("\t3"), CONTENT("abc")),
    ROW("9110 5.5", "white space around", "200+", ABC(" \t 3 \t "), CONTENT("abc")),
    ROW("9110 5.1", "a name in lower case, no white space", "200+", POST "content-length:3\r\n\r\nabc", CONTENT("abc")),
    ROW("9110 5.1", "a name in upper case", "200+", POST "CONTENT-LENGTH: 3\r\n\r\nabc", CONTENT("abc")),
    ROW("9112 6.3", "HTTP/1.0", "200", "POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc", CONTENT("abc")),
    ROW("9112 6.3", "no length is no content", "200+", POST "\r\n", CONTENT("")),
    ROW("9112 6.3", "no length in HTTP/1.0", "200", "POST / HTTP/1.0\r\n\r\n", CONTENT("")),
};

Test(strict_length, value)
{
    STRICT_RUN(values);
}

static const struct strict_row several[] = {
    ROW("9112 6.3", "two lengths", "400", LENGTH("3") "Content-Length: 4\r\n\r\nabc"),
    ROW("9112 6.3", "two lengths, the larger one first", "400", LENGTH("4") "Content-Length: 3\r\n\r\nabc"),
    ROW("9112 6.3", "two lengths, the first one zero", "400", LENGTH("0") "Content-Length: 3\r\n\r\nabc"),
    ROW("9112 6.3", "two lengths, the second one zero", "400", LENGTH("3") "Content-Length: 0\r\n\r\nabc"),
    ROW("9112 6.3", "two lengths, the second one empty", "400", LENGTH("3") "Content-Length:\r\n\r\nabc"),
    ROW("9112 6.3", "two lengths, the first one empty", "400", LENGTH("") "Content-Length: 3\r\n\r\nabc"),
    ROW("9112 6.3", "two lengths, the second one a word", "400", LENGTH("3") "Content-Length: x\r\n\r\nabc"),
    ROW("9112 6.3", "two lengths in different case", "400", LENGTH("3") "content-length: 4\r\n\r\nabc"),
    ROW("9112 6.3", "two lengths, other fields between", "400", LENGTH("3") "X: y\r\nContent-Length: 4\r\n\r\nabc"),
    ROW("9112 6.3", "three lengths, one of them different", "400",
        LENGTH("3") "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc"),
    ROW("9112 6.3", "two lengths in HTTP/1.0", "400",
        "POST / HTTP/1.0\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc"),
    ROW("9112 6.3", "a list of two", "400", ABC("3, 4")),
    ROW("9112 6.3", "a list without white space", "400", ABC("3,4")),
    ROW("9112 6.3", "a list with a word", "400", ABC("3, x")),
    ROW("9112 6.3", "a list with a sign", "400", ABC("3, +3")),
    ROW("9112 6.3", "a comma behind", "400", ABC("3,")),
    ROW("9112 6.3", "a comma before", "400", ABC(",3")),
    ROW("9112 6.3", "a comma alone", "400", ABC(",")),
    ROW("9112 6.3", "a list and a line", "400", ABC("3, 4\r\nContent-Length: 3")),
    ROW("9112 6.3", "two lengths of what nobody reads", "400",
        "POST /target HTTP/1.1\r\n" HOST "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc"),
    ROW("9112 6.3", "two equal lengths", "400|200+", LENGTH("3") "Content-Length: 3\r\n\r\nabc", CONTENT("abc")),
    ROW("9112 6.3", "two zero lengths", "400|200+", LENGTH("0") "Content-Length: 0\r\n\r\n", CONTENT("")),
    ROW("9112 6.3", "two equal lengths, written differently", "400|200+", LENGTH("3") "Content-Length: 03\r\n\r\nabc",
        CONTENT("abc")),
    ROW("9112 6.3", "a list of two equal ones", "400|200+", ABC("3, 3"), CONTENT("abc")),
};

Test(strict_length, more_than_one)
{
    STRICT_RUN(several);
}

/* The probe, or a request within the content, shows what the server took for the end. */
static const struct strict_row ends[] = {
    ROW("9112 8", "content that breaks off", "-|400", LENGTH("10") "\r\nabc", CUT),
    ROW("9112 8", "no content where some is announced", "-|400", LENGTH("10") "\r\n", CUT),
    ROW("9112 6.3", "a byte behind the content", "200 501|200 400", ABC("3") "X"),
    ROW("9112 6.3", "a line behind the content", "200 400", ABC("3") "no request\r\n"),
    ROW("9112 6.3", "a space behind the content", "200 400", ABC("3") " "),
    ROW("9112 6.3", "content without a length is the next request", "200 400", POST "\r\nabc\r\n\r\n"),
    ROW("9112 6.3", "a request within the content", "200+", LENGTH("29") "\r\nGET / HTTP/1.1\r\nHost: other\r\n",
        CONTENT("GET / HTTP/1.1\r\nHost: other\r\n")),
    ROW("9112 6.3", "the end of a head within the content", "200+", LENGTH("8") "\r\n\r\n\r\n\r\n\r\n",
        CONTENT("\r\n\r\n\r\n\r\n")),
    ROW("9112 6.3", "any bytes", "200+", LENGTH("8") "\r\n\0\001\r\n\177\200\377\n",
        CONTENT("\0\001\r\n\177\200\377\n")),
    ROW("9110 9.3.1", "GET with content", "200+", GET "Content-Length: 3\r\n\r\nabc", CONTENT("abc")),
    ROW("9110 9.3.1", "GET with content that nobody reads", "203+",
        "GET /target HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc"),
    ROW("9110 9.3.1", "GET with a request that nobody reads", "203+",
        "GET /target HTTP/1.1\r\n" HOST "Content-Length: 37\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: other\r\n\r\n"),
    ROW("9110 9.3.1", "GET of a file, with content", "200+",
        "GET /files/one.txt HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc", CONTENT("one\n")),
    ROW("9110 9.3.1", "GET of no file, with content", "404+",
        "GET /files/none HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc"),
    ROW("9110 9.3.2", "HEAD with content", "203+", "HEAD /target HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc"),
    ROW("9110 9.3.5", "DELETE with content", "200+", "DELETE / HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc",
        CONTENT("abc")),
    ROW("9110 9.3.3", "60,000 bytes that nobody reads", "203+",
        "POST /target HTTP/1.1\r\n" HOST "Content-Length: 60000\r\n\r\n", FILL(60000, "a", "")),
    ROW("9110 15.5.6", "content of a method that a file does not know", "405+|405",
        "POST /files/one.txt HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc"),
    ROW("9112 9.3.2", "three requests with content", "200 200 200+", ABC("3") ABC("3") ABC("3"), CONTENT("abc")),
};

Test(strict_length, end_of_content)
{
    STRICT_RUN(ends);
}
