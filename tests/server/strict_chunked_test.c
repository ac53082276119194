/* Chunked content: sizes, extensions, data, and trailers. */
#include "harness.h"
#include "strict.h"

#include <criterion/criterion.h>

#define END "0\r\n\r\n"
#define LAST CHUNKED "3\r\nabc\r\n0"              /* a last chunk without the end of its line */
#define SIZE(line) CHUNKED line "\r\nabc\r\n" END /* a chunk of three bytes, its first line as given */
#define TRAILER(lines) CHUNKED "3\r\nabc\r\n0\r\n" lines "\r\n"
#define UNREAD "POST /target HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"

TestSuite(strict_chunked, .init = strict_begin, .fini = harness_end);

static const struct strict_row sizes[] = {
    ROW("9112 7.1", "an empty size", "400", SIZE("")),
    ROW("9112 7.1", "no size, but an extension", "400", SIZE(";x")),
    ROW("9112 7.1", "a plus sign", "400", SIZE("+3")),
    ROW("9112 7.1", "a minus sign", "400", SIZE("-3")),
    ROW("9112 7.1", "minus zero", "400", CHUNKED "-0\r\n\r\n"),
    ROW("9112 7.1", "0x", "400", SIZE("0x3")),
    ROW("9112 7.1", "0x0", "400", CHUNKED "0x0\r\n\r\n"),
    ROW("9112 7.1", "x", "400", SIZE("x3")),
    ROW("9112 7.1", "h behind", "400", SIZE("3h")),
    ROW("9112 7.1", "g", "400", SIZE("g")),
    ROW("9112 7.1", "a fraction", "400", SIZE("3.0")),
    ROW("9112 7.1", "an underscore", "400", SIZE("0_3")),
    ROW("9112 7.1", "a quoted size", "400", SIZE("\"3\"")),
    ROW("9112 7.1", "a comma", "400", SIZE("3,3")),
    ROW("9112 7.1", "two sizes", "400", SIZE("3 3")),
    ROW("9112 7.1", "a word behind", "400", SIZE("3 abc")),
    ROW("9112 7.1", "a space before", "400", SIZE(" 3")),
    ROW("9112 7.1", "a tab before", "400", SIZE("\t3")),
    ROW("9112 7.1", "a space behind, and no extension", "400", SIZE("3 ")),
    ROW("9112 7.1", "a tab behind, and no extension", "400", SIZE("3\t")),
    ROW("9112 7.1", "a space behind the last size", "400", CHUNKED "0 \r\n\r\n"),
    ROW("9112 7.1", "a vertical tab behind", "400", SIZE("3\v")),
    ROW("9112 7.1", "a NUL behind", "400", SIZE("3\0")),
    ROW("9112 7.1", "a NUL before", "400", SIZE("\0003")),
    ROW("9112 7.1", "0xff behind", "400", SIZE("3\377")),
    ROW("9112 7.1", "a no-break space behind", "400", SIZE("3\240")),
    ROW("9112 7.1", "a full-width digit", "400", SIZE("\357\274\223")),
    ROW("9112 7.1", "2^64", "400|413", SIZE("10000000000000000")),
    ROW("9112 7.1", "2^64 + 3", "400|413", SIZE("10000000000000003")),
    ROW("9112 7.1", "2^64 - 1", "400|413", SIZE("ffffffffffffffff")),
    ROW("9112 7.1", "2^63", "400|413", SIZE("8000000000000000")),
    ROW("9112 7.1", "2^63 - 1", "400|413", SIZE("7fffffffffffffff")),
    ROW("9112 7.1", "2^32 + 3", "413", SIZE("100000003")),
    ROW("9112 7.1", "2^68", "400|413", SIZE("100000000000000000")),
    ROW("9112 7.1", "200 digits", "400|413", CHUNKED, FILL(200, "f", "\r\nabc\r\n" END)),
    ROW("9112 7.1", "a size without an end", "400|413", CHUNKED, FILL(10000, "0", ""), CUT),
    ROW("9110 15.5.14", "a byte more than the limit", "413", CHUNKED "10001\r\n", FILL(65537, "a", "\r\n" END)),
    ROW("9110 15.5.14", "more than the limit, by many chunks", "413", CHUNKED,
        FILL(257,
             "100\r\n0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
             "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
             "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\r\n",
             END)),
    ROW("9112 7.1", "only the last chunk", "200+", CHUNKED END, CONTENT("")),
    ROW("9112 7.1", "three", "200+", SIZE("3"), CONTENT("abc")),
    ROW("9112 7.1", "a zero before it", "200+", SIZE("03"), CONTENT("abc")),
    ROW("9112 7.1", "zeros up to 16 digits", "200+", SIZE("0000000000000003"), CONTENT("abc")),
    ROW("9112 7.1", "zeros beyond 16 digits", "200+|400", SIZE("00000000000000000003"), CONTENT("abc")),
    ROW("9112 7.1", "zeros for the last size", "200+", CHUNKED "0000\r\n\r\n", CONTENT("")),
    ROW("9112 7.1", "a in lower case", "200+", CHUNKED "a\r\n0123456789\r\n" END, CONTENT("0123456789")),
    ROW("9112 7.1", "A in upper case", "200+", CHUNKED "A\r\n0123456789\r\n" END, CONTENT("0123456789")),
    ROW("9112 7.1", "two digits", "200+", CHUNKED "1A\r\nabcdefghijklmnopqrstuvwxyz\r\n" END,
        CONTENT("abcdefghijklmnopqrstuvwxyz")),
    ROW("9112 7.1", "several chunks", "200+", CHUNKED "3\r\nabc\r\n1\r\nd\r\n2\r\nef\r\n" END, CONTENT("abcdef")),
    ROW("9112 7.1", "2,000 chunks", "200+", CHUNKED, FILL(2000, "1\r\na\r\n", END)),
    ROW("9112 7.1", "the limit", "200+", CHUNKED "10000\r\n", FILL(65536, "a", "\r\n" END)),
};

Test(strict_chunked, size)
{
    STRICT_RUN(sizes);
}

static const struct strict_row data[] = {
    ROW("9112 7.1", "more data than the size", "400", CHUNKED "3\r\nabcd\r\n" END),
    ROW("9112 7.1", "less data than the size", "400", CHUNKED "3\r\nab\r\n" END),
    ROW("9112 7.1", "much less data than the size", "400", CHUNKED "5\r\na\r\n" END),
    ROW("9112 7.1", "no line end behind the data", "400", CHUNKED "3\r\nabc" END),
    ROW("9112 7.1", "LF behind the data", "400", CHUNKED "3\r\nabc\n" END),
    ROW("9112 7.1", "CR behind the data", "400", CHUNKED "3\r\nabc\r" END),
    ROW("9112 7.1", "CR CR LF behind the data", "400", CHUNKED "3\r\nabc\r\r\n" END),
    ROW("9112 7.1", "LF CR behind the data", "400", CHUNKED "3\r\nabc\n\r" END),
    ROW("9112 7.1", "two other bytes behind the data", "400", CHUNKED "3\r\nabcXX" END),
    ROW("9112 7.1", "a space behind the data", "400", CHUNKED "3\r\nabc \r\n" END),
    ROW("9112 7.1", "an empty line behind the data", "400", CHUNKED "3\r\nabc\r\n\r\n" END),
    ROW("9112 7.1", "LF behind the size", "400", CHUNKED "3\nabc\r\n" END),
    ROW("9112 7.1", "CR behind the size", "400", CHUNKED "3\rabc\r\n" END),
    ROW("9112 7.1", "CR CR LF behind the size", "400", SIZE("3\r")),
    ROW("9112 7.1", "CR and another byte behind the size", "400", CHUNKED "3\rXabc\r\n" END),
    ROW("9112 7.1", "LF ends every line", "400", CHUNKED "3\nabc\n0\n\n"),
    ROW("9112 7.1", "an empty line before the size", "400", CHUNKED "\r\n3\r\nabc\r\n" END),
    ROW("9112 7.1", "LF behind the last size", "400", CHUNKED "0\n\r\n"),
    ROW("9112 7.1", "LF for the last line", "400", CHUNKED "0\r\n\n"),
    ROW("9112 7.1", "CR for the last line", "400", CHUNKED "0\r\n\r"),
    ROW("9112 7.1", "CR CR LF for the last line", "400", CHUNKED "0\r\n\r\r\n"),
    ROW("9112 7.1", "CR and another byte for the last line", "400", CHUNKED "0\r\n\rX\r\n"),
    ROW("9112 7.1", "no last line", "400", CHUNKED "0\r\n"),
    ROW("9112 7.1", "no chunks, but content", "400", CHUNKED "content\r\n\r\n"),
    ROW("9112 7.1", "a bad chunk of GET", "400", GET "Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n" END),
    ROW("9112 7.1", "a bad chunk after a request", "200 400", GET "\r\n" CHUNKED "3\r\nabcd\r\n" END),
    ROW("9112 7.1", "a bad size that nobody reads", "203|203-|400", UNREAD "x\r\nabc\r\n" END),
    ROW("9112 7.1", "a bad chunk that nobody reads", "203|203-|400", UNREAD "3\r\nabcd\r\n" END),
    ROW("9112 7.1", "a bad trailer that nobody reads", "203|203-|400", UNREAD "3\r\nabc\r\n0\r\nX : y\r\n\r\n"),
    ROW("9112 8", "content that breaks off in a size", "-|400", CHUNKED "3\r\nabc\r\n1", CUT),
    ROW("9112 8", "content that breaks off in the data", "-|400", CHUNKED "3\r\nab", CUT),
    ROW("9112 8", "content that breaks off behind the data", "-|400", CHUNKED "3\r\nabc\r\n", CUT),
    ROW("9112 8", "content that breaks off behind the last size", "-|400", CHUNKED "3\r\nabc\r\n0\r\n", CUT),
    ROW("9112 8", "content that breaks off in a trailer", "-|400", CHUNKED "0\r\nX: y", CUT),
    ROW("9112 8", "content that breaks off behind a trailer", "-|400", CHUNKED "0\r\nX: y\r\n", CUT),
    ROW("9112 6.3", "a byte behind the content", "200 501|200 400", CHUNKED END "X"),
    ROW("9112 6.3", "a chunk behind the content", "200 400", CHUNKED END "3\r\nabc\r\n"),
    ROW("9112 6.3", "a second last chunk", "200 400", CHUNKED END END),
    ROW("9112 2.2", "an empty line behind the content", "200+", CHUNKED END "\r\n"),
    ROW("9112 7.1", "line ends within the data", "200+", CHUNKED "6\r\n\r\n0\r\n\r\r\n" END, CONTENT("\r\n0\r\n\r")),
    ROW("9112 7.1", "any bytes within the data", "200+", CHUNKED "5\r\n\0\001\177\200\377\r\n" END,
        CONTENT("\0\001\177\200\377")),
    ROW("9112 7.1", "a request within the data", "203+", UNREAD "16\r\nGET / HTTP/1.1\r\nX: y\r\n\r\n" END),
    ROW("9112 9.3.2", "three requests", "200 200 200+", SIZE("3") SIZE("3") SIZE("3"), CONTENT("abc")),
};

Test(strict_chunked, data)
{
    STRICT_RUN(data);
}

static const struct strict_row extensions[] = {
    ROW("9112 7.1.1", "no name", "400", SIZE("3;")),
    ROW("9112 7.1.1", "no name, but a space", "400", SIZE("3; ")),
    ROW("9112 7.1.1", "no name, but a value", "400", SIZE("3;=y")),
    ROW("9112 7.1.1", "no name between two", "400", SIZE("3;x;;y")),
    ROW("9112 7.1.1", "no name behind one", "400", SIZE("3;x;")),
    ROW("9112 7.1.1", "an equals sign and no value", "400", SIZE("3;x=")),
    ROW("9112 7.1.1", "an equals sign and no value before another", "400", SIZE("3;x=;y")),
    ROW("9112 7.1.1", "two equals signs", "400", SIZE("3;x==y")),
    ROW("9112 7.1.1", "two values", "400", SIZE("3;x=y=z")),
    ROW("9112 7.1.1", "two words for a name", "400", SIZE("3;x y")),
    ROW("9112 7.1.1", "two words for a value", "400", SIZE("3;x=y z")),
    ROW("9112 7.1.1", "a space behind", "400", SIZE("3;x ")),
    ROW("9112 7.1.1", "a comma for a semicolon", "400", SIZE("3,x")),
    ROW("9112 7.1.1", "a comma in a name", "400", SIZE("3;x,y")),
    ROW("9112 7.1.1", "a slash in a name", "400", SIZE("3;x/y")),
    ROW("9112 7.1.1", "a quoted name", "400", SIZE("3;\"x\"")),
    ROW("9112 7.1.1", "8 bits in a name", "400", SIZE("3;\303\251")),
    ROW("9112 7.1.1", "8 bits in a value", "400", SIZE("3;x=\303\251")),
    ROW("9112 7.1.1", "an open quote", "400", SIZE("3;x=\"y")),
    ROW("9112 7.1.1", "an open quote, its end escaped", "400", SIZE("3;x=\"y\\\"")),
    ROW("9112 7.1.1", "a quote within a value", "400", SIZE("3;x=y\"z\"")),
    ROW("9112 7.1.1", "something behind a quoted value", "400", SIZE("3;x=\"y\"z")),
    ROW("9112 7.1.1", "a line end in quotes", "400", SIZE("3;x=\"\r\n\"")),
    ROW("9112 7.1.1", "a control byte in a name", "400", SIZE("3;x\001")),
    ROW("9112 7.1.1", "a control byte in a value", "400", SIZE("3;x=y\001")),
    ROW("9112 7.1.1", "a control byte in quotes", "400", SIZE("3;x=\"\001\"")),
    ROW("9112 7.1.1", "a NUL in quotes", "400", SIZE("3;x=\"a\0b\"")),
    ROW("9112 7.1.1", "an escaped control byte in quotes", "400", SIZE("3;x=\"\\\001\"")),
    ROW("9112 7.1.1", "DEL in quotes", "400", SIZE("3;x=\"\177\"")),
    ROW("9112 7.1.1", "a vertical tab behind the semicolon", "400", SIZE("3;\vx")),
    ROW("9112 7.1.1", "LF in an extension", "400", SIZE("3;x\n")),
    ROW("9112 7.1.1", "LF and a chunk in an extension", "400", SIZE("3;x\nabc")),
    ROW("9112 7.1.1", "LF in quotes", "400", SIZE("3;x=\"\n\"")),
    ROW("9112 7.1.1", "CR in an extension", "400", SIZE("3;x\ry")),
    ROW("9112 7.1.1", "CR CR LF behind an extension", "400", SIZE("3;x\r")),
    ROW("9112 7.1.1", "a bad extension of the last chunk", "400", LAST ";x=\r\n\r\n"),
    ROW("9112 7.1.1", "LF behind an extension of the last chunk", "400", LAST ";x\n\r\n"),
    ROW("9112 7.1.1", "9,000 bytes", "400|413|431", CHUNKED "3;", FILL(9000, "x", "\r\nabc\r\n" END)),
    ROW("9112 7.1.1", "9,000 bytes in quotes", "400|413|431", CHUNKED "3;x=\"", FILL(9000, "x", "\"\r\nabc\r\n" END)),
    ROW("9112 7.1.1", "100,000 bytes without an end", "400|413|431", CHUNKED "3;", FILL(100000, "x", ""), CUT),
    ROW("9112 7.1.1", "1,000 times 100 bytes", "400|413|431", CHUNKED,
        FILL(1000,
             "1;0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
             "\r\na\r\n",
             END)),
    ROW("9112 7.1.1", "a name", "200+", SIZE("3;x"), CONTENT("abc")),
    ROW("9112 7.1.1", "a name and a value", "200+", SIZE("3;x=y"), CONTENT("abc")),
    ROW("9112 7.1.1", "every tchar that is no letter", "200+", SIZE("3;!#$%&'*+-.^_`|~09=!#$%&'*+-.^_`|~09"),
        CONTENT("abc")),
    ROW("9112 7.1.1", "several", "200+", SIZE("3;x=y;z;a=\"b\""), CONTENT("abc")),
    ROW("9112 7.1.1", "a quoted value", "200+", SIZE("3;x=\"y z\""), CONTENT("abc")),
    ROW("9112 7.1.1", "an empty quoted value", "200+", SIZE("3;x=\"\""), CONTENT("abc")),
    ROW("9112 7.1.1", "a semicolon and an equals sign in quotes", "200+", SIZE("3;x=\"a;b=c\""), CONTENT("abc")),
    ROW("9112 7.1.1", "an escaped quote in quotes", "200+", SIZE("3;x=\"\\\"\""), CONTENT("abc")),
    ROW("9112 7.1.1", "an escaped backslash in quotes", "200+", SIZE("3;x=\"\\\\\""), CONTENT("abc")),
    ROW("9112 7.1.1", "a tab and 8 bits in quotes", "200+", SIZE("3;x=\"\t\303\251\""), CONTENT("abc")),
    ROW("9112 7.1.1", "white space around the semicolon", "200+", SIZE("3 \t; \tx"), CONTENT("abc")),
    ROW("9112 7.1.1", "white space around the equals sign", "200+", SIZE("3;x \t= \ty"), CONTENT("abc")),
    ROW("9112 7.1.1", "one of the last chunk", "200+", LAST ";x=y\r\n\r\n", CONTENT("abc")),
    ROW("9112 7.1.1", "200 bytes", "200+", CHUNKED "3;", FILL(200, "x", "\r\nabc\r\n" END), CONTENT("abc")),
};

Test(strict_chunked, extension)
{
    STRICT_RUN(extensions);
}

static const struct strict_row trailers[] = {
    ROW("9112 7.1.2", "a space before the colon", "400", TRAILER("X : y\r\n")),
    ROW("9112 7.1.2", "a tab before the colon", "400", TRAILER("X\t: y\r\n")),
    ROW("9112 7.1.2", "a space before the first one", "400", TRAILER(" X: y\r\n")),
    ROW("9112 7.1.2", "a folded one", "400", TRAILER("X: y\r\n z\r\n")),
    ROW("9112 7.1.2", "no colon", "400", TRAILER("X\r\n")),
    ROW("9112 7.1.2", "an empty name", "400", TRAILER(": y\r\n")),
    ROW("9112 7.1.2", "a space in a name", "400", TRAILER("X Y: z\r\n")),
    ROW("9112 7.1.2", "( in a name", "400", TRAILER("X(Y: z\r\n")),
    ROW("9112 7.1.2", "@ in a name", "400", TRAILER("X@Y: z\r\n")),
    ROW("9112 7.1.2", "8 bits in a name", "400", TRAILER("\303\211: y\r\n")),
    ROW("9112 7.1.2", "DEL in a name", "400", TRAILER("X\177: y\r\n")),
    ROW("9112 7.1.2", "a NUL in a name", "400", TRAILER("X\0: y\r\n")),
    ROW("9112 7.1.2", "a NUL in a value", "400", TRAILER("X: y\0\r\n")),
    ROW("9112 7.1.2", "a control byte in a value", "400", TRAILER("X: y\001\r\n")),
    ROW("9112 7.1.2", "DEL in a value", "400", TRAILER("X: y\177\r\n")),
    ROW("9112 7.1.2", "CR in a value", "400", TRAILER("X: y\rz\r\n")),
    ROW("9112 7.1.2", "CR CR LF behind a value", "400", TRAILER("X: y\r\r\n")),
    ROW("9112 7.1.2", "LF in a value", "400", TRAILER("X: y\nz: a\r\n")),
    ROW("9112 7.1.2", "LF behind a value", "400", TRAILER("X: y\n")),
    ROW("9112 7.1.2", "LF behind the last one", "400", CHUNKED "0\r\nX: y\r\n\n"),
    ROW("9112 7.1.2", "a request", "400", TRAILER("GET / HTTP/1.1\r\n")),
    ROW("9112 7.1.2", "10,000 bytes", "400|413|431", CHUNKED "0\r\nX: ", FILL(10000, "y", "\r\n\r\n")),
    ROW("9112 7.1.2", "5,000 of them", "400|413|431", CHUNKED "0\r\n", FILL(5000, "X: y\r\n", "\r\n")),
    ROW("9112 7.1.2", "without an end", "400|413|431", CHUNKED "0\r\n", FILL(20000, "X: y\r\n", ""), CUT),
    ROW("9112 7.1.2", "one", "200+", TRAILER("X: y\r\n"), CONTENT("abc")),
    ROW("9112 7.1.2", "several", "200+", TRAILER("X: y\r\nZ: a\r\nX: b\r\n"), CONTENT("abc")),
    ROW("9112 7.1.2", "an empty value", "200+", TRAILER("X:\r\n"), CONTENT("abc")),
    ROW("9112 7.1.2", "a tab and 8 bits in a value", "200+", TRAILER("X: \tcaf\303\251\t\r\n"), CONTENT("abc")),
    ROW("9112 7.1.2", "announced ones", "200+",
        POST "Trailer: X\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n", CONTENT("abc")),
    ROW("9110 6.5.1", "Content-Length has no effect", "200+", TRAILER("Content-Length: 20\r\n"), CONTENT("abc")),
    ROW("9110 6.5.1", "a bad Content-Length has none either", "200+", TRAILER("Content-Length: x\r\n"), CONTENT("abc")),
    ROW("9110 6.5.1", "Transfer-Encoding has no effect", "200+", TRAILER("Transfer-Encoding: chunked\r\n")),
    ROW("9110 6.5.1", "Host has no effect", "200+", TRAILER("Host: other.test\r\n"), CONTENT("abc")),
    ROW("9110 6.5.1", "Connection has no effect", "200+", TRAILER("Connection: close\r\n"), CONTENT("abc")),
    ROW("9110 6.5.1", "Expect has no effect", "200+", TRAILER("Expect: x\r\n"), CONTENT("abc")),
    ROW("9112 7.1.2", "one that nobody reads", "203+", UNREAD "3\r\nabc\r\n0\r\nX: y\r\n\r\n"),
};

Test(strict_chunked, trailer)
{
    STRICT_RUN(trailers);
}
