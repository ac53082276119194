/* conn_test.c: connections while nobody serves them: of what they consist, what ends them, and what does not. */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pair.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define ConnTest(name) PairTest(conn, 16, name)

/* ---- heads that have begun ---- */

/* Many more than there may be threads. */
ConnTest(a_head_in_pieces_holds_no_thread)
{
    struct pair pairs[64];
    for (size_t i = 0; i < COUNT(pairs); i++) {
        pairs[i] = pair_open();
        pair_say_piece(&pairs[i], "GET /a HT", 9);
    }
    cr_expect_eq(pair_threads(), 1, "%zu threads", pair_threads());
    for (size_t i = 0; i < COUNT(pairs); i++)
        pair_say_piece(&pairs[i], "TP/1.1\r\nHost: a\r\n", 26);
    cr_expect_eq(pair_threads(), 1, "%zu threads", pair_threads());
    for (size_t i = 0; i < COUNT(pairs); i++)
        pair_say(&pairs[i], "\r\n");
    for (size_t i = 0; i < COUNT(pairs); i++) {
        pair_expect_status(&pairs[i], 200);
        wait_for(pairs[i].conn->state == CONN_IDLE);
        cr_expect_null(pairs[i].conn->kept);
    }
    struct green_census census;
    green_take_census(&census);
    cr_expect_leq(census.most_live, 3, "one after the other, on the same stack: %zu", census.most_live);
}

/* However many pieces there are, and whatever was answered before. */
ConnTest(the_deadline_is_set_by_the_first_byte)
{
    struct pair p = pair_open();
    pair_say(&p, "GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
    pair_expect_status(&p, 200);
    wait_for(p.conn->state == CONN_IDLE);
    pair_say_piece(&p, "G", 1);
    nsec deadline = p.conn->timer.deadline;
    cr_expect_gt(deadline, green_now());
    cr_expect_leq(deadline, nsec_add(green_now(), pair_server.timeouts.header));
    size_t n = 1;
    for (const char *rest = "ET /b HTTP/1.1\r\nX: y"; *rest; rest++) {
        char piece[] = {*rest, '\0'};
        cr_assert_eq(green_sleep(NSEC_MS), 0);
        pair_say_piece(&p, piece, ++n);
        cr_expect_eq(p.conn->timer.deadline, deadline, "after %zu bytes", n);
        cr_expect_eq(pair_begun(&p)->deadline, deadline, "after %zu bytes", n);
    }
    pair_say(&p, "\r\nHost: a\r\n\r\nG");
    pair_expect_status(&p, 200);
    wait_for(p.conn->state == CONN_BEGUN);
    cr_expect_gt(p.conn->timer.deadline, deadline, "the next request has a time of its own");
}

ConnTest(past_its_deadline_a_head_is_answered_with_408)
{
    pair_server.timeouts.header = 30 * NSEC_MS;
    struct pair p = pair_open();
    pair_say(&p, "GET /a HTTP/1.1\r\n");
    pair_expect_status(&p, 408);
    wait_for(pair_is_over(&p));
    cr_expect_eq(p.conn->state, CONN_LINGERING);
    close(p.peer);
    wait_for(pair_conns.count == 0);
}

/* The pieces of a large head are kept whole, in memory that is their own. */
ConnTest(a_large_head_in_pieces)
{
    static char piece[1000];
    struct pair p = pair_open();
    memset(piece, 'x', sizeof piece - 1);
    pair_say_piece(&p, "GET /a HTTP/1.1\r\nHost: a\r\nX: ", 29);
    size_t n = 29;
    for (int i = 0; i < 7; i++)
        pair_say_piece(&p, piece, n += sizeof piece - 1);
    cr_expect_geq(pair_begun(&p)->room, n);
    pair_say(&p, "\r\n\r\n");
    pair_expect_status(&p, 200);
    pair_say_piece(&p, "GET", 3);
    cr_expect_lt(pair_begun(&p)->room, 1000, "%zu bytes for three", pair_begun(&p)->room);
    for (int i = 0; i < 9; i++)
        pair_say(&p, piece);
    pair_expect_status(&p, 414);
}

ConnTest(a_peer_that_ends_in_a_head)
{
    struct pair p = pair_open();
    pair_say_piece(&p, "GET /a", 6);
    close(p.peer);
    wait_for(pair_conns.count == 0);
    p = pair_open();
    pair_say_piece(&p, "GET /a", 6);
    shutdown(p.peer, SHUT_WR);
    wait_for(pair_is_over(&p));
    wait_for(pair_conns.count == 0);
}

/* ---- empty lines ---- */

ConnTest(empty_lines_are_counted_across_waits)
{
    struct pair p = pair_open();
    nsec until = p.conn->timer.deadline;
    for (int i = 1; i <= H1_EMPTY_LINES; i++) {
        cr_assert_eq(green_sleep(2 * NSEC_MS), 0);
        pair_say(&p, "\r\n");
        wait_for(p.conn->state == CONN_IDLE && p.conn->empty_lines == i);
        cr_expect_eq(p.conn->timer.deadline, until, "they buy no time");
    }
    pair_say_piece(&p, "\r\n", 2);
    pair_say(&p, "GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
    pair_expect_status(&p, 400);
}

ConnTest(empty_lines_are_forgotten_with_a_request)
{
    struct pair p = pair_open();
    for (int round = 0; round < 3; round++) {
        for (int i = 1; i <= H1_EMPTY_LINES; i++) {
            pair_say_piece(&p, "\r", 1);
            pair_say(&p, "\n");
            wait_for(p.conn->state == CONN_IDLE && p.conn->empty_lines == i);
        }
        pair_say(&p, "GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
        pair_expect_status(&p, 200);
        wait_for(p.conn->state == CONN_IDLE);
        cr_expect_eq(p.conn->empty_lines, 0);
    }
}

/* ---- lingering ---- */

ConnTest(what_comes_after_the_last_answer_is_thrown_away)
{
    static char unwanted[32 * 1024];
    struct pair p = pair_open();
    memset(unwanted, 'x', sizeof unwanted - 1);
    pair_say(&p, "bad\r\n\r\n");
    wait_for(p.conn->state == CONN_LINGERING);
    cr_expect_eq(pair_threads(), 1, "%zu threads", pair_threads());
    for (uint32_t i = 1; i <= 5; i++) {
        pair_say(&p, unwanted);
        wait_for(p.conn->unwanted == i * (sizeof unwanted - 1));
        cr_expect_eq(p.conn->state, CONN_LINGERING);
    }
    cr_expect_eq(pair_threads(), 1, "%zu threads", pair_threads());
    pair_expect_status(&p, 400);
    cr_expect(pair_is_over(&p), "our side is closed");
    close(p.peer);
    wait_for(pair_conns.count == 0);
}

ConnTest(an_announced_end_with_more_behind_it)
{
    struct pair p = pair_open();
    pair_say(&p, "GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n");
    pair_expect_status(&p, 200);
    wait_for(pair_is_over(&p));
    cr_expect_eq(pair_conns.score->requests, 1);
}

/* The peer has not asked for the end and may have sent its next request already: closing at once would reset the
 * connection, and the answer with it. */
ConnTest(an_end_that_nobody_asked_for_lingers)
{
    pair_server.limits.requests_per_connection = 2;
    struct pair p = pair_open();
    pair_say(&p, "GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
    pair_expect_status(&p, 200);
    wait_for(p.conn->state == CONN_IDLE);
    pair_say(&p, "GET /b HTTP/1.1\r\nHost: a\r\n\r\n");
    wait_for(p.conn->state == CONN_LINGERING);
    pair_say(&p, "GET /c HTTP/1.1\r\nHost: a\r\n\r\n");
    wait_for(p.conn->unwanted > 0);
    const char *answer = pair_hear(&p);
    cr_expect(str_starts(str_of(answer), STR("HTTP/1.1 200 ")), "%s", answer);
    cr_expect_not_null(strstr(answer, "Connection: close\r\n"), "%s", answer);
    cr_expect(pair_is_over(&p));
    close(p.peer);
    wait_for(pair_conns.count == 0);
}

/* Who says that there is nothing more to come need not be waited for. */
ConnTest(an_end_that_was_asked_for_is_one)
{
    pair_server.limits.requests_per_connection = 1;
    struct pair p = pair_open();
    pair_say(&p, "GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    pair_expect_status(&p, 200);
    wait_for(pair_conns.count == 0);
    cr_expect(pair_is_over(&p));
}

/* ---- ends ---- */

static int drain(void *arg)
{
    *(size_t *)arg = conns_drain(&pair_conns, 0, nsec_add(green_now(), PAIR_LIMIT));
    return 0;
}

static int drain_with_grace(void *arg)
{
    *(size_t *)arg = conns_drain(&pair_conns, nsec_add(green_now(), PAIR_LIMIT / 2), nsec_add(green_now(), PAIR_LIMIT));
    return 0;
}

/* Who was promised that its connection waits gets one more answer; who does not ask in time is ended. */
ConnTest(a_drain_keeps_its_promises)
{
    struct green *thread;
    size_t cut = 99;
    int result;
    struct pair asks = pair_open(), silent = pair_open();
    cr_assert_eq(green_spawn(&thread, "drain", drain_with_grace, &cut), 0);
    wait_for(pair_conns.draining);
    cr_expect_eq(pair_conns.count, 2);
    cr_expect_eq(pair_conns.score->idle, 2);
    pair_say(&asks, "GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
    wait_for(asks.conn->state == CONN_LINGERING);
    const char *answer = pair_hear(&asks);
    cr_expect(str_starts(str_of(answer), STR("HTTP/1.1 200 ")), "%s", answer);
    cr_expect_not_null(strstr(answer, "Connection: close\r\n"), "%s", answer);
    close(asks.peer);
    wait_for(pair_conns.count == 1);
    conns_hurry(&pair_conns, 0);
    wait_for(pair_is_over(&silent));
    close(silent.peer);
    cr_assert_eq(green_join(thread, &result, nsec_add(green_now(), PAIR_LIMIT)), 0);
    cr_expect_eq(cut, 0);
    cr_expect_eq(pair_conns.score->connections, 0);
    cr_expect_eq(pair_conns.score->idle, 0);
}

/* Without grace a drain ends who waits for a request, and lets finish who has begun one. */
ConnTest(a_drain_waits_for_heads_that_have_begun)
{
    struct green *thread;
    size_t cut = 99;
    int result;
    struct pair idle = pair_open(), slow = pair_open(), lingering = pair_open();
    pair_say_piece(&slow, "GET /a HTTP/1.1\r\n", 17);
    pair_say(&lingering, "bad\r\n\r\n");
    wait_for(lingering.conn->state == CONN_LINGERING);
    cr_assert_eq(green_spawn(&thread, "drain", drain, &cut), 0);
    wait_for(pair_is_over(&idle));
    close(idle.peer);
    wait_for(pair_conns.count == 2);
    pair_say_piece(&slow, "Host: a", 24);
    pair_say(&slow, "\r\n\r\n");
    wait_for(slow.conn->state == CONN_LINGERING);
    const char *answer = pair_hear(&slow);
    cr_expect(str_starts(str_of(answer), STR("HTTP/1.1 200 ")), "%s", answer);
    cr_expect_not_null(strstr(answer, "Connection: close\r\n"), "%s", answer);
    pair_expect_status(&lingering, 400);
    close(slow.peer);
    close(lingering.peer);
    cr_assert_eq(green_join(thread, &result, nsec_add(green_now(), PAIR_LIMIT)), 0);
    cr_expect_eq(cut, 0);
}

/* Past the drain's deadline nobody is left; who had not sent a request whole is not counted as cut. */
ConnTest(a_cut_ends_them_all)
{
    struct pair idle = pair_open(), slow = pair_open(), lingering = pair_open();
    pair_say_piece(&slow, "GET", 3);
    pair_say(&lingering, "bad\r\n\r\n");
    wait_for(lingering.conn->state == CONN_LINGERING);
    cr_expect_eq(conns_cut(&pair_conns), 0);
    cr_expect_eq(pair_conns.count, 0);
    cr_expect(pair_is_over(&idle) && pair_is_over(&slow));
    pair_expect_status(&lingering, 400);
}

static int wait_for_nothing(void *arg)
{
    return green_sleep(*(nsec *)arg);
}

/* No thread for the rest of a head: the peer learns that it was not its fault, and when. */
ConnTest(no_thread_is_left)
{
    struct green *others[16];
    size_t count = 0;
    nsec forever = 3600 * NSEC_SEC;
    struct pair p = pair_open();
    pair_say_piece(&p, "GET /a HTTP/1.1\r\n", 17);
    while (green_spawn(&others[count], "other", wait_for_nothing, &forever) == 0)
        count++;
    pair_say(&p, "Host: a\r\n\r\n");
    wait_for(p.conn->state == CONN_LINGERING);
    const char *answer = pair_hear(&p);
    cr_expect(str_starts(str_of(answer), STR("HTTP/1.1 503 ")), "%s", answer);
    cr_expect_not_null(strstr(answer, "\r\nDate: "), "%s", answer);
    cr_expect_not_null(strstr(answer, "\r\nRetry-After: 1\r\n"), "%s", answer);
    cr_expect_not_null(strstr(answer, "\r\nConnection: close\r\n"), "%s", answer);
    for (size_t i = 0; i < count; i++) {
        int result;
        green_cancel(others[i]);
        cr_assert_eq(green_join(others[i], &result, NSEC_NEVER), 0);
    }
}
