/* h2_head_test.c: which requests are refused, and what the fields of the others become. */
#include "http/h2.h"

#include <nghttp2/nghttp2.h>

#include "h2_peer.h"

#define H2Test(name) PairTest(h2_head, 64, name)

static const struct str none = {NULL, 0};

H2Test(what_is_wrong_is_refused_on_its_stream)
{
    static char long_path[6000], long_field[9000];
    static const struct {
        const char *what, *method, *path, *fields;
        int status;    /* 0: no answer, but ... */
        uint32_t code; /* ... a reset with this */
    } table[] = {
        {"a method that nobody knows", "BREW", "/", ":authority: a\n", 501, 0},
        {"a tunnel", "CONNECT", "a:443", ":authority: a:443\n", 0, NGHTTP2_PROTOCOL_ERROR},
        {"an asterisk for GET", "GET", "*", ":authority: a\n", 0, NGHTTP2_PROTOCOL_ERROR},
        {"a malformed escape", "GET", "/%", ":authority: a\n", 400, 0},
        {"a space in the path", "GET", "/a b", ":authority: a\n", 0, NGHTTP2_PROTOCOL_ERROR},
        {"a path beyond limits.target_size", "GET", long_path, ":authority: a\n", 414, 0},
        {"two hosts that differ", "GET", "/", ":authority: a\nhost: b\n", 400, 0},
        {"a malformed host", "GET", "/", ":authority: a b\n", 0, NGHTTP2_PROTOCOL_ERROR},
        {"a port that is none", "GET", "/", ":authority: a:b\n", 400, 0},
        {"a user in the host", "GET", "/", ":authority: me@a\n", 400, 0},
        {"no host", "GET", "/", "", 0, NGHTTP2_PROTOCOL_ERROR},
        {"an unknown expectation", "POST", "/echo", ":authority: a\nexpect: more\n", 417, 0},
        {"a length that is none", "POST", "/echo", ":authority: a\ncontent-length: x\n", 0, NGHTTP2_PROTOCOL_ERROR},
        {"a field beyond limits.header_size", "GET", "/", long_field, 431, 0},
        {"a field of the connection", "GET", "/", ":authority: a\nconnection: close\n", 0, NGHTTP2_PROTOCOL_ERROR},
        {"a control character in a value", "GET", "/", ":authority: a\nx: \x01\n", 400, 0},
    };
    snprintf(long_path, sizeof long_path, "/%05900d", 0);
    snprintf(long_field, sizeof long_field, ":authority: a\nx: %08900d", 0);
    struct h2_peer *peer = h2_peer_open(0);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        int32_t id = h2_peer_ask(peer, table[i].method, table[i].path, table[i].fields, none);
        struct h2_answer *answer = h2_peer_answer(peer, id);
        h2_peer_until(peer, answer->over);
        cr_expect_eq(answer->status, table[i].status, "%s: %d", table[i].what, answer->status);
        cr_expect_eq(answer->code, table[i].code, "%s: code %u", table[i].what, answer->code);
        cr_expect_eq(answer->ended, table[i].status != 0, "%s", table[i].what);
    }
    cr_expect_eq(h2_peer_served, 0);
    cr_expect_str_eq(h2_peer_fetch(peer, "/hello")->text, "hello", "the connection is none the worse");
    h2_peer_close(peer);
}

H2Test(a_scheme_that_is_not_the_connections_is_misdirected)
{
    struct h2_peer *peer = h2_peer_open(0);
    const nghttp2_nv fields[] = {
#define FIELD(name, value) {(uint8_t *)name, (uint8_t *)value, sizeof name - 1, sizeof value - 1, 0}
        FIELD(":method", "GET"), FIELD(":scheme", "https"), FIELD(":path", "/hello"), FIELD(":authority", "a")};
    struct h2_answer *answer = h2_peer_answer(peer, nghttp2_submit_request(peer->session, NULL, fields, 4, NULL, NULL));
    h2_peer_until(peer, answer->over);
    cr_expect_eq(answer->status, 421);
    h2_peer_close(peer);
}

static const char *fields_of(struct h2_peer *peer, const char *fields)
{
    struct h2_answer *answer = h2_peer_answer(peer, h2_peer_ask(peer, "GET", "/fields", fields, none));
    h2_peer_until(peer, answer->over);
    cr_expect_eq(answer->status, 200);
    return answer->text;
}

H2Test(fields_are_as_they_came)
{
    static const struct {
        const char *sent, *seen;
    } table[] = {
        {":authority: a:80\nx-a: 1\nx-b: 2\n", "x-a: 1\nx-b: 2\nhost: a:80\n"},
        {":authority: a\nhost: A\nx: y\n", "host: A\nx: y\n"},
        {"host: b\n", "host: b\n"},
        {":authority: a\ncookie: a=1\n", "cookie: a=1\nhost: a\n"},
        {":authority: a\ncookie: a=1\nx: y\ncookie: b=2\ncookie: c=3\nz: z\n",
         "cookie: a=1; b=2; c=3\nx: y\nz: z\nhost: a\n"},
        {":authority: a\nx: y\nx: z\n", "x: y\nx: z\nhost: a\n"},
    };
    struct h2_peer *peer = h2_peer_open(0);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        cr_expect_str_eq(fields_of(peer, table[i].sent), table[i].seen);
    h2_peer_close(peer);
}

/* Crumbs are one field; and more fields than there is room for at first are all kept. */
H2Test(as_many_as_there_may_be)
{
    char fields[4000];
    struct h2_peer *peer = h2_peer_open(0);
    size_t n = (size_t)snprintf(fields, sizeof fields, ":authority: a\n");
    for (int i = 0; i < 98; i++)
        n += (size_t)snprintf(fields + n, sizeof fields - n, "x: %d\n", i);
    for (int i = 0; i < 50; i++)
        n += (size_t)snprintf(fields + n, sizeof fields - n, "cookie: %d\n", i);
    const char *seen = fields_of(peer, fields);
    cr_expect_eq(strncmp(seen, "x: 0\nx: 1\n", 10), 0, "%s", seen);
    cr_expect(strstr(seen, "x: 97\ncookie: 0; 1; 2; "), "%s", seen);
    n += (size_t)snprintf(fields + n, sizeof fields - n, "x: 98\n");
    struct h2_answer *answer = h2_peer_answer(peer, h2_peer_ask(peer, "GET", "/fields", fields, none));
    h2_peer_until(peer, answer->over);
    cr_expect_eq(answer->status, 431);
    h2_peer_close(peer);
}

Test(h2_head, priorities)
{
    static const struct {
        const char *value;
        unsigned urgency;
        bool incremental;
    } table[] = {
        {"", 3, false},          {"u=0", 0, false},       {"u=7, i", 7, true},   {"i,u=1", 1, true},
        {"i=?0", 3, false},      {"i=?1", 3, true},       {"u=8", 3, false},     {"u=-1", 3, false},
        {"u=2;x=1, i", 3, true}, {"urgency=1", 3, false}, {"u=1,u=5", 5, false},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        unsigned urgency = 3;
        bool incremental = false;
        h2_parse_priority(str_of(table[i].value), &urgency, &incremental);
        cr_expect_eq(urgency, table[i].urgency, "%s", table[i].value);
        cr_expect_eq(incremental, table[i].incremental, "%s", table[i].value);
    }
}
