/* ticket_keys.c: see ticket_keys.h. */
#include "proc/ticket_keys.h"

#include "log/log.h"
#include "net/tls_cache.h"
#include "net/tls_tickets.h"
#include "proc/state.h"

static void on_alarm(struct alarm *alarm)
{
    struct master *m = container_of(alarm, struct master, ticket_keys);
    m->ticket_key_made = clock_monotonic();
    int error = tls_tickets_rotate();
    if (error)
        log_error("no new key for TLS sessions: %s; the old one stays", strerror(-error));
    ticket_keys_set(m);
}

void ticket_keys_init(struct master *m)
{
    list_init(&m->ticket_keys.link);
    m->ticket_keys.ring = on_alarm;
    m->ticket_key_made = clock_monotonic();
    int error = tls_tickets_open();
    if (error)
        log_warn("TLS sessions can't be resumed by tickets: %s", strerror(-error));
    error = tls_cache_open();
    if (error)
        log_warn("TLS sessions can't be resumed by their ids: %s", strerror(-error));
}

void ticket_keys_set(struct master *m)
{
    if (!m->current)
        return;
    reactor_disarm(&m->ticket_keys);
    reactor_arm(&m->reactor, &m->ticket_keys,
                nsec_add(m->ticket_key_made, m->current->config->http.timeouts.ticket_key));
}

void ticket_keys_free(void)
{
    tls_tickets_close();
    tls_cache_close();
}
