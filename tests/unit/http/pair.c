/* pair.c: see pair.h. */
#include "pair.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static int serve_path(struct exchange *x, const void *settings)
{
    (void)settings;
    return http_send(x, 200, STR(""), x->request.uri.path);
}

static const struct http_handler handler = {.name = STR_INIT("test"), .serve = serve_path};
static struct http_route route = {.path = STR_INIT("/"), .handler = &handler};
static struct http_site site = {.root = &route};

struct http_server pair_server = {
    .limits = {.header_size = 8192, .header_count = 100, .target_size = 5000, .body_size = 10000, .streams = 100},
    .timeouts = {.header = 3600 * NSEC_SEC, .body = PAIR_LIMIT, .write = PAIR_LIMIT, .idle = 3600 * NSEC_SEC},
    .sites = {.fallback = &site},
};
struct conns pair_conns;
struct score pair_score;
struct route_score pair_routes[PAIR_ROUTES];
bool pair_untimed;
static const struct http_endpoint pair_endpoint = {.http2 = true};

struct pair pair_open(void)
{
    int ends[2];
    struct peer peer = {.family = AF_UNIX};
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    conn_open(&pair_conns, ends[0], &peer, &pair_endpoint);
    struct pair p = {container_of(pair_conns.by_state[CONN_ACTIVE].prev, struct conn, link), ends[1]};
    wait_for(p.conn->state == CONN_IDLE);
    return p;
}

const struct h1_begun *pair_begun(const struct pair *p)
{
    return container_of(p->conn->kept, struct h1_begun, kept);
}

void pair_say(const struct pair *p, const char *bytes)
{
    cr_assert_eq(write(p->peer, bytes, strlen(bytes)), (ssize_t)strlen(bytes));
}

void pair_say_piece(const struct pair *p, const char *bytes, size_t n)
{
    pair_say(p, bytes);
    wait_for(p->conn->state == CONN_BEGUN && pair_begun(p)->n == n);
}

const char *pair_hear(const struct pair *p)
{
    static char text[4096];
    ssize_t n = read(p->peer, text, sizeof text - 1);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

void pair_expect_status(const struct pair *p, int status)
{
    char line[32];
    char byte;
    snprintf(line, sizeof line, "HTTP/1.1 %d ", status);
    wait_for(recv(p->peer, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0);
    const char *text = pair_hear(p);
    cr_expect(str_starts(str_of(text), str_of(line)), "not %d: %s", status, text);
}

bool pair_is_over(const struct pair *p)
{
    char byte;
    return recv(p->peer, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

size_t pair_threads(void)
{
    struct green_census census;
    green_take_census(&census);
    return census.live;
}

static int run_body(void *arg)
{
    void (*body)(void) = *(void (**)(void))arg;
    conns_init(&pair_conns, &pair_server, 100, &pair_score, pair_routes);
    body();
    conns_cut(&pair_conns);
    conns_end(&pair_conns);
    return 0;
}

void pair_run(size_t threads, void (*body)(void))
{
    cr_assert_eq(green_run(&(struct green_options){.threads = threads, .accounts = !pair_untimed}, run_body, &body), 0);
}
