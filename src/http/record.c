/* record.c: see record.h. */
#include "http/record.h"

#include <sys/socket.h>
#include <time.h>

#include "http/slow.h"
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

static void find_tls(const struct tls_peer *tls, struct access_entry *entry)
{
    entry->tls_version = str_of(tls->version);
    entry->tls_cipher = str_of(tls->cipher);
    entry->tls_name = tls->name;
    entry->tls_subject = tls->subject;
}

/* What costs a system call. */
static void find_out(const struct conn *conn, unsigned needs, struct access_entry *entry)
{
    if (needs & ACCESS_NEEDS_MS) {
        nsec now = clock_read(CLOCK_REALTIME);
        entry->time = now / NSEC_SEC;
        entry->ms = (unsigned)(now % NSEC_SEC / NSEC_MS);
    }
    if (needs & ACCESS_NEEDS_PORT)
        entry->port = own_port(conn);
}

static void write_line(struct conn *conn, const struct exchange *x, const struct green_spent *now)
{
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
    unsigned needs = access_needs(x->server->access);
    if (needs & ACCESS_NEEDS_TIMES)
        entry.times = http_times_until(&x->times, now);
    if (needs & ~(unsigned)ACCESS_NEEDS_TIMES)
        find_out(conn, needs, &entry);
    conns_log(conn->owner, &entry);
}

void conn_record(struct conn *conn, const struct exchange *x)
{
    struct score *score = conn->owner->score;
    const struct http_route *route = x->routed ? x->route : &x->server->sites.unmet;
    struct green_spent now = green_spent();
    nsec total = green_accounts ? now.at - x->times.begun : SCOREBOARD_UNTIMED;
    scoreboard_count(&conn->owner->routes[route->index], (unsigned)x->response.status, x->response.sent, total);
    if (green_accounts)
        histogram_add(&score->latency, total);
    if (route->slow > 0 && total > route->slow) {
        struct access_times times = http_times_until(&x->times, &now);
        score->slow++;
        http_slow_tell(x, route, &times, now.at);
    }
    if (x->server->access)
        write_line(conn, x, &now);
}
