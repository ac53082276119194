/* h2_stream_test.c: streams of HTTP/2: responses and the content of requests, flow control, and what cuts them off. */
#include "http/h2.h"

#include <errno.h>
#include <nghttp2/nghttp2.h>
#include <unistd.h>

#include "h2_peer.h"

#define H2Test(name) PairTest(h2_stream, 200, name)

static const struct str none = {NULL, 0};

static void expect_bytes(const struct h2_answer *answer, size_t n)
{
    cr_expect_eq(answer->length, n);
    cr_expect_eq(answer->hash, h2_peer_hash(h2_peer_hash(0, STR("")), h2_peer_bytes(n)));
    cr_expect(answer->ended);
    cr_expect_eq(answer->code, NGHTTP2_NO_ERROR);
}

/* ---- responses ---- */

H2Test(a_small_answer_is_two_frames)
{
    struct h2_peer *peer = h2_peer_open(0);
    struct h2_answer *answer = h2_peer_fetch(peer, "/hello");
    cr_expect_str_eq(answer->text, "hello");
    cr_expect_eq(answer->frames, 1, "no empty frame at the end");
    cr_expect(answer->ended);
    cr_expect_eq(strncmp(answer->fields, ":status: 200\nserver: tern\ndate: ", 32), 0, "%s", answer->fields);
    cr_expect(strstr(answer->fields, "content-type: text/plain\nx-mixed: Case\ncontent-length: 5\n"), "%s",
              answer->fields);
    cr_expect_not(strstr(answer->fields, "connection"), "%s", answer->fields);
    h2_peer_close(peer);
}

H2Test(an_answer_without_content_is_one_frame)
{
    struct h2_peer *peer = h2_peer_open(0);
    struct h2_answer *empty = h2_peer_fetch(peer, "/empty");
    cr_expect_eq(empty->status, 204);
    cr_expect_eq(empty->frames, 0);
    cr_expect(empty->ended);
    cr_expect_not(strstr(empty->fields, "content-length"));
    int32_t id = h2_peer_ask(peer, "HEAD", "/bytes/50000", ":authority: a\n", none);
    struct h2_answer *head = h2_peer_answer(peer, id);
    h2_peer_until(peer, head->over);
    cr_expect(strstr(head->fields, "content-length: 50000\n"));
    cr_expect_eq(head->frames, 0);
    struct h2_answer *pieces = h2_peer_fetch(peer, "/pieces/0");
    cr_expect_eq(pieces->frames, 0);
    cr_expect(pieces->ended);
    h2_peer_close(peer);
}

H2Test(content_of_any_size_arrives_whole)
{
    static const char *const paths[] = {"bytes", "pieces", "file"};
    static const size_t sizes[] = {1, 999, 1000, 16383, 16384, 16385, 65535, 65536, 300000, 1000000};
    struct h2_peer *peer = h2_peer_open(0);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
            char path[64];
            snprintf(path, sizeof path, "/%s/%zu", paths[i], sizes[k]);
            expect_bytes(h2_peer_fetch(peer, path), sizes[k]);
        }
    h2_peer_close(peer);
}

H2Test(what_is_flushed_arrives_while_its_handler_waits)
{
    struct h2_peer *peer = h2_peer_open(0);
    struct h2_answer *answer = h2_peer_answer(peer, h2_peer_get(peer, "/flush"));
    h2_peer_until(peer, answer->length == 5);
    cr_expect_str_eq(answer->text, "hello");
    cr_expect_not(answer->ended);
    green_sem_post(&h2_peer_gate);
    h2_peer_until(peer, answer->over);
    cr_expect_str_eq(answer->text, "hello, goodbye");
    cr_expect(answer->ended);
    h2_peer_close(peer);
}

Test(h2_stream, a_flush_of_an_answer_that_was_cut_off)
{
    static struct h2_stream s = {.error = -ECONNRESET, .x.ops = &h2_ops};
    cr_expect_eq(http_flush(&s.x), -ECONNRESET);
}

H2Test(many_at_once_share_a_window_of_one_byte_each)
{
    struct h2_peer *peer = h2_peer_open(2);
    int32_t ids[50];
    for (int i = 0; i < 50; i++)
        ids[i] = h2_peer_get(peer, i % 2 ? "/bytes/300" : "/file/300");
    for (int i = 0; i < 50; i++)
        h2_peer_until(peer, h2_peer_answer(peer, ids[i])->over);
    for (int i = 0; i < 50; i++)
        expect_bytes(h2_peer_answer(peer, ids[i]), 300);
    h2_peer_close(peer);
}

H2Test(a_socket_that_is_full_is_no_reason_not_to_listen)
{
    struct h2_peer *peer = h2_peer_open(1 << 24);
    cr_assert_eq(nghttp2_submit_window_update(peer->session, 0, 0, 1 << 24), 0);
    int32_t big = h2_peer_get(peer, "/bytes/1000000");
    h2_peer_until(peer, h2_peer_served == 1);
    peer->deaf = true; /* the socket takes a part of it */
    int32_t more = h2_peer_get(peer, "/hello");
    h2_peer_until(peer, h2_peer_served == 2);
    peer->deaf = false;
    h2_peer_until(peer, h2_peer_answer(peer, big)->over && h2_peer_answer(peer, more)->over);
    expect_bytes(h2_peer_answer(peer, big), 1000000);
    cr_expect_str_eq(h2_peer_answer(peer, more)->text, "hello");
    h2_peer_close(peer);
}

/* ---- whose turn it is ---- */

/* Two requests that come together; true: the second one's answer is complete first. */
static bool overtakes(const char *first, const char *first_fields, const char *second, const char *second_fields)
{
    struct h2_peer *peer = h2_peer_open(1 << 24);
    char fields[2][100];
    snprintf(fields[0], sizeof fields[0], ":authority: a\n%s", first_fields);
    snprintf(fields[1], sizeof fields[1], ":authority: a\n%s", second_fields);
    h2_peer_fetch(peer, "/hello");
    cr_assert_eq(nghttp2_submit_window_update(peer->session, 0, 0, 1 << 24), 0);
    struct h2_answer *a = h2_peer_answer(peer, h2_peer_ask(peer, "GET", first, fields[0], none));
    struct h2_answer *b = h2_peer_answer(peer, h2_peer_ask(peer, "GET", second, fields[1], none));
    h2_peer_until(peer, a->over && b->over);
    bool result = b->over < a->over;
    h2_peer_close(peer);
    wait_for(pair_conns.count == 0);
    return result;
}

H2Test(priorities_are_heeded)
{
    const char *big = "/bytes/400000", *small = "/bytes/40000";
    cr_expect(overtakes(big, "", small, ""), "who knows no priorities has its answers in turn");
    cr_expect_not(overtakes(big, "priority: u=3\n", small, "priority: u=3\n"), "one after the other");
    cr_expect(overtakes(big, "priority: u=3, i\n", small, "priority: u=3, i\n"), "in turn");
    cr_expect(overtakes(big, "priority: u=5\n", small, "priority: u=1\n"), "the urgent first");
    cr_expect(overtakes(small, "priority: u=5\n", big, "priority: u=1\n"), "however large");
    cr_expect(overtakes("/late/400000", "priority: u=0\n", big, "priority: u=1\n"), "unless the answer knows better");
}

/* ---- what cuts an answer off ---- */

H2Test(an_answer_that_ends_short_is_cut_off)
{
    static const char *const paths[] = {"/short", "/file/100000?cut"};
    struct h2_peer *peer = h2_peer_open(0);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct h2_answer *answer = h2_peer_fetch(peer, paths[i]);
        cr_expect_eq(answer->code, NGHTTP2_INTERNAL_ERROR, "%s", paths[i]);
        cr_expect_not(answer->ended, "%s", paths[i]);
    }
    cr_expect_str_eq(h2_peer_fetch(peer, "/hello")->text, "hello", "the others are none the worse");
    h2_peer_close(peer);
}

H2Test(a_window_that_stays_shut_is_a_timeout)
{
    static const char *const paths[] = {"/bytes/100", "/bytes/100000", "/file/100000"};
    pair_server.timeouts.write = 2 * NSEC_MS;
    struct h2_peer *peer = h2_peer_open(1);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct h2_answer *answer = h2_peer_fetch(peer, paths[i]);
        cr_expect_eq(answer->code, NGHTTP2_CANCEL, "%s", paths[i]);
        cr_expect_eq(answer->status, 200);
        cr_expect_eq(answer->length, 0);
    }
    wait_for(peer->pair.conn->state == CONN_IDLE);
    h2_peer_close(peer);
}

H2Test(a_peer_that_reads_nothing_is_cut_off)
{
    pair_server.timeouts.write = 2 * NSEC_MS;
    struct h2_peer *peer = h2_peer_open(1 << 24);
    cr_assert_eq(nghttp2_submit_window_update(peer->session, 0, 0, 1 << 24), 0);
    h2_peer_get(peer, "/bytes/1000000");
    peer->deaf = true;
    h2_peer_move(peer);
    wait_for(pair_conns.count == 0);
    h2_peer_close(peer);
}

/* Threads of requests that were taken back go on until they notice: there is a bound to them. */
H2Test(requests_taken_back_hold_no_more_threads_than_there_may_be)
{
    pair_server.limits.streams = 5;
    struct h2_peer *peer = h2_peer_open(0);
    h2_peer_fetch(peer, "/hello");
    for (int i = 0; i < 20; i++) {
        int32_t id = h2_peer_get(peer, "/wait");
        h2_peer_move(peer);
        cr_assert_eq(green_sleep(NSEC_MS), 0);
        cr_assert_eq(nghttp2_submit_rst_stream(peer->session, 0, id, NGHTTP2_CANCEL), 0);
        h2_peer_until(peer, h2_peer_answer(peer, id)->over);
    }
    cr_expect_eq(h2_peer_served, 1 + 10);
    for (int i = 0; i < 10; i++)
        green_sem_post(&h2_peer_gate);
    wait_for(peer->pair.conn->state == CONN_IDLE);
    cr_expect_eq(h2_peer_fetch(peer, "/hello")->status, 200);
    h2_peer_close(peer);
}

/* ---- content of requests ---- */

H2Test(content_comes_back_whole)
{
    static const size_t sizes[] = {0, 1, 16384, 65536, 262144, 262145, 1000000};
    struct h2_peer *peer = h2_peer_open(0);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        int32_t id = h2_peer_ask(peer, "POST", "/echo", ":authority: a\n", h2_peer_bytes(sizes[i]));
        h2_peer_until(peer, h2_peer_answer(peer, id)->over);
        expect_bytes(h2_peer_answer(peer, id), sizes[i]);
    }
    h2_peer_close(peer);
}

H2Test(content_that_nobody_reads_holds_up_nobody)
{
    struct h2_peer *peer = h2_peer_open(0);
    for (int i = 0; i < 20; i++) {
        int32_t id = h2_peer_ask(peer, "POST", "/hello", ":authority: a\n", h2_peer_bytes(200000));
        struct h2_answer *answer = h2_peer_answer(peer, id);
        h2_peer_until(peer, answer->over);
        cr_expect_eq(answer->status, 200);
        cr_expect(answer->ended);
        cr_expect_eq(answer->code, NGHTTP2_NO_ERROR);
    }
    int32_t id = h2_peer_ask(peer, "POST", "/echo", ":authority: a\n", h2_peer_bytes(600000));
    h2_peer_until(peer, h2_peer_answer(peer, id)->over);
    expect_bytes(h2_peer_answer(peer, id), 600000);
    h2_peer_close(peer);
}

H2Test(a_handler_that_does_not_read_yet_holds_its_peer_back)
{
    struct h2_peer *peer = h2_peer_open(0);
    h2_peer_fetch(peer, "/hello"); /* now it knows how large the window is */
    int32_t id = h2_peer_ask(peer, "POST", "/wait", ":authority: a\n", h2_peer_bytes(1000000));
    h2_peer_until(peer, nghttp2_session_get_stream_remote_window_size(peer->session, id) == 0);
    struct h2 *h2 = container_of(peer->pair.conn->kept, struct h2, kept);
    struct h2_stream *s = container_of(h2->streams.next, struct h2_stream, link);
    wait_for(s->body.end == H2_STREAM_WINDOW);
    cr_expect_leq(s->body.room, H2_STREAM_WINDOW);
    green_sem_post(&h2_peer_gate);
    h2_peer_until(peer, h2_peer_answer(peer, id)->over);
    cr_expect_str_eq(h2_peer_answer(peer, id)->text, "waited");
    h2_peer_close(peer);
}

H2Test(too_much_content_is_refused)
{
    struct h2_peer *peer = h2_peer_open(0);
    pair_server.limits.body_size = 1000;
    int32_t told = h2_peer_ask(peer, "POST", "/echo", ":authority: a\ncontent-length: 1001\n", h2_peer_bytes(1001));
    int32_t untold = h2_peer_ask(peer, "POST", "/echo", ":authority: a\n", h2_peer_bytes(1001));
    h2_peer_until(peer, h2_peer_answer(peer, told)->over && h2_peer_answer(peer, untold)->over);
    cr_expect_eq(h2_peer_answer(peer, told)->status, 413);
    cr_expect_eq(h2_peer_answer(peer, untold)->status, 413);
    cr_expect_eq(h2_peer_served, 1);
    h2_peer_close(peer);
}

H2Test(content_that_stays_away_is_a_timeout)
{
    pair_server.timeouts.body = 2 * NSEC_MS;
    struct h2_peer *peer = h2_peer_open(0);
    struct h2_answer *answer = h2_peer_answer(peer, h2_peer_promise(peer, "/echo", ""));
    h2_peer_until(peer, answer->over);
    cr_expect_eq(answer->status, 408);
    cr_expect(answer->ended);
    h2_peer_close(peer);
}

H2Test(who_expects_100_gets_it_when_content_is_asked_for)
{
    struct h2_peer *peer = h2_peer_open(0);
    struct h2_answer *answer = h2_peer_answer(peer, h2_peer_promise(peer, "/echo", "expect: 100-continue\n"));
    h2_peer_until(peer, answer->interim == 100);
    cr_expect_eq(answer->status, 0);
    struct h2_answer *unread = h2_peer_answer(peer, h2_peer_promise(peer, "/hello", "expect: 100-continue\n"));
    h2_peer_until(peer, unread->over);
    cr_expect_eq(unread->interim, 0);
    cr_expect_eq(unread->status, 200);
    h2_peer_close(peer);
}
