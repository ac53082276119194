/* master.c: see master.h.
 *
 * One loop over poll(): signals come through a signalfd, workers speak through socket pairs. It never blocks anywhere
 * else, and holds nothing of any connection, so whatever happens to a worker costs that worker's connections only.
 */
#include "proc/master.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log/log.h"
#include "proc/privs.h"
#include "proc/worker.h"

enum { QUICK_DEATHS = 5 }; /* in a row, before the next worker has to wait */
#define QUICK NSEC_SEC
#define LONGEST_WAIT (30 * NSEC_SEC)
#define STUCK (5 * NSEC_SEC)    /* beyond its deadline, and a worker that drains is killed */
#define CUT_TIME (3 * NSEC_SEC) /* to end at once in an orderly way */

struct child {
    pid_t pid; /* 0: not running */
    int pair;  /* our end; -1 */
    bool ready;
    nsec started, start_at; /* when it was, and when it may be again */
    unsigned quick_deaths;
};

struct master {
    struct config *config;
    struct sockets sockets;
    struct child *children;
    struct pollfd *polled;
    size_t count, descriptors, running;
    int signals;
    bool announced; /* every worker was ready once */
    bool stopping, cutting;
    nsec kill_at; /* while stopping */
    int status;   /* to exit with */
};

/* ---- workers ---- */

/* In the child: what belongs to the master, and the ends of other workers' pairs, must not stay open: a worker tells by
 * the end of its own pair that the master is gone. */
static _Noreturn void become_worker(struct master *m, size_t index, int pair)
{
    close(m->signals);
    for (size_t i = 0; i < m->count; i++)
        if (m->children[i].pair >= 0)
            close(m->children[i].pair);
    struct worker worker = {m->config, &m->sockets, index, pair, m->descriptors};
    int status = worker_run(&worker);
    close(pair);
    free(m->children);
    free(m->polled);
    free(m->sockets.fds);
    access_close(m->config->http.access);
    config_free(m->config);
    exit(status);
}

static int start(struct master *m, size_t index)
{
    struct child *child = &m->children[index];
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
        return -errno;
    pid_t pid = fork();
    if (pid < 0) {
        int error = -errno;
        close(pair[0]);
        close(pair[1]);
        return error;
    }
    if (pid == 0) {
        close(pair[0]);
        become_worker(m, index, pair[1]);
    }
    close(pair[1]);
    child->pid = pid;
    child->pair = pair[0];
    child->ready = false;
    child->started = clock_monotonic();
    m->running++;
    return 0;
}

/* When a worker that died may be started again: at once, unless it keeps dying young. */
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
    child->start_at = now + wait;
}

static void start_due(struct master *m)
{
    for (size_t i = 0; i < m->count && !m->stopping; i++) {
        struct child *child = &m->children[i];
        if (child->pid || child->start_at > clock_monotonic())
            continue;
        int error = start(m, i);
        if (!error && m->announced)
            log_notice("worker %zu is [%d] now", i, (int)child->pid);
        if (error) {
            log_error("cannot start worker %zu: %s", i, strerror(-error));
            child->start_at = clock_monotonic() + NSEC_SEC;
        }
    }
}

/* ---- stopping ---- */

static void tell_all(struct master *m, char message)
{
    for (size_t i = 0; i < m->count; i++)
        if (m->children[i].pair >= 0)
            (void)!send(m->children[i].pair, &message, 1, MSG_NOSIGNAL); /* a dead one is reaped soon */
}

static void stop(struct master *m)
{
    nsec now = clock_monotonic();
    if (!m->stopping) {
        if (m->announced)
            log_notice("stopping: requests have %lld s to end",
                       (long long)(m->config->http.timeouts.shutdown / NSEC_SEC));
        m->kill_at = nsec_add(now, m->config->http.timeouts.shutdown + STUCK);
        tell_all(m, WORKER_DRAIN);
    } else if (!m->cutting) {
        if (m->announced)
            log_notice("stopping at once");
        m->cutting = true;
        m->kill_at = now + CUT_TIME;
        tell_all(m, WORKER_CUT);
    }
    m->stopping = true;
}

static void kill_stuck(struct master *m)
{
    if (!m->stopping || clock_monotonic() < m->kill_at)
        return;
    for (size_t i = 0; i < m->count; i++)
        if (m->children[i].pid)
            kill(m->children[i].pid, SIGKILL);
    m->kill_at = NSEC_NEVER;
}

/* ---- events ---- */

static void say_how(const struct master *m, size_t index, int status)
{
    pid_t pid = m->children[index].pid;
    if (WIFSIGNALED(status))
        log_error("worker %zu [%d] was ended by signal %d (%s)", index, (int)pid, WTERMSIG(status),
                  strsignal(WTERMSIG(status)));
    else if (!m->stopping)
        log_error("worker %zu [%d] ended with status %d", index, (int)pid, WEXITSTATUS(status));
}

static void on_exit_of(struct master *m, size_t index, int status)
{
    struct child *child = &m->children[index];
    say_how(m, index, status);
    close(child->pair);
    child->pair = -1;
    child->pid = 0;
    m->running--;
    if (!m->announced && !child->ready && WIFEXITED(status)) {
        /* It could not even start, and neither will the next one. */
        m->status = EXIT_FAILED;
        if (!m->stopping)
            stop(m);
    } else if (m->stopping) {
        if (m->status == EXIT_FINE && (!WIFEXITED(status) || WEXITSTATUS(status) != EXIT_FINE))
            m->status = EXIT_CUT;
    } else {
        plan_restart(child);
    }
}

static void reap(struct master *m)
{
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
        for (size_t i = 0; i < m->count; i++)
            if (m->children[i].pid == pid)
                on_exit_of(m, i, status);
}

static void on_signals(struct master *m)
{
    struct signalfd_siginfo info;
    while (read(m->signals, &info, sizeof info) == sizeof info)
        switch (info.ssi_signo) {
        case SIGCHLD:
            reap(m);
            break;
        case SIGTERM:
        case SIGINT:
        case SIGQUIT:
            stop(m);
            break;
        default:
            log_warn("signal %u (%s) means nothing to this version", info.ssi_signo, strsignal((int)info.ssi_signo));
        }
}

static void announce(struct master *m)
{
    m->announced = true;
    for (size_t i = 0; i < m->config->listen_count; i++) {
        const struct listen *listen = &m->config->listen[i];
        const char *scheme = addr_is_unix(&listen->addr) ? "" : "http://";
        log_notice("serving %s" STR_FMT "%s with %zu worker%s", scheme, STR_ARG(listen->text), *scheme ? "/" : "",
                   m->count, m->count == 1 ? "" : "s");
    }
}

static void on_message(struct master *m, struct child *child)
{
    char message;
    if (read(child->pair, &message, 1) != 1 || message != WORKER_READY)
        return; /* its end: it is reaped soon */
    child->ready = true;
    size_t ready = 0;
    for (size_t i = 0; i < m->count; i++)
        ready += m->children[i].ready;
    if (ready == m->count && !m->announced)
        announce(m);
}

/* Milliseconds until something is due; -1: nothing is. */
static int next_due(const struct master *m)
{
    nsec next = m->stopping ? m->kill_at : NSEC_NEVER;
    for (size_t i = 0; i < m->count && !m->stopping; i++)
        if (!m->children[i].pid && m->children[i].start_at < next)
            next = m->children[i].start_at;
    if (next == NSEC_NEVER)
        return -1;
    nsec left = next - clock_monotonic();
    return left <= 0 ? 0 : left > LONGEST_WAIT ? (int)(LONGEST_WAIT / NSEC_MS) : (int)(left / NSEC_MS) + 1;
}

/* A worker that has gone keeps its end readable until it is reaped: only those not ready yet are listened to. */
static void wait_for_events(struct master *m)
{
    m->polled[m->count] = (struct pollfd){.fd = m->signals, .events = POLLIN};
    for (size_t i = 0; i < m->count; i++)
        m->polled[i] = (struct pollfd){.fd = m->children[i].ready ? -1 : m->children[i].pair, .events = POLLIN};
    if (poll(m->polled, m->count + 1, next_due(m)) <= 0)
        return;
    for (size_t i = 0; i < m->count; i++)
        if (m->polled[i].revents)
            on_message(m, &m->children[i]);
    if (m->polled[m->count].revents)
        on_signals(m);
}

/* ---- the whole ---- */

static int open_signals(void)
{
    static const int wanted[] = {SIGTERM, SIGINT, SIGQUIT, SIGCHLD, SIGHUP, SIGUSR1, SIGUSR2};
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        sigaddset(&set, wanted[i]);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

static int open_access_log(struct config *config)
{
    if (config->log.access.n == 0)
        return 0;
    config->http.access_flush = config->log.access_flush;
    int error = access_open(&config->http.access, config->log.access, config->log.access_format,
                            (size_t)config->log.access_buffer);
    if (error)
        log_error("cannot open the access log " STR_FMT ": %s", STR_ARG(config->log.access), strerror(-error));
    return error;
}

static void supervise(struct master *m)
{
    while (!m->stopping || m->running) {
        start_due(m);
        wait_for_events(m);
        kill_stuck(m);
    }
}

static int make_children(struct master *m)
{
    m->count = m->config->workers > 0 ? (size_t)m->config->workers : privs_usable_cores();
    m->children = calloc(m->count, sizeof *m->children);
    m->polled = calloc(m->count + 1, sizeof *m->polled);
    if (!m->children || !m->polled)
        return -ENOMEM;
    for (size_t i = 0; i < m->count; i++)
        m->children[i].pair = -1;
    return 0;
}

int master_run(struct config *config)
{
    struct master m = {.config = config, .signals = -1, .status = EXIT_FAILED};
    m.descriptors = privs_raise_descriptors();
    int error = make_children(&m);
    if (error)
        goto free_children;
    error = sockets_open(&m.sockets, config, m.count);
    if (error)
        goto free_children;
    error = open_access_log(config);
    if (error)
        goto close_sockets;
    error = m.signals = open_signals();
    if (error < 0)
        goto close_log;
    m.status = EXIT_FINE;
    supervise(&m);
    close(m.signals);
close_log:
    access_close(config->http.access);
close_sockets:
    sockets_close(&m.sockets);
free_children:
    free(m.children);
    free(m.polled);
    return m.status;
}
