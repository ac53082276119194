/* loader.c: see loader.h. */
#include "module/loader.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/list.h"
#include "module/compute.h"

struct module {
    struct list link;
    char *path;
    const struct tern_module *api;
};

static struct list modules = LIST_INIT(modules);
static const char *directory = TERN_MODULES;

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

/* As much of a text as there is room for. */
static void put_some(struct out *why, struct str text)
{
    size_t room = out_room(why);
    out_put(why, (struct str){text.p, text.n < room ? text.n : room});
}

const struct tern_handler *module_find_handler(const struct tern_module *module, const char *name, struct out *why)
{
    const struct tern_handler *handlers = module->handlers;
    for (const struct tern_handler *h = handlers; h && h->name; h++)
        if (strcmp(h->name, name) == 0)
            return h;
    out_text(why, "the module has no handler of that name");
    for (const struct tern_handler *h = handlers; h && h->name; h++) {
        put_some(why, h == handlers ? STR("; it has ") : STR(", "));
        put_some(why, str_of(h->name));
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

static int refuse(struct out *why, int error, const char *what, const char *name, const char *wrong)
{
    const char *const parts[] = {"its ", what, " `", name, "` ", wrong};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        put_some(why, str_of(parts[i]));
    return error;
}

static bool is_taken(const struct tern_module *api, const struct tern_job *job)
{
    for (const struct tern_job *before = api->jobs; before < job; before++)
        if (strcmp(before->name, job->name) == 0)
            return true;
    return module_find_job(job->name) != NULL;
}

static int check_jobs(const struct tern_module *api, struct out *why)
{
    for (const struct tern_job *job = api->jobs; job && job->name; job++) {
        if (!job->run)
            return refuse(why, -ENOEXEC, "job", job->name, "has nothing to run");
        if (strlen(job->name) >= COMPUTE_NAME_SIZE)
            return refuse(why, -ENOEXEC, "job", job->name, "has a name that is too long");
        if (is_taken(api, job))
            return refuse(why, -EEXIST, "job", job->name, "has the name of another one");
    }
    return 0;
}

static int check_handlers(const struct tern_module *api, struct out *why)
{
    for (const struct tern_handler *h = api->handlers; h && h->name; h++)
        if (!h->serve)
            return refuse(why, -ENOEXEC, "handler", h->name, "has nothing to serve with");
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

static bool is_loaded(const struct tern_module *api)
{
    const struct tern_module *module;
    for (size_t i = 0; module_at(i, &module); i++)
        if (module == api)
            return true;
    return false;
}

/* -EALREADY: it is loaded already, by another name of the same file. */
static int open_module(const char *path, const struct tern_module **api, struct out *why)
{
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        put_some(why, str_of(dlerror()));
        return -ENOENT;
    }
    *api = dlsym(handle, "tern_module");
    int error = is_loaded(*api) ? -EALREADY : check(*api, why);
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
    if (!error || error == -EALREADY)
        *api = module->api;
    if (!error) {
        list_push_back(&modules, &module->link);
        return 0;
    }
    free(module->path);
    free(module);
    return error == -EALREADY ? 0 : error;
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
