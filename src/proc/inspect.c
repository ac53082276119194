/* inspect.c: see inspect.h. */
#include "proc/inspect.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ctl/thread.h"
#include "green/trace.h"
#include "log/log.h"
#include "net/addr.h"
#include "proc/report.h"

enum { STRIDE = 64 };          /* stacks that are looked at before others may run */
#define TIME_TO_TRACE NSEC_SEC /* until the pool has found the names of frames */

static const char own_name[] = "inspect";

/* Threads that the server can't do without. */
static const char *const own_names[] = {"main", "master", "accept", own_name};

struct question {
    struct list link;
    struct message message;
};

static struct {
    int master;
    struct green_scope *scope;
    struct list questions;
    bool running;
} inspector;

/* ---- what there is to say of a thread ---- */

static bool is_own(const struct green_view *view)
{
    for (size_t i = 0; i < sizeof own_names / sizeof *own_names; i++)
        if (strcmp(view->name, own_names[i]) == 0)
            return true;
    return false;
}

/* Who is at the other end of a socket; one that is none, or not connected, has nobody there. */
static void put_peer(struct out *o, int fd)
{
    struct addr peer = {.size = sizeof peer.un};
    if (fd < 0 || getpeername(fd, &peer.any, &peer.size) < 0)
        return;
    if (peer.any.sa_family == AF_UNIX && peer.size <= sizeof(sa_family_t))
        out_text(o, "unix:");
    else if (peer.any.sa_family == AF_UNIX || peer.any.sa_family == AF_INET || peer.any.sa_family == AF_INET6)
        addr_print(&peer, o);
}

static struct str masked(struct str request, char room[static REPORT_TEXT_MAX])
{
    struct out o = out_on(room, REPORT_TEXT_MAX);
    str_mask_query(&o, (struct str){request.p, request.n < REPORT_TEXT_MAX ? request.n : REPORT_TEXT_MAX});
    return out_str(&o);
}

static void add(struct report_writer *writer, const struct green_view *view, struct str trace)
{
    char peer[160], request[REPORT_TEXT_MAX];
    struct out peer_out = out_on(peer, sizeof peer);
    const struct report_thread thread = {
        .number = view->number,
        .until = view->until,
        .since = view->since,
        .running = view->running,
        .depth = view->depth,
        .high_water = green_high_water(view->thread),
        .fd = view->fd,
        .standing = (uint8_t)view->standing,
        .wait = (uint8_t)view->wait,
        .cancelled = view->cancelled,
    };
    put_peer(&peer_out, view->fd);
    const struct str texts[REPORT_TEXTS] = {
        [REPORT_NAME] = str_of(view->name),
        [REPORT_PEER] = out_str(&peer_out),
        [REPORT_HANDLER] = view->label ? view->label->handler : STR(""),
        [REPORT_ROUTE] = view->label ? view->label->route : STR(""),
        [REPORT_REQUEST] = masked(view->what, request),
        [REPORT_TRACE] = trace,
    };
    report_add(writer, &thread, texts);
}

/* ---- threads ---- */

struct listing {
    struct report_writer *writer;
    struct thread_filter filter;
    nsec now;
    uint64_t total;
};

/* One that is cancelled waits, is ready or runs as well. */
static bool stands_so(const struct green_view *view, struct str state)
{
    static const char *const standings[] = {
        [GREEN_STANDS_READY] = "ready", [GREEN_STANDS_WAITING] = "waiting", [GREEN_STANDS_RUNNING] = "running"};
    bool so = str_eq(state, str_of(standings[view->standing]));
    return state.n == 0 || so || (view->cancelled && str_eq(state, STR("cancelled")));
}

static bool is_wanted(const struct listing *listing, const struct green_view *view)
{
    const struct thread_filter *filter = &listing->filter;
    if (!stands_so(view, filter->state))
        return false;
    if (filter->wait.n && !str_eq(filter->wait, str_of(green_wait_names[view->wait])))
        return false;
    if (filter->age && (!view->since || listing->now - view->since < filter->age))
        return false;
    return thread_filter_route(filter, view->label ? view->label->route : STR("")) &&
           thread_filter_handler(filter, view->label ? view->label->handler : STR(""));
}

static void look(const struct green_view *view, void *arg)
{
    struct listing *listing = arg;
    listing->total++;
    if (is_wanted(listing, view))
        add(listing->writer, view, STR(""));
}

/* Those too that wait for a descriptor, which a yield would not: the loop polls only when no thread is ready, or after
 * a long burst of them. A moment that has passed is waited for in the loop. A worker that ends lets nobody run any
 * more, and tells the rest at once. */
static void let_others_run(void)
{
    (void)!green_sleep(1);
}

static void list_threads(struct report_writer *writer, struct str argument, struct report_head *head)
{
    char text[256];
    struct out why = out_on(text, sizeof text);
    struct listing listing = {.writer = writer, .now = head->now};
    bool more = thread_filter_read(argument, &listing.filter, &why);
    for (size_t from = 0; more; from += STRIDE) {
        more = green_each_in(from, STRIDE, look, &listing);
        if (more)
            let_others_run();
    }
    head->total = listing.total;
}

/* ---- one of them ---- */

static bool find(struct str argument, struct green_view *view)
{
    uint64_t number;
    return str_to_u64(argument, &number) == 0 && green_find(number, view);
}

static void show_stack(struct report_writer *writer, struct str argument, struct report_head *head)
{
    char *trace = malloc(REPORT_TRACE_MAX);
    struct green_view view;
    int n = -ESRCH;
    if (trace && find(argument, &view))
        n = green_trace(view.number, trace, REPORT_TRACE_MAX, nsec_add(green_now(), TIME_TO_TRACE));
    if (n == -ESRCH || !find(argument, &view))
        head->outcome = REPORT_NO_THREAD;
    else if (n < 0)
        head->outcome = REPORT_BUSY;
    else
        add(writer, &view, (struct str){trace, (size_t)n});
    free(trace);
}

/* "4711.52, GET / HTTP/1.1 (files, route /)" */
static void put_name(struct out *o, const struct green_view *view)
{
    char request[REPORT_TEXT_MAX];
    bool labelled = view->label && view->label->handler.n;
    out_u64(o, (uint64_t)getpid());
    out_char(o, '.');
    out_u64(o, view->number);
    out_put(o, view->what.n ? STR(", ") : STR(""));
    out_put(o, masked(view->what, request));
    out_text(o, " (");
    out_put(o, labelled ? view->label->handler : str_of(view->name));
    if (labelled && view->label->route.n) {
        out_text(o, ", route ");
        out_put(o, view->label->route);
    }
    out_char(o, ')');
}

static void say_killed(const struct green_view *view)
{
    char name[2 * REPORT_TEXT_MAX];
    struct out o = out_on(name, sizeof name);
    put_name(&o, view);
    log_notice("green thread " STR_FMT "%s is cancelled by ternctl kill", STR_ARG(out_str(&o)),
               view->what.n ? "," : "");
}

/* One that is cancelled already ends for another reason, or for this one. */
static void kill_thread(struct report_writer *writer, struct str argument, struct report_head *head)
{
    struct green_view view;
    if (!find(argument, &view)) {
        head->outcome = REPORT_NO_THREAD;
        return;
    }
    add(writer, &view, STR(""));
    head->outcome = is_own(&view) ? REPORT_OWN : REPORT_FINE;
    if (head->outcome == REPORT_FINE && !view.cancelled && green_kill(view.number) == 0)
        say_killed(&view);
}

/* ---- questions ---- */

static const struct {
    struct str verb;
    void (*serve)(struct report_writer *writer, struct str argument, struct report_head *head);
} verbs[] = {
    {STR_INIT("threads"), list_threads},
    {STR_INIT("stack"), show_stack},
    {STR_INIT("kill"), kill_thread},
};

static int answer(struct str line)
{
    struct report_head head = {.outcome = REPORT_FINE, .now = clock_monotonic()};
    struct report_writer *writer = report_begin();
    if (!writer)
        return -ENOMEM;
    struct str verb = str_cut(&line, ' ');
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (str_eq(verb, verbs[i].verb))
            verbs[i].serve(writer, line, &head);
    return report_end(writer, &head);
}

/* The master has given up on what comes too late, and has said that nothing was done: so nothing is.
 * Without a descriptor the master knows that there is no report, and need not wait for it. */
static void serve(const struct question *question)
{
    const struct message report = {.kind = MESSAGE_REPORT, .number = question->message.number};
    if (clock_monotonic() >= question->message.question.until)
        return;
    int fd = answer(str_of(question->message.question.line));
    if (message_send(inspector.master, &report, fd < 0 ? -1 : fd) < 0)
        log_limited(LOG_LEVEL_WARN, "the master cannot be told of green threads");
    if (fd >= 0)
        close(fd);
}

static int run(void *arg)
{
    (void)arg;
    for (struct list *l; (l = list_pop_front(&inspector.questions));) {
        struct question *question = container_of(l, struct question, link);
        serve(question);
        free(question);
    }
    inspector.running = false;
    return 0;
}

void inspect_begin(int master, struct green_scope *scope)
{
    inspector.master = master;
    inspector.scope = scope;
    inspector.running = false;
    list_init(&inspector.questions);
}

/* Where there are as many green threads as there may be, whoever has received the question answers it. */
void inspect_serve(const struct message *message)
{
    struct question *question = malloc(sizeof *question);
    if (!question)
        return;
    question->message = *message;
    list_init(&question->link);
    list_push_back(&inspector.questions, &question->link);
    if (inspector.running)
        return;
    inspector.running = true;
    if (green_scope_go(inspector.scope, own_name, run, NULL) < 0)
        run(NULL);
}

void inspect_end(void)
{
    for (struct list *l; (l = list_pop_front(&inspector.questions));)
        free(container_of(l, struct question, link));
}
