/* files.c: `files`: static files below a directory.
 *
 * What follows the route's prefix is looked up below `root`; an exact route serves the file of its last segment's name.
 * A path that ends in a slash is a directory, and answered with the first of its `index` files.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "green/offload.h"
#include "handler/file_cache.h"
#include "handler/registry.h"
#include "http/cond.h"
#include "log/log.h"
#include "net/stream.h"

enum {
    WINDOW = 1 << 20,    /* of a larger file: what is made sure to be in memory before it is sent ... */
    PROBED = WINDOW / 2, /* ... by a look at one page in so many bytes: the kernel reads ahead in large pieces */
};

#define WARM_TIME NSEC_SEC

struct files {
    struct str root;
    struct conf_texts index;
    nsec cache;
    struct file_root directory; /* the root, open */
    size_t prefix;              /* bytes of the path that do not name a file */
};

static const struct conf_key keys[] = {
    {"root", CONF_TEXT, offsetof(struct files, root), .required = true, .doc = "the directory"},
    {"index", CONF_TEXTS, offsetof(struct files, index), .fallback = "[index.html]",
     .doc = "file names tried, in order, for a path that ends in a slash"},
    {"cache", CONF_TIME, offsetof(struct files, cache), .fallback = "1s", .max = 86400 * NSEC_SEC,
     .doc = "how long a cached file may go without a fresh look at the disk; 0: never"},
};

static const struct conf_table table = CONF_TABLE("files", keys);

static void close_directory(void *settings)
{
    close(((struct files *)settings)->directory.fd);
}

static int prepare(struct conf_reader *r, const struct conf_node *node, const struct http_route *route, void *settings)
{
    struct files *files = settings;
    struct str path = route->path;
    files->prefix = path.n;
    while (route->exact && files->prefix && path.p[files->prefix - 1] != '/')
        files->prefix--;
    files->directory = (struct file_root){open(files->root.p, O_PATH | O_DIRECTORY | O_CLOEXEC), files->root.p};
    if (files->directory.fd < 0) {
        conf_error(r, conf_find(node, STR("root")), STR_FMT ": %s", STR_ARG(files->root), strerror(errno));
        return -EINVAL;
    }
    return arena_defer(r->arena, close_directory, files);
}

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

/* A directory that was asked for without its slash: relative links in its page need it. */
static int redirect_to_slash(struct exchange *x)
{
    const struct http_uri *uri = &x->request.uri;
    size_t size = 3 * uri->path.n + uri->query.n + sizeof "Location: /?\r\n";
    char *fields = arena_alloc(&x->arena, size);
    if (!fields)
        return -ENOMEM;
    struct out o = out_on(fields, size);
    out_text(&o, "Location: ");
    http_uri_encode(&o, uri->path);
    out_char(&o, '/');
    if (uri->query.p) {
        out_char(&o, '?');
        out_put(&o, uri->query);
    }
    out_text(&o, "\r\n");
    return http_send_status(x, 301, out_str(&o));
}

static int acquire_index(struct exchange *x, const struct files *files, struct str directory, struct file_entry **entry)
{
    int error = -ENOENT;
    for (size_t i = 0; i < files->index.n && error == -ENOENT; i++) {
        struct str path = arena_printf(&x->arena, STR_FMT STR_FMT, STR_ARG(directory), STR_ARG(files->index.v[i]));
        error = path.p ? file_acquire(&files->directory, path, files->cache, entry) : -ENOMEM;
        if (error == -EISDIR) /* a directory of that name is no index */
            error = -ENOENT;
    }
    return error;
}

static int acquire(struct exchange *x, const struct files *files, struct file_entry **entry)
{
    struct str path = str_skip(x->request.uri.path, files->prefix);
    while (str_starts(path, STR("/")))
        path = str_skip(path, 1);
    if (path.n && !str_ends(path, STR("/")))
        return file_acquire(&files->directory, path, files->cache, entry);
    if (!str_ends(x->request.uri.path, STR("/"))) /* the prefix itself, without its slash */
        return -EISDIR;
    return acquire_index(x, files, path, entry);
}

/* ---- larger files ---- */

struct warm_up {
    int fd;
    off_t at;
    size_t n;
};

/* On the pool: waits for the disk, so that sendfile() on the loop need not. */
static void read_window(void *arg)
{
    const struct warm_up *job = arg;
    char bytes[16 * 1024];
    for (size_t done = 0; done < job->n;) {
        ssize_t got = pread(job->fd, bytes, sizeof bytes, job->at + (off_t)done);
        if (got <= 0)
            return; /* sendfile() will meet the same error, and report it */
        done += (size_t)got;
    }
}

static bool in_memory(int fd, off_t at)
{
    char byte;
    struct iovec piece = {&byte, 1};
    return preadv2(fd, &piece, 1, at, RWF_NOWAIT) == 1;
}

static bool window_in_memory(int fd, off_t at, size_t n)
{
    for (size_t probed = PROBED; probed < n; probed += PROBED)
        if (!in_memory(fd, at + (off_t)probed))
            return false;
    return in_memory(fd, at + (off_t)n - 1);
}

static struct file_stamp stamp_of(const struct file_entry *entry)
{
    return (struct file_stamp){entry->version.size, entry->version.modified};
}

/* Makes sure that a window is in memory, and, when time has passed since somebody looked, that it is what was promised.
 * A file of one window that was found in memory is not probed again for a while. */
static int prepare_window(struct file_entry *entry, const struct file_stamp *stamp, off_t at, size_t n)
{
    bool whole = n == (size_t)entry->version.size;
    if (whole && green_now() < entry->warm_until)
        return 0;
    bool warm = window_in_memory(entry->fd, at, n);
    int error = 0;
    if (!warm)
        error = green_offload(read_window, &(struct warm_up){entry->fd, at, n}, NSEC_NEVER);
    if (error && error != -EAGAIN) /* a full pool: better a short stall than a broken answer */
        return error;
    entry->warm_until = nsec_add(green_now(), WARM_TIME);
    return (at || !warm) && !file_still_is(entry->fd, stamp) ? -ESTALE : 0;
}

static int send_large(struct exchange *x, struct file_entry *entry)
{
    size_t size = (size_t)entry->version.size;
    const struct file_stamp stamp = stamp_of(entry);
    int error = http_head(x, 200, entry->fields, (int64_t)size);
    for (size_t at = 0; at < size && !error && !x->response.no_content;) {
        size_t n = size - at < WINDOW ? size - at : WINDOW;
        error = prepare_window(entry, &stamp, (off_t)at, n);
        if (!error)
            error = http_file(x, entry->fd, (off_t)at, n, &stamp);
        at += n;
    }
    if (error == -ESTALE || error == -EIO)
        log_limited(LOG_LEVEL_WARN, "files: " STR_FMT " changed while it was sent: the client is cut off",
                    STR_ARG(x->request.uri.path));
    return error ? error : http_end(x);
}

static int send_entry(struct exchange *x, struct file_entry *entry)
{
    if (http_not_modified(&x->request, entry->etag, entry->version.modified.tv_sec))
        return http_send(x, 304, entry->fields, STR(""));
    if (entry->fd >= 0)
        return send_large(x, entry);
    return http_send(x, 200, entry->fields, (struct str){entry->bytes, (size_t)entry->version.size});
}

/* An open file that was written to since the last look at the disk is not what its entry says: before anything is
 * promised there is one more look, once for all that ask for it in one pass of the loop. */
static int acquire_current(struct exchange *x, const struct files *files, struct file_entry **entry)
{
    int error = acquire(x, files, entry);
    if (error || (*entry)->fd < 0 || (*entry)->current_at == green_now())
        return error;
    const struct file_stamp stamp = stamp_of(*entry);
    if (file_still_is((*entry)->fd, &stamp)) {
        (*entry)->current_at = green_now();
        return 0;
    }
    file_expire(*entry);
    file_release(*entry);
    return acquire(x, files, entry);
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

static int serve(struct exchange *x, const void *settings)
{
    if (x->request.method != METHOD_GET && x->request.method != METHOD_HEAD)
        return http_send_status(x, 405, STR("Allow: GET, HEAD\r\n"));
    struct file_entry *entry;
    int error = acquire_current(x, settings, &entry);
    if (error == -ECANCELED)
        return error;
    if (error == -EISDIR)
        return redirect_to_slash(x);
    if (error)
        return send_error(x, settings, error);
    error = send_entry(x, entry);
    file_release(entry);
    return error;
}

const struct http_handler handler_files = {
    .name = STR_INIT("files"),
    .table = &table,
    .size = sizeof(struct files),
    .prepare = prepare,
    .serve = serve,
};
