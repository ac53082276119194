/* Sessions that are resumed: by tickets and by ids, with any worker, after reloads and deaths; and what must not be
 * resumed. What can't be resumed is a full handshake: there is never an alert (RFC 8446, 4.2.11; RFC 5246, 7.3).
 */
#include "harness.h"
#include "harness_file.h"
#include "service.h"
#include "tls_service.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <unistd.h>

enum { WORKERS = 4, TRIES = 100, ENOUGH = 95 };

#define CONFIG(tls) "workers: 4\n" TLS_CONTROL TLS_LISTEN(TLS_PAIR("ecdsa") tls) TLS_SITES

TestSuite(tls_resume, .init = harness_begin, .fini = harness_end);

struct kind {
    const char *name;
    int version;
    bool ids; /* the client takes no tickets */
};

static const struct kind kinds[] = {
    {"tickets of 1.3", TLS1_3_VERSION, false},
    {"tickets of 1.2", TLS1_2_VERSION, false},
    {"ids of 1.2", TLS1_2_VERSION, true},
};

#define each_kind(kind) (const struct kind *kind = kinds; kind < kinds + sizeof kinds / sizeof *kinds; kind++)

/* A connection that has had an answer. Whatever the session: the handshake is done. */
static struct client *visit(int port, const struct kind *kind, SSL_SESSION *session)
{
    struct client *c = tls_start(.port = port, .version = kind->version, .session = session);
    if (kind->ids)
        SSL_set_options(tls_of(c)->ssl, SSL_OP_NO_TICKET);
    int outcome = tls_shake(c);
    cr_assert_eq(outcome, TLS_FINE, "%s: %s", kind->name, tls_text(outcome));
    assert_hello(get(c, "/hello"));
    return c;
}

static SSL_SESSION *session_of(int port, const struct kind *kind)
{
    struct client *c = visit(port, kind, NULL);
    SSL_SESSION *session = tls_of(c)->session;
    cr_assert_not_null(session, "%s: no session", kind->name);
    cr_assert_eq(SSL_SESSION_has_ticket(session), !kind->ids, "%s", kind->name);
    client_close(c);
    return session;
}

/* How many of so many visits, one after another, were resumed; each with the newest session that there is. */
static int resumed(int port, const struct kind *kind, SSL_SESSION *session, int visits)
{
    int count = 0;
    for (int i = 0; i < visits; i++) {
        struct client *c = visit(port, kind, session);
        count += tls_resumed(c);
        if (tls_of(c)->session)
            session = tls_of(c)->session;
        client_close(c);
    }
    return count;
}

static void assert_resumes(int port, const struct kind *kind, SSL_SESSION *session)
{
    int count = resumed(port, kind, session, TRIES);
    cr_expect_geq(count, ENOUGH, "%s: %d of %d are resumed", kind->name, count, TRIES);
}

/* ---- what is not resumed ---- */

static SSL_SESSION *spoilt(SSL_SESSION *session, size_t at)
{
    const unsigned char *ticket;
    size_t n;
    unsigned char *der = NULL;
    int size = i2d_SSL_SESSION(session, &der);
    SSL_SESSION_get0_ticket(session, &ticket, &n);
    unsigned char *found = memmem(der, (size_t)size, ticket, n);
    cr_assert(found && at < n);
    found[at] ^= 1;
    const unsigned char *from = der;
    SSL_SESSION *changed = d2i_SSL_SESSION(NULL, &from, size);
    cr_assert_not_null(changed);
    OPENSSL_free(der);
    return changed;
}

/* In a ticket: the name of the key, the start, what is encrypted, the seal. */
Test(tls_resume, tickets_that_were_changed)
{
    struct server server = tls_serve(CONFIG(""));
    for
        each_kind(kind)
        {
            const unsigned char *ticket;
            size_t n, places[] = {0, 16, 40, 0};
            if (kind->ids)
                continue;
            SSL_SESSION *session = session_of(server.port, kind);
            SSL_SESSION_get0_ticket(session, &ticket, &n);
            places[3] = n - 1;
            for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
                SSL_SESSION *changed = spoilt(session, places[i]);
                struct client *c = visit(server.port, kind, changed);
                cr_expect_not(tls_resumed(c), "%s: octet %zu does not matter", kind->name, places[i]);
                SSL_SESSION_free(changed);
            }
        }
    assert_stop(&server, 0);
}

/* Its keys were never on a disk. */
Test(tls_resume, sessions_of_a_server_that_has_ended)
{
    SSL_SESSION *sessions[sizeof kinds / sizeof *kinds];
    struct server server = tls_serve(CONFIG(""));
    for
        each_kind(kind) sessions[kind - kinds] = session_of(server.port, kind);
    assert_stop(&server, 0);
    server = tls_serve(CONFIG(""));
    for
        each_kind(kind) cr_expect_not(tls_resumed(visit(server.port, kind, sessions[kind - kinds])), "%s", kind->name);
    assert_stop(&server, 0);
}

/* What a session was good for before a reload that demands more, it is not good for any more. */
Test(tls_resume, a_session_does_not_pass_by_a_new_demand)
{
    struct server server = tls_serve(CONFIG(""));
    SSL_SESSION *sessions[sizeof kinds / sizeof *kinds];
    for
        each_kind(kind) sessions[kind - kinds] = session_of(server.port, kind);
    tls_write(CONFIG(", client_ca: @DIR@/pki/root.pem"));
    assert_ctl(0, "reload");
    for
        each_kind(kind)
        {
            int outcome = tls_try(.port = server.port, .version = kind->version, .session = sessions[kind - kinds]);
            cr_expect(outcome == SSL_AD_HANDSHAKE_FAILURE || outcome == SSL_AD_CERTIFICATE_REQUIRED, "%s: %s",
                      kind->name, tls_text(outcome));
        }
    assert_stop(&server, 0);
}

/* ---- what is ---- */

/* Connections of every worker: the kernel has dealt them out. */
static void assert_all_workers_were_visited(void)
{
    struct str told;
    assert_ctl_tells(&told, 0, "--json", "status");
    cr_assert_not_null(strstr(told.p, "\"accepted\":"), "%s", told.p);
    cr_assert_null(strstr(told.p, "\"accepted\":0,"), "%s", told.p);
}

Test(tls_resume, with_any_worker)
{
    struct server server = tls_serve(CONFIG(""));
    for
        each_kind(kind) assert_resumes(server.port, kind, session_of(server.port, kind));
    assert_all_workers_were_visited();
    assert_stop(&server, 0);
}

/* The same session again and again, as a browser does that opens six connections at once. */
Test(tls_resume, one_session_for_many_connections_at_once)
{
    enum { AT_ONCE = 40 };
    struct server server = tls_serve(CONFIG(""));
    for
        each_kind(kind)
        {
            SSL_SESSION *session = session_of(server.port, kind);
            struct client *clients[AT_ONCE];
            int count = 0;
            for (int i = 0; i < AT_ONCE; i++)
                clients[i] = visit(server.port, kind, session);
            for (int i = 0; i < AT_ONCE; i++) {
                count += tls_resumed(clients[i]);
                client_close(clients[i]);
            }
            cr_expect_geq(count * 100, AT_ONCE * ENOUGH, "%s: %d of %d", kind->name, count, AT_ONCE);
        }
    assert_stop(&server, 0);
}

Test(tls_resume, without_tickets)
{
    static const struct kind without = {"no tickets", TLS1_2_VERSION, false}, newer = {"1.3", TLS1_3_VERSION, false};
    struct server server = tls_serve(CONFIG(", session_tickets: off"));
    struct client *c = visit(server.port, &without, NULL);
    SSL_SESSION *session = tls_of(c)->session;
    cr_assert_not_null(session, "there are no ids either");
    cr_assert_not(SSL_SESSION_has_ticket(session), "a ticket is given");
    assert_resumes(server.port, &without, session);
    assert_resumes(server.port, &kinds[2], session_of(server.port, &kinds[2]));
    resumed(server.port, &newer, tls_of(visit(server.port, &newer, NULL))->session, 10);
    assert_stop(&server, 0);
}

Test(tls_resume, after_a_reload)
{
    struct server server = tls_serve(CONFIG(""));
    for
        each_kind(kind)
        {
            SSL_SESSION *session = session_of(server.port, kind);
            assert_ctl(0, "reload");
            assert_resumes(server.port, kind, session);
        }
    assert_stop(&server, 0);
}

/* With other certificates, or other keys, it may be either. */
Test(tls_resume, after_a_reload_with_another_certificate)
{
    struct server server = tls_serve(CONFIG(""));
    SSL_SESSION *sessions[sizeof kinds / sizeof *kinds];
    for
        each_kind(kind) sessions[kind - kinds] = session_of(server.port, kind);
    pki_replace("ecdsa", "next");
    assert_ctl(0, "reload");
    for
        each_kind(kind)
        {
            resumed(server.port, kind, sessions[kind - kinds], 10);
            assert_resumes(server.port, kind, session_of(server.port, kind));
        }
    assert_stop(&server, 0);
}

/* The name of the key that a ticket is sealed with: its first octets (RFC 5077, 4). */
static struct str key_of(const SSL_SESSION *session)
{
    const unsigned char *ticket;
    size_t n;
    SSL_SESSION_get0_ticket(session, &ticket, &n);
    cr_assert_geq(n, 16);
    return (struct str){(const char *)ticket, 16};
}

/* Each new key takes a second to come. A ticket is good under the next one, too, and after a while no more. */
Test(tls_resume, while_keys_change)
{
    enum { CHANGES = 5 };
    struct server server = tls_serve("timeouts: {ticket_key: 1s}\n" CONFIG(""));
    const struct kind *kind = &kinds[0];
    SSL_SESSION *first = session_of(server.port, kind), *session = first;
    int changes = 0, resumptions = 0, visits = 0;
    while (changes < CHANGES && visits < 100000) {
        struct client *c = visit(server.port, kind, session);
        resumptions += tls_resumed(c);
        visits++;
        SSL_SESSION *newer = tls_of(c)->session;
        changes += newer && !str_eq(key_of(session), key_of(newer));
        session = newer ? newer : session;
        client_close(c);
        usleep(10000);
    }
    cr_expect_eq(changes, CHANGES);
    cr_expect_geq(resumptions * 100, visits * ENOUGH, "%d of %d are resumed", resumptions, visits);
    cr_expect_not(tls_resumed(visit(server.port, kind, first)), "a ticket of five keys ago opens");
    assert_stop(&server, 0);
}

Test(tls_resume, after_deaths)
{
    struct server server = tls_serve(CONFIG(""));
    pid_t workers[WORKERS];
    SSL_SESSION *sessions[sizeof kinds / sizeof *kinds];
    for
        each_kind(kind) sessions[kind - kinds] = session_of(server.port, kind);
    server_workers(&server, workers, WORKERS);
    for (int i = 0; i < WORKERS; i++)
        kill(workers[i], SIGKILL);
    cr_assert(until(harness_state(workers[0]) == 0));
    server_workers(&server, workers, WORKERS);
    for
        each_kind(kind) assert_resumes(server.port, kind, sessions[kind - kinds]);
    assert_stop(&server, 0);
}

Test(tls_resume, after_an_upgrade)
{
    struct server server = tls_serve(CONFIG(""));
    SSL_SESSION *sessions[sizeof kinds / sizeof *kinds];
    for
        each_kind(kind) sessions[kind - kinds] = session_of(server.port, kind);
    assert_ctl(0, "upgrade");
    assert_exit(&server, 0);
    for
        each_kind(kind)
        {
            resumed(server.port, kind, sessions[kind - kinds], 10);
            assert_resumes(server.port, kind, session_of(server.port, kind));
        }
}
