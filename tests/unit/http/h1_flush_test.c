/* h1_flush_test.c: pieces that gather, until they are flushed, beside a handler that waits. */
#include "green/sync.h"
#include "pair.h"

#include <errno.h>
#include <unistd.h>

static struct green_sem gate;
static size_t waiting;    /* handlers that are at the gate */
static int flush_results; /* of the last handler's flushes, added up */

static bool is_asked_for(const struct exchange *x, const char *query)
{
    return str_eq(x->request.uri.query, str_of(query));
}

static int wait_at_gate(void)
{
    waiting++;
    return green_sem_wait(&gate, NSEC_NEVER);
}

/* Of known length, or in chunks (?chunks); never flushed (?gather), or flushed twice. */
static int serve_in_two(struct exchange *x, const void *settings)
{
    (void)settings;
    int error = http_head(x, 200, STR(""), is_asked_for(x, "chunks") ? HTTP_LENGTH_UNKNOWN : 10);
    if (!error)
        error = http_content(x, STR("first"));
    if (!error && !is_asked_for(x, "gather"))
        flush_results = http_flush(x) + http_flush(x);
    if (!error)
        error = wait_at_gate();
    if (!error)
        error = http_content(x, STR("other"));
    return error ? error : http_end(x);
}

static const struct http_handler handler = {.name = STR_INIT("test"), .serve = serve_in_two};
static struct http_route route = {.path = STR_INIT("/"), .handler = &handler};
static struct http_site site = {.root = &route};

static struct pair ask(const char *head)
{
    pair_server.sites.fallback = &site;
    green_sem_init(&gate, 0);
    struct pair p = pair_open();
    pair_say(&p, head);
    wait_for(waiting == 1);
    return p;
}

static void let_end(const struct pair *p, const char *rest)
{
    green_sem_post(&gate);
    wait_for(p->conn->state == CONN_IDLE);
    cr_expect_str_eq(pair_hear(p), rest);
    close(p->peer);
}

PairTest(h1_flush, 8, a_peer_that_is_gone)
{
    pair_server.sites.fallback = &site;
    green_sem_init(&gate, 1);
    struct pair p = pair_open();
    pair_say(&p, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    close(p.peer);
    wait_for(pair_conns.count == 0);
    cr_expect_lt(flush_results, 0);
}

PairTest(h1_flush, 8, nothing_goes_out_before_there_is_enough)
{
    struct pair p = ask("GET /?gather HTTP/1.1\r\nHost: a\r\n\r\n");
    cr_expect_str_eq(pair_hear(&p), "");
    green_sem_post(&gate);
    pair_expect_status(&p, 200);
    close(p.peer);
}

PairTest(h1_flush, 8, what_has_gathered_has_gone_out)
{
    struct pair p = ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const char *text = pair_hear(&p);
    cr_expect(str_starts(str_of(text), STR("HTTP/1.1 200 OK\r\n")), "%s", text);
    cr_expect(str_ends(str_of(text), STR("Content-Length: 10\r\n\r\nfirst")), "%s", text);
    cr_expect_eq(flush_results, 0);
    let_end(&p, "other");
}

PairTest(h1_flush, 8, a_chunk_that_has_gone_out_is_whole)
{
    struct pair p = ask("GET /?chunks HTTP/1.1\r\nHost: a\r\n\r\n");
    const char *text = pair_hear(&p);
    cr_expect(str_ends(str_of(text), STR("\r\n\r\n5\r\nfirst\r\n")), "%s", text);
    let_end(&p, "5\r\nother\r\n0\r\n\r\n");
}

/* RFC 9110, 9.3.2: of the answer to HEAD, it is the head. */
PairTest(h1_flush, 8, a_head_alone)
{
    struct pair p = ask("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    const char *text = pair_hear(&p);
    cr_expect(str_ends(str_of(text), STR("Content-Length: 10\r\n\r\n")), "%s", text);
    let_end(&p, "");
}
