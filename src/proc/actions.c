/* actions.c: see actions.h. The answers are what docs/ternctl.1 says. */
#include "proc/actions.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "log/log.h"
#include "proc/explain_verb.h"
#include "proc/privs.h"
#include "proc/reply.h"
#include "proc/stalls.h"
#include "proc/thread_verbs.h"
#include "proc/top.h"
#include "proc/version.h"

enum {
    ANSWER_SIZE = 1024 * 1024, /* of the largest: the state of three generations of a thousand workers */
    SHORT_SIZE = 512,
};

#define SILENCE (2 * NSEC_SEC) /* of a worker, before it is worth telling */

static struct str version_number(void)
{
    return str_skip(str_of(version_line()), sizeof("tern ") - 1);
}

/* ---- answers to what took time ---- */

void actions_reloaded(struct control_request *request, const struct generation *generation)
{
    char text[SHORT_SIZE];
    struct out o = out_on(text, sizeof text);
    struct json j = reply_begin(&o);
    json_u64(&j, "generation", generation->number);
    json_u64(&j, "workers", generation->count);
    reply_finish(&j, request);
}

void actions_upgraded(struct control_request *request, pid_t pid, struct str version)
{
    char text[SHORT_SIZE];
    struct out o = out_on(text, sizeof text);
    struct json j = reply_begin(&o);
    json_u64(&j, "pid", (uint64_t)pid);
    json_text(&j, "version", version);
    reply_finish(&j, request);
}

void actions_reopened(struct control_request *request, unsigned logs)
{
    char text[SHORT_SIZE];
    struct out o = out_on(text, sizeof text);
    struct json j = reply_begin(&o);
    json_u64(&j, "logs", logs);
    reply_finish(&j, request);
}

/* ---- status ---- */

static uint64_t seconds_since(nsec start)
{
    return (uint64_t)((clock_monotonic() - start) / NSEC_SEC);
}

static const char *state_of(const struct master *m)
{
    return m->stopping ? "draining" : m->reload.coming ? "reloading" : "serving";
}

static void put_listener(struct json *j, const struct listener *listener)
{
    char text[256];
    struct out o = out_on(text, sizeof text);
    addr_print(&listener->addr, &o);
    json_open(j, NULL, '{');
    json_text(j, "address", out_str(&o));
    json_u64(j, "sockets", listener->count);
    json_bool(j, "passed", listener->passed);
    json_close(j, '}');
}

const char *actions_state_of(const struct child *child)
{
    static const char *const states[] = {[STARTING] = "starting", [SERVING] = "serving", [DRAINING] = "draining"};
    if (!child->pid)
        return "waiting";
    if (child->asked && clock_monotonic() - child->asked > SILENCE)
        return "silent";
    return child->ready ? states[child->generation->state] : "starting";
}

static void put_worker(struct json *j, const struct generation *g, size_t i)
{
    const struct child *child = &g->children[i];
    struct score score;
    scoreboard_read(&g->board, i, &score);
    json_open(j, NULL, '{');
    json_u64(j, "index", i);
    json_u64(j, "pid", (uint64_t)child->pid);
    json_u64(j, "generation", g->number);
    json_text(j, "state", str_of(actions_state_of(child)));
    json_u64(j, "uptime_s", seconds_since(child->started));
    json_u64(j, "connections", score.connections);
    json_u64(j, "idle", score.idle);
    json_u64(j, "accepted", score.accepted);
    json_u64(j, "requests", score.requests);
    json_u64(j, "restarts", child->restarts);
    json_u64(j, "access_lines_lost", score.access_lost);
    json_close(j, '}');
}

static void put_compute_process(struct json *j, const struct generation *g, size_t i)
{
    const struct child *child = &g->crew.children[i];
    const struct compute_slot slot = crew_look(&g->crew, i);
    const char *state = !child->pid ? "waiting" : !child->ready ? "starting" : slot.job[0] ? "busy" : "idle";
    json_open(j, NULL, '{');
    json_u64(j, "index", i);
    json_u64(j, "pid", (uint64_t)child->pid);
    json_u64(j, "generation", g->number);
    json_text(j, "state", str_of(state));
    json_u64(j, "uptime_s", seconds_since(child->started));
    json_u64(j, "jobs", slot.jobs);
    json_u64(j, "restarts", child->restarts);
    json_close(j, '}');
}

static void put_compute_processes(struct json *j, const struct master *m)
{
    json_open(j, "compute", '[');
    list_each (l, next, &m->generations) {
        const struct generation *g = container_of(l, struct generation, link);
        for (size_t i = 0; i < g->crew.count; i++)
            put_compute_process(j, g, i);
    }
    json_close(j, ']');
}

static void put_state(struct json *j, const struct master *m)
{
    char path[PATH_MAX];
    json_text(j, "version", version_number());
    json_u64(j, "pid", (uint64_t)getpid());
    json_text(j, "state", str_of(state_of(m)));
    json_u64(j, "generation", m->current ? m->current->number : 0);
    json_u64(j, "uptime_s", seconds_since(m->started));
    json_text(j, "config",
              str_of(m->options->root                   ? "command line"
                     : realpath(m->options->file, path) ? path
                                                        : m->options->file));
    json_open(j, "listeners", '[');
    list_each (l, next, &m->listeners.all)
        put_listener(j, container_of(l, struct listener, link));
    json_close(j, ']');
    json_open(j, "workers", '[');
    list_each (l, next, &m->generations) {
        const struct generation *g = container_of(l, struct generation, link);
        for (size_t i = 0; i < g->count; i++)
            if (g->children[i].pid || g->state == SERVING)
                put_worker(j, g, i);
    }
    json_close(j, ']');
    put_compute_processes(j, m);
}

static void status(void *server, struct control_request *request)
{
    char *text = malloc(ANSWER_SIZE);
    if (!text) {
        reply_without_memory(request);
        return;
    }
    struct out o = out_on(text, ANSWER_SIZE);
    struct json j = reply_begin(&o);
    put_state(&j, server);
    reply_finish(&j, request);
    free(text);
}

/* ---- the other verbs ---- */

static void reload(void *server, struct control_request *request)
{
    reload_ask(server, request);
}

static void upgrade(void *server, struct control_request *request)
{
    upgrade_ask(server, request);
}

static void reopen(void *server, struct control_request *request)
{
    reopen_logs(server, request);
}

static void set_level(struct master *m, int level)
{
    log_threshold = (enum log_level)level;
    list_each (l, next, &m->generations) {
        struct generation *g = container_of(l, struct generation, link);
        generation_tell(g, MESSAGE_LEVEL, (uint32_t)level);
        children_tell(g->crew.children, g->crew.count, MESSAGE_LEVEL, (uint32_t)level);
    }
}

static void level(void *server, struct control_request *request)
{
    char text[SHORT_SIZE];
    int wanted = 0;
    while (log_level_names[wanted] && !str_eq(request->argument, str_of(log_level_names[wanted])))
        wanted++;
    if (request->argument.n && !log_level_names[wanted]) {
        control_refuse(request, "usage", STR("a level is debug, info, notice, warn or error"), NULL, 0);
        return;
    }
    if (request->argument.n)
        set_level(server, wanted);
    struct out o = out_on(text, sizeof text);
    struct json j = reply_begin(&o);
    json_text(&j, "level", str_of(log_level_names[log_threshold]));
    reply_finish(&j, request);
}

static void version(void *server, struct control_request *request)
{
    char text[SHORT_SIZE];
    struct out o = out_on(text, sizeof text);
    struct json j = reply_begin(&o);
    (void)server;
    json_text(&j, "version", version_number());
    json_u64(&j, "pid", (uint64_t)getpid());
    reply_finish(&j, request);
}

static const struct control_action actions[] = {
    {"status", status},
    {"threads", thread_verb_threads},
    {"stack", thread_verb_stack},
    {"kill", thread_verb_kill},
    {"stalls", stalls_verb},
    {"reload", reload},
    {"upgrade", upgrade},
    {"reopen", reopen},
    {"drain", thread_verb_drain},
    {"log", level},
    {"version", version},
    {"explain", explain_verb},
    {"top", top_verb},
};

void actions_run(struct master *m, struct control_request *request, struct str line)
{
    const struct control_options options = {.actions = actions, .count = sizeof actions / sizeof *actions, .server = m};
    control_run(&options, request, line);
}

/* ---- the socket ---- */

/* Nobody has asked for the default one: a server that is started by hand can do without. */
static int do_without(const struct config *config, int error)
{
    enum log_level level = error == -ENOENT ? LOG_LEVEL_INFO : LOG_LEVEL_WARN;
    log_if(level, "no control socket: " STR_FMT ": %s", STR_ARG(config->control), strerror(-error));
    return 0;
}

static int make_options(struct master *m, const struct config *config, struct control_options *options)
{
    *options = (struct control_options){.path = config->control,
                                        .inherited = -1,
                                        .actions = actions,
                                        .count = sizeof actions / sizeof *actions,
                                        .server = m};
    return privs_account(config->user, config->group, &options->user, &options->group);
}

static int complain(const struct config *config, int error, FILE *errors)
{
    if (!config->control_configured)
        return do_without(config, error);
    fprintf(errors, "cannot open the control socket " STR_FMT ": %s\n", STR_ARG(config->control),
            error == -EADDRINUSE ? "another server listens there" : strerror(-error));
    return error;
}

int actions_open(struct master *m, const struct config *config, int inherited, FILE *errors)
{
    struct control_options options;
    int error = config->control.n ? make_options(m, config, &options) : 0;
    if ((error || config->control.n == 0) && inherited >= 0)
        close(inherited);
    if (error || config->control.n == 0)
        return error ? complain(config, error, errors) : 0;
    options.inherited = inherited;
    error = control_open(&m->control, &m->reactor, &options);
    return error ? complain(config, error, errors) : 0;
}

int actions_prepare(struct master *m, const struct config *config, FILE *errors)
{
    struct control_options options;
    int error = make_options(m, config, &options);
    if (!error)
        error = control_prepare(&m->control, &options);
    return error ? complain(config, error, errors) : 0;
}
