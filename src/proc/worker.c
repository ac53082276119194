/* worker.c: see worker.h. */
#include "proc/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "green/scope.h"
#include "handler/file_cache.h"
#include "http/accept.h"
#include "log/log.h"
#include "proc/privs.h"

enum { DESCRIPTORS_SPARED = 640 }; /* for files, logs and sockets that are no connections */

/* The running worker, on its main green thread. */
struct service {
    const struct worker *worker;
    struct conns conns;
    struct green_fd master;
    struct green_cond told; /* to stop */
    bool stop;
    size_t cut;
};

/* For all that is no connection; half of it for files that are kept open. */
static size_t spared(const struct worker *worker)
{
    return worker->descriptors / 4 < DESCRIPTORS_SPARED ? worker->descriptors / 4 : DESCRIPTORS_SPARED;
}

static size_t connections(const struct worker *worker)
{
    int64_t wanted = worker->config->http.limits.connections;
    size_t most = worker->descriptors - spared(worker);
    if (wanted > 0 && (size_t)wanted > most && worker->index == 0)
        log_warn("limits.connections: %lld are more than %zu descriptors allow: %zu", (long long)wanted,
                 worker->descriptors, most);
    return wanted > 0 && (size_t)wanted < most ? (size_t)wanted : most;
}

static void on_message(struct service *service, char message)
{
    service->stop = true;
    green_cond_broadcast(&service->told);
    if (message == WORKER_CUT)
        service->cut += conns_cut(&service->conns);
}

/* Listens to the master until it is gone, or we are. */
static int obey(void *arg)
{
    struct service *service = arg;
    for (;;) {
        char message;
        ssize_t got = read(service->master.fd, &message, 1);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
            int error = green_fd_readable(&service->master, NSEC_NEVER);
            if (error)
                return error;
            continue;
        }
        on_message(service, got == 1 ? message : WORKER_DRAIN);
        if (got != 1)
            return 0;
    }
}

static void wait_for_stop(struct service *service)
{
    while (!service->stop && green_cond_wait(&service->told, NULL, NSEC_NEVER) == 0)
        ;
}

static int start_acceptors(struct service *service, struct green_scope *scope, struct acceptor *acceptors)
{
    const struct worker *worker = service->worker;
    const int *fds = sockets_of(worker->sockets, worker->index);
    for (size_t i = 0; i < worker->sockets->count; i++) {
        acceptor_init(&acceptors[i], &service->conns, fds[i]);
        int error = green_scope_go(scope, "accept", acceptor_run, &acceptors[i]);
        if (error)
            return error;
    }
    return 0;
}

static void last_words(const struct service *service)
{
    struct green_census census;
    green_take_census(&census);
    log_info("worker %zu ends: %llu connections, %llu requests; at most %zu green threads, stacks up to %zu KiB deep",
             service->worker->index, (unsigned long long)service->conns.accepted,
             (unsigned long long)service->conns.requests, census.most_live, census.high_water / 1024);
}

/* Accepts, until told to stop; then lets requests end. */
static int serve(struct service *service, struct acceptor *acceptors)
{
    const struct http_server *http = &service->worker->config->http;
    struct green_scope accepting, listening;
    green_scope_enter(&accepting);
    green_scope_enter(&listening);
    int error = start_acceptors(service, &accepting, acceptors);
    if (!error)
        error = green_scope_go(&listening, "master", obey, service);
    if (!error) {
        if (write(service->master.fd, &(char){WORKER_READY}, 1) != 1)
            log_error("worker %zu cannot reach its master", service->worker->index);
        wait_for_stop(service);
    }
    green_scope_leave(&accepting);
    service->cut += conns_drain(&service->conns, nsec_add(green_now(), http->timeouts.shutdown));
    green_scope_leave(&listening);
    return error;
}

static int run(void *arg)
{
    struct service service = {.worker = arg};
    const struct worker *worker = arg;
    struct acceptor *acceptors = calloc(worker->sockets->count, sizeof *acceptors);
    if (!acceptors)
        return -ENOMEM;
    green_cond_init(&service.told);
    green_fd_init(&service.master, worker->master);
    conns_init(&service.conns, &worker->config->http, connections(worker));
    service.conns.shed = file_cache_shed;
    file_cache_setup(&worker->config->types, spared(worker) / 2);
    int error = serve(&service, acceptors);
    conns_end(&service.conns);
    file_cache_free();
    last_words(&service);
    green_fd_release(&service.master);
    free(acceptors);
    return error ? error : service.cut ? EXIT_CUT : EXIT_FINE;
}

/* The master decides when we stop: what a terminal or a service manager sends to the whole group is for it. */
static void leave_signals_to_master(void)
{
    static const int ignored[] = {SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE, SIGWINCH};
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
        signal(ignored[i], SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

int worker_run(struct worker *worker)
{
    const struct config *config = worker->config;
    leave_signals_to_master();
    sockets_keep_only(worker->sockets, worker->index);
    int error = config->pin ? privs_pin(worker->index) : 0;
    if (error)
        log_warn("worker %zu cannot be pinned: %s", worker->index, strerror(-error));
    error = privs_drop(config->user, config->group);
    if (error) {
        log_error("worker %zu cannot become user '" STR_FMT "' and group '" STR_FMT "': %s", worker->index,
                  STR_ARG(config->user), STR_ARG(config->group), strerror(-error));
        return EXIT_FAILED;
    }
    struct green_options options = {.stack = (size_t)config->stack,
                                    .threads = (size_t)config->http.limits.green_threads,
                                    .pool = (size_t)config->threads};
    int result = green_run(&options, run, worker);
    if (result < 0)
        log_error("worker %zu cannot serve: %s", worker->index, strerror(-result));
    return result < 0 ? EXIT_FAILED : result;
}
