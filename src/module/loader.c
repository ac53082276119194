/* loader.c: see loader.h. */
#include "module/loader.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/list.h"

enum { JOB_NAME = 63 }; /* bytes of a job's name */

struct module {
    struct list link;
    char *path;
    const struct tern_module *api;
};

static struct list modules = LIST_INIT(modules);
static const char *directory = "/usr/lib/tern/modules";

void module_set_directory(const char *path)
{
    directory = path;
}

bool module_at(size_t i, const struct tern_module **module)
{
    list_each (l, next, &modules)
        if (i-- == 0) {
            *module = container_of(l, struct module, link)->api;
            return true;
        }
    return false;
}

const struct tern_job *module_find_job(const char *name)
{
    const struct tern_module *module;
    for (size_t i = 0; module_at(i, &module); i++)
        for (const struct tern_job *job = module->jobs; job && job->name; job++)
            if (strcmp(job->name, name) == 0)
                return job;
    return NULL;
}

const struct tern_handler *module_find_handler(const struct tern_module *module, const char *name, struct out *why)
{
    const struct tern_handler *handlers = module->handlers;
    for (const struct tern_handler *h = handlers; h && h->name; h++)
        if (strcmp(h->name, name) == 0)
            return h;
    out_text(why, "the module has no handler of that name");
    for (const struct tern_handler *h = handlers; h && h->name; h++) {
        out_put(why, h == handlers ? STR("; it has ") : STR(", "));
        out_put(why, str_of(h->name));
    }
    return NULL;
}

/* ---- loading ---- */

static struct module *find(const char *path)
{
    list_each (l, next, &modules) {
        struct module *module = container_of(l, struct module, link);
        if (strcmp(module->path, path) == 0)
            return module;
    }
    return NULL;
}

static int check_jobs(const struct tern_module *api, struct out *why)
{
    for (const struct tern_job *job = api->jobs; job && job->name; job++) {
        if (strlen(job->name) <= JOB_NAME && job->run && !module_find_job(job->name))
            continue;
        out_text(why, "its job `");
        out_put(why, str_of(job->name));
        out_put(why,
                job->run ? STR("` has a name that is too long, or another module's") : STR("` has nothing to run"));
        return -EEXIST;
    }
    return 0;
}

static int check_handlers(const struct tern_module *api, struct out *why)
{
    for (const struct tern_handler *h = api->handlers; h && h->name; h++)
        if (!h->serve) {
            out_text(why, "its handler `");
            out_put(why, str_of(h->name));
            out_text(why, "` has nothing to serve with");
            return -ENOEXEC;
        }
    return 0;
}

/* Only a module of our version has the structure that we know. */
static int check(const struct tern_module *api, struct out *why)
{
    if (api && api->abi == TERN_ABI && api->name) {
        int error = check_handlers(api, why);
        return error ? error : check_jobs(api, why);
    }
    if (!api) {
        out_text(why, "is no module of tern: it has no symbol `tern_module`");
    } else if (api->abi == TERN_ABI) {
        out_text(why, "its tern_module has no name");
    } else {
        out_text(why, "was built for version ");
        out_u64(why, api->abi);
        out_text(why, " of the module interface; this server has version ");
        out_u64(why, TERN_ABI);
    }
    return -ENOEXEC;
}

static int open_module(const char *path, const struct tern_module **api, struct out *why)
{
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        out_put(why, str_of(dlerror()));
        return -ENOENT;
    }
    *api = dlsym(handle, "tern_module");
    int error = check(*api, why);
    if (error)
        dlclose(handle);
    return error;
}

static int add(const char *path, const struct tern_module **api, struct out *why)
{
    struct module *module = calloc(1, sizeof *module);
    if (!module || !(module->path = strdup(path)))
        goto no_memory;
    int error = open_module(path, &module->api, why);
    if (error) {
        free(module->path);
        free(module);
        return error;
    }
    list_push_back(&modules, &module->link);
    *api = module->api;
    return 0;
no_memory:
    free(module);
    return -ENOMEM;
}

int module_load(const char *file, const struct tern_module **api, struct out *why)
{
    char *path;
    if (asprintf(&path, "%s%s%s", strchr(file, '/') ? "" : directory, strchr(file, '/') ? "" : "/", file) < 0)
        return -ENOMEM;
    const struct module *loaded = find(path);
    int error = 0;
    if (loaded)
        *api = loaded->api;
    else
        error = add(path, api, why);
    free(path);
    return error;
}
