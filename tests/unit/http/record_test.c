/* record_test.c: what requests leave on the scoreboard: counts by route and by class of status, and their latency. */
#include "http/record.h"

#include <sys/socket.h>
#include <unistd.h>

#include "h2_peer.h"
#include "http/slow.h"
#include "log/log.h"

enum { NONE, MISSING, FAILS, SERVES };

static int fail(struct exchange *x, const void *settings)
{
    (void)settings;
    return http_send_status(x, 503, STR(""));
}

static int hello(struct exchange *x, const void *settings)
{
    (void)settings;
    return http_send(x, 200, STR(""), STR("hello"));
}

static int wait_a_little(struct exchange *x, const void *settings)
{
    int error = green_sleep(20 * NSEC_MS);
    return error ? error : hello(x, settings);
}

static int never_found(struct exchange *x, const void *settings)
{
    (void)settings;
    return http_send_status(x, 404, STR(""));
}

static const struct http_handler failing = {.name = STR_INIT("failing"), .serve = fail};
static const struct http_handler serving = {.name = STR_INIT("serving"), .serve = hello};
static const struct http_handler waiting = {.name = STR_INIT("waiting"), .serve = wait_a_little};
static const struct http_handler missing = {.name = STR_INIT("missing"), .serve = never_found};

static struct http_route fails = {.path = STR_INIT("/fail"), .handler = &failing, .index = FAILS};
static struct http_route serves = {.path = STR_INIT("/hello"), .handler = &serving, .index = SERVES};
static struct http_site site = {
    .longest = 6, .missing = {.handler = &missing, .index = MISSING}, .lengths = {1ULL << 5 | 1ULL << 6}};

static void setup(void)
{
    fails.node.key = fails.path;
    serves.node.key = serves.path;
    cr_assert_eq(hash_init(&site.routes, 4), 0);
    cr_assert_eq(hash_insert(&site.routes, &fails.node), 0);
    cr_assert_eq(hash_insert(&site.routes, &serves.node), 0);
    pair_server.sites.fallback = &site;
}

static void teardown(void)
{
    hash_free(&site.routes);
}

TestSuite(record, .init = setup, .fini = teardown);

static uint64_t all_classes(const struct route_score *score)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < ROUTE_CLASSES; i++)
        sum += score->classes[i];
    return sum;
}

static uint64_t all_buckets(const struct route_score *score)
{
    uint64_t sum = 0;
    for (size_t i = 0; i <= ROUTE_BOUNDS; i++)
        sum += score->buckets[i];
    return sum;
}

/* `n` requests of a route, all of one class. */
static void expect_counts(unsigned route, unsigned class, uint64_t n)
{
    const struct route_score *score = &pair_routes[route];
    cr_expect_eq(score->classes[class], n, "route %u: %zu of class %u", route, (size_t)score->classes[class], class);
    cr_expect_eq(all_classes(score), n, "route %u: %zu", route, (size_t)all_classes(score));
    cr_expect_eq(all_buckets(score), pair_untimed ? 0 : n, "route %u", route);
}

#define RecordTest(name) PairTest(record, 64, name)
#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"

static void fetch(const char *request, int status)
{
    struct pair p = pair_open();
    pair_say(&p, request);
    pair_expect_status(&p, status);
    close(p.peer);
    wait_for(pair_conns.count == 0);
}

static void fetch_some(void)
{
    for (int i = 0; i < 3; i++)
        fetch(GET("/hello"), 200);
    for (int i = 0; i < 2; i++)
        fetch(GET("/fail"), 503);
    fetch(GET("/nothing"), 404);
    for (int i = 0; i < 4; i++)
        fetch("nonsense\r\n\r\n", 400);
}

static void expect_some(void)
{
    expect_counts(SERVES, 2, 3);
    expect_counts(FAILS, 5, 2);
    expect_counts(MISSING, 4, 1);
    expect_counts(NONE, 4, 4);
    cr_expect_eq(pair_routes[SERVES].bytes, 15);
    cr_expect_eq(pair_score.slow, 0);
}

RecordTest(by_route_and_class)
{
    fetch_some();
    expect_some();
    cr_expect_eq(histogram_count(&pair_score.latency), 10);
}

Test(record, without_accounts_no_latency)
{
    pair_untimed = true;
    pair_run(64, fetch_some);
    expect_some();
    cr_expect_eq(histogram_count(&pair_score.latency), 0);
}

RecordTest(each_of_a_pipeline)
{
    struct pair p = pair_open();
    pair_say(&p, GET("/hello") GET("/fail") GET("/hello") GET("/nothing"));
    wait_for(all_classes(&pair_routes[MISSING]) == 1);
    expect_counts(SERVES, 2, 2);
    expect_counts(FAILS, 5, 1);
    expect_counts(MISSING, 4, 1);
    expect_counts(NONE, 0, 0);
    close(p.peer);
}

/* One that ends in the middle of its head has met no route, and got no answer. */
RecordTest(a_head_without_its_end)
{
    struct pair p = pair_open();
    pair_say_piece(&p, "GET /hello HTTP/1.1\r\n", 21);
    close(p.peer);
    wait_for(pair_conns.count == 0);
    expect_counts(NONE, 0, 1);
}

RecordTest(by_http2)
{
    struct h2_peer *peer = h2_peer_open(0);
    pair_server.sites.fallback = &site; /* the peer has put its own there */
    for (int i = 0; i < 3; i++)
        cr_expect_eq(h2_peer_fetch(peer, "/hello")->status, 200);
    cr_expect_eq(h2_peer_fetch(peer, "/fail")->status, 503);
    cr_expect_eq(h2_peer_fetch(peer, "/nothing")->status, 404);
    int32_t id = h2_peer_ask(peer, "BREW", "/hello", ":authority: a\n", (struct str){NULL, 0});
    h2_peer_until(peer, h2_peer_answer(peer, id)->over);
    cr_expect_eq(h2_peer_answer(peer, id)->status, 501);
    expect_counts(SERVES, 2, 3);
    expect_counts(FAILS, 5, 1);
    expect_counts(MISSING, 4, 1);
    expect_counts(NONE, 5, 1);
    cr_expect_eq(histogram_count(&pair_score.latency), 6);
    h2_peer_close(peer);
}

/* ---- those that wait for their turn ---- */

enum { BURN = 20 * 1000 /* microseconds */ };

/* Whoever comes after one that sleeps finds the loop's clock set forward. */
static int burn_and_sleep(struct exchange *x, const void *settings)
{
    for (nsec end = clock_monotonic() + BURN * 1000; clock_monotonic() < end;)
        ;
    int error = green_sleep(NSEC_MS);
    return error ? error : hello(x, settings);
}

static const struct http_handler burning = {.name = STR_INIT("burning"), .serve = burn_and_sleep};

RecordTest(who_waits_behind_another)
{
    struct pair first = pair_open(), second = pair_open();
    serves.handler = fails.handler = &burning;
    pair_say(&first, GET("/hello"));
    pair_say(&second, GET("/fail"));
    wait_for(all_classes(&pair_routes[SERVES]) && all_classes(&pair_routes[FAILS]));
    cr_expect_geq(pair_routes[SERVES].sum, BURN);
    cr_expect_geq(pair_routes[FAILS].sum, BURN);
    cr_expect_geq(pair_score.latency.sum, 4 * BURN, "%llu us", (unsigned long long)pair_score.latency.sum);
    close(first.peer);
    close(second.peer);
    wait_for(pair_conns.count == 0);
}

RecordTest(who_waits_behind_another_of_the_same_connection)
{
    struct h2_peer *peer = h2_peer_open(0);
    pair_server.sites.fallback = &site;
    serves.handler = fails.handler = &burning;
    int32_t first = h2_peer_get(peer, "/hello"), second = h2_peer_get(peer, "/fail");
    h2_peer_until(peer, h2_peer_answer(peer, first)->over && h2_peer_answer(peer, second)->over);
    cr_expect_geq(pair_score.latency.sum, 4 * BURN, "%llu us", (unsigned long long)pair_score.latency.sum);
    h2_peer_close(peer);
}

/* ---- slow ones ---- */

static void fetch_slowly(void)
{
    serves.handler = &waiting;
    serves.slow = 10 * NSEC_MS;
    fails.slow = 3600 * NSEC_SEC;
    fetch(GET("/hello"), 200);
    fetch(GET("/fail"), 503);
    fetch(GET("/nothing"), 404);
}

RecordTest(only_what_took_longer_is_slow)
{
    log_threshold = LOG_LEVEL_ERROR;
    fetch_slowly();
    cr_expect_eq(pair_score.slow, 1);
}

Test(record, without_accounts_nothing_is_slow)
{
    pair_untimed = true;
    pair_run(64, fetch_slowly);
    cr_expect_eq(pair_score.slow, 0);
}
