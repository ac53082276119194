/* h2_conn_test.c: connections of HTTP/2: how they begin, that they are idle without a thread, and how they end. */
#include "http/h2.h"

#include <errno.h>
#include <nghttp2/nghttp2.h>
#include <sys/socket.h>
#include <unistd.h>

#include "h2_peer.h"

#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#define SETTINGS_FRAME "\0\0\0\4\0\0\0\0\0"

#define H2Test(name) PairTest(h2_conn, 64, name)

static void expect_frame(const struct pair *p, uint8_t type)
{
    wait_for(recv(p->peer, (char[9]){0}, 9, MSG_PEEK | MSG_DONTWAIT) == 9);
    cr_expect_eq((uint8_t)pair_hear(p)[3], type);
}

/* ---- the beginning ---- */

H2Test(a_preface_that_trickles_in_is_one)
{
    struct pair p = pair_open();
    for (const char *c = PREFACE; *c; c++) {
        cr_assert_eq(write(p.peer, c, 1), 1);
        wait_for(p.conn->state != CONN_ACTIVE);
    }
    expect_frame(&p, NGHTTP2_SETTINGS);
    cr_assert_eq(write(p.peer, SETTINGS_FRAME, 9), 9);
    expect_frame(&p, NGHTTP2_SETTINGS);
    close(p.peer);
}

H2Test(half_a_preface_is_no_request_and_no_connection)
{
    struct pair p = pair_open();
    pair_say(&p, "PRI * HTTP/2.0\r\n\r\nSM\r\n\rX");
    wait_for(pair_is_over(&p) || recv(p.peer, (char[1]){0}, 1, MSG_PEEK | MSG_DONTWAIT) == 1);
    wait_for(p.conn->state == CONN_LINGERING);
    const char *frames = pair_hear(&p); /* SETTINGS, then perhaps WINDOW_UPDATE, then GOAWAY */
    cr_expect_eq((uint8_t)frames[3], NGHTTP2_SETTINGS);
    close(p.peer);
}

H2Test(only_the_first_request_can_be_a_preface)
{
    struct pair p = pair_open();
    pair_say(&p, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    pair_expect_status(&p, 200);
    pair_say(&p, PREFACE);
    pair_expect_status(&p, 505);
    close(p.peer);
}

H2Test(what_follows_the_preface_at_once_is_served)
{
    struct h2_peer *peer = h2_peer_open(0);
    struct h2_answer *answer = h2_peer_fetch(peer, "/hello");
    cr_expect_eq(answer->status, 200);
    cr_expect_str_eq(answer->text, "hello");
    h2_peer_close(peer);
}

/* ---- idle ---- */

H2Test(an_idle_one_has_no_thread)
{
    struct h2_peer *peer = h2_peer_open(0);
    size_t before = pair_threads();
    for (int i = 0; i < 3; i++) {
        h2_peer_fetch(peer, "/hello");
        wait_for(peer->pair.conn->state == CONN_IDLE);
        cr_expect_eq(pair_threads(), before);
    }
    cr_expect_eq(peer->pair.conn->requests, 3);
    h2_peer_close(peer);
}

H2Test(the_end_of_an_idle_one_is_announced)
{
    pair_server.timeouts.idle = NSEC_MS;
    struct h2_peer *peer = h2_peer_open(0);
    h2_peer_until(peer, peer->over);
    cr_expect_eq(peer->goaways, 1);
    cr_expect_eq(peer->goaway_code, NGHTTP2_NO_ERROR);
    h2_peer_close(peer);
}

/* ---- the end ---- */

static int drain(void *arg)
{
    (void)arg;
    return (int)conns_drain(&pair_conns, 0, nsec_add(green_now(), PAIR_LIMIT));
}

H2Test(a_drain_warns_first_and_loses_nothing)
{
    struct h2_peer *peer = h2_peer_open(0);
    int32_t first = h2_peer_get(peer, "/wait");
    h2_peer_until(peer, h2_peer_served == 1);
    struct green *drainer;
    int cut;
    cr_assert_eq(green_spawn(&drainer, "drain", drain, NULL), 0);
    wait_for(recv(peer->pair.peer, (char[1]){0}, 1, MSG_PEEK | MSG_DONTWAIT) == 1);
    int32_t second = h2_peer_get(peer, "/hello"); /* sent before the warning is read */
    h2_peer_until(peer, peer->goaways == 2 && h2_peer_answer(peer, second)->over);
    cr_expect_eq(h2_peer_answer(peer, second)->status, 200);
    cr_expect_eq(peer->goaway_last, second);
    cr_expect_not(h2_peer_answer(peer, first)->over);
    green_sem_post(&h2_peer_gate);
    h2_peer_until(peer, peer->over);
    cr_expect_eq(h2_peer_answer(peer, first)->status, 200);
    h2_peer_close(peer);
    cr_assert_eq(green_join(drainer, &cut, NSEC_NEVER), 0);
    cr_expect_eq(cut, 0);
}

H2Test(a_drain_ends_idle_ones)
{
    struct h2_peer *peer = h2_peer_open(0);
    h2_peer_fetch(peer, "/hello");
    wait_for(peer->pair.conn->state == CONN_IDLE);
    struct green *drainer;
    cr_assert_eq(green_spawn(&drainer, "drain", drain, NULL), 0);
    h2_peer_until(peer, peer->over);
    cr_expect_eq(peer->goaways, 1, "nghttp2's client listens no longer after a warning that is nothing to it");
    cr_expect_eq(peer->goaway_last, INT32_MAX);
    h2_peer_close(peer);
    cr_assert_eq(green_join(drainer, NULL, NSEC_NEVER), 0);
}

H2Test(those_who_wait_are_cancelled_by_a_cut)
{
    struct h2_peer *peer = h2_peer_open(0);
    for (int i = 0; i < 10; i++)
        h2_peer_get(peer, "/wait");
    h2_peer_until(peer, h2_peer_served == 10);
    cr_expect_eq(conns_cut(&pair_conns), 1);
    cr_expect_eq(pair_conns.count, 0);
    h2_peer_until(peer, peer->over);
    cr_expect_eq(peer->goaways, 1);
    h2_peer_close(peer);
}

H2Test(a_peer_that_leaves_takes_its_streams_along)
{
    struct h2_peer *peer = h2_peer_open(1);
    h2_peer_get(peer, "/bytes/100000");
    h2_peer_promise(peer, "/echo", "");
    h2_peer_get(peer, "/wait");
    h2_peer_until(peer, h2_peer_served >= 2);
    h2_peer_close(peer);
    green_sem_post(&h2_peer_gate);
    wait_for(pair_conns.count == 0);
}

H2Test(who_has_said_all_still_gets_its_answers)
{
    struct h2_peer *peer = h2_peer_open(0);
    int32_t id = h2_peer_get(peer, "/wait");
    h2_peer_until(peer, h2_peer_served == 1);
    cr_assert_eq(shutdown(peer->pair.peer, SHUT_WR), 0);
    cr_assert_eq(green_sleep(2 * NSEC_MS), 0);
    green_sem_post(&h2_peer_gate);
    h2_peer_until(peer, peer->over);
    cr_expect_str_eq(h2_peer_answer(peer, id)->text, "waited");
    cr_expect(h2_peer_answer(peer, id)->ended);
    h2_peer_close(peer);
}

H2Test(the_last_request_is_announced)
{
    pair_server.limits.requests_per_connection = 3;
    struct h2_peer *peer = h2_peer_open(0);
    int32_t ids[5];
    for (int i = 0; i < 5; i++)
        ids[i] = h2_peer_get(peer, "/hello");
    h2_peer_until(peer, peer->over);
    for (int i = 0; i < 5; i++)
        cr_expect_eq(h2_peer_answer(peer, ids[i])->status, i < 3 ? 200 : 0);
    cr_expect_eq(h2_peer_answer(peer, ids[4])->code, NGHTTP2_REFUSED_STREAM);
    cr_expect_eq(peer->goaway_code, NGHTTP2_NO_ERROR);
    h2_peer_close(peer);
}

/* ---- what a peer may cost ---- */

static size_t put_frame(char *to, uint8_t type, uint8_t flags, uint32_t id, struct str payload)
{
    const unsigned char head[] = {
        0,
        (unsigned char)(payload.n >> 8),
        (unsigned char)payload.n,
        type,
        flags,
        0,
        (unsigned char)(id >> 16),
        (unsigned char)(id >> 8),
        (unsigned char)id,
    };
    memcpy(to, head, sizeof head);
    memcpy(to + sizeof head, payload.p, payload.n);
    return sizeof head + payload.n;
}

/* Writes as much as is taken; what comes back is read. False: the connection is over. */
static bool put(const struct pair *p, struct str bytes)
{
    while (bytes.n) {
        ssize_t sent = send(p->peer, bytes.p, bytes.n, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno != EAGAIN)
            return false;
        bytes = str_skip(bytes, sent > 0 ? (size_t)sent : 0);
        char unwanted[4096];
        ssize_t got;
        while ((got = recv(p->peer, unwanted, sizeof unwanted, MSG_DONTWAIT)) > 0)
            ;
        if (got == 0)
            return false;
        cr_assert_eq(green_yield(), 0);
        if (sent < 0)
            cr_assert_eq(green_sleep(NSEC_MS), 0);
    }
    return true;
}

static struct pair open_raw(void)
{
    h2_peer_close(h2_peer_open(0)); /* for its server */
    wait_for(pair_conns.count == 0);
    struct pair p = pair_open();
    pair_say(&p, PREFACE);
    cr_assert_eq(write(p.peer, SETTINGS_FRAME, 9), 9);
    wait_for(p.conn->state == CONN_IDLE);
    return p;
}

/* The same frames over and over, until the server has had enough: after how many, at most `most`. */
static unsigned flood(const struct pair *p, unsigned most, size_t (*make)(char *to, unsigned i))
{
    char bytes[8192];
    unsigned i = 0;
    while (i < most) {
        size_t n = 0;
        for (; n < sizeof bytes - 256 && i < most; i++)
            n += make(bytes + n, i);
        if (!put(p, (struct str){bytes, n}))
            break;
    }
    return i;
}

static const struct str get_hello = STR_INIT("\x82\x86\x84\x41\x01"
                                             "a"); /* GET, http, /, :authority: a */

static size_t make_reset(char *to, unsigned i)
{
    size_t n = put_frame(to, NGHTTP2_HEADERS, 5, 2 * i + 1, get_hello);
    return n + put_frame(to + n, NGHTTP2_RST_STREAM, 0, 2 * i + 1, STR("\0\0\0\x8"));
}

static size_t make_ping(char *to, unsigned i)
{
    (void)i;
    return put_frame(to, NGHTTP2_PING, 0, 0, STR("12345678"));
}

static size_t make_settings(char *to, unsigned i)
{
    (void)i;
    return put_frame(to, NGHTTP2_SETTINGS, 0, 0, STR(""));
}

static size_t make_priority(char *to, unsigned i)
{
    return put_frame(to, NGHTTP2_PRIORITY, 0, 2 * i + 1, STR("\0\0\0\0\x10"));
}

static size_t make_window(char *to, unsigned i)
{
    (void)i;
    return put_frame(to, NGHTTP2_WINDOW_UPDATE, 0, 0, STR("\0\0\0\x1"));
}

/* A window that overflows provokes a reset by us (CVE-2025-8671). */
static size_t make_provoked(char *to, unsigned i)
{
    size_t n = put_frame(to, NGHTTP2_HEADERS, 4, 2 * i + 1, get_hello);
    return n + put_frame(to + n, NGHTTP2_WINDOW_UPDATE, 0, 2 * i + 1, STR("\x7f\xff\xff\xff"));
}

static size_t make_malformed(char *to, unsigned i)
{
    return put_frame(to, NGHTTP2_HEADERS, 5, 2 * i + 1, STR("\x82\x86")); /* no path */
}

static size_t make_empty(char *to, unsigned i)
{
    size_t n = i ? 0
                 : put_frame(to, NGHTTP2_HEADERS, 4, 1,
                             STR("\x83\x86\x44\x5/echo\x41\x01"
                                 "a"));
    return n + put_frame(to + n, NGHTTP2_DATA, 0, 1, STR(""));
}

H2Test(floods_are_cut_off)
{
    static const struct {
        const char *what;
        size_t (*make)(char *to, unsigned i);
        unsigned served; /* at most */
    } floods[] = {
        {"requests taken back", make_reset, 500},
        {"PING", make_ping, 0},
        {"SETTINGS", make_settings, 0},
        {"PRIORITY", make_priority, 0},

        {"WINDOW_UPDATE", make_window, 0},
        {"resets provoked", make_provoked, 500},
        {"malformed requests", make_malformed, 0},
        {"empty DATA", make_empty, 1},
    };
    for (size_t i = 0; i < sizeof floods / sizeof *floods; i++) {
        struct pair p = open_raw();
        unsigned sent = flood(&p, 100000, floods[i].make);
        cr_expect_lt(sent, 100000, "%s", floods[i].what);
        cr_expect_leq(h2_peer_served, floods[i].served, "%s: %u served", floods[i].what, h2_peer_served);
        close(p.peer);
        wait_for(pair_conns.count == 0);
    }
}
