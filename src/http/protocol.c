/* protocol.c: conn_serve() of conn.h: which protocol a connection speaks. */
#include <errno.h>
#include <string.h>

#include "http/h1.h"
#include "http/h2.h"
#include "log/log.h"
#include "net/tls_stream.h"

/* Each one for who asks for them, else at most one a second, since they are any peer's to cause. */
static void log_failure(const struct conn *conn, const char *why)
{
    char client[PEER_TEXT];
    struct str peer = peer_print(&conn->peer, client);
    if (LOG_LEVEL_INFO >= log_threshold)
        log_info("client " STR_FMT ": no TLS: %s", STR_ARG(peer), why);
    else
        log_limited(LOG_LEVEL_NOTICE, "client " STR_FMT ": no TLS: %s", STR_ARG(peer), why);
}

/* True: the connection is secured. Else it has been put where it belongs. */
static bool shake_hands(struct conn *conn)
{
    const char *why = NULL;
    nsec deadline = conn->timer.deadline;
    if (deadline == 0)
        deadline = nsec_add(green_now(), conn->owner->server->timeouts.handshake);
    int error = tls_handshake(&conn->stream, deadline, &why);
    if (error == 0) {
        conn->timer.deadline = 0; /* that of the first request is another one */
    } else if (error == -EAGAIN) {
        conn_park_begun(conn, deadline);
    } else if (error == -EPROTONOSUPPORT) {
        conn_refuse_plain(conn);
    } else {
        log_failure(conn, why                   ? why
                          : error == -ETIMEDOUT ? "it took longer than timeouts.handshake"
                                                : strerror(-error));
        (error == -EPROTO ? conn_linger : conn_close)(conn);
    }
    return error == 0;
}

void conn_serve(struct conn *conn)
{
    bool fresh = conn_is_secure(conn) && !conn_tls(conn);
    if (fresh && !shake_hands(conn))
        return;
    if (fresh && str_eq(tls_protocol(&conn->stream), STR("h2")))
        h2_serve(conn, STR(""));
    else if (conn->kept)
        conn->kept->protocol->serve(conn);
    else
        h1_serve(conn);
}
