/* upgrade.c: another binary takes over from this one, usually a newer one at the same path.
 *
 * The old master starts it with its own arguments, and hands over all listening sockets (passed.h) and the control
 * socket. The new one starts workers of its own; when they serve it says so, over a socket pair whose descriptor is in
 * $TERN_UPGRADE. Then the old one tells the service manager who is the main process now, drains, and ends. If the new
 * one ends first, or is not ready in time, the old one has lost nothing and goes on.
 *
 * The pair stays open until the old master is gone: its successor starts no third one before.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "log/log.h"
#include "proc/actions.h"
#include "proc/master.h"
#include "proc/state.h"
#include "proc/version.h"
#include "proc/worker.h"

#define TIME_TO_START (30 * NSEC_SEC)

static const char variable[] = "TERN_UPGRADE"; /* "PAIR,CONTROL": two descriptors; CONTROL is -1 if there is none */

/* ---- the new one ---- */

static void on_predecessor(struct watch *watch, short events)
{
    struct master *m = container_of(watch, struct master, upgrade.predecessor);
    struct message message;
    (void)events;
    int got = message_receive(watch->fd, &message, NULL);
    if (got == -EAGAIN)
        return;
    if (got > 0 && message.kind == MESSAGE_TAKEN) {
        m->reopen.predecessor_due = false;
        master_on_log_taken(m);
        return;
    }
    if (!m->upgrade.in_charge && m->current) {
        m->upgrade.in_charge = true;
        master_take_charge(m);
    }
    if (got > 0)
        return;
    reactor_unwatch(&m->reactor, watch);
    close(watch->fd);
    watch->fd = -1;
    m->reopen.predecessor_due = false;
    master_on_log_taken(m);
    log_notice("the server before this one has ended");
    reload_try(m);
    upgrade_try(m);
}

void upgrade_on_ready(struct master *m)
{
    if (m->upgrade.predecessor.fd < 0) {
        m->upgrade.in_charge = true;
        master_take_charge(m);
        return;
    }
    struct message ready = {.kind = MESSAGE_READY};
    snprintf(ready.text, sizeof ready.text, "%s", version_line());
    if (message_send(m->upgrade.predecessor.fd, &ready, -1) < 0)
        log_warn("the server before this one does not listen");
}

static void find_predecessor(struct master *m)
{
    struct upgrade *upgrade = &m->upgrade;
    const char *value = getenv(variable);
    upgrade->predecessor = (struct watch){.fd = -1, .events = POLLIN, .ready = on_predecessor};
    upgrade->control = -1;
    list_init(&upgrade->predecessor.link);
    if (!value || sscanf(value, "%d,%d", &upgrade->predecessor.fd, &upgrade->control) != 2)
        return;
    unsetenv(variable);
    fcntl(upgrade->predecessor.fd, F_SETFD, FD_CLOEXEC);
    if (upgrade->control >= 0)
        fcntl(upgrade->control, F_SETFD, FD_CLOEXEC);
    reactor_watch(&m->reactor, &upgrade->predecessor);
}

static void report(int pair, const char *why)
{
    struct message failed = {.kind = MESSAGE_FAILED};
    snprintf(failed.text, sizeof failed.text, "%s", why);
    (void)!message_send(pair, &failed, -1); /* it learns by our end, too */
}

void upgrade_report(const struct master *m, struct str why)
{
    char text[MESSAGE_TEXT];
    snprintf(text, sizeof text, STR_FMT, STR_ARG(why));
    if (m->upgrade.predecessor.fd >= 0)
        report(m->upgrade.predecessor.fd, text);
}

void upgrade_report_failure(const char *why)
{
    const char *value = getenv(variable);
    int pair;
    if (value && sscanf(value, "%d,", &pair) == 1)
        report(pair, why);
}

bool upgrade_reopen_predecessor(struct master *m)
{
    return m->upgrade.predecessor.fd >= 0 && message_tell(m->upgrade.predecessor.fd, MESSAGE_REOPEN, 0) == 0;
}

/* ---- the old one ---- */

/* The path that this binary was started by, so that a link may point to another one by now; else where it lies, or
 * lay: it may have been replaced. */
static char *find_program(const char *name)
{
    static const struct str gone = STR_INIT(" (deleted)");
    char path[PATH_MAX];
    if (strchr(name, '/'))
        return strdup(name);
    ssize_t n = readlink("/proc/self/exe", path, sizeof path);
    if (n <= 0)
        return NULL;
    struct str found = {path, (size_t)n};
    if (str_ends(found, gone))
        found.n -= gone.n;
    return strndup(found.p, found.n);
}

static void fail(struct master *m, const char *why)
{
    struct upgrade *upgrade = &m->upgrade;
    struct str lines[1] = {str_of(why)};
    log_error("upgrade failed: %s: this server goes on", why);
    for (struct list *l; (l = list_pop_front(&upgrade->asked));)
        control_refuse(container_of(l, struct control_request, link), "refused", STR("upgrade failed"), lines, 1);
    if (upgrade->pair.fd >= 0) {
        reactor_unwatch(&m->reactor, &upgrade->pair);
        close(upgrade->pair.fd);
        upgrade->pair.fd = -1;
    }
    reactor_disarm(&upgrade->deadline);
    if (upgrade->successor > 0)
        kill(upgrade->successor, SIGKILL);
    upgrade->successor = 0;
    control_start(&m->control);
    notify_ready(&m->notify, STR("serving; the last upgrade failed"));
    reload_try(m);
}

static void on_successor_ready(struct master *m, const struct message *message)
{
    struct upgrade *upgrade = &m->upgrade;
    int error = notify_main_pid(&m->notify, upgrade->successor);
    if (error)
        log_error("the service manager does not take [%d] for the main process: %s", (int)upgrade->successor,
                  strerror(-error));
    notify_close(&m->notify);
    log_notice("upgrade: %s serves as [%d], this server drains", message->text, (int)upgrade->successor);
    snprintf(upgrade->said, sizeof upgrade->said, "%s", message->text);
    reactor_disarm(&upgrade->deadline);
    master_hand_over(m);
    if (message_tell(upgrade->pair.fd, MESSAGE_MAIN, 0) < 0)
        log_warn("upgrade: [%d] does not listen", (int)upgrade->successor);
    upgrade->heir = upgrade->successor;
    upgrade->successor = 0;
    upgrade_on_retired(m);
}

/* Whoever asked is answered when nobody gets a connection to an old worker any more. */
void upgrade_on_retired(struct master *m)
{
    struct upgrade *upgrade = &m->upgrade;
    list_each (l, next, &m->generations)
        if (generation_accepts(container_of(l, struct generation, link)))
            return;
    for (struct list *l; (l = list_pop_front(&upgrade->asked));)
        actions_upgraded(container_of(l, struct control_request, link), upgrade->heir, str_of(upgrade->said));
}

/* Before it was ready that is a failure. Its parent knows how it ended; we know what it has said. */
static void on_successor_gone(struct master *m)
{
    struct upgrade *upgrade = &m->upgrade;
    reactor_unwatch(&m->reactor, &upgrade->pair);
    if (!upgrade->successor)
        return;
    upgrade->successor = 0;
    fail(m, upgrade->said[0] ? upgrade->said : "the new binary ended without a word");
}

static void on_successor(struct watch *watch, short events)
{
    struct master *m = container_of(watch, struct master, upgrade.pair);
    struct message message;
    (void)events;
    int got = message_receive(watch->fd, &message, NULL);
    if (got > 0 && message.kind == MESSAGE_READY && m->upgrade.successor)
        on_successor_ready(m, &message);
    else if (got > 0 && message.kind == MESSAGE_REOPEN)
        reopen_for_successor(m);
    else if (got > 0 && message.kind == MESSAGE_FAILED)
        snprintf(m->upgrade.said, sizeof m->upgrade.said, "%s", message.text);
    else if (got != -EAGAIN)
        on_successor_gone(m);
}

static void on_deadline(struct alarm *alarm)
{
    fail(container_of(alarm, struct master, upgrade.deadline), "the new binary was not ready after 30 s");
}

/* In the child: the environment that the new binary is to find. */
static int tell(const struct master *m, int pair, int control)
{
    char text[32];
    snprintf(text, sizeof text, "%d,%d", pair, control);
    return setenv(variable, text, 1) < 0 ? -errno : notify_pass_on(&m->notify);
}

/* In the child. The sockets go to the first descriptors, whatever is there: the others that are needed move away. */
static _Noreturn void become_successor(struct master *m, const int *fds, const struct str *names, int count, int pair)
{
    enum { FIRST = 3 };
    sigset_t none;
    sigemptyset(&none);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGABRT, SIG_DFL);
    int control = m->control.socket.fd;
    int high_control = control < 0 ? -1 : fcntl(control, F_DUPFD, FIRST + count);
    int high_pair = fcntl(pair, F_DUPFD, FIRST + count);
    int error = tell(m, high_pair, high_control);
    if (!error)
        error = passed_on(fds, names, (size_t)count);
    if (!error) {
        sigprocmask(SIG_SETMASK, &none, NULL);
        execv(m->upgrade.program, m->upgrade.arguments);
        error = -errno;
    }
    struct message failed = {.kind = MESSAGE_FAILED};
    snprintf(failed.text, sizeof failed.text, "cannot run %.160s: %s", m->upgrade.program, strerror(-error));
    (void)!message_send(high_pair, &failed, -1);
    _exit(EXIT_FAILED);
}

/* A sibling: whoever started us is its parent, too, and learns when it ends. systemd does not wait for the end of a
 * main process that is somebody else's child, but kills it at once. The first process of a container has no siblings
 * (EINVAL), and nobody could take its place: with it the container ends. */
static pid_t fork_sibling(void)
{
    return (pid_t)syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
}

static int start_successor(struct master *m)
{
    struct upgrade *upgrade = &m->upgrade;
    struct str *names;
    int pair[2], *fds;
    int count = listeners_gather(&m->listeners, &fds, &names);
    if (count < 0)
        return count;
    int error = message_pair(pair);
    if (error)
        goto free_fds;
    upgrade->successor = fork_sibling();
    if (upgrade->successor == 0)
        become_successor(m, fds, names, count, pair[1]);
    error = upgrade->successor < 0 ? -errno : 0;
    close(pair[1]);
    if (error) {
        upgrade->successor = 0;
        close(pair[0]);
        goto free_fds;
    }
    upgrade->pair.fd = pair[0];
    reactor_watch(&m->reactor, &upgrade->pair);
    reactor_arm(&m->reactor, &upgrade->deadline, nsec_add(clock_monotonic(), TIME_TO_START));
free_fds:
    free(fds);
    free(names);
    return error;
}

/* ---- asking ---- */

int upgrade_init(struct master *m, char **arguments)
{
    struct upgrade *upgrade = &m->upgrade;
    upgrade->pair = (struct watch){.fd = -1, .events = POLLIN, .ready = on_successor};
    upgrade->deadline.ring = on_deadline;
    upgrade->arguments = arguments;
    upgrade->program = find_program(arguments[0]);
    list_init(&upgrade->pair.link);
    list_init(&upgrade->deadline.link);
    list_init(&upgrade->asked);
    find_predecessor(m);
    return upgrade->program ? 0 : -ENOMEM;
}

void upgrade_cancel(struct master *m)
{
    struct upgrade *upgrade = &m->upgrade;
    for (struct list *l; (l = list_pop_front(&upgrade->asked));)
        control_refuse(container_of(l, struct control_request, link), "refused", STR("the server is stopping"), NULL,
                       0);
    upgrade->wanted = false;
    reactor_disarm(&upgrade->deadline);
    if (upgrade->successor)
        kill(upgrade->successor, SIGTERM);
    upgrade->successor = 0;
}

void upgrade_free(struct master *m)
{
    free(m->upgrade.program);
    if (m->upgrade.pair.fd >= 0)
        close(m->upgrade.pair.fd);
    if (m->upgrade.predecessor.fd >= 0)
        close(m->upgrade.predecessor.fd);
}

void upgrade_ask(struct master *m, struct control_request *request)
{
    if (request && m->stopping)
        control_refuse(request, "refused", STR("the server is stopping"), NULL, 0);
    else if (request)
        list_push_back(&m->upgrade.asked, &request->link);
    m->upgrade.wanted = !m->stopping && !m->upgrade.successor; /* the one on its way is the answer to both */
    upgrade_try(m);
}

/* With a generation that drains, the two of the successor would be too many. */
void upgrade_try(struct master *m)
{
    struct upgrade *upgrade = &m->upgrade;
    if (!upgrade->wanted || upgrade->successor || m->reload.coming || m->stopping || !m->current)
        return;
    if (master_generations(m) > 1) {
        master_hurry(m);
        return;
    }
    upgrade->wanted = false;
    upgrade->said[0] = '\0';
    log_notice("upgrade: starting %s", upgrade->program);
    notify_reloading(&m->notify, STR("upgrading"));
    int error = start_successor(m);
    if (error)
        fail(m, error == -EINVAL ? "the first process of a container can't be replaced" : strerror(-error));
}
