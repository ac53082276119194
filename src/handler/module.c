/* module.c: `module`: requests answered by code that is not the server's: a handler of a shared object (tern.h). */
#include <errno.h>

#include "handler/module.h"
#include "handler/registry.h"
#include "module/loader.h"
#include "module/request.h"
#include "module/settings.h"

enum { WHY = 512 }; /* bytes of a reason */

struct module {
    struct str file, name;
    struct str route;             /* its path */
    struct conf_node *settings;   /* NULL: none */
    const struct conf_node *node; /* the whole of it */
    const struct tern_module *module;
    const struct tern_handler *handler; /* of this process, once it is started */
    void *state;
};

#define IN(member) offsetof(struct module, member)

/* What they mean, the module says. */
static int keep_settings(struct conf_reader *r, struct conf_node *node, void *field)
{
    struct conf_node **settings = field;
    *settings = node;
    if (node->kind == CONF_MAPPING)
        return 0;
    conf_error(r, node, "takes a mapping, not %s", conf_kind_name(node));
    return -EINVAL;
}

static const struct conf_key setting = {.name = "key", .kind = CONF_CUSTOM, .doc = "what the module makes of it"};

static const struct conf_key keys[] = {
    {"file", CONF_PATH, IN(file), .required = true, .takes = "a path",
     .doc = "the shared object; a name without a slash is looked up in `modules`"},
    {"handler", CONF_TEXT, IN(name), .required = true, .doc = "which handler of it"},
    {"settings", CONF_CUSTOM, IN(settings), .read = keep_settings, .entry = &setting,
     .doc = "what the handler is to know, as it says itself"},
};

static const struct conf_table table = CONF_TABLE("module", keys);

static int prepare(struct conf_reader *r, const struct conf_node *node, const struct http_route *route, void *settings)
{
    (void)r;
    struct module *m = settings;
    m->node = node;
    m->route = route->path;
    return 0;
}

/* ---- in each process that serves ---- */

int module_handler_load(const struct http_route *route, struct out *why)
{
    const struct module *m = route->settings;
    const struct tern_module *module;
    return route->handler == &handler_module ? module_load(m->file.p, &module, why) : 0;
}

static int load(struct conf_reader *r, struct module *m)
{
    char text[WHY];
    struct out why = out_on(text, sizeof text);
    int error = module_load(m->file.p, &m->module, &why);
    if (error && error != -ENOMEM)
        conf_error(r, conf_find(m->node, STR("file")), STR_FMT, STR_ARG(out_str(&why)));
    return error;
}

static int find_handler(struct conf_reader *r, struct module *m)
{
    char text[WHY];
    struct out why = out_on(text, sizeof text);
    m->handler = module_find_handler(m->module, m->name.p, &why);
    if (m->handler)
        return 0;
    conf_error(r, conf_find(m->node, STR("handler")), STR_FMT, STR_ARG(out_str(&why)));
    return -EINVAL;
}

static int open_handler(struct conf_reader *r, struct module *m)
{
    struct tern_settings settings;
    size_t failed = r->failed;
    int error = module_settings_init(&settings, r, m->settings, m->node);
    if (!error && m->handler->open)
        error = m->handler->open(&settings, &m->state);
    if (error && r->failed == failed)
        conf_error(r, conf_find(m->node, STR("handler")), "the handler does not open: %s", strerror(-error));
    else if (!error)
        module_settings_check(&settings);
    if (r->failed == failed)
        return error;
    if (!error && m->handler->close)
        m->handler->close(m->state);
    return -EINVAL;
}

static int start(struct conf_reader *r, const struct http_route *route, void *settings)
{
    (void)route;
    struct module *m = settings;
    int error = load(r, m);
    if (!error)
        error = find_handler(r, m);
    if (!error)
        error = open_handler(r, m);
    return error == -ENOMEM ? error : error ? -EINVAL : 0;
}

static void stop(void *settings)
{
    const struct module *m = settings;
    if (m->handler->close)
        m->handler->close(m->state);
}

static struct str label(struct arena *arena, const void *settings)
{
    const struct module *m = settings;
    return arena_printf(arena, "module " STR_FMT, STR_ARG(m->name));
}

static int serve(struct exchange *x, const void *settings)
{
    const struct module *m = settings;
    struct tern_request r;
    module_request_init(&r, x, m->module->name, m->route);
    return module_request_finish(&r, m->handler->serve(&r, m->state));
}

const struct http_handler handler_module = {
    .name = STR_INIT("module"),
    .doc = "code of your own, in a shared object: {file: hello.so, handler: hello}",
    .table = &table,
    .size = sizeof(struct module),
    .prepare = prepare,
    .start = start,
    .stop = stop,
    .label = label,
    .serve = serve,
};
