/* consult.c: see consult.h. */
#include "proc/consult.h"

#include <errno.h>
#include <unistd.h>

#include "green/sync.h"

/* Who waits for an answer, on its stack. */
struct waiter {
    struct list link;
    uint32_t number;
    struct green_cond answered;
    bool done;
    int fd;
};

static struct {
    int master;
    uint32_t last;
    struct list waiters;
} consultation = {.waiters = LIST_INIT(consultation.waiters)};

void consult_begin(int master)
{
    consultation.master = master;
    consultation.last = 0;
    list_init(&consultation.waiters);
}

static int ask(struct str line, nsec deadline)
{
    struct message message = {.kind = MESSAGE_INQUIRE, .number = ++consultation.last, .question.until = deadline};
    if (line.n >= sizeof message.question.line)
        return -EMSGSIZE;
    memcpy(message.question.line, line.p, line.n);
    return message_send(consultation.master, &message, -1);
}

int consult(struct str line, nsec deadline)
{
    struct waiter waiter = {.fd = -1};
    int error = ask(line, deadline);
    if (error)
        return error;
    waiter.number = consultation.last;
    green_cond_init(&waiter.answered);
    list_push_back(&consultation.waiters, &waiter.link);
    while (!waiter.done && !error)
        error = green_cond_wait(&waiter.answered, NULL, deadline);
    list_unlink(&waiter.link);
    if (!waiter.done)
        return error;
    return waiter.fd >= 0 ? waiter.fd : -ENODATA;
}

/* One that has given up meanwhile is not there any more. */
void consult_serve(const struct message *message, int fd)
{
    list_each (l, next, &consultation.waiters) {
        struct waiter *waiter = container_of(l, struct waiter, link);
        if (waiter->number != message->number || waiter->done)
            continue;
        waiter->done = true;
        waiter->fd = fd;
        fd = -1;
        green_cond_signal(&waiter->answered);
    }
    if (fd >= 0)
        close(fd);
}
