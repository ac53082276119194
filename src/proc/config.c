/* config.c: see config.h. The tables of the lower layers come together here. */
#include "proc/config.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/list.h"
#include "conf/dump.h"
#include "conf/include.h"
#include "conf/yaml.h"
#include "handler/registry.h"
#include "http/slow.h"
#include "net/tls_context.h"
#include "policy/registry.h"
#include "proc/modules.h"
#include "proc/probe.h"
#include "proc/reach.h"

#define IN(member) offsetof(struct config, member)

static const char *const automatic[] = {"auto", NULL}, *const off[] = {"off", NULL};

/* ---- listen ---- */

static const struct conf_key listen_keys[] = {
    {"address", CONF_TEXT, offsetof(struct listen, text), .required = true,
     .takes = "address:port, [address]:port, unix:PATH, unix:@NAME or fd:NAME",
     .pattern = "^([0-9]+(\\.[0-9]+){3}|\\*|\\[[0-9a-fA-F:.]+\\])?:0*[1-9][0-9]{0,4}$|^(unix|fd):.",
     .doc = "where connections come in: 127.0.0.1:8080; *:8080 for all of IPv4, [::]:8080 for all of IPv6"},
    {"backlog", CONF_INT, offsetof(struct listen, backlog), .fallback = "4096", .min = 1, .max = 65535,
     .doc = "connections that may wait to be accepted, for each worker"},
    {"http2", CONF_BOOL, offsetof(struct listen, endpoint.http2), .fallback = "on",
     .doc = "whether HTTP/2 is spoken here, too"},
    {"tls", CONF_CUSTOM, offsetof(struct listen, tls), .read = tls_context_read, .table = &tls_conf_table,
     .doc = "secured by TLS: with this certificate, where no site has one of its own"},
};

static const struct conf_table listen_table = CONF_TABLE("listen", listen_keys);

static int read_listener(struct conf_reader *r, struct conf_node *node, struct listen *listen)
{
    int error;
    listen->at = node;
    listen->backlog = 4096;
    listen->endpoint.http2 = true;
    if (node->kind == CONF_MAPPING)
        error = conf_read_map(r, node, &listen_table, listen);
    else
        error = conf_read_value(r, node, &listen_keys[0], &listen->text); /* a lone value is an address */
    if (error)
        return error;
    if (str_starts(listen->text, STR("fd:")) && listen->text.n > 3) {
        listen->name = str_skip(listen->text, 3);
        return 0;
    }
    error = addr_parse(listen->text, &listen->addr);
    if (error)
        conf_error(r, node, "`" STR_FMT "` %s; write 127.0.0.1:8080, [::1]:8080, unix:/path or fd:name",
                   STR_ARG(listen->text),
                   error == -ENAMETOOLONG ? "is too long a path"
                   : error == -ERANGE     ? "has a port out of range (1 to 65535)"
                                          : "is not an address");
    return error ? -EINVAL : 0;
}

static bool is_same(const struct listen *a, const struct listen *b)
{
    return a->name.n || b->name.n ? str_eq(a->name, b->name) : addr_same(&a->addr, &b->addr);
}

static int refuse_twins(struct conf_reader *r, struct conf_node *node, const struct listen *all, size_t count)
{
    for (size_t i = 0; i + 1 < count; i++)
        if (is_same(&all[i], &all[count - 1])) {
            conf_error(r, node, "`" STR_FMT "` is listed twice", STR_ARG(all[count - 1].text));
            return -EINVAL;
        }
    return 0;
}

static int read_listen(struct conf_reader *r, struct conf_node *node, void *field)
{
    struct config *config = container_of(field, struct config, listen);
    size_t room = conf_item_count(node);
    int first = 0;
    config->listen = arena_zalloc(r->arena, (room ? room : 1) * sizeof *config->listen);
    if (!config->listen)
        return -ENOMEM;
    if (room == 0) {
        conf_error(r, node, "needs at least one address");
        return -EINVAL;
    }
    conf_each_item (item, node) {
        int error = read_listener(r, item, &config->listen[config->listen_count++]);
        if (!error)
            error = refuse_twins(r, item, config->listen, config->listen_count);
        first = first ? first : error;
    }
    return first;
}

/* ---- the top level ---- */

static const struct conf_key user_key = {.kind = CONF_TEXT, .takes = "the name of a user"};
static const struct conf_key group_key = {.kind = CONF_TEXT, .takes = "the name of a group"};
static const struct conf_key control_key = {.kind = CONF_PATH, .words = off};

static int read_user(struct conf_reader *r, struct conf_node *node, void *field)
{
    int error = conf_read_value(r, node, &user_key, field);
    if (!error && !getpwnam(((struct str *)field)->p)) {
        conf_error(r, node, "no such user: " STR_FMT, STR_ARG(*(struct str *)field));
        error = -EINVAL;
    }
    return error;
}

static int read_group(struct conf_reader *r, struct conf_node *node, void *field)
{
    int error = conf_read_value(r, node, &group_key, field);
    if (!error && !getgrnam(((struct str *)field)->p)) {
        conf_error(r, node, "no such group: " STR_FMT, STR_ARG(*(struct str *)field));
        error = -EINVAL;
    }
    return error;
}

static int read_control(struct conf_reader *r, struct conf_node *node, void *field)
{
    struct str *control = field;
    int error = conf_read_value(r, node, &control_key, control);
    if (error)
        return error;
    if (str_eq(*control, STR("off")))
        control->n = 0;
    if (control->n < sizeof((struct sockaddr_un *)0)->sun_path)
        return 0;
    conf_error(r, node, "is too long for the path of a socket");
    return -EINVAL;
}

static const struct conf_key keys[] = {
    {"user", CONF_CUSTOM, IN(user), .read = read_user, .single = &user_key,
     .doc = "whom workers run as when the master is root; without it `tern`, else `nobody`"},
    {"group", CONF_CUSTOM, IN(group), .read = read_group, .single = &group_key,
     .doc = "their group; without it the one of the user"},
    {"workers", CONF_INT, IN(workers), .fallback = "auto", .words = automatic, .min = 1, .max = 1024,
     .doc = "processes that serve; auto: one for each usable core; the option -w overrules it"},
    {"pin", CONF_BOOL, IN(pin), .fallback = "off", .doc = "pins worker i to core i"},
    {"threads", CONF_INT, IN(threads), .fallback = "4", .min = 1, .max = 256,
     .doc = "threads of each worker for what blocks: the disk, passwords, compression, signatures by RSA"},
    {"compute", CONF_INT, IN(compute), .fallback = "0", .min = 0, .max = 256,
     .doc = "processes of the server that run what modules hand to them because it takes a processor for long"},
    {"control", CONF_CUSTOM, IN(control), .fallback = "/run/tern/control.sock", .read = read_control,
     .single = &control_key, .doc = "the socket on which ternctl finds the server; off: none"},
    {"stack", CONF_SIZE, IN(stack), .fallback = "64k", .min = 64 << 10, .max = 64 << 20,
     .doc = "address space of a green thread's stack; memory is used as it is touched"},
    {"timings", CONF_BOOL, IN(timings), .fallback = "on",
     .doc = "whether it is measured where the time of each request goes; off: only where something that is configured "
            "asks for it"},
    {"modules", CONF_PATH, IN(modules), .takes = "a directory",
     .doc = "where modules are that are named without a slash; without it lib/tern/modules where the server is "
            "installed"},
    {"mime_types", CONF_TEXT, IN(mime_types), .takes = "a path",
     .doc = "which media type a file has; without it mime.types beside this file, else /etc/tern/mime.types, else a "
            "built-in list"},
    {"listen", CONF_CUSTOM, IN(listen), .required = true, .min = 1, .read = read_listen, .single = &listen_keys[0],
     .table = &listen_table, .many = CONF_ONE_OR_LIST, .doc = "where connections come in; a lone text is an address"},
    {"limits", CONF_MAP, IN(http.limits), .fallback = "{}", .table = &http_limits_table,
     .doc = "bounds on connections and requests"},
    {"timeouts", CONF_MAP, IN(http.timeouts), .fallback = "{}", .table = &http_timeouts_table,
     .doc = "how long anything may take"},
    {"log", CONF_MAP, IN(log), .fallback = "{}", .table = &log_conf_table, .doc = "what is written where"},
    {"sites", CONF_CUSTOM, IN(http.sites), .required = true, .min = 1, .read = http_sites_read, .many = CONF_LIST,
     .table = &http_site_table, .doc = "what is served to whom"},
};

static const struct conf_table table = {
    .what = "the configuration",
    .keys = keys,
    .count = sizeof keys / sizeof *keys,
    .more = &conf_include_table,
};

const struct conf_table *config_table(void)
{
    http_handlers = handler_registry;
    http_policies = policy_registry;
    return &table;
}

/* ---- media types ---- */

/* The file that is configured, or the first of the usual ones, or what is compiled in. */
static int load_types(struct conf_reader *r, struct config *config, const char *file)
{
    unsigned line;
    int error = -ENOENT;
    struct str folder = file ? str_of(file) : STR("");
    while (folder.n && folder.p[folder.n - 1] != '/')
        folder.n--;
    struct str beside = arena_printf(r->arena, STR_FMT "mime.types", STR_ARG(folder));
    const char *places[] = {config->mime_types.n ? config->mime_types.p : beside.p, TERN_ETC "/mime.types"};
    size_t count = config->mime_types.n ? 1 : 2;
    for (size_t i = 0; i < count && error == -ENOENT; i++) {
        error = http_mime_load(&config->types, r->arena, places[i], &line);
        if (error == -EBADMSG)
            conf_error_at(r, str_of(places[i]), line, 1, "not a line of a mime.types file");
        else if (error && config->mime_types.n)
            conf_error(r, conf_find(config->tree, STR("mime_types")), "%s: %s", places[i], strerror(-error));
    }
    if (error == -ENOENT && !config->mime_types.n)
        error = http_mime_builtin(&config->types, r->arena);
    return error;
}

/* ---- TLS ---- */

/* The first site that has a certificate of its own: its `tls`, or NULL. */
static const struct conf_node *find_certificate(const struct conf_node *sites)
{
    const struct conf_node *tls = NULL;
    conf_each (site, sites)
        if (site->kind == CONF_MAPPING && !tls)
            tls = conf_find(site, STR("tls"));
    return tls;
}

/* What listeners can be told of sites only when these are there. */
static int finish_listeners(struct conf_reader *r, struct config *config)
{
    const struct conf_node *own = find_certificate(conf_find(config->tree, STR("sites")));
    struct conf_node *node = NULL;
    bool any = false;
    for (size_t i = 0; i < config->listen_count; i++) {
        struct listen *listen = &config->listen[i];
        node = conf_item_after(conf_find(config->tree, STR("listen")), node);
        listen->endpoint.tls = listen->tls;
        if (!listen->tls)
            continue;
        const struct tls_endpoint endpoint = {
            .http2 = listen->endpoint.http2, .choose = http_sites_choose, .sites = &config->http.sites};
        tls_context_set_endpoint(listen->tls, &endpoint);
        any = true;
        if (!own && !tls_context_has_certificate(listen->tls)) {
            conf_error(r, conf_find(node, STR("tls")), "lacks `certificate`, and no site has one either");
            return -EINVAL;
        }
    }
    if (!own || any)
        return 0;
    conf_error(r, own, "means nothing where no listener has `tls`; `tls: {}` there is enough");
    return -EINVAL;
}

/* ---- the whole ---- */

/* -l and -r are a configuration like any other. */
static int parse_options(struct conf_reader *r, const struct config_options *options, struct conf_node **tree)
{
    static const struct str text = STR_INIT("listen: [ADDRESS]\n"
                                            "sites: [{routes: [{path: /, files: {root: DIR}}]}]\n");
    int error = conf_parse(r, STR("command line"), text, tree);
    if (error)
        return error;
    struct conf_node *site = conf_find(*tree, STR("sites"))->first;
    struct conf_node *route = conf_find(site, STR("routes"))->first;
    struct conf_node *root = conf_find(conf_find(route, STR("files")), STR("root"));
    struct conf_node *address = conf_find(*tree, STR("listen"))->first;
    address->text = str_of(options->listen);
    root->text = str_of(options->root);
    address->quoted = root->quoted = true; /* a directory may well be called `null` */
    return 0;
}

/* -w takes the place of what the file says, or does not say. */
static int override_workers(struct conf_reader *r, const struct config_options *options, struct config *config)
{
    uint64_t workers;
    if (!options->workers)
        return 0;
    struct conf_node *node = conf_find(config->tree, STR("workers"));
    if (node)
        node->text = str_of(options->workers);
    if (str_eq(str_of(options->workers), STR("auto"))) {
        config->workers = -1;
        return 0;
    }
    if (str_to_u64(str_of(options->workers), &workers) < 0 || workers < 1 || workers > 1024) {
        conf_error_at(r, STR("command line"), 1, 1, "-w: `%s` is not a number of workers (1 to 1024)",
                      options->workers);
        return -EINVAL;
    }
    config->workers = (int64_t)workers;
    return 0;
}

static int read_all(struct conf_reader *r, const struct config_options *options, struct config *config)
{
    int error = options->root ? parse_options(r, options, &config->tree) : conf_load(r, options->file, &config->tree);
    if (error)
        return error;
    http_handlers = handler_registry;
    http_policies = policy_registry;
    config->modules = str_of(TERN_MODULES);
    config->control_configured = conf_find(config->tree, STR("control")) != NULL;
    error = conf_read_map(r, config->tree, config_table(), config);
    http_slow_default(&config->http.sites, config->log.slow);
    int workers_error = override_workers(r, options, config);
    int types_error = load_types(r, config, options->root ? NULL : options->file);
    if (!error)
        error = finish_listeners(r, config);
    if (!conf_failed(r) && !error && !types_error)
        error = reach_check(r, config->tree, config->user, config->group);
    if (!conf_failed(r) && !error && !types_error)
        error = probe_check(r, config);
    if (!error)
        error = modules_find_source(config, &config->jobs);
    return error ? error : workers_error ? workers_error : types_error;
}

struct config *config_load(const struct config_options *options, FILE *errors)
{
    struct config *config = calloc(1, sizeof *config);
    if (!config) {
        fprintf(errors, "tern: no memory for the configuration\n");
        return NULL;
    }
    struct conf_reader r;
    arena_init(&config->arena, NULL, 0);
    conf_reader_init(&r, &config->arena);
    r.must_start = options->starts;
    int error = read_all(&r, options, config);
    conf_report(&r, errors);
    if (!error && !conf_failed(&r))
        return config;
    if (!conf_failed(&r))
        fprintf(errors, "tern: %s: %s\n", options->root ? "command line" : options->file, strerror(-error));
    config_free(config);
    return NULL;
}

int config_print(const struct config *config, FILE *f)
{
    return conf_dump(f, config->tree);
}

void config_free(struct config *config)
{
    arena_clear(&config->arena);
    free(config);
}
