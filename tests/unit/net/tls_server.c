/* tls_server.c: see tls_server.h. */
#include "tls_server.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tls_keys.h"

#define NAMES "DNS:site.test,DNS:*.wild.test,DNS:f*.part.test,IP:192.0.2.1,IP:2001:db8::1"

const char tls_server_ca[] = "root.pem";

static char directory[] = "/tmp/tern-client-XXXXXX";

/* ---- certificates ---- */

static struct {
    const char *name, *key, *names, *usage;
    int days;
    enum { BY_ROOT, BY_ITSELF, BY_ANOTHER } issuer;
    EVP_PKEY *pkey;
    X509 *x509;
} certificates[] = {
    {.name = "good", .key = "EC", .names = NAMES, .usage = "serverAuth", .days = 10},
    {.name = "rsa", .key = "RSA", .names = NAMES, .usage = "serverAuth", .days = 10},
    {.name = "expired", .key = "EC", .names = NAMES, .usage = "serverAuth", .days = -1},
    {.name = "client", .key = "EC", .names = NAMES, .usage = "clientAuth", .days = 10},
    {.name = "nameless", .key = "EC", .days = 10},
    {.name = "self", .key = "EC", .names = NAMES, .days = 10, .issuer = BY_ITSELF},
    {.name = "foreign", .key = "EC", .names = NAMES, .days = 10, .issuer = BY_ANOTHER},
};

enum { CERTIFICATES = sizeof certificates / sizeof *certificates };

static void put_authority(X509 *x509)
{
    FILE *file = fopen(tls_server_ca, "w");
    cr_assert_not_null(file);
    cr_assert(PEM_write_X509(file, x509));
    fclose(file);
}

static void make_certificate(size_t i, EVP_PKEY *root, EVP_PKEY *another)
{
    EVP_PKEY *own = certificates[i].pkey = tls_keys_make(certificates[i].key);
    EVP_PKEY *const issuers[] = {[BY_ROOT] = root, [BY_ITSELF] = own, [BY_ANOTHER] = another};
    static const char *const names[] = {[BY_ROOT] = "root", [BY_ITSELF] = NULL, [BY_ANOTHER] = "another"};
    EVP_PKEY *issuer = issuers[certificates[i].issuer];
    X509 *x509 = tls_keys_certify(own, "site.test", names[certificates[i].issuer], issuer, certificates[i].days);
    if (certificates[i].names)
        tls_keys_extend(x509, issuer, NID_subject_alt_name, certificates[i].names);
    if (certificates[i].usage)
        tls_keys_extend(x509, issuer, NID_ext_key_usage, certificates[i].usage);
    certificates[i].x509 = x509;
}

void tls_server_setup(void)
{
    signal(SIGPIPE, SIG_IGN);
    cr_assert_not_null(mkdtemp(directory));
    cr_assert_eq(chdir(directory), 0);
    tls_server_trust(true); /* the library's heap has to come before anything else */
    EVP_PKEY *root = tls_keys_make("EC"), *another = tls_keys_make("EC");
    X509 *authority = tls_keys_certify(root, "root", NULL, NULL, 10);
    tls_keys_extend(authority, root, NID_basic_constraints, "critical,CA:true");
    put_authority(authority);
    for (size_t i = 0; i < CERTIFICATES; i++)
        make_certificate(i, root, another);
    X509_free(authority);
    EVP_PKEY_free(root);
    EVP_PKEY_free(another);
}

static struct tls_client_context *contexts[2];

const struct tls_client_context *tls_server_trust(bool unverified)
{
    const char *why;
    struct tls_client_settings settings = {.ca = unverified ? NULL : tls_server_ca, .unverified = unverified};
    if (!contexts[unverified])
        cr_assert_eq(tls_client_context_new(&contexts[unverified], &settings, &why), 0, "%s", why);
    return contexts[unverified];
}

void tls_server_teardown(void)
{
    for (size_t i = 0; i < CERTIFICATES; i++) {
        EVP_PKEY_free(certificates[i].pkey);
        X509_free(certificates[i].x509);
    }
    for (size_t i = 0; i < 2; i++)
        if (contexts[i])
            tls_client_context_free(contexts[i]);
    unlink(tls_server_ca);
    cr_expect_eq(rmdir(directory), 0);
}

/* ---- the server ---- */

static pthread_t thread;
static struct stream *stream;
static int other_end;

static int choose_protocol(SSL *ssl, const unsigned char **chosen, unsigned char *size, const unsigned char *offered,
                           unsigned n, void *arg)
{
    const struct tls_server *server = arg;
    unsigned char *found;
    (void)ssl;
    if (!server->protocols)
        return SSL_TLSEXT_ERR_NOACK;
    if (SSL_select_next_proto(&found, size, (const unsigned char *)server->protocols,
                              (unsigned)strlen(server->protocols), offered, n) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *chosen = found;
    return SSL_TLSEXT_ERR_OK;
}

static void use_certificate(SSL_CTX *context, const char *name)
{
    for (size_t i = 0; i < CERTIFICATES; i++)
        if (strcmp(certificates[i].name, name) == 0) {
            SSL_CTX_use_certificate(context, certificates[i].x509);
            SSL_CTX_use_PrivateKey(context, certificates[i].pkey);
        }
}

static SSL *new_server(struct tls_server *server)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    int version = server->version;
    SSL_CTX_set_security_level(context, 0);
    SSL_CTX_set_dh_auto(context, 1);
    SSL_CTX_set_min_proto_version(context, version ? version : TLS1_2_VERSION);
    SSL_CTX_set_max_proto_version(context, version);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, server);
    use_certificate(context, server->certificate);
    if (server->cipher)
        (version == TLS1_3_VERSION ? SSL_CTX_set_ciphersuites : SSL_CTX_set_cipher_list)(context, server->cipher);
    SSL *ssl = SSL_new(context);
    SSL_CTX_free(context);
    SSL_set_fd(ssl, other_end);
    return ssl;
}

/* SSL_shutdown() would wait for nothing; SSL_free() says nothing. */
static void *run_server(void *arg)
{
    struct tls_server *server = arg;
    if (server->instead) {
        server->instead(other_end);
        close(other_end);
        return NULL;
    }
    SSL *ssl = new_server(server);
    server->accepted = SSL_accept(ssl) == 1;
    const char *reason = ERR_reason_error_string(ERR_get_error());
    snprintf(server->error, sizeof server->error, "%s", reason ? reason : "");
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    snprintf(server->name, sizeof server->name, "%s", name ? name : "");
    if (server->accepted && server->serve)
        server->serve(ssl, server->arg);
    else if (server->accepted)
        SSL_shutdown(ssl);
    SSL_free(ssl);
    close(other_end);
    ERR_clear_error();
    OPENSSL_thread_stop();
    return NULL;
}

struct stream *tls_server_start(struct tls_server *server)
{
    int ends[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    cr_assert_eq(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    for (int i = 0; i < 2 && server->buffer; i++)
        cr_assert_eq(setsockopt(ends[i], SOL_SOCKET, SO_SNDBUF, &server->buffer, sizeof server->buffer), 0);
    stream = malloc(stream_tls.size);
    stream_init(stream, &stream_plain, ends[0]);
    other_end = ends[1];
    cr_assert_eq(pthread_create(&thread, NULL, run_server, server), 0);
    return stream;
}

void tls_server_end(void)
{
    stream_close(stream);
    free(stream);
    cr_assert_eq(pthread_join(thread, NULL), 0);
}

int tls_server_shake(const char *name, nsec deadline, const char **why)
{
    struct tls_client_terms terms = {.name = str_of(name)};
    return tls_client_handshake(stream, tls_server_trust(false), &terms, deadline, why);
}
