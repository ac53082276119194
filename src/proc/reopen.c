/* reopen.c: the logs, opened anew after a rotation.
 *
 * The master opens them, since workers may not be allowed to, and hands the descriptors over; a worker puts one in the
 * place of the old one in a single step, and so does a compute process with the error log. Who has asked is answered
 * when all of them have confirmed: from then on the old files are complete.
 */
#include <errno.h>

#include "log/log.h"
#include "proc/actions.h"
#include "proc/state.h"

enum { MESSAGES = 4 }; /* to who has asked */

void reopen_init(struct master *m)
{
    list_init(&m->reopen.asked);
}

/* A worker that has closed its end of the pair has written its last line; it is reaped soon. */
static bool is_gone(int error)
{
    return error == -EPIPE || error == -ECONNRESET;
}

/* 0, or -errno when one goes on with the old file. */
static int hand_over(struct child *children, size_t count, enum message_kind kind, int fd)
{
    int failed = 0;
    struct message message = {.kind = kind};
    for (struct child *child = children; child < children + count; child++) {
        if (!child->pid)
            continue;
        int error = message_send(child->pair.fd, &message, fd);
        if (is_gone(error))
            continue;
        if (!error)
            child->logs_due++;
        else
            log_error("%s %zu [%d] cannot be handed a log: %s", child->kind->name, child->index, (int)child->pid,
                      strerror(-error));
        failed = failed ? failed : error;
    }
    return failed;
}

static int reopen_error_log(struct master *m)
{
    int error = log_reopen();
    if (error || log_fd() < 0)
        return error;
    m->reopen.logs++;
    list_each (l, next, &m->generations) {
        struct generation *g = container_of(l, struct generation, link);
        int failed = hand_over(g->children, g->count, MESSAGE_ERROR_LOG, log_fd());
        error = error ? error : failed;
        failed = hand_over(g->crew.children, g->crew.count, MESSAGE_ERROR_LOG, log_fd());
        error = error ? error : failed;
    }
    return error;
}

static int reopen_access_log(struct master *m, struct generation *g)
{
    struct access_log *log = g->config->http.access;
    int error = log ? access_reopen(log) : 0;
    if (error || !log)
        return error;
    m->reopen.logs++;
    return hand_over(g->children, g->count, MESSAGE_ACCESS_LOG, access_fd(log));
}

/* What has failed, for who has asked. */
struct failures {
    struct str lines[MESSAGES];
    size_t count;
    char text[MESSAGES][256];
};

static void complain(struct failures *failures, struct str path, int error)
{
    log_error("cannot reopen the log " STR_FMT ": %s; what can't be switched goes on in the old file", STR_ARG(path),
              strerror(-error));
    if (failures->count == MESSAGES)
        return;
    struct out o = out_on(failures->text[failures->count], sizeof failures->text[0]);
    out_put(&o, path);
    out_text(&o, ": ");
    out_put(&o, str_of(strerror(-error)));
    failures->lines[failures->count++] = out_str(&o);
}

static bool owe_logs(const struct child *children, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (children[i].logs_due)
            return true;
    return false;
}

static bool is_due(const struct master *m)
{
    list_each (l, next, &m->generations) {
        const struct generation *g = container_of(l, struct generation, link);
        if (owe_logs(g->children, g->count) || owe_logs(g->crew.children, g->crew.count))
            return true;
    }
    return false;
}

void master_on_log_taken(struct master *m)
{
    if (is_due(m) || m->reopen.predecessor_due)
        return;
    if (m->reopen.busy)
        log_notice("logs reopened: %u", m->reopen.logs);
    m->reopen.busy = false;
    if (m->reopen.successor_waits) {
        m->reopen.successor_waits = false;
        (void)!message_tell(m->upgrade.pair.fd, MESSAGE_TAKEN, 0); /* else it learns by our end */
    }
    for (struct list *l; (l = list_pop_front(&m->reopen.asked));)
        actions_reopened(container_of(l, struct control_request, link), m->reopen.logs);
}

void reopen_logs(struct master *m, struct control_request *request)
{
    struct failures failures = {.count = 0};
    const struct generation *newest = container_of(m->generations.next, struct generation, link);
    m->reopen.logs = 0;
    int error = reopen_error_log(m);
    if (error)
        complain(&failures, newest->config->log.error, error);
    list_each (l, next, &m->generations) {
        struct generation *g = container_of(l, struct generation, link);
        error = reopen_access_log(m, g);
        if (error)
            complain(&failures, g->config->log.access, error);
    }
    m->reopen.predecessor_due = upgrade_reopen_predecessor(m);
    m->reopen.busy = true;
    if (request && failures.count)
        control_refuse(request, "failed", STR("not all logs could be opened"), failures.lines, failures.count);
    else if (request)
        list_push_back(&m->reopen.asked, &request->link);
    master_on_log_taken(m);
}

void reopen_for_successor(struct master *m)
{
    m->reopen.successor_waits = true;
    reopen_logs(m, NULL);
}
