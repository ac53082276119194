/* conn.c: see conn.h. */
#include "http/conn.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "http/date.h"
#include "http/status.h"
#include "log/log.h"
#include "net/tls_stream.h"

enum {
    UNWANTED_READS = 16,             /* of a lingering connection, each time it is readable */
    UNWANTED_MAX = 64 * 1024 * 1024, /* bytes that are thrown away before the peer is cut off after all */
};
#define CUT_ROUND (50 * NSEC_MS)
#define YOUNG NSEC_SEC /* a connection that is not ended for another one yet */
#define LINGER_TIME (5 * NSEC_SEC)
#define LAST_LINGER_TIME NSEC_SEC /* of a worker that would end otherwise */

static void flush_log(struct conns *conns)
{
    access_flush(conns->server->access);
    uint64_t lost = access_lost(conns->server->access);
    conns->score->access_lost += lost - conns->log_lost;
    conns->log_lost = lost;
}

static void on_log_timer(struct wheel_node *timer)
{
    struct conns *conns = container_of(timer, struct conns, log_timer);
    flush_log(conns);
    if (access_pending(conns->server->access)) /* the disk is full, say: another try later */
        green_timer_arm(timer, nsec_add(green_now(), conns->server->access_flush));
}

void conns_init(struct conns *conns, const struct http_server *server, size_t max, struct score *score,
                struct route_score *routes)
{
    *conns = (struct conns){.server = server, .max = max, .grace = NSEC_NEVER, .score = score, .routes = routes};
    for (int state = 0; state < CONN_STATES; state++)
        list_init(&conns->by_state[state]);
    green_cond_init(&conns->room);
    green_timer_init(&conns->log_timer, on_log_timer);
}

static void end(struct conn *conn)
{
    struct conns *conns = conn->owner;
    conns->score->idle -= conn->state == CONN_IDLE;
    green_timer_disarm(&conn->timer);
    list_unlink(&conn->link);
    stream_close(&conn->stream);
    if (conn->kept)
        conn->kept->protocol->forget(conn->kept);
    free(conn);
    conns->score->connections = --conns->count;
    green_cond_broadcast(&conns->room);
}

static void enter(struct conn *conn, enum conn_state state)
{
    struct score *score = conn->owner->score;
    score->idle += (uint64_t)(state == CONN_IDLE) - (uint64_t)(conn->state == CONN_IDLE);
    conn->state = (uint8_t)state;
    list_unlink(&conn->link);
    list_push_back(&conn->owner->by_state[state], &conn->link);
}

/* Waits, without a thread, for the peer or for the end of `state`. */
static void park(struct conn *conn, enum conn_state state, nsec until, void (*on_readable)(struct green_fd *fd))
{
    struct conns *conns = conn->owner;
    enter(conn, state);
    if (conns->count >= conns->max)
        green_cond_broadcast(&conns->room);
    conn->thread = NULL;
    green_timer_arm(&conn->timer, until);
    green_fd_park(&conn->stream.fd, on_readable);
}

/* ---- lingering ---- */

static void on_unwanted(struct green_fd *fd)
{
    struct conn *conn = container_of(fd, struct conn, stream.fd);
    ssize_t got = 0;
    for (int i = 0; i < UNWANTED_READS && conn->unwanted < UNWANTED_MAX; i++) {
        got = stream_discard(&conn->stream);
        if (got <= 0)
            break;
        conn->unwanted += (uint32_t)got;
    }
    if (got > 0 || got == -EAGAIN)
        green_fd_park(fd, on_unwanted);
    else
        end(conn);
}

void conn_linger(struct conn *conn)
{
    stream_shutdown(&conn->stream);
    conn->unwanted = 0;
    nsec time = conn->owner->draining ? LAST_LINGER_TIME : LINGER_TIME;
    park(conn, CONN_LINGERING, nsec_add(green_now(), time), on_unwanted);
}

/* ---- serving ---- */

static struct str no_field(const void *request, struct str name)
{
    (void)request;
    (void)name;
    return STR("");
}

/* What no exchange tells of. */
static void record_unserved(const struct conn *conn, unsigned status, size_t bytes, const char *reason)
{
    char client[PEER_TEXT];
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    struct access_entry entry = {
        .time = now.tv_sec,
        .ms = (unsigned)(now.tv_nsec / NSEC_MS),
        .client = peer_print(&conn->peer, client),
        .status = status,
        .bytes = bytes,
        .reason = str_of(reason),
        .field = no_field,
    };
    scoreboard_count(&conn->owner->routes[0], status, bytes, SCOREBOARD_UNTIMED);
    conns_log(conn->owner, &entry);
}

/* An answer in the clear to who has not asked in a way that could be understood, or can't be served. */
static void say_plainly(const struct conn *conn, int status, struct str fields, struct str text)
{
    char head[512], date[HTTP_DATE_SIZE];
    struct out o = out_on(head, sizeof head);
    http_date_write(date, time(NULL));
    out_put(&o, http_status_line(status));
    out_text(&o, "Server: tern\r\nDate: ");
    out_bytes(&o, date, sizeof date);
    out_text(&o, "\r\nConnection: close\r\nContent-Length: ");
    out_u64(&o, text.n);
    out_text(&o, "\r\n");
    out_put(&o, fields);
    out_text(&o, "\r\n");
    out_put(&o, text);
    (void)!send(conn->stream.fd.fd, head, out_len(&o), MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* The peer learns that it was not its fault, if it can be told in so few words. */
static void send_busy(struct conn *conn, const char *reason)
{
    record_unserved(conn, 503, 0, reason);
    if (conn->kept && conn->kept->protocol->farewell)
        conn->kept->protocol->farewell(conn);
    else if (!conn_is_secure(conn))
        say_plainly(conn, 503, STR("Retry-After: 1\r\n"), STR(""));
}

void conn_refuse_plain(struct conn *conn)
{
    static const char reason[] = "a plain HTTP request on a port of TLS";
    static const struct str text = STR_INIT("This port speaks TLS. Ask for it with https:// instead of http://.\n");
    record_unserved(conn, 400, text.n, reason);
    log_limited(LOG_LEVEL_NOTICE, "client: 400, %s", reason);
    say_plainly(conn, 400, STR("Content-Type: text/plain\r\n"), text);
    conn_linger(conn);
}

/* There is no thread to serve the connection with. */
static void refuse(struct conn *conn, int why)
{
    const char *reason = why == -EAGAIN ? "limits.green_threads reached" : strerror(-why);
    log_limited(LOG_LEVEL_WARN, "connection refused with 503: %s", reason);
    send_busy(conn, reason);
    conn_linger(conn);
}

static int on_turn(struct green_task *task)
{
    struct conn *conn = container_of(task, struct conn, task);
    conn->thread = green_self();
    conn_serve(conn);
    return 0;
}

static void on_refused(struct green_task *task, int error)
{
    refuse(container_of(task, struct conn, task), error);
}

static const struct green_task_kind kind = {.name = "connection", .run = on_turn, .refused = on_refused};

void conn_start(struct conn *conn)
{
    enter(conn, CONN_ACTIVE);
    green_fd_unpark(&conn->stream.fd);
    green_post(&conn->task);
}

static void on_readable(struct green_fd *fd)
{
    conn_start(container_of(fd, struct conn, stream.fd));
}

/* What comes at this very moment is served. What comes later finds our side closed, but is not answered by a reset. */
static void end_grace(struct conn *conn)
{
    if (stream_has_input(&conn->stream)) {
        conn_start(conn);
        return;
    }
    green_fd_unpark(&conn->stream.fd);
    conn_linger(conn);
}

/* On the loop. A node that fires for an ACTIVE connection was left on the wheel by its last idle time. Who has begun a
 * request, and who speaks a protocol with a farewell, is told that its time is over. */
static void on_timer(struct wheel_node *timer)
{
    struct conn *conn = container_of(timer, struct conn, timer);
    if (conn->state == CONN_BEGUN || (conn->state == CONN_IDLE && conn->kept))
        conn_start(conn);
    else if (conn->state == CONN_IDLE && conn->owner->draining)
        end_grace(conn);
    else if (conn->state != CONN_ACTIVE)
        end(conn);
}

void conn_open(struct conns *conns, int fd, const struct peer *peer, const struct http_endpoint *endpoint)
{
    const struct stream_ops *ops = endpoint->tls ? &stream_tls : &stream_plain;
    struct conn *conn = malloc(offsetof(struct conn, stream) + ops->size);
    if (conn)
        stream_init(&conn->stream, ops, fd);
    if (!conn || (endpoint->tls && tls_stream_start(&conn->stream, endpoint->tls) < 0)) {
        log_limited(LOG_LEVEL_WARN, "connection closed: no memory");
        close(fd);
        free(conn);
        return;
    }
    conn->stream.fd.client = true;
    conn->endpoint = endpoint;
    conn->task.kind = &kind;
    conn->thread = NULL;
    conn->owner = conns;
    conn->state = CONN_ACTIVE;
    green_timer_init(&conn->timer, on_timer);
    list_init(&conn->link);
    conn->peer = *peer;
    conn->requests = conn->requests_parked = 0;
    conn->kept = NULL;
    conn->timer.deadline = 0;
    conn->empty_lines = 0;
    conns->score->connections = ++conns->count;
    conns->score->accepted++;
    conn_start(conn);
}

const struct tls_peer *conn_tls(const struct conn *conn)
{
    return conn_is_secure(conn) ? tls_peer_of(&conn->stream) : NULL;
}

void conn_park(struct conn *conn)
{
    struct conns *conns = conn->owner;
    /* Bytes that were no request, empty lines say, buy no more time. */
    nsec until = conn->timer.deadline;
    if (conn->requests != conn->requests_parked || until == 0)
        until = nsec_add(green_now(), conns->server->timeouts.idle);
    conn->requests_parked = conn->requests;
    conn_park_until(conn, until);
}

void conn_park_until(struct conn *conn, nsec until)
{
    struct conns *conns = conn->owner;
    if (conns->draining && conns->grace <= green_now()) {
        end(conn);
        return;
    }
    if (conns->draining && conns->grace < until)
        until = conns->grace;
    park(conn, CONN_IDLE, until, on_readable);
}

void conn_park_begun(struct conn *conn, nsec deadline)
{
    park(conn, CONN_BEGUN, deadline, on_readable);
}

void conn_close(struct conn *conn)
{
    end(conn);
}

bool conn_is_last(const struct conn *conn, bool more)
{
    int64_t most = conn->owner->server->limits.requests_per_connection;
    return (conn->owner->draining && !more) || (most && conn->requests >= most);
}

/* A client that has come a moment ago, and whose handshake was costly, gets the time to ask for something: if each made
 * room for the next one, nobody would be served. */
static bool is_young(const struct conn *conn)
{
    const struct http_timeouts *timeouts = &conn->owner->server->timeouts;
    nsec time = conn_tls(conn) ? timeouts->idle : timeouts->handshake;
    return conn_is_secure(conn) && conn->requests == 0 && conn->timer.deadline - time > green_now() - YOUNG;
}

/* Who has been in a state for longest, but for the young. */
static struct conn *find_dispensable(struct conns *conns, enum conn_state state)
{
    list_each (l, next, &conns->by_state[state]) {
        struct conn *conn = container_of(l, struct conn, link);
        if (state == CONN_LINGERING || !is_young(conn))
            return conn;
    }
    return NULL;
}

/* Ends the one that can best be done without. False: there is none. */
static bool end_one(struct conns *conns)
{
    static const enum conn_state order[] = {CONN_IDLE, CONN_LINGERING, CONN_BEGUN};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        struct conn *conn = find_dispensable(conns, order[i]);
        if (!conn)
            continue;
        if (order[i] == CONN_BEGUN)
            send_busy(conn, "limits.connections reached");
        else if (order[i] == CONN_IDLE && conn->kept)
            conn->kept->protocol->farewell(conn);
        end(conn);
        return true;
    }
    return false;
}

int conns_wait_room(struct conns *conns)
{
    while (conns->count >= conns->max && !end_one(conns)) {
        log_limited(LOG_LEVEL_WARN, "limits.connections reached (%zu): new connections wait", conns->max);
        int error = green_cond_wait(&conns->room, NULL, nsec_add(green_now(), YOUNG));
        if (error && error != -ETIMEDOUT)
            return error;
    }
    return 0;
}

static void end_all(struct conns *conns, enum conn_state state)
{
    list_each (l, next, &conns->by_state[state])
        end(container_of(l, struct conn, link));
}

void conns_hurry(struct conns *conns, nsec grace)
{
    if (grace >= conns->grace)
        return;
    conns->grace = grace;
    list_each (l, next, &conns->by_state[CONN_IDLE]) {
        struct conn *conn = container_of(l, struct conn, link);
        if (conns->draining && grace < conn->timer.deadline)
            green_timer_arm(&conn->timer, grace);
    }
}

/* Who speaks a protocol that has a word for it is told so. */
static void say_drain(struct conns *conns)
{
    for (int state = 0; state < CONN_STATES; state++)
        list_each (l, next, &conns->by_state[state]) {
            struct conn *conn = container_of(l, struct conn, link);
            if (conn->kept && conn->kept->protocol->drain && state != CONN_LINGERING)
                conn->kept->protocol->drain(conn);
        }
}

size_t conns_drain(struct conns *conns, nsec grace, nsec deadline)
{
    if (conns->grace < grace)
        grace = conns->grace;
    conns->grace = NSEC_NEVER;
    conns->draining = true;
    conns_hurry(conns, grace);
    say_drain(conns);
    while (conns->count && green_cond_wait(&conns->room, NULL, deadline) == 0)
        ;
    return conns_cut(conns);
}

static void cancel_all(struct conns *conns)
{
    list_each (l, next, &conns->by_state[CONN_ACTIVE]) {
        struct conn *conn = container_of(l, struct conn, link);
        if (conn->thread)
            green_cancel(conn->thread);
    }
}

static void end_parked(struct conns *conns)
{
    end_all(conns, CONN_IDLE);
    end_all(conns, CONN_BEGUN);
    end_all(conns, CONN_LINGERING);
}

size_t conns_cut(struct conns *conns)
{
    conns->draining = true;
    conns->grace = 0;
    end_parked(conns);
    size_t cut = conns->count;
    while (conns->count) {
        cancel_all(conns);
        /* A connection whose thread has not run yet is cancelled in the next round; one that was parked meanwhile is
         * ended there. */
        if (green_cond_wait(&conns->room, NULL, nsec_add(green_now(), CUT_ROUND)) == -ECANCELED)
            break;
        end_parked(conns);
    }
    return cut;
}

void conns_end(struct conns *conns)
{
    green_timer_disarm(&conns->log_timer);
    if (conns->server->access)
        flush_log(conns);
}

void conns_log(struct conns *conns, const struct access_entry *entry)
{
    const struct http_server *server = conns->server;
    if (!server->access)
        return;
    access_write(server->access, entry);
    if (!green_timer_armed(&conns->log_timer))
        green_timer_arm(&conns->log_timer, nsec_add(green_now(), server->access_flush));
}
