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

enum { KINDS = 3 };

static const struct kind kinds[KINDS] = {
    {"tickets of 1.3", TLS1_3_VERSION, false},
    {"tickets of 1.2", TLS1_2_VERSION, false},
    {"ids of 1.2", TLS1_2_VERSION, true},
};

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

/* One of each kind. */
static void make_sessions(int port, SSL_SESSION *sessions[static KINDS])
{
    for (size_t k = 0; k < KINDS; k++)
        sessions[k] = session_of(port, &kinds[k]);
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
    for (size_t k = 0; k < KINDS; k++) {
        const struct kind *kind = &kinds[k];
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
    SSL_SESSION *sessions[KINDS];
    struct server server = tls_serve(CONFIG(""));
    make_sessions(server.port, sessions);
    assert_stop(&server, 0);
    server = tls_serve(CONFIG(""));
    for (size_t k = 0; k < KINDS; k++)
        cr_expect_not(tls_resumed(visit(server.port, &kinds[k], sessions[k])), "%s", kinds[k].name);
    assert_stop(&server, 0);
}

/* What a session was good for before a reload that demands more, it is not good for any more. */
Test(tls_resume, a_session_does_not_pass_by_a_new_demand)
{
    struct server server = tls_serve(CONFIG(""));
    SSL_SESSION *sessions[KINDS];
    make_sessions(server.port, sessions);
    tls_write(CONFIG(", client_ca: @DIR@/pki/root.pem"));
    assert_ctl(0, "reload");
    for (size_t k = 0; k < KINDS; k++) {
        const struct kind *kind = &kinds[k];
        int outcome = tls_try(.port = server.port, .version = kind->version, .session = sessions[k]);
        cr_expect(outcome == SSL_AD_HANDSHAKE_FAILURE || outcome == SSL_AD_CERTIFICATE_REQUIRED, "%s: %s", kind->name,
                  tls_text(outcome));
    }
    assert_stop(&server, 0);
}

/* ---- what a client's authority has let in ---- */

#define AUTHORITY "pki/authority.pem"

static SSL_SESSION *session_of_client(int port, const struct kind *kind)
{
    struct client *c = tls_start(.port = port, .version = kind->version, .certificate = "client");
    if (kind->ids)
        SSL_set_options(tls_of(c)->ssl, SSL_OP_NO_TICKET);
    cr_assert_eq(tls_shake(c), TLS_FINE, "%s", kind->name);
    SSL_SESSION *session = tls_session(c);
    cr_assert_not_null(session, "%s: no session", kind->name);
    client_close(c);
    return session;
}

static void assert_outcome(int port, const struct kind *kind, SSL_SESSION *session, bool good)
{
    int outcome = tls_try(.port = port, .version = kind->version, .session = session);
    bool refused = outcome == SSL_AD_HANDSHAKE_FAILURE || outcome == SSL_AD_CERTIFICATE_REQUIRED;
    cr_expect(good ? outcome == TLS_FINE : refused, "%s: %s", kind->name, tls_text(outcome));
}

/* It goes by what is in the file: a session is no longer good when another authority is there in its place. */
Test(tls_resume, a_session_does_not_outlive_its_authority)
{
    SSL_SESSION *sessions[KINDS];
    file_directory("pki");
    file_replace(AUTHORITY, pki_read("root", "pem"));
    struct server server = tls_serve(CONFIG(", client_ca: @DIR@/" AUTHORITY));
    for (size_t k = 0; k < KINDS; k++)
        sessions[k] = session_of_client(server.port, &kinds[k]);
    assert_ctl(0, "reload");
    for (size_t k = 0; k < KINDS; k++)
        assert_outcome(server.port, &kinds[k], sessions[k], true);
    file_replace(AUTHORITY, pki_read("other-root", "pem"));
    assert_ctl(0, "reload");
    for (size_t k = 0; k < KINDS; k++) {
        const struct kind *kind = &kinds[k];
        assert_outcome(server.port, kind, sessions[k], false);
        int former = tls_try(.port = server.port, .version = kind->version, .certificate = "client");
        int newer = tls_try(.port = server.port, .version = kind->version, .certificate = "other");
        cr_expect_eq(former, SSL_AD_UNKNOWN_CA, "%s: %s", kind->name, tls_text(former));
        cr_expect_eq(newer, TLS_FINE, "%s: %s", kind->name, tls_text(newer));
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
    for (size_t k = 0; k < KINDS; k++)
        assert_resumes(server.port, &kinds[k], session_of(server.port, &kinds[k]));
    assert_all_workers_were_visited();
    assert_stop(&server, 0);
}

/* The same session again and again, as a browser does that opens six connections at once. */
Test(tls_resume, one_session_for_many_connections_at_once)
{
    enum { AT_ONCE = 40 };
    struct server server = tls_serve(CONFIG(""));
    for (size_t k = 0; k < KINDS; k++) {
        const struct kind *kind = &kinds[k];
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
    for (size_t k = 0; k < KINDS; k++) {
        const struct kind *kind = &kinds[k];
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
    SSL_SESSION *sessions[KINDS];
    make_sessions(server.port, sessions);
    pki_replace("ecdsa", "next");
    assert_ctl(0, "reload");
    for (size_t k = 0; k < KINDS; k++) {
        const struct kind *kind = &kinds[k];
        resumed(server.port, kind, sessions[k], 10);
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

/* Reloads that come more often than keys must not keep the old ones alive. */
Test(tls_resume, while_keys_change_and_reloads_come_more_often)
{
    enum { CHANGES = 3 };
    struct server server = tls_serve("timeouts: {ticket_key: 1s}\n" CONFIG(""));
    const struct kind *kind = &kinds[0];
    SSL_SESSION *first = session_of(server.port, kind), *session = first;
    for (int changes = 0; changes < CHANGES; changes++) {
        SSL_SESSION *newer;
        cr_assert(until(({
                      assert_ctl(0, "reload");
                      newer = session_of(server.port, kind);
                      !str_eq(key_of(session), key_of(newer));
                  })),
                  "%d changes, and no more", changes);
        session = newer;
    }
    cr_expect(until(!tls_resumed(visit(server.port, kind, first))), "a ticket of %d keys ago opens", CHANGES);
    assert_stop(&server, 0);
}

Test(tls_resume, after_deaths)
{
    struct server server = tls_serve(CONFIG(""));
    pid_t workers[WORKERS];
    SSL_SESSION *sessions[KINDS];
    make_sessions(server.port, sessions);
    server_workers(&server, workers, WORKERS);
    for (int i = 0; i < WORKERS; i++)
        kill(workers[i], SIGKILL);
    cr_assert(until(harness_state(workers[0]) == 0));
    server_workers(&server, workers, WORKERS);
    for (size_t k = 0; k < KINDS; k++)
        assert_resumes(server.port, &kinds[k], sessions[k]);
    assert_stop(&server, 0);
}

Test(tls_resume, after_an_upgrade)
{
    struct server server = tls_serve(CONFIG(""));
    SSL_SESSION *sessions[KINDS];
    make_sessions(server.port, sessions);
    assert_ctl(0, "upgrade");
    assert_exit(&server, 0);
    for (size_t k = 0; k < KINDS; k++) {
        const struct kind *kind = &kinds[k];
        resumed(server.port, kind, sessions[k], 10);
        assert_resumes(server.port, kind, session_of(server.port, kind));
    }
}
