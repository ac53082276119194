/* child.c: see child.h. */
#include "proc/child.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/rights.h"
#include "proc/state.h"

enum {
    QUICK_DEATHS = 5,  /* in a row, before the next one has to wait */
    LAST_WORDS = 1024, /* messages; more than the queue of a socket holds */
};
#define QUICK NSEC_SEC
#define LONGEST_WAIT (30 * NSEC_SEC)

static void on_message(struct watch *watch, short events);
static void on_restart(struct alarm *alarm);

struct child *children_new(const struct child_kind *kind, struct generation *generation, size_t count)
{
    struct child *children = calloc(count, sizeof *children);
    for (size_t i = 0; children && i < count; i++) {
        struct child *child = &children[i];
        *child = (struct child){.kind = kind,
                                .generation = generation,
                                .index = i,
                                .pair = {.fd = -1, .events = POLLIN, .ready = on_message},
                                .restart.ring = on_restart};
        list_init(&child->pair.link);
        list_init(&child->restart.link);
    }
    return children;
}

size_t children_running(const struct child *children, size_t count)
{
    size_t running = 0;
    for (size_t i = 0; i < count; i++)
        running += children[i].pid != 0;
    return running;
}

void children_tell(const struct child *children, size_t count, enum message_kind kind, uint32_t number)
{
    for (const struct child *child = children; child < children + count; child++)
        if (child->pid && message_tell(child->pair.fd, kind, number) == -EAGAIN)
            log_warn("%s %zu [%d] does not listen", child->kind->name, child->index, (int)child->pid);
}

void children_kill(const struct child *children, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (children[i].pid)
            kill(children[i].pid, SIGKILL);
}

struct child *children_find(struct child *children, size_t count, pid_t pid)
{
    for (size_t i = 0; i < count; i++)
        if (children[i].pid == pid)
            return &children[i];
    return NULL;
}

/* ---- starting ---- */

int child_start(struct child *child)
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
        const struct forked self = {
            .what = child->kind->name, .index = child->index, .master = pair[1], .master_pid = parent};
        child->kind->become(child, &self);
    }
    close(pair[1]);
    child->pid = pid;
    child->pair.fd = pair[0];
    child->ready = child->aborted = child->accepts = false;
    child->asked = 0;
    child->logs_due = 0;
    child->started = clock_monotonic();
    reactor_watch(&child->generation->master->reactor, &child->pair);
    return 0;
}

static void on_restart(struct alarm *alarm)
{
    struct child *child = container_of(alarm, struct child, restart);
    int error = child_start(child);
    if (error) {
        log_error("cannot start %s %zu: %s", child->kind->name, child->index, strerror(-error));
        reactor_arm(&child->generation->master->reactor, alarm, nsec_add(clock_monotonic(), NSEC_SEC));
        return;
    }
    child->restarts++;
    log_if(child->kind->restarts, "%s %zu is [%d] now", child->kind->name, child->index, (int)child->pid);
}

void child_plan_restart(struct child *child, bool blame)
{
    nsec now = clock_monotonic();
    bool quick = blame && now - child->started < QUICK;
    child->quick_deaths = quick ? child->quick_deaths + 1 : 0;
    nsec wait = 0;
    if (child->quick_deaths > QUICK_DEATHS) {
        unsigned doublings = child->quick_deaths - QUICK_DEATHS - 1;
        wait = doublings < 5 ? NSEC_SEC << doublings : LONGEST_WAIT;
    }
    if (wait)
        log_error("%s %zu keeps dying: the next one is started in %lld s", child->kind->name, child->index,
                  (long long)(wait / NSEC_SEC));
    reactor_arm(&child->generation->master->reactor, &child->restart, nsec_add(now, wait));
}

/* ---- what it says ---- */

static void serve_message(struct child *child, const struct message *message, int fd)
{
    struct generation *g = child->generation;
    if (message->kind == MESSAGE_FAILED) {
        snprintf(g->why, sizeof g->why, "%s", message->text);
    } else if (message->kind == MESSAGE_TAKEN) {
        child->logs_due -= child->logs_due > 0;
        master_on_log_taken(g->master);
    } else if (!child->kind->heard(child, message, fd)) {
        log_error("%s %zu [%d] says %u, which means nothing", child->kind->name, child->index, (int)child->pid,
                  message->kind);
    }
}

/* One that is gone is reaped soon: until then its end of the pair is not listened to any more. */
static void on_message(struct watch *watch, short events)
{
    struct child *child = container_of(watch, struct child, pair);
    struct message message;
    (void)events;
    int fd, got = message_receive(watch->fd, &message, &fd);
    if (got > 0)
        serve_message(child, &message, fd);
    else if (got != -EAGAIN)
        reactor_unwatch(&child->generation->master->reactor, watch);
    rights_close(&fd, 1);
}

/* ---- its end ---- */

/* Its last messages may have come with its end. Nobody waits for an answer any more; and whoever it has left its end of
 * the pair to is not listened to for ever. */
static void hear_out(struct child *child)
{
    struct message message;
    int fd;
    for (int left = LAST_WORDS; left > 0 && message_receive(child->pair.fd, &message, &fd) > 0; left--) {
        if (message.kind != MESSAGE_READY && message.kind != MESSAGE_INQUIRE)
            serve_message(child, &message, fd);
        rights_close(&fd, 1);
    }
    reactor_unwatch(&child->generation->master->reactor, &child->pair);
    close(child->pair.fd);
    child->pair.fd = -1;
}

void child_ended(struct child *child, int status)
{
    hear_out(child);
    const struct ending ending = {.pid = child->pid, .status = status, .was_ready = child->ready};
    child->pid = 0;
    child->ready = false;
    child->logs_due = 0;
    master_on_log_taken(child->generation->master);
    child->kind->ended(child, &ending);
}

bool child_is_hopeless(const struct child *child, const struct ending *ending)
{
    const struct generation *g = child->generation;
    return g->state == STARTING && !ending->was_ready && (!g->patience || WIFEXITED(ending->status));
}

void child_say_end(const struct child *child, const struct ending *ending, const char *during)
{
    const char *what = child->kind->name;
    int number = WTERMSIG(ending->status);
    if (WIFSIGNALED(ending->status))
        log_error("%s %zu [%d] was ended by signal %d (%s)%s", what, child->index, (int)ending->pid, number,
                  strsignal(number), during);
    else if (child->generation->state != DRAINING)
        log_error("%s %zu [%d] ended with status %d%s", what, child->index, (int)ending->pid,
                  WEXITSTATUS(ending->status), during);
}
