/* Expect: what is answered before the content, and what instead of it. */
#include "harness.h"
#include "harness_response.h"
#include "strict.h"
#include "strict_outcome.h"

#include <criterion/criterion.h>

#define EXPECTING(value) LENGTH("3") "Expect: " value "\r\n"
#define EXPECT_ABC(value) EXPECTING(value) "\r\nabc"
#define ASKED "100 200+|200+" /* whether we are asked may depend on how much has arrived */

TestSuite(strict_expect, .init = strict_begin, .fini = harness_end);

static const struct strict_row rows[] = {
    ROW("9110 10.1.1", "an unknown expectation", "417|417+", EXPECT_ABC("x")),
    ROW("9110 10.1.1", "less than 100-continue", "417|417+", EXPECT_ABC("100")),
    ROW("9110 10.1.1", "more than 100-continue", "417|417+", EXPECT_ABC("100-continues")),
    ROW("9110 10.1.1", "another number", "417|417+", EXPECT_ABC("102-processing")),
    ROW("9110 10.1.1", "200-ok", "417|417+", EXPECT_ABC("200-ok")),
    ROW("9110 10.1.1", "a parameter", "417|417+|400", EXPECT_ABC("100-continue;q=1")),
    ROW("9110 10.1.1", "a value", "417|417+|400", EXPECT_ABC("100-continue=yes")),
    ROW("9110 10.1.1", "a quoted expectation", "417|417+|400", EXPECT_ABC("\"100-continue\"")),
    ROW("9110 10.1.1", "two words", "417|417+|400", EXPECT_ABC("100-continue please")),
    ROW("9110 10.1.1", "a space for the hyphen", "417|417+|400", EXPECT_ABC("100 continue")),
    ROW("9110 10.1.1", "an unknown one behind", "417|417+", EXPECT_ABC("100-continue, x")),
    ROW("9110 10.1.1", "an unknown one before", "417|417+", EXPECT_ABC("x, 100-continue")),
    ROW("9110 10.1.1", "an unknown one on another line", "417|417+", EXPECT_ABC("100-continue\r\nExpect: x")),
    ROW("9110 10.1.1", "an unknown one on the line before", "417|417+", EXPECT_ABC("x\r\nExpect: 100-continue")),
    ROW("9110 10.1.1", "an unknown one of GET", "417|417+", GET "Expect: x\r\n\r\n"),
    ROW("9110 10.1.1", "an unknown one of what nobody reads", "417|417+",
        "POST /target HTTP/1.1\r\n" HOST "Expect: x\r\nContent-Length: 3\r\n\r\nabc"),
    ROW("9110 10.1.1", "an unknown one after a request", "200 417|200 417+", GET "\r\n" GET "Expect: x\r\n\r\n"),
    ROW("9110 10.1.1", "too much content", "413", LENGTH("65537") "Expect: 100-continue\r\n\r\nabc"),
    ROW("9110 10.1.1", "far too much content", "413|400",
        LENGTH("99999999999999999999") "Expect: 100-continue\r\n\r\n"),
    ROW("9110 10.1.1", "a bad length", "400", LENGTH("x") "Expect: 100-continue\r\n\r\nabc"),
    ROW("9110 10.1.1", "no host", "400", "POST / HTTP/1.1\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabc"),
    ROW("9110 10.1.1", "an unknown coding", "501", CODING("gzip, chunked") "Expect: 100-continue\r\n\r\n0\r\n\r\n"),
    ROW("9110 10.1.1", "an unknown method", "501",
        "BREW / HTTP/1.1\r\n" HOST "Content-Length: 3\r\nExpect: 100-continue\r\n\r\nabc"),
    ROW("9110 10.1.1", "a bad chunk", "400|100 400", CODING("chunked") "Expect: 100-continue\r\n\r\nx\r\n"),
    ROW("9110 10.1.1", "too much content, by chunks", "413|100 413",
        CODING("chunked") "Expect: 100-continue\r\n\r\n10001\r\n", FILL(65537, "a", "\r\n0\r\n\r\n")),
    ROW("9110 10.1.1", "what a file does not allow", "405|405+",
        "POST /files/one.txt HTTP/1.1\r\n" HOST "Content-Length: 3\r\nExpect: 100-continue\r\n\r\nabc"),
    ROW("9110 10.1.1", "what is not there", "404|404+",
        "GET /files/none HTTP/1.1\r\n" HOST "Content-Length: 3\r\nExpect: 100-continue\r\n\r\nabc"),
    ROW("9110 10.1.1", "an answer that needs no content", "203|203+",
        "POST /target HTTP/1.1\r\n" HOST "Content-Length: 3\r\nExpect: 100-continue\r\n\r\nabc"),
    ROW("9110 10.1.1", "no content", "200+", POST "Expect: 100-continue\r\n\r\n", CONTENT("")),
    ROW("9110 10.1.1", "no content of GET", "200+", GET "Expect: 100-continue\r\n\r\n", CONTENT("")),
    ROW("9110 10.1.1", "content of no bytes", "200+", LENGTH("0") "Expect: 100-continue\r\n\r\n", CONTENT("")),
    ROW("9110 10.1.1", "HTTP/1.0", "200", "POST / HTTP/1.0\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabc",
        CONTENT("abc")),
    ROW("9110 10.1.1", "HTTP/1.0 and keep-alive", "200+",
        "POST / HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabc",
        CONTENT("abc")),
    ROW("9110 10.1.1", "an unknown one in HTTP/1.0", "200|417",
        "POST / HTTP/1.0\r\nContent-Length: 3\r\nExpect: x\r\n\r\nabc"),
    ROW("9110 10.1.1", "an empty list", "200+", EXPECT_ABC(""), CONTENT("abc")),
    ROW("9110 10.1.1", "100-continue", ASKED, EXPECT_ABC("100-continue"), CONTENT("abc")),
    ROW("9110 10.1.1", "100-continue in HTTP/1.2", ASKED,
        "POST / HTTP/1.2\r\n" HOST "Content-Length: 3\r\nExpect: 100-continue\r\n\r\nabc", CONTENT("abc")),
    ROW("9110 10.1.1", "in another case", ASKED, EXPECT_ABC("100-Continue"), CONTENT("abc")),
    ROW("9110 5.5", "with tabs around", ASKED, EXPECT_ABC("\t100-continue\t"), CONTENT("abc")),
    ROW("9110 5.6.1", "with empty elements around", ASKED, EXPECT_ABC(", 100-continue ,"), CONTENT("abc")),
    ROW("9110 10.1.1", "twice in a list", ASKED, EXPECT_ABC("100-continue, 100-continue"), CONTENT("abc")),
    ROW("9110 10.1.1", "on two lines", ASKED, EXPECT_ABC("100-continue\r\nExpect: 100-continue"), CONTENT("abc")),
    ROW("9110 10.1.1", "with chunks", ASKED, CODING("chunked") "Expect: 100-continue\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        CONTENT("abc")),
    ROW("9110 10.1.1", "of GET", ASKED, GET "Content-Length: 3\r\nExpect: 100-continue\r\n\r\nabc", CONTENT("abc")),
};

Test(strict_expect, table)
{
    STRICT_RUN(rows);
}

/* A client that waits with the content until it is asked for it. `first` is what it hears before it has sent any. */
struct dialogue {
    const char *name, *head;
    int first;
    const char *content;
    int second; /* 0: none */
};

static void hold(int port, const struct dialogue *d)
{
    struct client *c = client_open(port);
    struct response r = ask(c, "%s\r\n", d->head);
    cr_expect_eq(r.status, d->first, "%s: %d, not %d", d->name, r.status, d->first);
    if (d->second) {
        r = ask(c, "%s", d->content);
        cr_expect_eq(r.status, d->second, "%s: then %d, not %d", d->name, r.status, d->second);
        r = get(c, "/probe");
        cr_expect(str_eq(r.body, STR(STRICT_PROBE_CONTENT)), "%s: out of step", d->name);
    } else if (response_has(&r, "Connection", "close")) {
        cr_expect(client_ends(c), "%s: more comes after the end", d->name);
    } else {
        client_printf(c, "%s", d->content);
        r = get(c, "/probe");
        cr_expect(str_eq(r.body, STR(STRICT_PROBE_CONTENT)), "%s: out of step", d->name);
    }
    client_close(c);
}

static const struct dialogue dialogues[] = {
    {"unknown", EXPECTING("x"), 417, "abc", 0},
    {"unknown beside a known one", EXPECTING("100-continue, x"), 417, "abc", 0},
    {"too long", LENGTH("65537") "Expect: 100-continue\r\n", 413, "abc", 0},
    {"no file", "GET /files/none HTTP/1.1\r\n" HOST "Content-Length: 3\r\nExpect: 100-continue\r\n", 404, "abc", 0},
    {"not read", "POST /target HTTP/1.1\r\n" HOST "Content-Length: 3\r\nExpect: 100-continue\r\n", 203, "abc", 0},
    {"no content", POST "Expect: 100-continue\r\n", 200, "", 0},
    {"by length", EXPECTING("100-continue"), 100, "abc", 200},
    {"another case", EXPECTING("100-CONTINUE"), 100, "abc", 200},
    {"empty elements", EXPECTING(", 100-continue,"), 100, "abc", 200},
    {"twice", EXPECTING("100-continue, 100-continue"), 100, "abc", 200},
    {"on two lines", EXPECTING("100-continue\r\nExpect: 100-continue"), 100, "abc", 200},
    {"by chunks", CODING("chunked") "Expect: 100-continue\r\n", 100, "3\r\nabc\r\n0\r\n\r\n", 200},
    {"by chunks, with trailers", CODING("chunked") "Expect: 100-continue\r\n", 100, "0\r\nX: y\r\n\r\n", 200},
};

Test(strict_expect, dialogue)
{
    for (size_t i = 0; i < sizeof dialogues / sizeof *dialogues; i++)
        hold(harness_port(0), &dialogues[i]);
}
