/* harness_pki.c: see harness_pki.h. */
#include "harness_pki.h"

#include "harness.h"
#include "harness_command.h"
#include "harness_file.h"

#include <criterion/criterion.h>
#include <sys/stat.h>
#include <unistd.h>

#define EC "EC"
#define RSA "RSA"
#define SERVER_NAMES "DNS:localhost,IP:127.0.0.1,DNS:example.test"

struct certificate {
    const char *name;
    const char *issuer;  /* NULL: itself */
    const char *subject; /* as -subj has it */
    const char *key;     /* EC or RSA */
    const char *names;   /* subjectAltName; NULL: none */
    const char *role;    /* a section of the configuration below */
    bool outdated;
};

static const struct certificate certificates[] = {
    {"root", NULL, "/CN=Tern test root", EC, NULL, "authority", false},
    {"inter", "root", "/CN=Tern test intermediate", EC, NULL, "authority", false},
    {"ecdsa", "inter", "/CN=ecdsa", EC, SERVER_NAMES, "server", false},
    {"rsa", "inter", "/CN=rsa", RSA, SERVER_NAMES, "server", false},
    {"next", "inter", "/CN=next", EC, SERVER_NAMES, "server", false},
    {"next-rsa", "inter", "/CN=next-rsa", RSA, SERVER_NAMES, "server", false},
    {"site", "inter", "/CN=site", EC, "DNS:site.test", "server", false},
    {"wild", "inter", "/CN=wild", EC, "DNS:*.wild.test", "server", false},
    {"outdated", "inter", "/CN=outdated", EC, SERVER_NAMES, "server", true},
    {"client", "inter", "/O=Tern/CN=Alice", EC, NULL, "client", false},
    {"expired", "inter", "/O=Tern/CN=Expired", EC, NULL, "client", true},
    {"other-root", NULL, "/CN=Another root", EC, NULL, "authority", false},
    {"other", "other-root", "/O=Another/CN=Mallory", EC, NULL, "client", false},
    {"self", NULL, "/CN=self", EC, SERVER_NAMES, "server", false},
};

static const char configuration[] = "[req]\n"
                                    "distinguished_name = none\n"
                                    "[none]\n"
                                    "[authority]\n"
                                    "basicConstraints = critical,CA:true\n"
                                    "keyUsage = critical,keyCertSign,cRLSign,digitalSignature\n"
                                    "subjectKeyIdentifier = hash\n"
                                    "[server]\n"
                                    "basicConstraints = critical,CA:false\n"
                                    "keyUsage = critical,digitalSignature,keyEncipherment\n"
                                    "extendedKeyUsage = serverAuth\n"
                                    "authorityKeyIdentifier = keyid\n"
                                    "subjectKeyIdentifier = hash\n"
                                    "%s"
                                    "[client]\n"
                                    "basicConstraints = critical,CA:false\n"
                                    "keyUsage = critical,digitalSignature\n"
                                    "extendedKeyUsage = clientAuth\n"
                                    "authorityKeyIdentifier = keyid\n"
                                    "subjectKeyIdentifier = hash\n";

static const char *path_of(const char *name, const char *kind)
{
    return file_path(harness_text("pki/%s.%s", name, kind));
}

static void run(const char *line)
{
    struct result r = command_run(&(struct command){.arguments = {"/bin/sh", "-c", line}});
    cr_assert_eq(r.status, 0, "%s: status %d: %s", line, r.status, r.err.p);
}

/* NULL: there is none of that name. */
static const struct certificate *look_up(struct str name)
{
    for (size_t i = 0; i < sizeof certificates / sizeof *certificates; i++)
        if (str_eq(str_of(certificates[i].name), name))
            return &certificates[i];
    return NULL;
}

static const struct certificate *find(const char *name)
{
    const struct certificate *found = look_up(str_of(name));
    cr_assert_not_null(found, "no certificate is called %s", name);
    return found;
}

static void make_key(const struct certificate *c)
{
    const char *kind = strcmp(c->key, RSA) == 0 ? "rsa_keygen_bits:2048" : "ec_paramgen_curve:P-256";
    run(harness_text("openssl genpkey -algorithm %s -pkeyopt %s -out %s", c->key, kind, path_of(c->name, "key")));
}

/* `x509` can set an end in the past, which `req` can't. */
static void sign(const struct certificate *c)
{
    const char *names = c->names ? harness_text("subjectAltName = %s\n", c->names) : "";
    const char *key = path_of(c->name, "key"), *request = path_of(c->name, "csr"), *conf = path_of(c->name, "conf");
    const char *signer =
        c->issuer ? harness_text("-CA %s -CAkey %s", path_of(c->issuer, "leaf.pem"), path_of(c->issuer, "key"))
                  : harness_text("-signkey %s", key);
    file_write(conf, str_of(harness_text(configuration, names)));
    run(harness_text("openssl req -new -config %s -key %s -subj '%s' -out %s", conf, key, c->subject, request));
    run(harness_text(
        "openssl x509 -req -in %s %s -extfile %s -extensions %s -days %d -set_serial 0x$(openssl rand -hex 8) "
        "-out %s",
        request, signer, conf, c->role, c->outdated ? -1 : 30, path_of(c->name, "leaf.pem")));
}

/* A root goes into no chain but its own. */
static struct str chain_of(const struct certificate *c)
{
    struct str leaf = file_read(path_of(c->name, "leaf.pem"));
    if (!c->issuer || !find(c->issuer)->issuer)
        return leaf;
    return str_of(harness_text("%s%s", leaf.p, chain_of(find(c->issuer)).p));
}

static void make(const char *name)
{
    const struct certificate *c = find(name);
    if (access(path_of(name, "pem"), F_OK) == 0)
        return;
    file_directory("pki");
    if (c->issuer)
        make(c->issuer);
    make_key(c);
    sign(c);
    file_write(path_of(name, "pem"), chain_of(c));
}

void pki_make_all(const char *const *names)
{
    for (; *names; names++)
        make(*names);
}

void pki_make_for(const char *text)
{
    static const char folder[] = "/pki/";
    while ((text = strstr(text, folder))) {
        text += sizeof folder - 1;
        const struct certificate *named = look_up((struct str){text, strcspn(text, ".")});
        if (named)
            make(named->name);
    }
}

const char *pki_file(const char *name, const char *kind)
{
    make(name);
    return path_of(name, kind);
}

struct str pki_read(const char *name, const char *kind)
{
    return file_read(pki_file(name, kind));
}

void pki_replace(const char *name, const char *by)
{
    static const char *const kinds[] = {"key", "pem", "leaf.pem"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        file_replace(path_of(name, kinds[i]), pki_read(by, kinds[i]));
}

void pki_encrypt(const char *name, const char *file)
{
    run(harness_text("openssl pkey -in %s -aes256 -passout pass:secret -out %s", pki_file(name, "key"),
                     file_path(harness_text("pki/%s", file))));
}

/* The index is what `openssl ca` would keep: kind, end, time of the revocation, serial number, file, subject. */
void pki_ocsp(const char *name, const char *file, bool revoked)
{
    const char *issuer = find(name)->issuer, *index = path_of(name, "index"), *leaf = pki_file(name, "leaf.pem");
    const char *serial = path_of(name, "serial");
    run(harness_text("openssl x509 -in %s -noout -serial | cut -d= -f2 >%s", leaf, serial));
    file_write(index,
               str_of(harness_text("%s\t491231235959Z\t%s\t%.*s\tunknown\t/CN=x\n", revoked ? "R" : "V",
                                   revoked ? "240101000000Z" : "", (int)file_read(serial).n - 1, file_read(serial).p)));
    run(harness_text("openssl ocsp -index %s -rsigner %s -rkey %s -CA %s -issuer %s -cert %s -ndays 7 -respout %s",
                     index, path_of(issuer, "leaf.pem"), path_of(issuer, "key"), path_of(issuer, "leaf.pem"),
                     path_of(issuer, "leaf.pem"), leaf, file_path(harness_text("pki/%s", file))));
}
