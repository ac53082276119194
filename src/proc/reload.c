/* reload.c: one generation takes over from another; the first one takes over from none.
 *
 * Everything that can fail comes first: reading the configuration, opening its listeners and logs, starting its
 * workers. Whatever does fail is undone, and the generation that serves has not noticed. Only when all new workers
 * serve is the old generation told to drain. At most three generations live at once, so that memory is bounded however
 * often a reload is asked for: the next one waits, and of those who ask meanwhile the last configuration wins.
 */
#include <errno.h>
#include <stdlib.h>

#include "log/log.h"
#include "proc/actions.h"
#include "proc/privs.h"
#include "proc/state.h"
#include "proc/ticket_keys.h"
#include "proc/watchdog.h"
#include "proc/worker.h"

enum { GENERATIONS = 3, MESSAGES = 64 };

static void on_ready(struct generation *generation);
static void on_failed(struct generation *generation, const char *why);
static void on_retired(struct generation *generation);
static void on_gone(struct generation *generation);

static const struct generation_owner owner = {on_ready, on_failed, on_retired, on_gone};

void reload_init(struct master *m)
{
    list_init(&m->reload.asked);
    list_init(&m->reload.asked_next);
}

/* ---- errors: gathered as lines, then logged and answered ---- */

static FILE *errors_open(struct reload *reload)
{
    reload->errors_file = open_memstream(&reload->errors, &reload->errors_size);
    return reload->errors_file;
}

static void errors_close(struct reload *reload)
{
    if (reload->errors_file)
        fclose(reload->errors_file);
    free(reload->errors);
    reload->errors_file = NULL;
    reload->errors = NULL;
}

void reload_free(struct master *m)
{
    errors_close(&m->reload);
}

/* Who starts a server by hand does not look into a file for the reason why it did not. */
static size_t errors_log(struct reload *reload, bool aloud, struct str *lines)
{
    size_t count = 0;
    fflush(reload->errors_file);
    struct str rest = {reload->errors, reload->errors_size};
    while (rest.n > 0) {
        struct str line = str_cut(&rest, '\n');
        log_error(STR_FMT, STR_ARG(line));
        if (aloud)
            fprintf(stderr, "tern: " STR_FMT "\n", STR_ARG(line));
        if (count < MESSAGES)
            lines[count++] = line;
    }
    return count;
}

/* ---- the log, which all generations share ---- */

static enum log_level level_of(const struct master *m, const struct config *config)
{
    return m->options->quiet ? LOG_LEVEL_ERROR : (enum log_level)config->log.level;
}

static int switch_log(const struct master *m, const struct config *config, FILE *errors)
{
    int error = log_open(config->log.error, level_of(m, config));
    if (error)
        fprintf(errors, "cannot open the error log " STR_FMT ": %s\n", STR_ARG(config->log.error), strerror(-error));
    return error;
}

/* What can be taken back: see undo(). */
static int prepare(struct master *m, const struct config *config, FILE *errors)
{
    int error = switch_log(m, config, errors);
    return error ? error : actions_prepare(m, config, errors);
}

static void undo(struct master *m)
{
    control_abandon(&m->control);
    (void)!switch_log(m, m->current->config, m->reload.errors_file); /* if it fails, the new one stays */
    log_threshold = m->reload.level;
}

/* ---- taking over ---- */

/* What the system does not let us have, though it is configured. */
static void warn(const struct master *m, const struct config *config)
{
    size_t most = privs_backlog_max(), connections = worker_connections(config, m->descriptors);
    int64_t wanted = config->http.limits.connections;
    for (size_t i = 0; i < config->listen_count; i++)
        if (most && (size_t)config->listen[i].backlog > most)
            log_warn("listen: " STR_FMT ": a backlog of %lld is cut to %zu by net.core.somaxconn",
                     STR_ARG(config->listen[i].text), (long long)config->listen[i].backlog, most);
    if (wanted > 0 && (size_t)wanted > connections)
        log_warn("limits.connections: %lld are more than %zu descriptors allow: %zu", (long long)wanted, m->descriptors,
                 connections);
}

static void announce(const struct generation *g)
{
    const struct config *config = g->config;
    for (size_t i = 0; i < config->listen_count; i++) {
        const struct listen *listen = &config->listen[i];
        const char *scheme = listen->tls ? "https://" : "http://";
        if (listen->name.n || addr_is_unix(&listen->addr))
            scheme = "";
        log_notice("serving %s" STR_FMT "%s with %zu worker%s", scheme, STR_ARG(listen->text), *scheme ? "/" : "",
                   g->count, g->count == 1 ? "" : "s");
    }
    log_info("up to %zu connections a worker, with %zu descriptors", worker_connections(config, g->master->descriptors),
             g->master->descriptors);
}

static void answer_all(struct list *asked, const struct generation *g)
{
    for (struct list *l; (l = list_pop_front(asked));)
        actions_reloaded(container_of(l, struct control_request, link), g);
}

/* Whoever asked is answered when the old workers take no new connections any more: from then on, every client gets what
 * is configured now. */
static void conclude(struct master *m)
{
    m->reload.leaving = NULL;
    answer_all(&m->reload.asked, m->current);
    errors_close(&m->reload);
    reload_try(m);
    upgrade_try(m);
}

static void on_ready(struct generation *g)
{
    struct master *m = g->master;
    struct generation *old = m->current;
    m->reload.coming = NULL;
    m->current = g;
    for (size_t i = 0; i < g->config->listen_count; i++)
        listener_serve(g->listeners[i]);
    watchdog_set(m);
    ticket_keys_set(m);
    warn(m, g->config);
    if (old) {
        control_commit(&m->control);
        log_notice("generation %u serves with %zu worker%s, generation %u drains", g->number, g->count,
                   g->count == 1 ? "" : "s", old->number);
        m->reload.leaving = old;
        generation_retire(old, MESSAGE_RETIRE);
        notify_ready(&m->notify, STR("serving"));
    } else {
        announce(g);
        upgrade_on_ready(m);
    }
    if (!old || !generation_accepts(old))
        conclude(m);
}

static void on_retired(struct generation *g)
{
    struct master *m = g->master;
    if (m->reload.leaving == g)
        conclude(m);
    if (m->handed_over)
        upgrade_on_retired(m);
}

static void refuse(struct master *m, const char *why)
{
    struct str lines[MESSAGES];
    struct reload *reload = &m->reload;
    size_t count = errors_log(reload, !m->current && log_fd() >= 0, lines);
    if (!m->current && count)
        upgrade_report(m, lines[0]);
    if (m->current)
        log_error("%s: generation %u goes on", why, m->current->number);
    for (struct list *l; (l = list_pop_front(&reload->asked));)
        control_refuse(container_of(l, struct control_request, link), "refused", str_of(why), lines, count);
    errors_close(reload);
    if (m->current && !m->stopping)
        notify_ready(&m->notify, STR("serving; the last reload was refused"));
}

static void on_failed(struct generation *g, const char *why)
{
    struct master *m = g->master;
    struct reload *reload = &m->reload;
    reload->coming = NULL;
    fprintf(reload->errors_file, "%s\n", why);
    if (m->current)
        undo(m);
    refuse(m, "reload refused");
    if (!m->current) {
        m->status = EXIT_FAILED;
        master_stop(m, "it could not start");
    }
}

static void on_gone(struct generation *g)
{
    struct master *m = g->master;
    uint64_t cut = generation_cut(g);
    if (m->stopping)
        m->cut += cut;
    else if (cut)
        log_warn("generation %u has ended; requests cut: %llu", g->number, (unsigned long long)cut);
    else
        log_notice("generation %u has ended", g->number);
    list_unlink(&g->link);
    if (m->current == g)
        m->current = NULL;
    if (m->stopping)
        return;
    reload_try(m);
    upgrade_try(m);
}

/* ---- asking ---- */

void reload_refuse_all(struct master *m, const char *why)
{
    struct list *both[] = {&m->reload.asked, &m->reload.asked_next};
    for (size_t i = 0; i < 2; i++)
        for (struct list *l; (l = list_pop_front(both[i]));)
            control_refuse(container_of(l, struct control_request, link), "refused", str_of(why), NULL, 0);
    m->reload.wanted = false;
}

void reload_ask(struct master *m, struct control_request *request)
{
    if (m->reload.wanted || m->reload.coming || m->reload.leaving)
        log_info("reload: after the one that is going on");
    m->reload.wanted = true;
    if (request)
        list_push_back(&m->reload.asked_next, &request->link);
    if (m->stopping)
        reload_refuse_all(m, "the server is stopping");
    reload_try(m);
}

static int launch(struct master *m, struct config *config, bool patience)
{
    struct reload *reload = &m->reload;
    int error = m->current ? prepare(m, config, reload->errors_file) : 0;
    if (error) {
        config_free(config);
        return error;
    }
    struct generation *g;
    error = generation_new(&g, m, config, reload->errors_file);
    if (error)
        return error;
    reload->coming = g;
    passed_close(&m->listeners.passed); /* what nobody wants must not get into workers */
    error = generation_start(g, &owner, patience);
    if (error) {
        fprintf(reload->errors_file, "%s\n", g->why);
        reload->coming = NULL;
        generation_free(g);
    }
    return error;
}

static void reload(struct master *m)
{
    list_init(&m->reload.asked);
    for (struct list *l; (l = list_pop_front(&m->reload.asked_next));)
        list_push_back(&m->reload.asked, l);
    m->reload.wanted = false;
    if (!errors_open(&m->reload)) {
        log_error("reload: no memory");
        reload_refuse_all(m, "no memory");
        return;
    }
    log_notice("reload");
    m->reload.level = log_threshold;
    notify_reloading(&m->notify, STR("reloading"));
    struct config *config = config_load(m->options, m->reload.errors_file);
    if (config && launch(m, config, false) == 0)
        return;
    if (config)
        undo(m);
    refuse(m, "reload refused");
}

void reload_try(struct master *m)
{
    if (!m->reload.wanted || m->reload.coming || m->reload.leaving || m->upgrade.successor || m->stopping ||
        !m->current)
        return;
    if (master_generations(m) >= GENERATIONS)
        master_hurry(m);
    else
        reload(m);
}

int reload_start(struct master *m, struct config *config)
{
    if (!errors_open(&m->reload))
        return -ENOMEM;
    int error = launch(m, config, true);
    if (error)
        refuse(m, "cannot start");
    return error;
}
