/* Field lines: names, values, and how many and how long they may be. */
#include "harness.h"
#include "strict.h"

#include <criterion/criterion.h>

TestSuite(strict_fields, .init = strict_begin, .fini = harness_end);

static const struct strict_row blanks[] = {
    ROW("9112 5.1", "a space before the colon", "400", GET "X : y\r\n\r\n"),
    ROW("9112 5.1", "spaces before the colon", "400", GET "X   : y\r\n\r\n"),
    ROW("9112 5.1", "a tab before the colon", "400", GET "X\t: y\r\n\r\n"),
    ROW("9112 5.1", "a space before the colon of Host", "400", "GET / HTTP/1.1\r\nHost : t\r\n\r\n"),
    ROW("9112 5.1", "a tab before the colon of Host", "400", "GET / HTTP/1.1\r\nHost\t: t\r\n\r\n"),
    ROW("9112 5.1", "a space before the colon of Content-Length", "400", POST "Content-Length : 3\r\n\r\nabc"),
    ROW("9112 5.1", "a tab before the colon of Content-Length", "400", POST "Content-Length\t: 3\r\n\r\nabc"),
    ROW("9112 5.1", "a space before the colon of Connection", "400", GET "Connection : close\r\n\r\n"),
    ROW("9112 5.1", "a space before the colon of Expect", "400", GET "Expect : x\r\n\r\n"),
    ROW("9112 5.1", "a space in a name", "400", GET "X Y: z\r\n\r\n"),
    ROW("9112 5.1", "a tab in a name", "400", GET "X\tY: z\r\n\r\n"),
    ROW("9112 2.2", "a space before the first field", "400", "GET / HTTP/1.1\r\n Host: t\r\n\r\n"),
    ROW("9112 2.2", "a tab before the first field", "400", "GET / HTTP/1.1\r\n\tHost: t\r\n\r\n"),
    ROW("9112 2.2", "a line of one space before the first field", "400", "GET / HTTP/1.1\r\n \r\n" HOST "\r\n"),
    ROW("9112 2.2", "a line of one tab before the first field", "400", "GET / HTTP/1.1\r\n\t\r\n" HOST "\r\n"),
    ROW("9112 2.2", "a folded line before the first field", "400", "GET / HTTP/1.1\r\n x\r\n" HOST "\r\n"),
    ROW("9112 2.2", "a space before Content-Length", "400", "POST / HTTP/1.1\r\n Content-Length: 3\r\n" HOST "\r\nabc"),
    ROW("9112 5.2", "a folded value", "400", GET "X: a\r\n b\r\n\r\n"),
    ROW("9112 5.2", "a value folded by a tab", "400", GET "X: a\r\n\tb\r\n\r\n"),
    ROW("9112 5.2", "a value folded twice", "400", GET "X: a\r\n b\r\n c\r\n\r\n"),
    ROW("9112 5.2", "a value that begins on the next line", "400", GET "X:\r\n a\r\n\r\n"),
    ROW("9112 5.2", "a fold of nothing", "400", GET "X: a\r\n \r\n\r\n"),
    ROW("9112 5.2", "a fold of nothing at the end of the head", "400", GET "\t\r\n\r\n"),
    ROW("9112 5.2", "Host folded", "400", "GET / HTTP/1.1\r\nHost:\r\n t\r\n\r\n"),
    ROW("9112 5.2", "a fold behind Host", "400", "GET / HTTP/1.1\r\nHost: t\r\n x\r\n\r\n"),
    ROW("9112 5.2", "Content-Length folded", "400", POST "Content-Length:\r\n 3\r\n\r\nabc"),
    ROW("9112 5.2", "a fold within Content-Length", "400", POST "Content-Length: 1\r\n 3\r\n\r\nabc"),
    ROW("9112 5.2", "a fold that looks like a field", "400", GET "X: a\r\n Content-Length: 3\r\n\r\n"),
};

Test(strict_fields, white_space)
{
    STRICT_RUN(blanks);
}

static const struct strict_row names[] = {
    ROW("9112 5", "an empty name", "400", GET ": y\r\n\r\n"),
    ROW("9112 5", "a colon alone", "400", GET ":\r\n\r\n"),
    ROW("9112 5", "two colons", "400", GET "::\r\n\r\n"),
    ROW("9112 5", "an empty name as the first field", "400", "GET / HTTP/1.1\r\n: y\r\n" HOST "\r\n"),
    ROW("9112 5", "no colon", "400", GET "X\r\n\r\n"),
    ROW("9112 5", "no colon, but an equals sign", "400", GET "X=y\r\n\r\n"),
    ROW("9112 5", "two words without a colon", "400", GET "no colon\r\n\r\n"),
    ROW("9112 5", "no colon as the first field", "400", "GET / HTTP/1.1\r\nX\r\n" HOST "\r\n"),
    ROW("9112 5", "a request line among the fields", "400", GET "GET / HTTP/1.1\r\n\r\n"),
    ROW("9110 5.6.2", "a quote in a name", "400", GET "X\"Y: z\r\n\r\n"),
    ROW("9110 5.6.2", "( in a name", "400", GET "X(Y: z\r\n\r\n"),
    ROW("9110 5.6.2", ") in a name", "400", GET "X)Y: z\r\n\r\n"),
    ROW("9110 5.6.2", ", in a name", "400", GET "X,Y: z\r\n\r\n"),
    ROW("9110 5.6.2", "/ in a name", "400", GET "X/Y: z\r\n\r\n"),
    ROW("9110 5.6.2", "; in a name", "400", GET "X;Y: z\r\n\r\n"),
    ROW("9110 5.6.2", "< in a name", "400", GET "X<Y: z\r\n\r\n"),
    ROW("9110 5.6.2", "= in a name", "400", GET "X=Y: z\r\n\r\n"),
    ROW("9110 5.6.2", "> in a name", "400", GET "X>Y: z\r\n\r\n"),
    ROW("9110 5.6.2", "? in a name", "400", GET "X?Y: z\r\n\r\n"),
    ROW("9110 5.6.2", "@ in a name", "400", GET "X@Y: z\r\n\r\n"),
    ROW("9110 5.6.2", "[ in a name", "400", GET "X[Y: z\r\n\r\n"),
    ROW("9110 5.6.2", "\\ in a name", "400", GET "X\\Y: z\r\n\r\n"),
    ROW("9110 5.6.2", "] in a name", "400", GET "X]Y: z\r\n\r\n"),
    ROW("9110 5.6.2", "{ in a name", "400", GET "X{Y: z\r\n\r\n"),
    ROW("9110 5.6.2", "} in a name", "400", GET "X}Y: z\r\n\r\n"),
    ROW("9110 5.6.2", "a NUL in a name", "400", GET "X\0: y\r\n\r\n"),
    ROW("9110 5.6.2", "a NUL at the start of a name", "400", GET "\0X: y\r\n\r\n"),
    ROW("9110 5.6.2", "a NUL behind a name that governs framing", "400", POST "Content-Length\0: 3\r\n\r\nabc"),
    ROW("9110 5.6.2", "a control byte in a name", "400", GET "X\001: y\r\n\r\n"),
    ROW("9110 5.6.2", "a vertical tab in a name", "400", GET "X\v: y\r\n\r\n"),
    ROW("9110 5.6.2", "DEL in a name", "400", GET "X\177: y\r\n\r\n"),
    ROW("9110 5.6.2", "0x80 in a name", "400", GET "X\200: y\r\n\r\n"),
    ROW("9110 5.6.2", "0xff in a name", "400", GET "X\377: y\r\n\r\n"),
    ROW("9110 5.6.2", "UTF-8 in a name", "400", GET "\303\211: y\r\n\r\n"),
    ROW("9110 5.6.2", "a no-break space before the colon", "400", GET "X\240: y\r\n\r\n"),
    ROW("9110 5.6.2", "a CR in a name", "400", GET "X\rY: z\r\n\r\n"),
    ROW("9110 5.6.2", "an LF in a name", "400", GET "X\nY: z\r\n\r\n"),
    ROW("9110 5.6.2", "every tchar that is no letter", "200+", GET "!#$%&'*+-.^_`|~0123456789: y\r\n\r\n"),
    ROW("9110 5.1", "names in any case", "200+", "GET / HTTP/1.1\r\nhOsT: t\r\nx-a: b\r\nX-A: b\r\n\r\n"),
    ROW("9110 5.1", "a name of one byte", "200+", GET "x: y\r\n\r\n"),
    ROW("9110 5.1", "a name of 4,000 bytes", "200+", GET, FILL(4000, "x", ": y\r\n\r\n")),
    ROW("9110 5.1", "a name that begins like Host", "200+", GET "Hosts: a b\r\nHos: a b\r\n\r\n"),
    ROW("9110 5.1", "a name that begins like Content-Length", "200+",
        GET "Content-Length-X: z\r\nContent-Lengt: z\r\n\r\n"),
    ROW("9110 5.1", "Content_Length is another name", "200+", GET "Content_Length: 3\r\n\r\n"),
    ROW("9110 5.1", "X-Content-Length is another name", "200+", GET "X-Content-Length: 3\r\n\r\n"),
};

Test(strict_fields, name)
{
    STRICT_RUN(names);
}

static const struct strict_row values[] = {
    ROW("9110 5.5", "a NUL in a value", "400", GET "X: a\0b\r\n\r\n"),
    ROW("9110 5.5", "a NUL at the start of a value", "400", GET "X: \0b\r\n\r\n"),
    ROW("9110 5.5", "a NUL at the end of a value", "400", GET "X: a\0\r\n\r\n"),
    ROW("9110 5.5", "a CR in a value", "400", GET "X: a\rb\r\n\r\n"),
    ROW("9110 5.5", "a CR at the start of a value", "400", GET "X:\rb\r\n\r\n"),
    ROW("9110 5.5", "an LF in a value", "400", GET "X: a\nb: c\r\n\r\n"),
    ROW("9110 5.5", "an LF that would start a field", "400", GET "X: a\nContent-Length: 3\r\n\r\n"),
    ROW("9110 5.5", "a CR that would start a field", "400", GET "X: a\rContent-Length: 3\r\n\r\n"),
    ROW("9110 5.5", "0x01 in a value", "400", GET "X: a\001b\r\n\r\n"),
    ROW("9110 5.5", "a backspace in a value", "400", GET "X: a\bb\r\n\r\n"),
    ROW("9110 5.5", "a vertical tab in a value", "400", GET "X: a\vb\r\n\r\n"),
    ROW("9110 5.5", "a form feed in a value", "400", GET "X: a\fb\r\n\r\n"),
    ROW("9110 5.5", "an escape in a value", "400", GET "X: \033[2Jb\r\n\r\n"),
    ROW("9110 5.5", "0x1f in a value", "400", GET "X: a\037b\r\n\r\n"),
    ROW("9110 5.5", "DEL in a value", "400", GET "X: a\177b\r\n\r\n"),
    ROW("9110 5.5", "a control byte at the end of a value", "400", GET "X: ab\001\r\n\r\n"),
    ROW("9110 5.5", "a vertical tab around a value", "400", GET "X: \vab\r\n\r\n"),
    ROW("9110 5.5", "a control byte in the ninth byte of a value", "400", GET "X: 01234567\00289abcdef\r\n\r\n"),
    ROW("9110 5.5", "a control byte behind 1,000 good ones", "400", GET "X: ", FILL(1000, "a", "\001\r\n\r\n")),
    ROW("9110 5.5", "an empty value", "200+", GET "X:\r\n\r\n"),
    ROW("9110 5.5", "a value of white space", "200+", GET "X: \t \r\n\r\n"),
    ROW("9112 5.1", "no white space before a value", "200+", GET "X:y\r\n\r\n"),
    ROW("9112 5.1", "white space around a value", "200+", GET "X: \t  y\t \t\r\n\r\n"),
    ROW("9110 5.5", "a tab in a value", "200+", GET "X: a\tb\r\n\r\n"),
    ROW("9110 5.5", "8 bits in a value", "200+", GET "X: \200\377 caf\303\251\r\n\r\n"),
    ROW("9110 5.5", "8 bits at both ends of a value", "200+", GET "X:\240y\240\r\n\r\n"),
    ROW("9110 5.5", "a colon at the start of a value", "200+", GET "X:: y\r\n\r\n"),
    ROW("9110 5.5", "every visible byte in a value", "200+",
        GET "X: !\"#$%&'()*+,-./0189:;<=>?@AZ[\\]^_`az{|}~\r\n\r\n"),
    ROW("9110 5.5", "an open quote in a value", "200+", GET "X: \"abc\r\n\r\n"),
    ROW("9110 5.5", "a value of 20,000 bytes", "200+", GET "X: ", FILL(20000, "a", "\r\n\r\n")),
    ROW("9110 5.3", "a name many times", "200+", GET, FILL(50, "X: y\r\n", "\r\n")),
};

Test(strict_fields, value)
{
    STRICT_RUN(values);
}

static const struct strict_row limits[] = {
    ROW("6585 5", "101 fields", "431", GET, FILL(100, "X: y\r\n", "\r\n")),
    ROW("6585 5", "5,000 fields", "431", GET, FILL(5000, "X: y\r\n", "\r\n")),
    ROW("6585 5", "fields without an end", "431", GET, FILL(8000, "X: y\r\n", ""), CUT),
    ROW("6585 5", "a head of 32 KiB and a byte", "431", GET "X: ", FILL(32768 - 31, "a", "\r\n\r\n")),
    ROW("6585 5", "a value of 33 KiB", "431", GET "X: ", FILL(33 * 1024, "a", "\r\n\r\n")),
    ROW("6585 5", "a value of 100,000 bytes without an end", "431", GET "X: ", FILL(100000, "a", ""), CUT),
    ROW("6585 5", "a name of 33 KiB", "431", GET, FILL(33 * 1024, "a", ": y\r\n\r\n")),
    ROW("6585 5", "a line of 33 KiB without a colon", "431|400", GET, FILL(33 * 1024, "a", "\r\n\r\n")),
    ROW("6585 5", "a head that is too large, after a request", "200 431",
        GET "\r\n" GET "X: ", FILL(33 * 1024, "a", "\r\n\r\n")),
    ROW("9112 8", "a name that breaks off", "-|400", GET "X", CUT),
    ROW("9112 8", "a value that breaks off", "-|400", GET "X: y", CUT),
    ROW("9112 8", "a field line that breaks off behind its end", "-|400", GET "X: y\r\n", CUT),
    ROW("9110 5.4", "100 fields", "200+", GET, FILL(99, "X: y\r\n", "\r\n")),
    ROW("9110 5.4", "a head of 32 KiB", "200+", GET "X: ", FILL(32768 - 32, "a", "\r\n\r\n")),
    ROW("9110 5.4", "a head of 4096 bytes", "200+", GET "X: ", FILL(4096 - 32, "a", "\r\n\r\n")),
    ROW("9110 5.4", "a head of 4097 bytes", "200+", GET "X: ", FILL(4097 - 32, "a", "\r\n\r\n")),
};

Test(strict_fields, limit)
{
    STRICT_RUN(limits);
}
