/* modules.c: see modules.h. */
#include "proc/modules.h"

#include <errno.h>

#include "handler/module.h"
#include "module/loader.h"
#include "module/worker.h"

/* The first thing that is wrong. The probe has seen none of it, so the file has changed since. */
static void explain(const struct conf_reader *r, int error, struct out *why)
{
    const struct conf_message *first = r->errors;
    if (r->kept == 0) {
        out_put(why, str_of(strerror(-error)));
        return;
    }
    out_put(why, first->file);
    out_char(why, ':');
    out_u64(why, first->line);
    out_char(why, ':');
    out_u64(why, first->col);
    out_text(why, ": ");
    out_put(why, first->text);
}

int modules_start(struct config *config, struct out *why)
{
    struct conf_reader r;
    conf_reader_init(&r, &config->arena);
    module_set_directory(config->modules.p);
    int error = http_sites_start(&r, &config->http.sites);
    if (error)
        explain(&r, error, why);
    else
        error = module_worker_start(why);
    if (error)
        http_sites_stop(&config->http.sites);
    return error;
}

void modules_stop(const struct config *config)
{
    module_worker_stop();
    http_sites_stop(&config->http.sites);
}

/* ---- for compute processes ---- */

static int load(void *modules, char *why, size_t size)
{
    const struct config *config = modules;
    struct out o = out_on(why, size - 1);
    int error = 0;
    module_set_directory(config->modules.p);
    for (struct http_route *route = config->http.sites.starts; route && !error; route = route->next_start)
        error = module_handler_load(route, &o);
    *o.at = '\0';
    return error;
}

int modules_find_source(struct config *config, const struct compute_source **found)
{
    *found = NULL;
    if (!config->http.sites.starts)
        return 0;
    struct compute_source *source = arena_alloc(&config->arena, sizeof *source);
    if (!source)
        return -ENOMEM;
    *source = (struct compute_source){.load = load, .find = module_find_job, .modules = config};
    *found = source;
    return 0;
}
