/* generation.c: see generation.h. */
#include "proc/generation.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/stall.h"
#include "log/log.h"
#include "proc/ask.h"
#include "proc/inquiry.h"
#include "proc/privs.h"
#include "proc/state.h"
#include "proc/watchdog.h"
#include "proc/worker.h"

#define TIME_TO_START (30 * NSEC_SEC)
#define STUCK (5 * NSEC_SEC)    /* beyond its deadline, and a worker that drains is killed */
#define CUT_TIME (3 * NSEC_SEC) /* to end at once in an orderly way */

static _Noreturn void become_worker(struct child *child, const struct forked *self);
static bool heard(struct child *child, const struct message *message, int fd);
static void ended(struct child *child, const struct ending *ending);
static void on_deadline(struct alarm *alarm);

static const struct child_kind worker_kind = {
    .name = "worker", .restarts = LOG_LEVEL_NOTICE, .become = become_worker, .heard = heard, .ended = ended};

/* ---- making one ---- */

static int open_access_log(struct config *config, FILE *errors)
{
    if (config->log.access.n == 0)
        return 0;
    config->http.access_flush = config->log.access_flush;
    int error = access_open(&config->http.access, config->log.access, config->log.access_format,
                            (size_t)config->log.access_buffer);
    if (error)
        fprintf(errors, "cannot open the access log " STR_FMT ": %s\n", STR_ARG(config->log.access), strerror(-error));
    return error;
}

static int make_children(struct generation *g)
{
    g->count = g->config->workers > 0 ? (size_t)g->config->workers : privs_usable_cores();
    g->children = children_new(&worker_kind, g, g->count);
    g->listeners = calloc(g->config->listen_count, sizeof(struct listener *));
    if (!g->children || !g->listeners)
        return -ENOMEM;
    int error = scoreboard_open(&g->board, g->count, g->config->http.sites.route_count);
    return error ? error : crew_open(&g->crew, g);
}

static void give_up_listeners(struct generation *g)
{
    for (size_t i = 0; g->listeners && i < g->config->listen_count; i++)
        listener_release(g->listeners[i]);
    free(g->listeners);
    g->listeners = NULL;
}

int generation_new(struct generation **made, struct master *master, struct config *config, FILE *errors)
{
    struct generation *g = calloc(1, sizeof *g);
    if (!g) {
        config_free(config);
        return -ENOMEM;
    }
    *g = (struct generation){.master = master, .config = config, .deadline.ring = on_deadline, .crew.queue = {-1, -1}};
    list_init(&g->link);
    list_init(&g->deadline.link);
    bool patience = !master->current && master->upgrade.predecessor.fd < 0;
    int error = make_children(g);
    if (!error)
        error = listeners_take(&master->listeners, config, g->count, patience, g->listeners, errors);
    if (error) {
        free(g->listeners);
        g->listeners = NULL;
        goto fail;
    }
    error = open_access_log(config, errors);
    if (error)
        goto fail;
    g->number = ++master->last_generation;
    list_push_front(&master->generations, &g->link);
    *made = g;
    return 0;
fail:
    generation_free(g);
    return error;
}

void generation_free(struct generation *g)
{
    list_unlink(&g->link);
    reactor_disarm(&g->deadline);
    give_up_listeners(g);
    access_close(g->config->http.access);
    scoreboard_close(&g->board);
    crew_close(&g->crew);
    config_free(g->config);
    free(g->children);
    free(g);
}

/* ---- starting workers ---- */

static size_t sockets_of(const struct generation *g)
{
    size_t count = 0;
    for (size_t i = 0; i < g->config->listen_count; i++)
        count += g->listeners[i]->count;
    return count;
}

static _Noreturn void become_worker(struct child *child, const struct forked *self)
{
    struct generation *g = child->generation;
    struct master *m = g->master;
    size_t count = 0, room = sockets_of(g) + 1;
    int *fds = calloc(room, sizeof *fds), *backlogs = calloc(room, sizeof *backlogs);
    const struct http_endpoint **endpoints = calloc(room, sizeof *endpoints);
    if (!fds || !backlogs || !endpoints)
        _exit(EXIT_FAILED);
    for (size_t i = 0; i < g->config->listen_count; i++) {
        size_t share = listener_share(g->listeners[i], child->index, g->count, fds + count);
        for (size_t k = count; k < count + share; k++) {
            endpoints[k] = &g->config->listen[i].endpoint;
            backlogs[k] = g->listeners[i]->passed ? 0 : (int)g->config->listen[i].backlog;
        }
        count += share;
    }
    forked_leave_master(m, g, fds, count);
    crew_leave(&g->crew, CREW_WORKERS);
    struct worker worker = {.self = self,
                            .config = g->config,
                            .listeners = fds,
                            .endpoints = endpoints,
                            .backlogs = backlogs,
                            .listener_count = count,
                            .queue = g->crew.queue[CREW_WORKERS],
                            .descriptors = m->descriptors,
                            .board = &g->board,
                            .score = scoreboard_slot(&g->board, child->index),
                            .generation = g->number,
                            .started = m->started};
    int status = worker_run(&worker);
    access_close(g->config->http.access);
    close(self->master); /* the last lines of the log are written: see reopen.c */
    free(fds);
    free(backlogs);
    free(endpoints);
    exit(status);
}

static void fail(struct generation *g)
{
    generation_retire(g, MESSAGE_RETIRE);
    g->owner->failed(g, g->why);
}

int generation_start(struct generation *g, const struct generation_owner *owner, bool patience)
{
    g->owner = owner;
    g->state = STARTING;
    g->started = clock_monotonic();
    g->patience = patience;
    if (!patience)
        reactor_arm(&g->master->reactor, &g->deadline, nsec_add(g->started, TIME_TO_START));
    for (size_t i = 0; i < g->count; i++) {
        int error = child_start(&g->children[i]);
        if (!error)
            continue;
        snprintf(g->why, sizeof g->why, "cannot start worker %zu: %s", i, strerror(-error));
        if (i == 0)
            return error;
        fail(g);
        return 0;
    }
    int error = crew_start(&g->crew);
    if (error)
        generation_fail(g, "cannot start a compute process: %s", strerror(-error));
    return 0;
}

/* ---- what workers say ---- */

static void on_ready(struct child *child)
{
    struct generation *g = child->generation;
    g->ready += !child->ready;
    child->ready = child->accepts = true;
    if (g->state != STARTING || g->ready < g->count)
        return;
    g->state = SERVING;
    reactor_disarm(&g->deadline);
    g->owner->ready(g);
}

bool generation_accepts(const struct generation *g)
{
    bool any = false;
    for (size_t i = 0; i < g->count; i++)
        any |= g->children[i].accepts;
    return any;
}

static void on_retired(struct child *child)
{
    struct generation *g = child->generation;
    bool last = child->accepts && g->state == DRAINING;
    child->accepts = false;
    if (last && !generation_accepts(g))
        g->owner->retired(g);
}

static bool heard(struct child *child, const struct message *message, int fd)
{
    switch (message->kind) {
    case MESSAGE_READY:
        on_ready(child);
        return true;
    case MESSAGE_PONG:
        child->asked = 0;
        return true;
    case MESSAGE_RETIRED:
        on_retired(child);
        return true;
    case MESSAGE_INQUIRE:
        ask_hear(child, message);
        return true;
    case MESSAGE_REPORT:
        inquiry_hear(child, message, fd);
        return true;
    default:
        return false;
    }
}

void generation_tell(struct generation *g, enum message_kind kind, uint32_t number)
{
    children_tell(g->children, g->count, kind, number);
}

/* ---- ending ---- */

uint64_t generation_connections(const struct generation *g)
{
    uint64_t connections = 0;
    for (size_t i = 0; i < g->count; i++)
        connections += scoreboard_slot(&g->board, i)->connections;
    return connections;
}

uint64_t generation_cut(const struct generation *g)
{
    uint64_t cut = 0;
    for (size_t i = 0; i < g->count; i++)
        cut += scoreboard_slot(&g->board, i)->cut;
    return cut;
}

static size_t running(const struct generation *g)
{
    return children_running(g->children, g->count);
}

void generation_try_end(struct generation *g)
{
    if (g->state != DRAINING || running(g) || crew_dismiss(&g->crew))
        return;
    g->owner->gone(g);
    generation_free(g);
}

/* A generation whose workers all wait to be started again has none that could end. */
static void on_deadline(struct alarm *alarm)
{
    struct generation *g = container_of(alarm, struct generation, deadline);
    if (g->state == DRAINING && running(g) == 0) {
        generation_try_end(g);
    } else if (g->state == DRAINING) {
        log_error("workers of generation %u did not end in time, and are killed", g->number);
        children_kill(g->children, g->count);
    } else {
        generation_fail(g, "not all workers were ready after %d s", (int)(TIME_TO_START / NSEC_SEC));
    }
}

void generation_retire(struct generation *g, enum message_kind how)
{
    nsec left = how == MESSAGE_CUT ? CUT_TIME : nsec_add(g->config->http.timeouts.shutdown, STUCK);
    bool drains = g->state == DRAINING;
    g->state = DRAINING;
    for (size_t i = 0; i < g->count; i++)
        reactor_disarm(&g->children[i].restart);
    generation_tell(g, how, 0);
    give_up_listeners(g);
    nsec at = nsec_add(clock_monotonic(), running(g) ? left : 0);
    if (!drains || at < g->deadline.at)
        reactor_arm(&g->master->reactor, &g->deadline, at);
}

void generation_fail(struct generation *g, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (!g->why[0])
        vsnprintf(g->why, sizeof g->why, format, args);
    va_end(args);
    fail(g);
}

static void ended(struct child *child, const struct ending *ending)
{
    struct generation *g = child->generation;
    child_say_end(child, ending, "");
    ask_forget(g->master, ending->pid);
    inquiry_miss(g->master, ending->pid);
    stall_end_all(scoreboard_stalls(&g->board, child->index), (uint64_t)ending->pid);
    g->ready -= ending->was_ready;
    bool hopeless = child_is_hopeless(child, ending);
    on_retired(child);
    if (hopeless) {
        generation_fail(g, "worker %zu could not start", child->index);
    } else if (g->state != DRAINING) {
        scoreboard_inherit(&g->board, child->index);
        child_plan_restart(child, true);
    } else if (ending->was_ready && (!WIFEXITED(ending->status) || WEXITSTATUS(ending->status) != EXIT_FINE)) {
        master_on_cut(g->master);
    }
    generation_try_end(g);
}

bool generation_reap(struct generation *g, pid_t pid, int status)
{
    struct child *child = children_find(g->children, g->count, pid);
    if (!child)
        child = children_find(g->crew.children, g->crew.count, pid);
    if (child)
        child_ended(child, status);
    return child;
}
