/* modules.c: see modules.h. */
#include "proc/modules.h"

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
    if (!error) {
        error = module_worker_start();
        if (error)
            out_text(why, "a module cannot start, see above");
    } else {
        explain(&r, error, why);
    }
    if (error)
        http_sites_stop(&config->http.sites);
    return error;
}

void modules_stop(const struct config *config)
{
    module_worker_stop();
    http_sites_stop(&config->http.sites);
}
