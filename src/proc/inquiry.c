/* inquiry.c: see inquiry.h. */
#include "proc/inquiry.h"

#include <errno.h>
#include <stdlib.h>

#include "ctl/protocol.h"
#include "log/log.h"

static void end(struct inquiry *inquiry)
{
    list_unlink(&inquiry->link);
    reactor_disarm(&inquiry->deadline);
    for (size_t i = 0; i < inquiry->count; i++)
        report_free(&inquiry->replies[i].report);
    free(inquiry->replies);
    free(inquiry);
}

static void finish(struct inquiry *inquiry)
{
    struct list *l = list_pop_front(&inquiry->asked);
    if (l)
        inquiry->done(inquiry, container_of(l, struct control_request, link));
    end(inquiry);
}

/* The inquiry may be gone afterwards. */
static void settle(struct inquiry *inquiry, struct inquiry_reply *reply, enum inquiry_reply_state state)
{
    reply->state = state;
    if (--inquiry->due == 0)
        finish(inquiry);
}

static void on_deadline(struct alarm *alarm)
{
    struct inquiry *inquiry = container_of(alarm, struct inquiry, deadline);
    for (size_t i = 0; i < inquiry->count; i++)
        if (inquiry->replies[i].state == INQUIRY_DUE)
            inquiry->replies[i].state = INQUIRY_SILENT;
    finish(inquiry);
}

/* ---- asking ---- */

static bool is_meant(const struct inquiry_plan *plan, const struct child *child)
{
    if (!child->pid || !child->ready)
        return false;
    return plan->pid ? child->pid == plan->pid : !plan->draining || child->generation->state == DRAINING;
}

static size_t count_workers(const struct master *m)
{
    size_t count = 0;
    list_each (l, next, &m->generations)
        count += container_of(l, struct generation, link)->count;
    return count;
}

static void ask(struct inquiry *inquiry, const struct message *message, const struct child *child)
{
    struct inquiry_reply *reply = &inquiry->replies[inquiry->count++];
    bool sent = message_send(child->pair.fd, message, -1) == 0;
    *reply = (struct inquiry_reply){.state = sent ? INQUIRY_DUE : INQUIRY_SILENT,
                                    .pid = child->pid,
                                    .worker = child->index,
                                    .generation = child->generation->number};
    inquiry->due += sent;
}

static void ask_all(struct inquiry *inquiry, const struct inquiry_plan *plan)
{
    struct message message = {
        .kind = MESSAGE_INQUIRE, .number = inquiry->number, .question.until = inquiry->deadline.at - INQUIRY_MARGIN};
    memcpy(message.question.line, plan->line.p, plan->line.n);
    list_each (l, next, &inquiry->master->generations) {
        const struct generation *g = container_of(l, struct generation, link);
        for (size_t i = 0; i < g->count; i++)
            if (is_meant(plan, &g->children[i]))
                ask(inquiry, &message, &g->children[i]);
    }
}

static struct inquiry *make(struct master *m, inquiry_done *done)
{
    struct inquiry *inquiry = malloc(sizeof *inquiry);
    if (!inquiry)
        return NULL;
    *inquiry = (struct inquiry){.master = m,
                                .deadline = {.ring = on_deadline, .at = nsec_add(clock_monotonic(), INQUIRY_PATIENCE)},
                                .number = ++m->inquiries.last,
                                .done = done,
                                .replies = calloc(count_workers(m) + 1, sizeof *inquiry->replies)};
    list_init(&inquiry->link);
    list_init(&inquiry->asked);
    list_init(&inquiry->deadline.link);
    if (inquiry->replies)
        return inquiry;
    free(inquiry);
    return NULL;
}

void inquiry_start(struct master *m, struct control_request *request, const struct inquiry_plan *plan)
{
    if (plan->line.n >= MESSAGE_LINE) {
        control_refuse(request, CTL_CODE_USAGE, STR("the request is too long"), NULL, 0);
        return;
    }
    struct inquiry *inquiry = make(m, plan->done);
    if (!inquiry) {
        control_refuse(request, CTL_CODE_FAILED, STR("the server is out of memory"), NULL, 0);
        return;
    }
    list_push_back(&m->inquiries.all, &inquiry->link);
    list_push_back(&inquiry->asked, &request->link);
    ask_all(inquiry, plan);
    if (inquiry->due)
        reactor_arm(&m->reactor, &inquiry->deadline, inquiry->deadline.at);
    else
        finish(inquiry);
}

/* ---- what comes ---- */

static struct inquiry_reply *find_due(const struct inquiry *inquiry, pid_t pid)
{
    for (size_t i = 0; i < inquiry->count; i++)
        if (inquiry->replies[i].pid == pid && inquiry->replies[i].state == INQUIRY_DUE)
            return &inquiry->replies[i];
    return NULL;
}

/* Whether a reply has a report now. */
static bool read_report(struct inquiry_reply *reply, int fd)
{
    int error = fd >= 0 ? report_read(&reply->report, fd) : -ENODATA;
    if (error)
        log_limited(LOG_LEVEL_WARN, "worker %zu [%d] could not report on its green threads: %s", reply->worker,
                    (int)reply->pid, error == -ENODATA ? "it has no room for that" : strerror(-error));
    return !error;
}

/* One that comes too late is not there to be waited for any more. */
void inquiry_hear(const struct child *child, const struct message *message, int fd)
{
    list_each (l, next, &child->generation->master->inquiries.all) {
        struct inquiry *inquiry = container_of(l, struct inquiry, link);
        struct inquiry_reply *reply = inquiry->number == message->number ? find_due(inquiry, child->pid) : NULL;
        if (reply)
            settle(inquiry, reply, read_report(reply, fd) ? INQUIRY_ANSWERED : INQUIRY_SILENT);
    }
}

void inquiry_miss(struct master *m, pid_t pid)
{
    list_each (l, next, &m->inquiries.all) {
        struct inquiry *inquiry = container_of(l, struct inquiry, link);
        struct inquiry_reply *reply = find_due(inquiry, pid);
        if (reply)
            settle(inquiry, reply, INQUIRY_GONE);
    }
}

/* ---- the whole ---- */

void inquiry_init(struct master *m)
{
    list_init(&m->inquiries.all);
    list_init(&m->inquiries.asks);
}

void inquiry_free(struct master *m)
{
    list_each (l, next, &m->inquiries.all)
        end(container_of(l, struct inquiry, link));
}
