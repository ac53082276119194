/* files.c: `files`: static files below a directory.
 *
 * What follows the route's prefix is looked up below `root`; an exact route serves the file of its last segment's name.
 * A path that ends in a slash is a directory: the first of its `index` files, or else a listing. What is not there at
 * all may be answered with one of the `try` files. Which file it is to be is decided here; file_send.c sends it.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "handler/file_send.h"
#include "handler/listing.h"
#include "handler/registry.h"
#include "http/redirect.h"
#include "log/log.h"
#include "policy/compress.h"

struct files {
    struct str root;
    struct conf_texts index, try;
    nsec cache;
    bool precompressed, listing, hidden, follow;
    struct file_root directory; /* the root, open */
    size_t prefix;              /* bytes of the path that do not name a file */
};

#define IN(member) offsetof(struct files, member)

static const struct conf_key keys[] = {
    {"root", CONF_TEXT, IN(root), .required = true, .takes = "a directory",
     .doc = "where they are; what follows the route's `path` is looked up below it"},
    {"index", CONF_TEXTS, IN(index), .fallback = "[index.html]", .takes = "a file name",
     .doc = "file names tried, in order, for a path that ends in a slash"},
    {"listing", CONF_BOOL, IN(listing), .fallback = "off", .doc = "lists directories that have no index file"},
    {"try", CONF_TEXTS, IN(try), .fallback = "[]", .takes = "a name below the root",
     .doc = "files below the root served, in order, for a path that is not there; $path is that path"},
    {"hidden", CONF_BOOL, IN(hidden), .fallback = "off",
     .doc = "serves names that start with a dot; /.well-known/ is served anyway"},
    {"follow", CONF_BOOL, IN(follow), .fallback = "off", .doc = "symbolic links may lead out of the root"},
    {"precompressed", CONF_BOOL, IN(precompressed), .fallback = "on",
     .doc = "serves x.br, x.zst or x.gz, where they are beside x, to who accepts them"},
    {"cache", CONF_TIME, IN(cache), .fallback = "1s", .max = 86400 * NSEC_SEC,
     .doc = "how long a cached file may go without a fresh look at the disk; 0: never"},
};

static const struct conf_table table = CONF_TABLE("files", keys);

/* ---- configuration ---- */

static void close_directory(void *settings)
{
    close(((struct files *)settings)->directory.fd);
}

/* Names of files are joined to paths: they are relative, and lead nowhere else. */
static int check_name(struct conf_reader *r, const struct conf_node *item, struct str *name)
{
    struct str path = str_starts(*name, STR("/")) ? *name : arena_printf(r->arena, "/" STR_FMT, STR_ARG(*name));
    if (!path.p)
        return -ENOMEM;
    *name = str_skip(path, 1);
    if (name->n && http_path_is_normal(path))
        return 0;
    conf_error(r, item, "not a path below the root");
    return -EINVAL;
}

static int check_names(struct conf_reader *r, const struct conf_node *node, struct str key, struct conf_texts *names)
{
    struct conf_node *list = conf_find(node, key);
    size_t i = 0;
    int first = 0;
    conf_each_item (item, list) {
        int error = check_name(r, item, &names->v[i++]);
        first = first ? first : error;
    }
    return first;
}

static int open_root(struct conf_reader *r, const struct conf_node *node, struct files *files)
{
    int fd = open(files->root.p, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        conf_error(r, conf_find(node, STR("root")), STR_FMT ": %s", STR_ARG(files->root), strerror(errno));
        return -EINVAL;
    }
    files->directory = (struct file_root){.fd = fd, .path = files->root.p, .follow = files->follow};
    int error = arena_defer(r->arena, close_directory, files);
    if (error)
        close(fd);
    return error;
}

static int prepare(struct conf_reader *r, const struct conf_node *node, const struct http_route *route, void *settings)
{
    struct files *files = settings;
    struct str path = route->path;
    files->prefix = path.n;
    while (route->exact && files->prefix && path.p[files->prefix - 1] != '/')
        files->prefix--;
    int error = open_root(r, node, files);
    int index_error = check_names(r, node, STR("index"), &files->index);
    int try_error = check_names(r, node, STR("try"), &files->try);
    return error ? error : index_error ? index_error : try_error;
}

/* ---- errors ---- */

struct error_status {
    int error, status;
};

/* EXDEV: the path leads out of the root. */
static int status_of(int error)
{
    static const struct error_status statuses[] = {
        {-ENOENT, 404}, {-ENOTDIR, 404}, {-ELOOP, 404},  {-EXDEV, 404},  {-ENAMETOOLONG, 404}, {-EACCES, 403},
        {-EPERM, 403},  {-EMFILE, 503},  {-ENFILE, 503}, {-ENOMEM, 503}, {-EAGAIN, 503},
    };
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        if (statuses[i].error == error)
            return statuses[i].status;
    return 500;
}

/* What a client is not told, but an administrator wants to know: everything but "there is no such file". */
static int send_error(struct exchange *x, const struct files *files, int error)
{
    int status = status_of(error);
    if (status != 404)
        log_limited(LOG_LEVEL_WARN, "files: %d for " STR_FMT " below " STR_FMT ": %s", status,
                    STR_ARG(x->request.uri.path), STR_ARG(files->root), strerror(-error));
    return http_send_status(x, status, STR(""));
}

/* ---- which file ---- */

/* Whether some segment starts with a dot. What is well known is meant to be found (RFC 8615). */
static bool is_hidden(struct str path)
{
    if (str_starts(path, STR(".well-known/")))
        path = str_skip(path, sizeof ".well-known/" - 1);
    while (path.n)
        if (str_starts(str_cut(&path, '/'), STR(".")))
            return true;
    return false;
}

/* A file, or a compressed one beside it that the request prefers; never what was overwritten since it was opened. */
static int acquire_coding(const struct files *files, struct str path, enum coding coding, struct file_entry **entry)
{
    struct file_query query = {&files->directory, path, coding, 0, files->cache};
    if (files->precompressed && coding == CODING_NONE)
        query.wanted = CODING_ALL;
    int error = file_acquire(&query, entry);
    if (error || file_is_current(*entry))
        return error;
    file_expire(*entry);
    file_release(*entry);
    return file_acquire(&query, entry);
}

static int acquire_file(struct exchange *x, const struct files *files, struct str path, struct file_entry **entry)
{
    int error = acquire_coding(files, path, CODING_NONE, entry);
    if (error || !(*entry)->present)
        return error;
    struct file_entry *encoded;
    enum coding coding = coding_choose(&x->request, (*entry)->present);
    if (coding == CODING_NONE || acquire_coding(files, path, coding, &encoded) < 0)
        return 0;
    file_release(*entry);
    *entry = encoded;
    return 0;
}

static int acquire_index(struct exchange *x, const struct files *files, struct str directory, struct file_entry **entry)
{
    int error = -ENOENT;
    for (size_t i = 0; i < files->index.n && error == -ENOENT; i++) {
        struct str path = arena_printf(&x->arena, STR_FMT STR_FMT, STR_ARG(directory), STR_ARG(files->index.v[i]));
        error = path.p ? acquire_file(x, files, path, entry) : -ENOMEM;
        if (error == -EISDIR) /* a directory of that name is no index */
            error = -ENOENT;
    }
    return error;
}

/* One of the `try` files, with the path put in for $path. Of a directory, only what is in it can be meant. */
static int acquire_try(struct exchange *x, const struct files *files, struct str path, struct str name,
                       struct file_entry **entry)
{
    static const struct str variable = STR_INIT("$path");
    size_t at = 0;
    while (at < name.n && !str_starts(str_skip(name, at), variable))
        at++;
    if (at < name.n) {
        struct str rest = str_skip(name, at + variable.n);
        rest = str_skip(rest, (path.n == 0 || str_ends(path, STR("/"))) && str_starts(rest, STR("/")));
        name = arena_printf(&x->arena, STR_FMT STR_FMT STR_FMT, (int)at, name.p, STR_ARG(path), STR_ARG(rest));
        if (name.p && !files->hidden && is_hidden(name))
            return -ENOENT;
    }
    return name.p ? acquire_file(x, files, name, entry) : -ENOMEM;
}

static bool is_missing(int error)
{
    return status_of(error) == 404 || error == -EISDIR;
}

static int acquire_tries(struct exchange *x, const struct files *files, struct str path, struct file_entry **entry)
{
    int error = -ENOENT;
    for (size_t i = 0; i < files->try.n && is_missing(error); i++)
        error = acquire_try(x, files, path, files->try.v[i], entry);
    return error == -EISDIR ? -ENOENT : error;
}

/* ---- the answer ---- */

static int send_entry(struct exchange *x, struct file_entry *entry)
{
    enum coding coding = CODING_NONE;
    if (entry->coding == CODING_NONE)
        coding = compress_wanted(x, entry->type, (uint64_t)entry->version.size);
    int error = file_send(x, entry, coding);
    file_release(entry);
    return error;
}

static int serve_directory(struct exchange *x, const struct files *files, struct str path, struct file_entry **entry)
{
    int error = acquire_index(x, files, path, entry);
    if (error != -ENOENT || !files->listing)
        return error;
    return listing_send(x, &files->directory, path, files->hidden);
}

static int serve(struct exchange *x, const void *settings)
{
    const struct files *files = settings;
    const struct http_uri *uri = &x->request.uri;
    struct file_entry *entry = NULL;
    struct str path = str_skip(uri->path, files->prefix);
    path = str_skip(path, str_starts(path, STR("/")));
    bool directory = path.n ? str_ends(path, STR("/")) : str_ends(uri->path, STR("/"));
    int error = -EISDIR; /* the prefix itself, without its slash */
    if (uri->opaque || (!files->hidden && is_hidden(path)))
        return http_send_status(x, 404, STR(""));
    if (directory)
        error = serve_directory(x, files, path, &entry);
    else if (path.n)
        error = acquire_file(x, files, path, &entry);
    if (x->response.status || error == -ECANCELED)
        return error;
    if (error == -EISDIR)
        return http_redirect_to_slash(x); /* relative links in its page need it */
    if (error && is_missing(error) && files->try.n)
        error = acquire_tries(x, files, path, &entry);
    return error ? send_error(x, files, error) : send_entry(x, entry);
}

const struct http_handler handler_files = {
    .name = STR_INIT("files"),
    .doc = "static files below a directory: {root: /srv/www}",
    .table = &table,
    .size = sizeof(struct files),
    .methods = 1ULL << METHOD_GET | 1ULL << METHOD_HEAD,
    .prepare = prepare,
    .serve = serve,
};
