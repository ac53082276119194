/* master.c: see master.h.
 *
 * One loop over poll(): signals come through a signalfd, workers speak through socket pairs. It never blocks anywhere
 * else, and holds nothing of any connection, so whatever happens to a worker costs that worker's connections only.
 */
#include "proc/master.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log/log.h"
#include "proc/actions.h"
#include "proc/inquiry.h"
#include "proc/pidfile.h"
#include "proc/privs.h"
#include "proc/state.h"
#include "proc/ticket_keys.h"
#include "proc/watchdog.h"
#include "proc/worker.h"

/* ---- what it knows ---- */

size_t master_generations(const struct master *m)
{
    size_t count = m->upgrade.predecessor.fd >= 0;
    list_each (l, next, &m->generations)
        count++;
    return count;
}

uint64_t master_connections(const struct master *m)
{
    uint64_t connections = 0;
    list_each (l, next, &m->generations)
        connections += generation_connections(container_of(l, struct generation, link));
    return connections;
}

void master_hurry(const struct master *m)
{
    struct generation *oldest = container_of(m->generations.prev, struct generation, link);
    if (oldest->state == DRAINING)
        generation_tell(oldest, MESSAGE_HURRY, 0);
    log_notice("%zu generations are alive: what was asked waits for one of them to end", master_generations(m));
}

static void retire_all(struct master *m, enum message_kind how)
{
    list_each (l, next, &m->generations)
        generation_retire(container_of(l, struct generation, link), how);
}

/* ---- being in charge ---- */

static int use_pid_file(const struct master *m, int (*use)(const char *path))
{
    int error = m->options->pid_file ? use(m->options->pid_file) : 0;
    const char *why = error == -EEXIST ? "there is a file that is none" : strerror(-error);
    if (!error)
        return 0;
    log_error("cannot write the pid file %s: %s", m->options->pid_file, why);
    if (log_fd() >= 0)
        fprintf(stderr, "tern: cannot write the pid file %s: %s\n", m->options->pid_file, why);
    return error;
}

void master_take_charge(struct master *m)
{
    (void)!use_pid_file(m, pidfile_write); /* a server that serves does not end for it */
    listeners_own_files(&m->listeners);
    control_start(&m->control);
    notify_ready(&m->notify, STR("serving"));
}

/* All generations drain; no notice of that is given to anybody, since the service goes on. */
void master_hand_over(struct master *m)
{
    m->stopping = m->handed_over = true;
    listeners_keep_files(&m->listeners);
    control_stop(&m->control);
    reload_refuse_all(m, "another server has taken over");
    retire_all(m, MESSAGE_RETIRE);
}

/* ---- stopping ---- */

static nsec time_to_stop(const struct master *m)
{
    nsec longest = 0;
    list_each (l, next, &m->generations) {
        nsec time = container_of(l, struct generation, link)->config->http.timeouts.shutdown;
        longest = time > longest ? time : longest;
    }
    return longest;
}

void master_stop(struct master *m, const char *why)
{
    nsec time = time_to_stop(m);
    if (m->stopping)
        return;
    m->stopping = true;
    m->stop_at = nsec_add(clock_monotonic(), time);
    if (!list_empty(&m->generations))
        log_notice("stopping, %s: requests have %lld s to end", why, (long long)(time / NSEC_SEC));
    notify_stopping(&m->notify, STR("draining"));
    notify_extend(&m->notify, nsec_add(time, 10 * NSEC_SEC));
    reload_refuse_all(m, "the server is stopping");
    upgrade_cancel(m);
    retire_all(m, MESSAGE_STOP);
}

static void cut(struct master *m, const char *why)
{
    if (m->cutting)
        return;
    m->cutting = true;
    if (m->current)
        log_notice("stopping at once, %s", why);
    retire_all(m, MESSAGE_CUT);
}

void master_on_cut(struct master *m)
{
    if (m->stopping && m->status == EXIT_FINE)
        m->status = EXIT_CUT;
}

/* ---- signals ---- */

static void reap(struct master *m)
{
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        bool ours = false;
        list_each (l, next, &m->generations)
            if (!ours)
                ours = generation_reap(container_of(l, struct generation, link), pid, status);
    }
}

static void on_children(struct master *m, const char *name)
{
    (void)name;
    reap(m);
}

static void on_quit(struct master *m, const char *name)
{
    master_stop(m, name);
}

/* The second one is for who can't wait; one that follows another way to stop is the first. */
static void on_stop(struct master *m, const char *name)
{
    master_stop(m, name);
    if (++m->terms > 1)
        cut(m, name);
}

static void on_reload(struct master *m, const char *name)
{
    (void)name;
    reload_ask(m, NULL);
}

static void on_reopen(struct master *m, const char *name)
{
    (void)name;
    reopen_logs(m, NULL);
}

static void on_upgrade(struct master *m, const char *name)
{
    (void)name;
    upgrade_ask(m, NULL);
}

static const struct {
    int number;
    const char *name;
    void (*serve)(struct master *m, const char *name);
} signals[] = {
    {SIGTERM, "told by SIGTERM", on_stop}, {SIGINT, "told by SIGINT", on_stop}, {SIGQUIT, "told by SIGQUIT", on_quit},
    {SIGCHLD, "SIGCHLD", on_children},     {SIGHUP, "SIGHUP", on_reload},       {SIGUSR1, "SIGUSR1", on_reopen},
    {SIGUSR2, "SIGUSR2", on_upgrade},
};

enum { SIGNALS = sizeof signals / sizeof *signals };

/* Who sends a signal to a server that has handed over means its successor; but to stop is for each of them. */
static bool pass_on(const struct master *m, const struct signalfd_siginfo *info)
{
    bool meant = info->ssi_signo == SIGHUP || info->ssi_signo == SIGUSR1 || info->ssi_signo == SIGUSR2;
    return meant && m->upgrade.heir && kill(m->upgrade.heir, (int)info->ssi_signo) == 0;
}

static void on_signals(struct watch *watch, short events)
{
    struct master *m = container_of(watch, struct master, signals);
    struct signalfd_siginfo info;
    (void)events;
    while (read(watch->fd, &info, sizeof info) == sizeof info)
        for (size_t i = 0; i < SIGNALS; i++)
            if (signals[i].number == (int)info.ssi_signo && !pass_on(m, &info))
                signals[i].serve(m, signals[i].name);
}

static struct master *aborted;

/* From the service manager's watchdog, most likely because our loop is stuck: so it is served at once, whatever the
 * loop does. Workers say what their green threads do before they die, too. */
static void on_abort(int number)
{
    list_each (l, next, &aborted->generations) {
        const struct generation *g = container_of(l, struct generation, link);
        for (size_t i = 0; i < g->count; i++)
            if (g->children[i].pid)
                kill(g->children[i].pid, SIGABRT);
    }
    signal(number, SIG_DFL);
    raise(number);
}

static int open_signals(struct master *m)
{
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < SIGNALS; i++)
        sigaddset(&set, signals[i].number);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGCHLD, SIG_DFL); /* who starts us may ignore it: then nobody would tell how a worker has ended */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a log that is larger than it may be is like a full disk */
    signal(SIGWINCH, SIG_IGN);
    aborted = m;
    signal(SIGABRT, on_abort);
    m->signals =
        (struct watch){.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), .events = POLLIN, .ready = on_signals};
    list_init(&m->signals.link);
    if (m->signals.fd < 0)
        return -errno;
    reactor_watch(&m->reactor, &m->signals);
    return 0;
}

/* ---- the whole ---- */

static int init(struct master *m, const struct config_options *options, char **arguments)
{
    *m = (struct master){.options = options, .signals.fd = -1, .status = EXIT_FAILED, .started = clock_monotonic()};
    list_init(&m->generations);
    reactor_init(&m->reactor);
    listeners_init(&m->listeners);
    control_init(&m->control, &m->reactor);
    reload_init(m);
    reopen_init(m);
    watchdog_init(m);
    inquiry_init(m);
    ticket_keys_init(m);
    notify_open(&m->notify);
    m->descriptors = privs_raise_descriptors();
    int error = upgrade_init(m, arguments);
    if (!error)
        error = passed_read(&m->listeners.passed, m->upgrade.predecessor.fd >= 0);
    return error ? error : open_signals(m);
}

static int open_control(struct master *m, const struct config *config)
{
    char *text = NULL;
    size_t size;
    FILE *errors = open_memstream(&text, &size);
    if (!errors)
        return -ENOMEM;
    int error = actions_open(m, config, m->upgrade.control, errors);
    fclose(errors);
    if (error) {
        struct str why = {text, strcspn(text, "\n")};
        log_error(STR_FMT, STR_ARG(why));
        if (log_fd() >= 0)
            fprintf(stderr, "tern: " STR_FMT "\n", STR_ARG(why));
        upgrade_report(m, why);
    }
    free(text);
    return error;
}

static void supervise(struct master *m)
{
    while (!m->stopping || !list_empty(&m->generations)) {
        int error = reactor_turn(&m->reactor);
        if (error && error != -EINTR) {
            log_limited(LOG_LEVEL_ERROR, "the master cannot wait: %s", strerror(-error));
            nanosleep(&(struct timespec){.tv_nsec = 100 * NSEC_MS}, NULL);
        }
    }
    if (m->cut)
        log_warn("stopped; requests cut: %llu", (unsigned long long)m->cut);
    else if (m->status != EXIT_FAILED)
        log_notice("stopped");
}

static void clean_up(struct master *m)
{
    list_each (l, next, &m->generations)
        generation_free(container_of(l, struct generation, link));
    control_close(&m->control, !m->handed_over);
    inquiry_free(m);
    if (m->options->pid_file && m->upgrade.in_charge && !m->handed_over)
        pidfile_remove(m->options->pid_file);
    passed_close(&m->listeners.passed);
    upgrade_free(m);
    reload_free(m);
    notify_close(&m->notify);
    ticket_keys_free();
    if (m->signals.fd >= 0)
        close(m->signals.fd);
    reactor_free(&m->reactor);
}

int master_run(const struct config_options *options, struct config *config, char **arguments)
{
    struct master m;
    int error = init(&m, options, arguments);
    if (error)
        log_error("cannot start: %s", strerror(-error));
    if (!error)
        error = open_control(&m, config);
    if (!error && m.upgrade.predecessor.fd < 0)
        error = use_pid_file(&m, pidfile_try);
    if (error) {
        config_free(config);
    } else if (reload_start(&m, config) == 0) {
        m.status = m.status == EXIT_FAILED && m.stopping ? EXIT_FAILED : EXIT_FINE;
        supervise(&m);
    }
    clean_up(&m);
    return m.status;
}
