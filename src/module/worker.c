/* worker.c: see worker.h. */
#include "module/worker.h"

#include <errno.h>
#include <stdio.h>

#include "module/loader.h"
#include "module/remote.h"
#include "module/scope.h"

enum { WHAT = 128 }; /* bytes of what a thread does */

static bool stopping;
static size_t started; /* modules */

/* What it does meanwhile is told by the report of a crash, and where threads are listed. */
static int start(const struct tern_module *module)
{
    char what[WHAT];
    int n = snprintf(what, sizeof what, "the start of module %s", module->name);
    green_describe((struct str){what, (size_t)n < sizeof what ? (size_t)n : sizeof what - 1});
    int error = module->start ? module->start() : 0;
    green_describe(STR(""));
    return error;
}

int module_worker_start(struct out *why)
{
    const struct tern_module *module;
    int error = 0;
    module_worker_scope_init();
    module_remote_init();
    for (started = 0; !error && module_at(started, &module); started += !error)
        error = start(module);
    if (!error)
        return 0;
    out_text(why, "the start of module ");
    out_put(why, str_of(module->name));
    out_text(why, " failed: ");
    out_put(why, error < 0 ? str_of(strerror(-error)) : STR("a result above 0"));
    module_worker_stop();
    return error < 0 ? error : -EINVAL;
}

void module_worker_retire(void)
{
    const struct tern_module *module;
    bool first = !stopping;
    stopping = true;
    for (size_t i = 0; first && i < started && module_at(i, &module); i++)
        if (module->retire)
            module->retire();
}

bool module_worker_is_stopping(void)
{
    return stopping;
}

void module_worker_stop(void)
{
    const struct tern_module *module;
    stopping = true;
    module_worker_scope_end();
    while (started && module_at(--started, &module))
        if (module->stop)
            module->stop();
    module_worker_scope_end(); /* of what they have started yet */
    module_remote_end();
}
