/* load.c: see load.h.
 *
 * Each connection is a flow, registered once with an edge-triggered epoll. Whatever is told of it, it goes on as far as
 * it can: sends what is left of its request, then receives until there is nothing. A tick of a millisecond wakes those
 * that pause, opens new ones, and gives up those that are stuck.
 */
#include "load.h"

#include "harness.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { HEAD_ROOM = 2048, PIECE = 64 * 1024, FRESH_AT_ONCE = 256, EVENTS = 64, TICK_MS = 1, RETRY_MS = 10 };

enum state {
    CLOSED,  /* no socket; a kept one gets a new one at `wake` */
    ASKING,  /* the request is not sent completely; at first the connection may not be there either */
    READING, /* the answer is not complete */
    ENDING,  /* it is, and nothing but the end may follow */
    PAUSING  /* until `wake` */
};

struct flow {
    int fd;
    enum state state;
    bool kept, established, closing; /* closing: the answer says that it is the last one */
    const struct load_target *target;
    struct str unsent;
    char head[HEAD_ROOM];
    size_t head_n;
    int status;            /* 0: the head is not complete */
    size_t expected, body; /* octets of the body: how many there are, and have come */
    unsigned answers;
    nsec since, wake;
};

struct load {
    struct load_setup setup;
    struct str *requests; /* two for each target: the second one says that it is the last */
    struct load_counts counts;
    struct flow *flows; /* the kept ones first */
    size_t flow_count;
    uint64_t asked;
    int epoll;
    nsec started;
    uint64_t opened; /* fresh ones, ever */
    unsigned random;
    bool stopping, joined;
    pthread_t thread;
    char piece[PIECE];
};

static nsec pause_length(struct load *load)
{
    load->random = load->random * 1103515245 + 12345;
    return load->setup.pause_ms ? (load->random >> 8) % (load->setup.pause_ms + 1) * NSEC_MS : 0;
}

/* ---- connections ---- */

static void shut(struct flow *flow)
{
    if (flow->fd >= 0)
        close(flow->fd);
    flow->fd = -1;
    flow->state = CLOSED;
}

/* Ends a flow that has met what `counter` counts. A kept one comes back, but not in a rush. */
static void give_up(struct flow *flow, uint64_t *counter)
{
    ++*counter;
    shut(flow);
    flow->wake = clock_monotonic() + RETRY_MS * NSEC_MS;
}

static int connect_to(const struct load_setup *setup, int fd)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)setup->port)};
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (!setup->unix_path)
        return connect(fd, (struct sockaddr *)&in, sizeof in);
    snprintf(un.sun_path, sizeof un.sun_path, "%s", setup->unix_path);
    return connect(fd, (struct sockaddr *)&un, sizeof un);
}

static void ask(struct load *load, struct flow *flow)
{
    size_t i = load->asked++ % load->setup.count;
    flow->target = &load->setup.targets[i];
    flow->unsent = load->requests[2 * i + !flow->kept];
    flow->state = ASKING;
    flow->head_n = flow->body = 0;
    flow->status = 0;
    flow->since = clock_monotonic();
}

static void open_flow(struct load *load, struct flow *flow)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = flow};
    int family = load->setup.unix_path ? AF_UNIX : AF_INET;
    flow->established = flow->closing = false;
    flow->answers = 0;
    ask(load, flow);
    flow->fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (flow->fd < 0 || (connect_to(&load->setup, flow->fd) < 0 && errno != EINPROGRESS) ||
        epoll_ctl(load->epoll, EPOLL_CTL_ADD, flow->fd, &event) < 0) {
        /* A unix socket whose queue is full says so at once, where one of TCP would let us wait. */
        uint64_t nobody_minds = 0;
        give_up(flow, errno == EAGAIN ? &nobody_minds : &load->counts.refused);
    }
}

/* The connection has ended: was that in order? */
static void take_end(struct load *load, struct flow *flow, bool reset)
{
    struct load_counts *counts = &load->counts;
    if (flow->state == PAUSING) {
        give_up(flow, reset ? &counts->cut : &counts->partings);
    } else if (flow->state == ENDING) {
        uint64_t in_order = 0;
        give_up(flow, reset ? &counts->cut : flow->kept ? &counts->closes : &in_order);
        flow->wake = 0;
    } else {
        give_up(flow, flow->head_n ? &counts->cut : flow->answers ? &counts->raced : &counts->dropped);
    }
}

static void send_more(struct load *load, struct flow *flow)
{
    while (flow->state == ASKING) {
        ssize_t n = send(flow->fd, flow->unsent.p, flow->unsent.n, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n < 0 && !flow->established && (errno == ECONNREFUSED || errno == ETIMEDOUT)) {
            give_up(flow, &load->counts.refused);
        } else if (n < 0) {
            take_end(load, flow, true);
        } else {
            load->counts.connections += !flow->established;
            flow->established = true;
            flow->unsent = str_skip(flow->unsent, (size_t)n);
            if (flow->unsent.n == 0) {
                load->counts.requests++;
                flow->state = READING;
            }
        }
    }
}

/* ---- answers ---- */

static bool has_field(struct str head, struct str name, struct str *value)
{
    for (struct str line; head.n;) {
        line = str_cut(&head, '\n');
        struct str each = str_cut(&line, ':');
        if (!str_eq_nocase(each, name))
            continue;
        line.n -= line.n && line.p[line.n - 1] == '\r';
        *value = str_trim(line);
        return true;
    }
    return false;
}

/* Every answer has a length: no target of a load is of a kind that comes in chunks. */
static bool read_head(struct flow *flow)
{
    struct str head = {flow->head, flow->head_n}, value;
    uint64_t length;
    if (head.n < 13 || !str_starts(head, STR("HTTP/1.1 ")) || !has_field(head, STR("Content-Length"), &value) ||
        str_to_u64(value, &length) < 0)
        return false;
    flow->expected = length;
    flow->status = atoi(flow->head + 9);
    flow->closing = has_field(head, STR("Connection"), &value) && str_eq_nocase(value, STR("close"));
    return flow->status > 0;
}

/* Takes what belongs to the head. False: it is none. */
static bool take_head(struct flow *flow, struct str *bytes)
{
    while (bytes->n && flow->status == 0) {
        if (flow->head_n == HEAD_ROOM)
            return false;
        flow->head[flow->head_n++] = bytes->p[0];
        *bytes = str_skip(*bytes, 1);
        if (str_ends((struct str){flow->head, flow->head_n}, STR("\r\n\r\n")) && !read_head(flow))
            return false;
    }
    return true;
}

/* The body of an error is read to its end, whatever it is. */
static bool take_body(struct flow *flow, struct str bytes)
{
    if (bytes.n > flow->expected - flow->body)
        return false;
    bool right = flow->status != 200 || (flow->expected == flow->target->body.n &&
                                         memcmp(flow->target->body.p + flow->body, bytes.p, bytes.n) == 0);
    flow->body += bytes.n;
    return right;
}

static bool wants_more(const struct load *load)
{
    return !__atomic_load_n(&load->stopping, __ATOMIC_ACQUIRE) && clock_monotonic() - load->started < LOAD_LIMIT &&
           (load->setup.most == 0 || load->asked < load->setup.most);
}

static void finish_answer(struct load *load, struct flow *flow)
{
    nsec now = clock_monotonic();
    flow->answers++;
    if (flow->status == 200)
        __atomic_fetch_add(&load->counts.answers, 1, __ATOMIC_RELAXED);
    else
        (*(flow->status >= 500 ? &load->counts.failed : &load->counts.wrong))++;
    if (now - flow->since > load->counts.slowest)
        load->counts.slowest = now - flow->since;
    flow->state = flow->closing || !flow->kept ? ENDING : PAUSING;
    flow->since = now;
    flow->wake = now + pause_length(load);
    if (flow->state == PAUSING && flow->wake == now && wants_more(load)) {
        ask(load, flow);
        send_more(load, flow);
    }
}

static void take(struct load *load, struct flow *flow, struct str bytes)
{
    if (flow->state == READING && take_head(flow, &bytes) && (flow->status == 0 || take_body(flow, bytes))) {
        if (flow->status && flow->body == flow->expected)
            finish_answer(load, flow);
    } else {
        give_up(flow, &load->counts.wrong);
    }
}

/* ---- progress ---- */

static void receive_more(struct load *load, struct flow *flow)
{
    while (flow->fd >= 0 && flow->state != ASKING) {
        ssize_t n = recv(flow->fd, load->piece, PIECE, 0);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n > 0)
            take(load, flow, (struct str){load->piece, (size_t)n});
        else
            take_end(load, flow, n < 0);
    }
}

static void advance(struct load *load, struct flow *flow)
{
    send_more(load, flow);
    receive_more(load, flow);
}

static void tick_flow(struct load *load, struct flow *flow, nsec now)
{
    bool busy = flow->state == ASKING || flow->state == READING || flow->state == ENDING;
    if (busy && now - flow->since > LOAD_PATIENCE) {
        give_up(flow, &load->counts.late);
    } else if (flow->state == PAUSING && !wants_more(load)) {
        shut(flow);
    } else if (flow->state == PAUSING && now >= flow->wake) {
        ask(load, flow);
        advance(load, flow);
    } else if (flow->state == CLOSED && flow->kept && now >= flow->wake && wants_more(load)) {
        open_flow(load, flow);
    }
}

/* Opens what is due of the fresh ones, as long as there is room for them. */
static void open_fresh(struct load *load, nsec now)
{
    uint64_t due = (uint64_t)((now - load->started) / NSEC_MS) * load->setup.fresh / 1000;
    for (size_t i = load->setup.kept; i < load->flow_count && load->opened < due && wants_more(load); i++)
        if (load->flows[i].state == CLOSED) {
            open_flow(load, &load->flows[i]);
            load->opened++;
        }
}

/* One round of everything that time brings about. Whether anything is still under way. */
static bool tick(struct load *load)
{
    nsec now = clock_monotonic();
    if (wants_more(load))
        open_fresh(load, now);
    bool busy = wants_more(load);
    for (size_t i = 0; i < load->flow_count; i++) {
        tick_flow(load, &load->flows[i], now);
        busy = busy || load->flows[i].state != CLOSED;
    }
    return busy;
}

static void *run(void *arg)
{
    struct load *load = arg;
    struct epoll_event events[EVENTS];
    while (tick(load)) {
        int n = epoll_wait(load->epoll, events, EVENTS, TICK_MS);
        for (int i = 0; i < n; i++)
            advance(load, events[i].data.ptr);
    }
    return NULL;
}

/* ---- the whole ---- */

static struct str write_request(const struct load_target *target, bool last)
{
    const char *method = target->upload.n ? "POST" : "GET", *close = last ? "Connection: close\r\n" : "";
    const char *length = target->upload.n ? harness_text("Content-Length: %zu\r\n", target->upload.n) : "";
    struct str head =
        str_of(harness_text("%s %s HTTP/1.1\r\nHost: localhost\r\n%s%s\r\n", method, target->path, length, close));
    char *whole = harness_alloc(head.n + target->upload.n + 1);
    memcpy(whole, head.p, head.n);
    if (target->upload.n)
        memcpy(whole + head.n, target->upload.p, target->upload.n);
    return (struct str){whole, head.n + target->upload.n};
}

static void release(void *arg)
{
    struct load *load = arg;
    load->setup.most = 0;
    load_stop(load);
    for (size_t i = 0; i < load->flow_count; i++)
        shut(&load->flows[i]);
    close(load->epoll);
    free(load->flows);
    free(load);
}

static struct load *create(const struct load_setup *setup)
{
    struct load *load = calloc(1, sizeof *load);
    cr_assert_not_null(load, "out of memory");
    *load = (struct load){.setup = *setup, .random = (unsigned)getpid(), .started = clock_monotonic()};
    load->flow_count = setup->kept + (setup->fresh ? FRESH_AT_ONCE : 0);
    load->flows = calloc(load->flow_count, sizeof *load->flows);
    load->requests = harness_alloc(2 * setup->count * sizeof *load->requests);
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    cr_assert(load->flows && load->epoll >= 0);
    load->setup.targets = memcpy(harness_alloc(setup->count * sizeof *setup->targets), setup->targets,
                                 setup->count * sizeof *setup->targets);
    for (size_t i = 0; i < load->flow_count; i++)
        load->flows[i] = (struct flow){.fd = -1, .kept = i < setup->kept};
    for (size_t i = 0; i < 2 * setup->count; i++)
        load->requests[i] = write_request(&setup->targets[i / 2], i % 2);
    return load;
}

struct load *load_start(const struct load_setup *setup)
{
    struct load *load = create(setup);
    cr_assert_eq(pthread_create(&load->thread, NULL, run, load), 0);
    cr_assert_eq(arena_defer(harness_memory(), release, load), 0, "out of memory");
    return load;
}

bool load_goes_on(struct load *load, uint64_t answers)
{
    uint64_t wanted = __atomic_load_n(&load->counts.answers, __ATOMIC_RELAXED) + answers;
    return until(__atomic_load_n(&load->counts.answers, __ATOMIC_RELAXED) >= wanted);
}

struct load_counts load_stop(struct load *load)
{
    if (load->setup.most == 0)
        __atomic_store_n(&load->stopping, true, __ATOMIC_RELEASE);
    if (!load->joined)
        pthread_join(load->thread, NULL);
    load->joined = true;
    return load->counts;
}

uint64_t load_failures(const struct load_counts *counts)
{
    return counts->refused + counts->late + counts->dropped + counts->raced + counts->cut + counts->wrong +
           counts->failed;
}

const char *load_text(const struct load_counts *counts)
{
    const struct {
        const char *name;
        uint64_t count;
    } rows[] = {{"requests", counts->requests}, {"connections", counts->connections},
                {"answers", counts->answers},   {"closes", counts->closes},
                {"partings", counts->partings}, {"refused", counts->refused},
                {"late", counts->late},         {"dropped", counts->dropped},
                {"raced", counts->raced},       {"cut", counts->cut},
                {"wrong", counts->wrong},       {"failed", counts->failed}};
    const char *text = harness_text("slowest %lld us", (long long)(counts->slowest / 1000));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        text = harness_text("%s, %s %llu", text, rows[i].name, (unsigned long long)rows[i].count);
    return text;
}
