/* ask.c: see ask.h. */
#include "proc/ask.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ctl/protocol.h"
#include "ctl/verb.h"
#include "log/log.h"
#include "proc/actions.h"

struct ask {
    struct list link; /* in master.inquiries.asks */
    struct master *master;
    struct control_request request;
    pid_t pid;
    uint32_t number;
    char line[MESSAGE_LINE];
};

static void drop(struct ask *ask)
{
    list_unlink(&ask->request.link);
    list_unlink(&ask->link);
    free(ask);
}

/* ---- answering ---- */

/* A file in memory takes what it is given, or there is no room for it. A descriptor or -errno. */
static int make_file(struct str text)
{
    int fd = memfd_create("tern answer", MFD_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (write(fd, text.p, text.n) == (ssize_t)text.n && lseek(fd, 0, SEEK_SET) == 0)
        return fd;
    close(fd);
    return -ENOSPC;
}

static const struct child *find_worker(const struct master *m, pid_t pid)
{
    const struct child *child = NULL;
    list_each (l, next, &m->generations) {
        const struct generation *g = container_of(l, struct generation, link);
        if (!child)
            child = children_find(g->children, g->count, pid);
    }
    return child;
}

/* Without a descriptor a worker knows that there is no answer. */
static void send_answer(const struct master *m, pid_t pid, uint32_t number, struct str json)
{
    const struct child *child = find_worker(m, pid);
    int fd = make_file(json);
    const struct message message = {.kind = MESSAGE_REPORT, .number = number};
    if (child && message_send(child->pair.fd, &message, fd < 0 ? -1 : fd) < 0)
        log_limited(LOG_LEVEL_WARN, "worker %zu [%d] does not take the answer that it has asked for", child->index,
                    (int)pid);
    if (fd >= 0)
        close(fd);
}

static void take_answer(struct control_request *request, struct str json)
{
    struct ask *ask = container_of(request, struct ask, request);
    send_answer(ask->master, ask->pid, ask->number, json);
    drop(ask);
}

/* ---- asking ---- */

static size_t count_of(const struct master *m, pid_t pid)
{
    size_t count = 0;
    list_each (l, next, &m->inquiries.asks)
        count += container_of(l, struct ask, link)->pid == pid;
    return count;
}

static void run(struct ask *ask)
{
    struct str rest = str_trim(str_of(ask->line));
    const struct verb *verb = verb_find(str_cut(&rest, ' '));
    if (verb && !verb->looks)
        control_refuse(&ask->request, CTL_CODE_REFUSED, STR("a worker may only look"), NULL, 0);
    else
        actions_run(ask->master, &ask->request, str_of(ask->line));
}

/* Where the worker has given up meanwhile, nobody waits for an answer. */
void ask_hear(const struct child *child, const struct message *message)
{
    struct master *m = child->generation->master;
    if (clock_monotonic() >= message->question.until)
        return;
    struct ask *ask = count_of(m, child->pid) < ASKS ? malloc(sizeof *ask) : NULL;
    if (!ask) {
        const struct message none = {.kind = MESSAGE_REPORT, .number = message->number};
        (void)!message_send(child->pair.fd, &none, -1); /* it gives up waiting at its own deadline */
        return;
    }
    *ask = (struct ask){.master = m, .request.answer = take_answer, .pid = child->pid, .number = message->number};
    memcpy(ask->line, message->question.line, sizeof ask->line);
    list_init(&ask->request.link);
    list_push_back(&m->inquiries.asks, &ask->link);
    run(ask);
}

void ask_forget(struct master *m, pid_t pid)
{
    list_each (l, next, &m->inquiries.asks) {
        struct ask *ask = container_of(l, struct ask, link);
        if (ask->pid == pid)
            drop(ask);
    }
}
