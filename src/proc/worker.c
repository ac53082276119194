/* worker.c: see worker.h. */
#include "proc/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "green/monitor.h"
#include "green/scope.h"
#include "handler/file_cache.h"
#include "handler/status.h"
#include "http/accept.h"
#include "http/inspect.h"
#include "log/log.h"
#include "module/compute.h"
#include "module/worker.h"
#include "proc/consult.h"
#include "proc/inspect.h"
#include "proc/modules.h"
#include "proc/privs.h"

enum { DESCRIPTORS_SPARED = 640 }; /* for files, logs and sockets that are no connections */
#define LAST_GRACE (500 * NSEC_MS) /* for idle connections, when no other worker takes their place */

/* The running worker, on its main green thread. */
struct service {
    const struct worker *worker;
    struct conns conns;
    struct green_fd master;
    struct green_cond told; /* to stop */
    bool stop;
};

/* For all that is no connection; half of it for files that are kept open. */
static size_t spared(size_t descriptors)
{
    return descriptors / 4 < DESCRIPTORS_SPARED ? descriptors / 4 : DESCRIPTORS_SPARED;
}

size_t worker_connections(const struct config *config, size_t descriptors)
{
    int64_t wanted = config->http.limits.connections;
    size_t most = descriptors - spared(descriptors);
    return wanted > 0 && (size_t)wanted < most ? (size_t)wanted : most;
}

/* ---- what the master says ---- */

/* Told again, it may only be more urgent. */
static void stop(struct service *service, nsec grace)
{
    service->stop = true;
    module_worker_retire();
    status_retire();
    conns_hurry(&service->conns, nsec_add(green_now(), grace));
    green_cond_broadcast(&service->told);
}

static nsec last_grace(const struct service *service)
{
    nsec grace = service->worker->config->http.timeouts.grace;
    return grace < LAST_GRACE ? grace : LAST_GRACE;
}

static void serve_message(struct service *service, const struct message *message, int fd)
{
    switch (message->kind) {
    case MESSAGE_PING:
        service->worker->score->beat++;
        (void)!message_tell(service->master.fd, MESSAGE_PONG, 0);
        break;
    case MESSAGE_RETIRE:
        stop(service, service->worker->config->http.timeouts.grace);
        break;
    case MESSAGE_STOP:
        stop(service, last_grace(service));
        break;
    case MESSAGE_HURRY:
        conns_hurry(&service->conns, nsec_add(green_now(), last_grace(service)));
        break;
    case MESSAGE_CUT:
        stop(service, 0);
        service->worker->score->cut += conns_cut(&service->conns);
        break;
    case MESSAGE_ERROR_LOG:
    case MESSAGE_ACCESS_LOG:
        forked_take_log(service->master.fd, service->worker->config->http.access, message, fd);
        break;
    case MESSAGE_LEVEL:
        log_threshold = (enum log_level)message->number;
        break;
    case MESSAGE_INQUIRE:
        inspect_serve(message);
        break;
    case MESSAGE_REPORT:
        consult_serve(message, fd);
        break;
    default:
        log_error("the master says %u, which means nothing", message->kind);
    }
}

/* Listens to the master until it is gone, or we are. */
static int obey(void *arg)
{
    struct service *service = arg;
    for (;;) {
        struct message message;
        int fd, got = message_receive(service->master.fd, &message, &fd);
        if (got > 0) {
            serve_message(service, &message, fd);
        } else if (got == -EAGAIN || got == -EINTR) {
            int error = green_fd_readable(&service->master, NSEC_NEVER);
            if (error)
                return error;
        } else {
            stop(service, last_grace(service));
            return 0;
        }
    }
}

/* ---- serving ---- */

static void wait_for_stop(struct service *service)
{
    while (!service->stop && green_cond_wait(&service->told, NULL, NSEC_NEVER) == 0)
        ;
}

static int start_acceptors(struct service *service, struct green_scope *scope, struct acceptor *acceptors)
{
    const struct worker *worker = service->worker;
    for (size_t i = 0; i < worker->listener_count; i++) {
        if (worker->backlogs[i] && listen(worker->listeners[i], worker->backlogs[i]) < 0)
            return -errno;
        acceptor_init(&acceptors[i], &service->conns, worker->endpoints[i], worker->listeners[i]);
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
             service->worker->self->index, (unsigned long long)service->worker->score->accepted,
             (unsigned long long)service->worker->score->requests, census.most_live, census.high_water / 1024);
}

/* Accepts, until told to stop; then lets requests end. */
static int serve(struct service *service, struct acceptor *acceptors)
{
    const struct http_server *http = &service->worker->config->http;
    struct green_scope accepting, listening;
    green_scope_enter(&accepting);
    green_scope_enter(&listening);
    inspect_begin(service->master.fd, &listening);
    int error = start_acceptors(service, &accepting, acceptors);
    if (!error)
        error = green_scope_go(&listening, "master", obey, service);
    if (!error) {
        if (message_tell(service->master.fd, MESSAGE_READY, 0) < 0)
            log_error("worker %zu cannot reach its master", service->worker->self->index);
        wait_for_stop(service);
    }
    green_scope_leave(&accepting);
    (void)!message_tell(service->master.fd, MESSAGE_RETIRED, 0); /* if it is not there to hear, nobody waits for it */
    service->worker->score->cut +=
        conns_drain(&service->conns, NSEC_NEVER, nsec_add(green_now(), http->timeouts.shutdown));
    green_scope_leave(&listening);
    inspect_end();
    return error;
}

/* Serves, between the start and the end of the handlers. */
static int serve_started(struct service *service, struct acceptor *acceptors)
{
    const struct worker *worker = service->worker;
    char text[MESSAGE_TEXT / 2];
    struct out why = out_on(text, sizeof text - 1);
    if (modules_start(worker->config, &why) < 0) {
        *why.at = '\0';
        return forked_fail(worker->self, "start its handlers", text);
    }
    int error = serve(service, acceptors);
    modules_stop(worker->config);
    return error;
}

static int run(void *arg)
{
    struct service service = {.worker = arg};
    const struct worker *worker = arg;
    http_inspection.board = worker->board;
    http_inspection.worker = worker->self->index;
    http_inspection.generation = worker->generation;
    http_inspection.started = worker->started;
    struct acceptor *acceptors = calloc(worker->listener_count + 1, sizeof *acceptors);
    if (!acceptors)
        return -ENOMEM;
    green_cond_init(&service.told);
    green_fd_init(&service.master, worker->self->master);
    conns_init(&service.conns, &worker->config->http, worker_connections(worker->config, worker->descriptors),
               worker->score, scoreboard_routes(worker->board, worker->self->index));
    service.conns.shed = file_cache_shed;
    file_cache_setup(&worker->config->types, spared(worker->descriptors) / 2);
    compute_client_init(worker->queue);
    consult_begin(worker->self->master);
    http_inspection.ask = consult;
    uint64_t cut_before = worker->score->cut; /* by those whose place we have taken */
    int error = serve_started(&service, acceptors);
    conns_end(&service.conns);
    compute_client_free();
    file_cache_free();
    last_words(&service);
    green_fd_release(&service.master);
    free(acceptors);
    return error ? error : worker->score->cut != cut_before ? EXIT_CUT : EXIT_FINE;
}

/* ---- becoming one ---- */

static bool needs_accounts(const struct config *config)
{
    const struct http_server *http = &config->http;
    bool logged = http->access && access_needs(http->access) & ACCESS_NEEDS_TIMES;
    return config->timings || logged || http_sites_timed(&http->sites);
}

int worker_run(struct worker *worker)
{
    const struct config *config = worker->config;
    const struct forked *self = worker->self;
    int error = config->pin ? privs_pin(self->index) : 0;
    if (error)
        log_warn("worker %zu cannot be pinned: %s", self->index, strerror(-error));
    green_monitor_prepare();
    int status = forked_become(self, config);
    if (status)
        return status;
    struct green_options options = {.stack = (size_t)config->stack,
                                    .threads = (size_t)config->http.limits.green_threads,
                                    .pool = (size_t)config->threads,
                                    .stall = config->http.timeouts.stall,
                                    .stalls = scoreboard_stalls(worker->board, self->index),
                                    .score = worker->score,
                                    .accounts = needs_accounts(config)};
    int result = green_run(&options, run, worker);
    return result < 0 ? forked_fail(self, "serve", strerror(-result)) : result;
}
