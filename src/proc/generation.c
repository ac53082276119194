/* generation.c: see generation.h. */
#include "proc/generation.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log/log.h"
#include "proc/privs.h"
#include "proc/state.h"
#include "proc/watchdog.h"
#include "proc/worker.h"

enum { QUICK_DEATHS = 5 }; /* in a row, before the next worker has to wait */
#define QUICK NSEC_SEC
#define LONGEST_WAIT (30 * NSEC_SEC)
#define TIME_TO_START (30 * NSEC_SEC)
#define STUCK (5 * NSEC_SEC)    /* beyond its deadline, and a worker that drains is killed */
#define CUT_TIME (3 * NSEC_SEC) /* to end at once in an orderly way */

static void on_message(struct watch *watch, short events);
static void on_restart(struct alarm *alarm);
static void on_deadline(struct alarm *alarm);

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
    g->children = calloc(g->count, sizeof *g->children);
    g->listeners = calloc(g->config->listen_count, sizeof(struct listener *));
    if (!g->children || !g->listeners)
        return -ENOMEM;
    for (size_t i = 0; i < g->count; i++) {
        struct child *child = &g->children[i];
        child->generation = g;
        child->pair = (struct watch){.fd = -1, .events = POLLIN, .ready = on_message};
        child->restart.ring = on_restart;
        list_init(&child->pair.link);
        list_init(&child->restart.link);
    }
    return scoreboard_open(&g->board, g->count);
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
    *g = (struct generation){.master = master, .config = config, .deadline.ring = on_deadline};
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

/* In the child: what belongs to the master, and to other generations, must not stay open: a worker tells by the end of
 * its own pair that the master is gone. */
static void leave_master(struct master *m, const struct generation *own, const int *fds, size_t count)
{
    listeners_close_but(&m->listeners, fds, count);
    notify_close(&m->notify);
    reactor_abandon(&m->reactor);
    list_each (l, next, &m->generations) {
        struct generation *other = container_of(l, struct generation, link);
        if (other == own)
            continue;
        access_close(other->config->http.access);
        config_free(other->config);
    }
}

static _Noreturn void become_worker(struct child *child, int pair, pid_t parent)
{
    struct generation *g = child->generation;
    struct master *m = g->master;
    size_t index = (size_t)(child - g->children), count = 0, room = sockets_of(g) + 1;
    int *fds = calloc(room, sizeof *fds), *backlogs = calloc(room, sizeof *backlogs);
    const struct http_endpoint **endpoints = calloc(room, sizeof *endpoints);
    if (!fds || !backlogs || !endpoints)
        _exit(EXIT_FAILED);
    for (size_t i = 0; i < g->config->listen_count; i++) {
        size_t share = listener_share(g->listeners[i], index, g->count, fds + count);
        for (size_t k = count; k < count + share; k++) {
            endpoints[k] = &g->config->listen[i].endpoint;
            backlogs[k] = g->listeners[i]->passed ? 0 : (int)g->config->listen[i].backlog;
        }
        count += share;
    }
    leave_master(m, g, fds, count);
    struct worker worker = {.config = g->config,
                            .listeners = fds,
                            .endpoints = endpoints,
                            .backlogs = backlogs,
                            .listener_count = count,
                            .index = index,
                            .master = pair,
                            .master_pid = parent,
                            .descriptors = m->descriptors,
                            .score = scoreboard_slot(&g->board, index)};
    int status = worker_run(&worker);
    access_close(g->config->http.access);
    close(pair); /* the last lines of the log are written: see reopen.c */
    free(fds);
    free(backlogs);
    free(endpoints);
    exit(status);
}

static int start(struct child *child)
{
    int pair[2];
    pid_t parent = getpid();
    int error = message_pair(pair);
    if (error)
        return error;
    pid_t pid = fork();
    if (pid < 0) {
        error = -errno;
        close(pair[0]);
        close(pair[1]);
        return error;
    }
    if (pid == 0) {
        close(pair[0]);
        become_worker(child, pair[1], parent);
    }
    close(pair[1]);
    child->pid = pid;
    child->pair.fd = pair[0];
    child->ready = child->aborted = child->accepts = false;
    child->asked = 0;
    child->logs_due = 0;
    child->started = clock_monotonic();
    child->generation->running++;
    reactor_watch(&child->generation->master->reactor, &child->pair);
    return 0;
}

static size_t index_of(const struct child *child)
{
    return (size_t)(child - child->generation->children);
}

static void on_restart(struct alarm *alarm)
{
    struct child *child = container_of(alarm, struct child, restart);
    struct generation *g = child->generation;
    int error = start(child);
    if (error) {
        log_error("cannot start worker %zu: %s", index_of(child), strerror(-error));
        reactor_arm(&g->master->reactor, alarm, nsec_add(clock_monotonic(), NSEC_SEC));
        return;
    }
    child->restarts++;
    log_notice("worker %zu is [%d] now", index_of(child), (int)child->pid);
}

/* At once, unless it keeps dying young. */
static void plan_restart(struct child *child)
{
    nsec now = clock_monotonic();
    bool quick = now - child->started < QUICK;
    child->quick_deaths = quick ? child->quick_deaths + 1 : 0;
    nsec wait = 0;
    if (child->quick_deaths > QUICK_DEATHS) {
        unsigned doublings = child->quick_deaths - QUICK_DEATHS - 1;
        wait = doublings < 5 ? NSEC_SEC << doublings : LONGEST_WAIT;
    }
    if (wait)
        log_error("worker %zu keeps dying: the next one is started in %lld s", index_of(child),
                  (long long)(wait / NSEC_SEC));
    scoreboard_inherit(&child->generation->board, index_of(child));
    reactor_arm(&child->generation->master->reactor, &child->restart, nsec_add(now, wait));
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
        int error = start(&g->children[i]);
        if (!error)
            continue;
        snprintf(g->why, sizeof g->why, "cannot start worker %zu: %s", i, strerror(-error));
        if (g->running == 0)
            return error;
        generation_retire(g, MESSAGE_RETIRE);
        g->owner->failed(g, g->why);
        return 0;
    }
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

static void serve_message(struct child *child, const struct message *message)
{
    struct generation *g = child->generation;
    switch (message->kind) {
    case MESSAGE_READY:
        on_ready(child);
        break;
    case MESSAGE_FAILED:
        snprintf(g->why, sizeof g->why, "%s", message->text);
        break;
    case MESSAGE_PONG:
        child->asked = 0;
        break;
    case MESSAGE_RETIRED:
        on_retired(child);
        break;
    case MESSAGE_TAKEN:
        child->logs_due -= child->logs_due > 0;
        master_on_log_taken(g->master);
        break;
    default:
        log_error("worker %zu [%d] says %u, which means nothing", index_of(child), (int)child->pid, message->kind);
    }
}

/* One that is gone is reaped soon: until then its end of the pair is not listened to any more. */
static void on_message(struct watch *watch, short events)
{
    struct child *child = container_of(watch, struct child, pair);
    struct message message;
    (void)events;
    int fd;
    int got = message_receive(watch->fd, &message, &fd);
    if (fd >= 0)
        close(fd);
    if (got > 0)
        serve_message(child, &message);
    else if (got != -EAGAIN)
        reactor_unwatch(&child->generation->master->reactor, watch);
}

void generation_tell(struct generation *g, enum message_kind kind, uint32_t number)
{
    for (size_t i = 0; i < g->count; i++)
        if (g->children[i].pid && message_tell(g->children[i].pair.fd, kind, number) == -EAGAIN)
            log_warn("worker %zu [%d] does not listen", i, (int)g->children[i].pid);
}

/* ---- ending ---- */

uint64_t generation_cut(const struct generation *g)
{
    uint64_t cut = 0;
    for (size_t i = 0; i < g->count; i++)
        cut += scoreboard_read(&g->board, i).cut;
    return cut;
}

static void kill_all(const struct generation *g)
{
    for (size_t i = 0; i < g->count; i++)
        if (g->children[i].pid)
            kill(g->children[i].pid, SIGKILL);
}

static void end(struct generation *g)
{
    g->owner->gone(g);
    generation_free(g);
}

/* A generation whose workers all wait to be started again has none that could end. */
static void on_deadline(struct alarm *alarm)
{
    struct generation *g = container_of(alarm, struct generation, deadline);
    if (g->state == DRAINING && g->running == 0) {
        end(g);
        return;
    }
    if (g->state == DRAINING) {
        log_error("workers of generation %u did not end in time, and are killed", g->number);
        kill_all(g);
        return;
    }
    snprintf(g->why, sizeof g->why, "not all workers were ready after %d s", (int)(TIME_TO_START / NSEC_SEC));
    generation_retire(g, MESSAGE_RETIRE);
    g->owner->failed(g, g->why);
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
    nsec at = nsec_add(clock_monotonic(), g->running ? left : 0);
    if (!drains || at < g->deadline.at)
        reactor_arm(&g->master->reactor, &g->deadline, at);
}

static void say_how(const struct generation *g, const struct child *child, int status)
{
    if (WIFSIGNALED(status))
        log_error("worker %zu [%d] was ended by signal %d (%s)", index_of(child), (int)child->pid, WTERMSIG(status),
                  strsignal(WTERMSIG(status)));
    else if (g->state != DRAINING)
        log_error("worker %zu [%d] ended with status %d", index_of(child), (int)child->pid, WEXITSTATUS(status));
}

/* The last messages of a worker may have come with its end. */
static void hear_out(struct child *child)
{
    struct message message;
    int fd;
    while (message_receive(child->pair.fd, &message, &fd) > 0) {
        if (fd >= 0)
            close(fd);
        else if (message.kind != MESSAGE_READY)
            serve_message(child, &message);
    }
    reactor_unwatch(&child->generation->master->reactor, &child->pair);
    close(child->pair.fd);
    child->pair.fd = -1;
}

/* Whether it could not even start, and neither could the next one. */
static bool is_hopeless(const struct generation *g, const struct child *child, int status)
{
    return g->state == STARTING && !child->ready && (!g->patience || WIFEXITED(status));
}

static void on_end(struct child *child, int status)
{
    struct generation *g = child->generation;
    bool hopeless = is_hopeless(g, child, status);
    hear_out(child);
    say_how(g, child, status);
    g->ready -= child->ready;
    child->pid = 0;
    child->ready = false;
    child->logs_due = 0;
    g->running--;
    master_on_log_taken(g->master);
    on_retired(child);
    if (hopeless) {
        if (!g->why[0])
            snprintf(g->why, sizeof g->why, "worker %zu could not start", index_of(child));
        generation_retire(g, MESSAGE_RETIRE);
        g->owner->failed(g, g->why);
    } else if (g->state != DRAINING) {
        plan_restart(child);
    } else if (!WIFEXITED(status) || WEXITSTATUS(status) != EXIT_FINE) {
        master_on_cut(g->master);
    }
    if (g->state == DRAINING && g->running == 0)
        end(g);
}

bool generation_reap(struct generation *g, pid_t pid, int status)
{
    for (size_t i = 0; i < g->count; i++)
        if (g->children[i].pid == pid) {
            on_end(&g->children[i], status);
            return true;
        }
    return false;
}
