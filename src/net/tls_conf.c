/* tls_conf.c: see tls_conf.h. */
#include "net/tls_conf.h"

#include <errno.h>

#define IN(member) offsetof(struct tls_settings, member)

static const char *const verify_words[] = {"off", "optional", "on", NULL};

static const struct conf_key keys[] = {
    {"certificate", CONF_TEXTS, IN(certificates), .min = 1, .takes = "a path",
     .doc = "PEM file with the certificate and those that lead to its authority; a list for one of ECDSA and one of "
            "RSA"},
    {"key", CONF_TEXTS, IN(keys), .min = 1, .takes = "a path",
     .doc = "PEM file with its private key, without a passphrase; without it the key is in the certificate's file"},
    {"protocols", CONF_TEXTS, IN(protocols), .fallback = "[TLSv1.2, TLSv1.3]", .min = 1, .takes = "TLSv1.2 or TLSv1.3",
     .pattern = "^TLSv1\\.[23]$", .doc = "versions of TLS that are spoken"},
    {"ciphers", CONF_TEXT, IN(ciphers), .takes = "names of ciphers, separated by colons",
     .doc = "ciphers of TLS 1.2, the best one first, by their names in OpenSSL; without it those of Mozilla's "
            "intermediate profile"},
    {"client_ca", CONF_PATH, IN(client_ca), .doc = "PEM file with the authorities that certificates of clients are of"},
    {"client_verify", CONF_ENUM, IN(client_verify), .words = verify_words,
     .doc = "whether clients need a certificate; without it `on` where there is a client_ca"},
    {"session_tickets", CONF_BOOL, IN(session_tickets), .fallback = "on",
     .doc = "sessions are kept by clients, sealed; off: by the server, as long as it has room"},
    {"ocsp", CONF_TEXTS, IN(ocsp), .min = 1, .takes = "a path",
     .doc = "DER file with the authority's word that the certificate is good (OCSP), which clients get with it; a list "
            "in the order of certificates"},
};

const struct conf_table tls_conf_table = CONF_TABLE("tls", keys);

const struct conf_node *tls_conf_item(const struct conf_node *node, struct str key, size_t i)
{
    const struct conf_node *value = conf_find(node, key);
    if (!value || value->kind != CONF_SEQUENCE)
        return value ? value : node;
    conf_each (item, value)
        if (i-- == 0)
            return item;
    return value;
}

static int refuse(struct conf_reader *r, const struct conf_node *at, const char *why)
{
    conf_error(r, at, "%s", why);
    return -EINVAL;
}

/* A list that belongs to the certificates has as many items as they. */
static int check_count(struct conf_reader *r, const struct conf_node *node, const struct tls_settings *settings,
                       struct str key, size_t count)
{
    if (count == 0 || count == settings->certificates.n)
        return 0;
    return refuse(r, conf_find(node, key), "must have as many files as `certificate`, in the same order");
}

static int check_protocols(struct conf_reader *r, const struct conf_node *node, const struct tls_settings *settings)
{
    for (size_t i = 0; i < settings->protocols.n; i++)
        if (!str_eq(settings->protocols.v[i], STR("TLSv1.2")) && !str_eq(settings->protocols.v[i], STR("TLSv1.3")))
            return refuse(r, tls_conf_item(node, STR("protocols"), i), "must be TLSv1.2 or TLSv1.3");
    return 0;
}

static int check_clients(struct conf_reader *r, const struct conf_node *node, struct tls_settings *settings)
{
    if (settings->client_verify == TLS_VERIFY_UNSAID)
        settings->client_verify = settings->client_ca.n ? TLS_VERIFY_ON : TLS_VERIFY_OFF;
    if (settings->client_verify != TLS_VERIFY_OFF && settings->client_ca.n == 0)
        return refuse(r, conf_find(node, STR("client_verify")), "needs `client_ca`: whose certificates are good?");
    return 0;
}

int tls_conf_read(struct conf_reader *r, struct conf_node *node, struct tls_settings *settings)
{
    *settings = (struct tls_settings){.client_verify = TLS_VERIFY_UNSAID};
    int error = conf_read_map(r, node, &tls_conf_table, settings);
    if (error)
        return error;
    int counts[] = {
        check_count(r, node, settings, STR("key"), settings->keys.n),
        check_count(r, node, settings, STR("ocsp"), settings->ocsp.n),
        check_protocols(r, node, settings),
        check_clients(r, node, settings),
    };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        error = error ? error : counts[i];
    return error;
}
