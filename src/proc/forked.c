/* forked.c: see forked.h. */
#include "proc/forked.h"

#include <signal.h>
#include <unistd.h>

#include "log/log.h"
#include "proc/orphan.h"
#include "proc/privs.h"
#include "proc/state.h"
#include "proc/worker.h"

#define STUCK_TIME (5 * NSEC_SEC) /* beyond the deadline of a drain, for one whose master is gone */

void forked_leave_master(struct master *m, const struct generation *own, const int *kept, size_t count)
{
    listeners_close_but(&m->listeners, kept, count);
    notify_close(&m->notify);
    reactor_abandon(&m->reactor);
    list_each (l, next, &m->generations) {
        struct generation *other = container_of(l, struct generation, link);
        if (other == own)
            continue;
        crew_leave(&other->crew, CREW_ENDS);
        access_close(other->config->http.access);
        config_free(other->config);
    }
}

/* The master decides when we stop: what a terminal or a service manager sends to the whole group is for it. */
static void leave_signals_to_master(void)
{
    static const int ignored[] = {SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE, SIGWINCH, SIGXFSZ};
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
        signal(ignored[i], SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
    signal(SIGABRT, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

int forked_fail(const struct forked *self, const char *what, const char *why)
{
    struct message message = {.kind = MESSAGE_FAILED};
    snprintf(message.text, sizeof message.text, "%s %zu cannot %s: %s", self->what, self->index, what, why);
    log_error("%s", message.text);
    (void)!message_send(self->master, &message, -1);
    return EXIT_FAILED;
}

static int drop_privileges(const struct forked *self, const struct config *config)
{
    char what[160];
    privs_volunteer_for_oom();
    int error = privs_drop(config->user, config->group);
    snprintf(what, sizeof what, "become user '" STR_FMT "' and group '" STR_FMT "'", STR_ARG(config->user),
             STR_ARG(config->group));
    return error ? forked_fail(self, what, strerror(-error)) : 0;
}

int forked_become(const struct forked *self, const struct config *config)
{
    leave_signals_to_master();
    int status = drop_privileges(self, config);
    if (status)
        return status;
    int error = orphan_watch(self->master_pid, nsec_add(config->http.timeouts.shutdown, STUCK_TIME));
    if (error)
        log_warn("%s %zu would not notice, when stuck, that its master is gone: %s", self->what, self->index,
                 strerror(-error));
    return 0;
}

void forked_take_log(int master, struct access_log *access, const struct message *message, int fd)
{
    if (fd < 0)
        return;
    if (message->kind == MESSAGE_ACCESS_LOG && access)
        access_take(access, fd);
    else if (message->kind != MESSAGE_ERROR_LOG || log_take(fd) < 0)
        close(fd);
    (void)!message_tell(master, MESSAGE_TAKEN, 0); /* if it is not there to hear, we end soon */
}
