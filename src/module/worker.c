/* worker.c: see worker.h. */
#include "module/worker.h"

#include "log/log.h"
#include "module/loader.h"
#include "module/remote.h"
#include "module/scope.h"

static bool stopping;
static size_t started; /* modules */

int module_worker_start(void)
{
    const struct tern_module *module;
    int error = 0;
    module_worker_scope_init();
    module_remote_init();
    for (started = 0; !error && module_at(started, &module); started += !error)
        error = module->start ? module->start() : 0;
    if (!error)
        return 0;
    log_error("module %s cannot start: %s", module->name, strerror(-error));
    module_worker_stop();
    return error;
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
