/* conn_test.c: connections while nobody serves them: of what they consist, what ends them, and what does not. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/h1.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define LIMIT (20 * NSEC_SEC) /* a safety net, no assertion */

static int serve_path(struct exchange *x, const void *settings)
{
    (void)settings;
    return http_send(x, 200, STR(""), x->request.uri.path);
}

static const struct http_handler handler = {.name = STR_INIT("test"), .serve = serve_path};
static struct http_route route = {.path = STR_INIT("/"), .handler = &handler};
static struct http_site site = {.root = &route};

static struct http_server server = {
    .limits = {.header_size = 8192, .header_count = 100, .target_size = 5000, .body_size = 10000},
    .timeouts = {.header = 3600 * NSEC_SEC, .body = LIMIT, .write = LIMIT, .idle = 3600 * NSEC_SEC},
    .sites = {.fallback = &site},
};

static struct conns conns;

struct pair {
    struct conn *conn; /* ours; ended as soon as conns.count says so */
    int peer;
};

/* Waits until the condition has come true, and asserts that it has. */
#define wait_for(condition)                                                                                            \
    do {                                                                                                               \
        nsec wait_end = nsec_add(green_now(), LIMIT);                                                                  \
        while (!(condition) && green_now() < wait_end)                                                                 \
            cr_assert_eq(green_sleep(NSEC_MS), 0);                                                                     \
        cr_assert(condition);                                                                                          \
    } while (0)

static struct pair open_pair(void)
{
    int ends[2];
    struct peer peer = {.family = AF_UNIX};
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    conn_open(&conns, ends[0], &peer);
    struct pair p = {container_of(conns.by_state[CONN_ACTIVE].prev, struct conn, link), ends[1]};
    wait_for(p.conn->state == CONN_IDLE);
    return p;
}

static void say(const struct pair *p, const char *bytes)
{
    cr_assert_eq(write(p->peer, bytes, strlen(bytes)), (ssize_t)strlen(bytes));
}

static const struct h1_begun *begun(const struct pair *p)
{
    return p->conn->begun;
}

/* Sends a piece of a head, which is `n` bytes long then. */
static void say_piece(const struct pair *p, const char *bytes, size_t n)
{
    say(p, bytes);
    wait_for(p->conn->state == CONN_BEGUN && begun(p)->n == n);
}

/* What has come by now. */
static const char *hear(const struct pair *p)
{
    static char text[4096];
    ssize_t n = read(p->peer, text, sizeof text - 1);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

static void expect_status(const struct pair *p, int status)
{
    char line[32];
    char byte;
    snprintf(line, sizeof line, "HTTP/1.1 %d ", status);
    wait_for(recv(p->peer, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0);
    const char *text = hear(p);
    cr_expect(str_starts(str_of(text), str_of(line)), "not %d: %s", status, text);
}

/* Whether our end of it is closed. */
static bool is_over(const struct pair *p)
{
    char byte;
    return recv(p->peer, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static size_t threads(void)
{
    struct green_census census;
    green_take_census(&census);
    return census.live;
}

static int run_body(void *arg)
{
    void (*body)(void) = *(void (**)(void))arg;
    conns_init(&conns, &server, 100);
    body();
    conns_cut(&conns);
    conns_end(&conns);
    return 0;
}

/* A test with room for so many green threads. */
#define ConnTestOf(count, name)                                                                                        \
    static void name(void);                                                                                            \
    Test(conn, name)                                                                                                   \
    {                                                                                                                  \
        void (*body)(void) = name;                                                                                     \
        cr_assert_eq(green_run(&(struct green_options){.threads = (count)}, run_body, &body), 0);                      \
    }                                                                                                                  \
    static void name(void)
#define ConnTest(name) ConnTestOf(16, name)

/* ---- heads that have begun ---- */

/* Many more than there may be threads. */
ConnTest(a_head_in_pieces_holds_no_thread)
{
    struct pair pairs[64];
    for (size_t i = 0; i < COUNT(pairs); i++) {
        pairs[i] = open_pair();
        say_piece(&pairs[i], "GET /a HT", 9);
    }
    cr_expect_eq(threads(), 1, "%zu threads", threads());
    for (size_t i = 0; i < COUNT(pairs); i++)
        say_piece(&pairs[i], "TP/1.1\r\nHost: a\r\n", 26);
    cr_expect_eq(threads(), 1, "%zu threads", threads());
    for (size_t i = 0; i < COUNT(pairs); i++)
        say(&pairs[i], "\r\n");
    for (size_t i = 0; i < COUNT(pairs); i++) {
        expect_status(&pairs[i], 200);
        wait_for(pairs[i].conn->state == CONN_IDLE);
        cr_expect_null(pairs[i].conn->begun);
    }
    struct green_census census;
    green_take_census(&census);
    cr_expect_leq(census.most_live, 3, "one after the other, on the same stack: %zu", census.most_live);
}

/* However many pieces there are, and whatever was answered before. */
ConnTest(the_deadline_is_set_by_the_first_byte)
{
    struct pair p = open_pair();
    say(&p, "GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
    expect_status(&p, 200);
    wait_for(p.conn->state == CONN_IDLE);
    say_piece(&p, "G", 1);
    nsec deadline = p.conn->timer.deadline;
    cr_expect_gt(deadline, green_now());
    cr_expect_leq(deadline, nsec_add(green_now(), server.timeouts.header));
    size_t n = 1;
    for (const char *rest = "ET /b HTTP/1.1\r\nX: y"; *rest; rest++) {
        char piece[] = {*rest, '\0'};
        cr_assert_eq(green_sleep(NSEC_MS), 0);
        say_piece(&p, piece, ++n);
        cr_expect_eq(p.conn->timer.deadline, deadline, "after %zu bytes", n);
        cr_expect_eq(begun(&p)->deadline, deadline, "after %zu bytes", n);
    }
    say(&p, "\r\nHost: a\r\n\r\nG");
    expect_status(&p, 200);
    wait_for(p.conn->state == CONN_BEGUN);
    cr_expect_gt(p.conn->timer.deadline, deadline, "the next request has a time of its own");
}

ConnTest(past_its_deadline_a_head_is_answered_with_408)
{
    server.timeouts.header = 30 * NSEC_MS;
    struct pair p = open_pair();
    say(&p, "GET /a HTTP/1.1\r\n");
    expect_status(&p, 408);
    wait_for(is_over(&p));
    cr_expect_eq(p.conn->state, CONN_LINGERING);
    close(p.peer);
    wait_for(conns.count == 0);
}

/* The pieces of a large head are kept whole, in memory that is their own. */
ConnTest(a_large_head_in_pieces)
{
    static char piece[1000];
    struct pair p = open_pair();
    memset(piece, 'x', sizeof piece - 1);
    say_piece(&p, "GET /a HTTP/1.1\r\nHost: a\r\nX: ", 29);
    size_t n = 29;
    for (int i = 0; i < 7; i++)
        say_piece(&p, piece, n += sizeof piece - 1);
    cr_expect_geq(begun(&p)->room, n);
    say(&p, "\r\n\r\n");
    expect_status(&p, 200);
    say_piece(&p, "GET", 3);
    cr_expect_lt(begun(&p)->room, 1000, "%zu bytes for three", begun(&p)->room);
    for (int i = 0; i < 9; i++)
        say(&p, piece);
    expect_status(&p, 414);
}

ConnTest(a_peer_that_ends_in_a_head)
{
    struct pair p = open_pair();
    say_piece(&p, "GET /a", 6);
    close(p.peer);
    wait_for(conns.count == 0);
    p = open_pair();
    say_piece(&p, "GET /a", 6);
    shutdown(p.peer, SHUT_WR);
    wait_for(is_over(&p));
    wait_for(conns.count == 0);
}

/* ---- empty lines ---- */

ConnTest(empty_lines_are_counted_across_waits)
{
    struct pair p = open_pair();
    nsec until = p.conn->timer.deadline;
    for (int i = 1; i <= H1_EMPTY_LINES; i++) {
        cr_assert_eq(green_sleep(2 * NSEC_MS), 0);
        say(&p, "\r\n");
        wait_for(p.conn->state == CONN_IDLE && p.conn->empty_lines == i);
        cr_expect_eq(p.conn->timer.deadline, until, "they buy no time");
    }
    say_piece(&p, "\r\n", 2);
    say(&p, "GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
    expect_status(&p, 400);
}

ConnTest(empty_lines_are_forgotten_with_a_request)
{
    struct pair p = open_pair();
    for (int round = 0; round < 3; round++) {
        for (int i = 1; i <= H1_EMPTY_LINES; i++) {
            say_piece(&p, "\r", 1);
            say(&p, "\n");
            wait_for(p.conn->state == CONN_IDLE && p.conn->empty_lines == i);
        }
        say(&p, "GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
        expect_status(&p, 200);
        wait_for(p.conn->state == CONN_IDLE);
        cr_expect_eq(p.conn->empty_lines, 0);
    }
}

/* ---- lingering ---- */

ConnTest(what_comes_after_the_last_answer_is_thrown_away)
{
    static char unwanted[32 * 1024];
    struct pair p = open_pair();
    memset(unwanted, 'x', sizeof unwanted - 1);
    say(&p, "bad\r\n\r\n");
    wait_for(p.conn->state == CONN_LINGERING);
    cr_expect_eq(threads(), 1, "%zu threads", threads());
    for (uint32_t i = 1; i <= 5; i++) {
        say(&p, unwanted);
        wait_for(p.conn->unwanted == i * (sizeof unwanted - 1));
        cr_expect_eq(p.conn->state, CONN_LINGERING);
    }
    cr_expect_eq(threads(), 1, "%zu threads", threads());
    expect_status(&p, 400);
    cr_expect(is_over(&p), "our side is closed");
    close(p.peer);
    wait_for(conns.count == 0);
}

ConnTest(an_announced_end_with_more_behind_it)
{
    struct pair p = open_pair();
    say(&p, "GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n");
    expect_status(&p, 200);
    wait_for(is_over(&p));
    cr_expect_eq(conns.requests, 1);
}

/* The peer has not asked for the end and may have sent its next request already: closing at once would reset the
 * connection, and the answer with it. */
ConnTest(an_end_that_nobody_asked_for_lingers)
{
    server.limits.requests_per_connection = 2;
    struct pair p = open_pair();
    say(&p, "GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
    expect_status(&p, 200);
    wait_for(p.conn->state == CONN_IDLE);
    say(&p, "GET /b HTTP/1.1\r\nHost: a\r\n\r\n");
    wait_for(p.conn->state == CONN_LINGERING);
    say(&p, "GET /c HTTP/1.1\r\nHost: a\r\n\r\n");
    wait_for(p.conn->unwanted > 0);
    const char *answer = hear(&p);
    cr_expect(str_starts(str_of(answer), STR("HTTP/1.1 200 ")), "%s", answer);
    cr_expect_not_null(strstr(answer, "Connection: close\r\n"), "%s", answer);
    cr_expect(is_over(&p));
    close(p.peer);
    wait_for(conns.count == 0);
}

/* Who says that there is nothing more to come need not be waited for. */
ConnTest(an_end_that_was_asked_for_is_one)
{
    server.limits.requests_per_connection = 1;
    struct pair p = open_pair();
    say(&p, "GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    expect_status(&p, 200);
    wait_for(conns.count == 0);
    cr_expect(is_over(&p));
}

/* ---- room for others ---- */

/* Somebody who waits for room. */
static struct {
    struct green *thread;
    bool has_room;
} waiter;

static int wait_for_room(void *arg)
{
    (void)arg;
    int error = conns_wait_room(&conns);
    waiter.has_room = !error;
    return error;
}

static void start_waiter(void)
{
    waiter.has_room = false;
    cr_assert_eq(green_spawn(&waiter.thread, "waiter", wait_for_room, NULL), 0);
    for (int i = 0; i < 5; i++)
        cr_assert_eq(green_yield(), 0);
}

static void finish_waiter(void)
{
    int result;
    wait_for(waiter.has_room);
    cr_assert_eq(green_join(waiter.thread, &result, NSEC_NEVER), 0);
}

/* A connection whose request is answered, and which waits for the last byte of its content. */
static struct pair open_busy(void)
{
    struct pair p = open_pair();
    say(&p, "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nx");
    expect_status(&p, 200);
    cr_assert_eq(p.conn->state, CONN_ACTIVE);
    return p;
}

static void finish_busy(const struct pair *p)
{
    say(p, "y");
}

/* A connection that has just become idle can be done without as well as one that has long been. */
ConnTest(a_busy_connection_that_turns_idle_makes_room)
{
    struct pair first = open_busy(), second = open_busy();
    conns.max = 2;
    start_waiter();
    cr_expect_not(waiter.has_room, "both are busy");
    finish_busy(&second);
    finish_waiter();
    cr_expect(is_over(&second));
    cr_expect_not(is_over(&first));
    cr_expect_eq(conns.count, 1);
}

ConnTest(a_head_that_begins_makes_room)
{
    struct pair p = open_busy();
    conns.max = 1;
    start_waiter();
    cr_expect_not(waiter.has_room, "it is busy");
    say(&p, "yGET");
    finish_waiter();
    expect_status(&p, 503);
    cr_expect(is_over(&p));
}

ConnTest(a_connection_that_lingers_makes_room)
{
    struct pair p = open_busy();
    conns.max = 1;
    start_waiter();
    say(&p, "ybad\r\n\r\n");
    finish_waiter();
    expect_status(&p, 400);
    cr_expect(is_over(&p));
}

/* However many are busy. */
ConnTestOf(128, few_idle_ones_among_many_busy_ones)
{
    enum { BUSY = 90, IDLE = 5 };
    struct pair busy[BUSY], idle[IDLE];
    for (size_t i = 0; i < BUSY; i++)
        busy[i] = open_busy();
    for (size_t i = 0; i < IDLE; i++)
        idle[i] = open_pair();
    for (size_t i = 0; i < IDLE; i++) {
        conns.max = conns.count;
        start_waiter();
        finish_waiter();
        for (size_t k = 0; k < IDLE; k++)
            cr_expect_eq(is_over(&idle[k]), k <= i, "the %zuth of %zu", k, i);
    }
    cr_expect_eq(conns.count, BUSY);
    for (size_t i = 0; i < BUSY; i++)
        finish_busy(&busy[i]);
    for (size_t i = 0; i < BUSY; i++)
        wait_for(busy[i].conn->state == CONN_IDLE);
}

/* Of those in one state the one that has been in it for longest goes first. */
ConnTest(who_has_been_idle_for_longest_makes_room)
{
    struct pair first = open_pair(), second = open_pair(), third = open_pair();
    say(&first, "GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
    expect_status(&first, 200);
    wait_for(first.conn->state == CONN_IDLE);
    conns.max = 3;
    cr_expect_eq(conns_wait_room(&conns), 0);
    cr_expect(is_over(&second) && !is_over(&first) && !is_over(&third));
    conns.max = 2;
    cr_expect_eq(conns_wait_room(&conns), 0);
    cr_expect(is_over(&third) && !is_over(&first));
}

/* The least loss goes first: a connection between requests, one that lingers, one in a head, however little time that
 * has left. */
ConnTest(whoever_has_no_thread_makes_room)
{
    struct pair lingering = open_pair(), idle = open_pair(), slow = open_pair();
    server.timeouts.header = 1800 * NSEC_SEC;
    say_piece(&slow, "GET", 3);
    server.timeouts.header = 3600 * NSEC_SEC;
    say(&lingering, "bad\r\n\r\n");
    wait_for(lingering.conn->state == CONN_LINGERING);
    conns.max = 3;
    cr_expect_eq(conns_wait_room(&conns), 0);
    wait_for(is_over(&idle));
    cr_expect_eq(conns.count, 2);
    conns.max = 2;
    cr_expect_eq(conns_wait_room(&conns), 0);
    expect_status(&lingering, 400);
    wait_for(is_over(&lingering));
    conns.max = 1;
    cr_expect_eq(conns_wait_room(&conns), 0);
    expect_status(&slow, 503);
    wait_for(is_over(&slow));
    cr_expect_eq(conns.count, 0);
}

/* ---- ends ---- */

static int drain(void *arg)
{
    *(size_t *)arg = conns_drain(&conns, nsec_add(green_now(), LIMIT));
    return 0;
}

/* A drain ends who waits for a request, and lets finish who has begun one. */
ConnTest(a_drain_waits_for_heads_that_have_begun)
{
    struct green *thread;
    size_t cut = 99;
    int result;
    struct pair idle = open_pair(), slow = open_pair(), lingering = open_pair();
    say_piece(&slow, "GET /a HTTP/1.1\r\n", 17);
    say(&lingering, "bad\r\n\r\n");
    wait_for(lingering.conn->state == CONN_LINGERING);
    cr_assert_eq(green_spawn(&thread, "drain", drain, &cut), 0);
    wait_for(is_over(&idle));
    cr_expect_eq(conns.count, 2);
    say_piece(&slow, "Host: a", 24);
    say(&slow, "\r\n\r\n");
    wait_for(slow.conn->state == CONN_LINGERING);
    const char *answer = hear(&slow);
    cr_expect(str_starts(str_of(answer), STR("HTTP/1.1 200 ")), "%s", answer);
    cr_expect_not_null(strstr(answer, "Connection: close\r\n"), "%s", answer);
    expect_status(&lingering, 400);
    close(slow.peer);
    close(lingering.peer);
    cr_assert_eq(green_join(thread, &result, nsec_add(green_now(), LIMIT)), 0);
    cr_expect_eq(cut, 0);
}

/* Past the drain's deadline nobody is left; who had not sent a request whole is not counted as cut. */
ConnTest(a_cut_ends_them_all)
{
    struct pair idle = open_pair(), slow = open_pair(), lingering = open_pair();
    say_piece(&slow, "GET", 3);
    say(&lingering, "bad\r\n\r\n");
    wait_for(lingering.conn->state == CONN_LINGERING);
    cr_expect_eq(conns_cut(&conns), 0);
    cr_expect_eq(conns.count, 0);
    cr_expect(is_over(&idle) && is_over(&slow));
    expect_status(&lingering, 400);
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
    struct pair p = open_pair();
    say_piece(&p, "GET /a HTTP/1.1\r\n", 17);
    while (green_spawn(&others[count], "other", wait_for_nothing, &forever) == 0)
        count++;
    say(&p, "Host: a\r\n\r\n");
    wait_for(p.conn->state == CONN_LINGERING);
    const char *answer = hear(&p);
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
