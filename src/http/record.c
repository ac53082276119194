/* record.c: see record.h. */
#include "http/record.h"

#include <sys/socket.h>
#include <time.h>

#include "net/tls_stream.h"

static struct str find_field(const void *request, struct str name)
{
    return http_field(request, name);
}

static unsigned own_port(const struct conn *conn)
{
    struct sockaddr_storage address;
    struct peer self;
    socklen_t size = sizeof address;
    if (getsockname(conn->stream.fd.fd, (struct sockaddr *)&address, &size) < 0)
        return 0;
    peer_from(&self, (const struct sockaddr *)&address);
    return self.port;
}

/* A request that was refused while its head was being read has spent all of its time on that. */
static struct access_times times_of(const struct http_times *times)
{
    struct green_spent now = green_spent(), read = times->read.at ? times->read : now;
    return (struct access_times){
        .total = now.at - times->begun,
        .header = read.at - times->begun,
        .cpu = now.running - read.running,
        .pool = now.pool - read.pool,
        .client = now.client - read.client,
    };
}

static void find_tls(const struct tls_peer *tls, struct access_entry *entry)
{
    entry->tls_version = str_of(tls->version);
    entry->tls_cipher = str_of(tls->cipher);
    entry->tls_name = tls->name;
    entry->tls_subject = tls->subject;
}

/* What costs a system call, or the clock. */
static void find_out(const struct conn *conn, const struct exchange *x, unsigned needs, struct access_entry *entry)
{
    if (needs & ACCESS_NEEDS_MS) {
        nsec now = clock_read(CLOCK_REALTIME);
        entry->time = now / NSEC_SEC;
        entry->ms = (unsigned)(now % NSEC_SEC / NSEC_MS);
    }
    if (needs & ACCESS_NEEDS_PORT)
        entry->port = own_port(conn);
    if (needs & ACCESS_NEEDS_TIMES)
        entry->times = times_of(&x->times);
}

void conn_record(struct conn *conn, const struct exchange *x)
{
    const struct access_log *log = x->server->access;
    if (!log)
        return;
    char client[PEER_TEXT];
    struct access_entry entry = {
        .client = peer_print(&conn->peer, client),
        .user = x->user,
        .line = x->request.line,
        .host = x->request.host,
        .status = (unsigned)x->response.status,
        .bytes = x->response.sent,
        .reason = str_of(x->reason),
        .request = &x->request,
        .field = find_field,
        .time = time(NULL),
    };
    if (x->tls)
        find_tls(x->tls, &entry);
    unsigned needs = access_needs(log);
    if (needs)
        find_out(conn, x, needs, &entry);
    conns_log(conn->owner, &entry);
}
