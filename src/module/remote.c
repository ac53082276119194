/* remote.c: outbound streams of modules. */
#include "module/remote.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/list.h"
#include "green/offload.h"
#include "green/sync.h"
#include "log/log.h"
#include "module/caller.h"
#include "module/scope.h"
#include "net/connect.h"
#include "net/resolve.h"
#include "net/tls_client.h"

/* A plain one, or one that is secured: the latter takes more room. */
struct tern_stream {
    int broken; /* what a write came to, for good: nobody knows how much of it is on its way */
    _Alignas(max_align_t) struct stream stream;
};

/* ---- whom to trust ---- */

/* Made once for each file of authorities, and kept. */
struct trust {
    struct list link;
    char *ca; /* NULL: the system's */
    bool any_peer;
    struct tls_client_context *context;
};

static struct {
    struct list all;
    struct green_mutex making; /* one at a time: others may want the same */
} trusts;

struct making {
    struct tls_client_settings settings;
    struct tls_client_context *context;
    const char *why;
    int error;
};

static void read_authorities(void *arg)
{
    struct making *job = arg;
    job->error = tls_client_context_new(&job->context, &job->settings, &job->why);
}

static struct trust *find_trust(const struct tern_remote *remote)
{
    list_each (l, next, &trusts.all) {
        struct trust *trust = container_of(l, struct trust, link);
        bool same = trust->ca && remote->ca ? strcmp(trust->ca, remote->ca) == 0 : trust->ca == remote->ca;
        if (same && trust->any_peer == remote->any_peer)
            return trust;
    }
    return NULL;
}

static int keep_trust(const struct tern_remote *remote, struct tls_client_context *context)
{
    struct trust *trust = calloc(1, sizeof *trust);
    if (!trust || (remote->ca && !(trust->ca = strdup(remote->ca)))) {
        free(trust);
        tls_client_context_free(context);
        return -ENOMEM;
    }
    trust->any_peer = remote->any_peer;
    trust->context = context;
    list_push_back(&trusts.all, &trust->link);
    return 0;
}

/* On the pool: files are read. */
static int make_trust(const struct tern_remote *remote, nsec deadline, const char **why)
{
    struct making job = {.settings = {.ca = remote->ca, .unverified = remote->any_peer}};
    int error = green_offload(read_authorities, &job, deadline);
    if (error || job.error) {
        *why = error ? NULL : job.why;
        return error ? error : job.error;
    }
    return keep_trust(remote, job.context);
}

static int trust_of(const struct tern_remote *remote, nsec deadline, struct tls_client_context **context,
                    const char **why)
{
    int error = find_trust(remote) ? 0 : green_mutex_lock(&trusts.making, deadline);
    if (error)
        return error;
    if (!find_trust(remote))
        error = make_trust(remote, deadline, why);
    green_mutex_unlock(&trusts.making); /* if it is ours */
    if (!error)
        *context = find_trust(remote)->context;
    return error;
}

/* ---- connecting ---- */

/* Without its authorities no certificate is good enough. What keeps us from reading them is no business of the
 * client's, to whom it would be told as 403 or 404. */
static int no_trust(int error)
{
    return error == -ENOENT || error == -EACCES || error == -EINVAL ? -EKEYREJECTED : error;
}

static int secure(struct stream *s, const struct tern_remote *remote, nsec deadline, const char **why)
{
    struct tls_client_context *context;
    int error = no_trust(trust_of(remote, deadline, &context, why));
    if (error)
        return error;
    const struct tls_client_terms terms = {str_of(remote->host), str_of(remote->protocol)};
    return tls_client_handshake(s, context, &terms, deadline, why);
}

static int open_stream(struct stream *s, const struct tern_remote *remote, nsec deadline, const char **why)
{
    const struct place place = {str_of(remote->host), remote->port};
    int error = connect_place(s, &place, deadline, why);
    if (error || !remote->tls)
        return error;
    error = secure(s, remote, deadline, why);
    if (error)
        stream_close(s);
    return error;
}

/* A name that there is not, or that has no address, is nowhere to go to, and so is a socket that is not for us. */
static int as_documented(int error)
{
    return error == -ENOENT || error == -ENODATA || error == -EACCES ? -EHOSTUNREACH : error;
}

int tern_connect(const struct tern_remote *remote, struct tern_stream **stream, tern_time deadline)
{
    if (!module_is_placed(__func__))
        return -EPERM;
    const char *why = NULL;
    struct tern_stream *s =
        malloc(offsetof(struct tern_stream, stream) + (remote->tls ? stream_tls.size : sizeof s->stream));
    if (!s)
        return -ENOMEM;
    s->broken = 0;
    int error = as_documented(open_stream(&s->stream, remote, deadline, &why));
    if (!error) {
        *stream = s;
        return 0;
    }
    if (error != -ECANCELED)
        log_limited(LOG_LEVEL_INFO, "no stream to %s: %s", remote->host, why ? why : strerror(-error));
    free(s);
    return error;
}

struct connect_operation {
    const struct tern_remote *remote;
    struct tern_stream **stream;
    tern_time deadline;
};

static int run_connect(void *arg)
{
    const struct connect_operation *operation = arg;
    return tern_connect(operation->remote, operation->stream, operation->deadline);
}

int tern_start_connect(struct tern_scope *scope, struct tern_future **future, const struct tern_remote *remote,
                       struct tern_stream **stream, tern_time deadline)
{
    const struct connect_operation operation = {remote, stream, deadline};
    return module_start_operation(scope, future, run_connect, &operation, sizeof operation);
}

/* ---- streams ---- */

ssize_t tern_stream_read(struct tern_stream *s, void *to, size_t n, tern_time deadline)
{
    if (!module_is_placed(__func__))
        return -EPERM;
    return stream_read(&s->stream, to, n, deadline);
}

int tern_stream_write(struct tern_stream *s, const void *bytes, size_t n, tern_time deadline)
{
    if (!module_is_placed(__func__))
        return -EPERM;
    struct iovec piece = {(void *)bytes, n};
    if (!s->broken)
        s->broken = stream_write_until(&s->stream, &piece, 1, deadline);
    if (!s->broken)
        s->broken = stream_flush_until(&s->stream, deadline);
    return s->broken;
}

/* What was written in part must not end as if it were whole. */
int tern_stream_end(struct tern_stream *s, tern_time deadline)
{
    if (!module_is_placed(__func__))
        return -EPERM;
    if (s->broken)
        return s->broken;
    if (s->stream.ops->say_end)
        s->stream.ops->say_end(&s->stream);
    s->broken = stream_flush_until(&s->stream, deadline);
    stream_shutdown(&s->stream);
    return s->broken;
}

void tern_stream_close(struct tern_stream *s)
{
    if (!s || !module_is_placed(__func__))
        return;
    stream_close(&s->stream);
    free(s);
}

/* ---- start and end ---- */

void module_remote_init(void)
{
    list_init(&trusts.all);
    green_mutex_init(&trusts.making);
}

void module_remote_end(void)
{
    list_each (l, next, &trusts.all) {
        struct trust *trust = container_of(l, struct trust, link);
        list_unlink(l);
        tls_client_context_free(trust->context);
        free(trust->ca);
        free(trust);
    }
    resolve_end();
}
