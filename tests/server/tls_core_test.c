/* What a core file of a process that has crashed tells: no private key. Core files are sent around, and kept.
 *
 * The kernel writes one, unless it was told to give it to somebody else (core(5)); and a debugger writes one in the
 * same way: both leave out what the process has asked to be left out (madvise(2), MADV_DONTDUMP). */
#include "harness.h"
#include "harness_command.h"
#include "harness_faults.h"
#include "harness_file.h"
#include "tls_service.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* In a directory of ours, where a worker without rights may write. */
static void begin(void)
{
    struct rlimit all = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
    harness_begin();
    faults_need_malloc(); /* a sanitizer's: it would not see what goes wrong on a heap of OpenSSL's own */
    char *tern = realpath(command_tern(), NULL);
    cr_assert(tern && setenv("TERN", tern, 1) == 0);
    free(tern);
    cr_assert_eq(chmod(harness_directory(), 0777), 0);
    cr_assert_eq(chdir(harness_directory()), 0);
    (void)!setrlimit(RLIMIT_CORE, &all); /* what we may not have, we do not need: the debugger is left */
}

/* Is found in a core file, or we have looked at something else. */
#define MARK "something-that-may-be-told-to-everybody"

TestSuite(tls_core, .init = begin, .fini = harness_end);

/* What may be found of a number: as it is written, and as a number of OpenSSL's lies in memory on a machine whose first
 * byte is the lowest. */
struct secret {
    const char *name;
    unsigned char big[512], little[512];
    size_t n;
};

enum { SECRETS = 8 };

static bool secret_of(const EVP_PKEY *key, const char *name, struct secret *secret)
{
    BIGNUM *number = NULL;
    if (!EVP_PKEY_get_bn_param(key, name, &number))
        return false;
    secret->name = name;
    secret->n = (size_t)BN_num_bytes(number);
    cr_assert(secret->n > 16 && secret->n <= sizeof secret->big, "%s", name);
    BN_bn2bin(number, secret->big);
    BN_bn2lebinpad(number, secret->little, (int)secret->n);
    BN_clear_free(number);
    return true;
}

/* The numbers that a private key of this name is made of; how many. */
static size_t secrets_of(const char *name, struct secret secrets[static SECRETS])
{
    static const char *const numbers[] = {OSSL_PKEY_PARAM_PRIV_KEY,        OSSL_PKEY_PARAM_RSA_D,
                                          OSSL_PKEY_PARAM_RSA_FACTOR1,     OSSL_PKEY_PARAM_RSA_FACTOR2,
                                          OSSL_PKEY_PARAM_RSA_EXPONENT1,   OSSL_PKEY_PARAM_RSA_EXPONENT2,
                                          OSSL_PKEY_PARAM_RSA_COEFFICIENT1};
    FILE *file = fopen(pki_file(name, "key"), "re");
    cr_assert_not_null(file);
    EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    fclose(file);
    cr_assert_not_null(key);
    size_t n = 0;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        n += secret_of(key, numbers[i], &secrets[n]);
    EVP_PKEY_free(key);
    return n;
}

/* The file as it lies on the disk: sparse, and larger than what the test's memory should hold. */
static struct str map(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    cr_assert(fd >= 0 && fstat(fd, &status) == 0 && status.st_size > 0, "no core file: %m");
    void *content = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    cr_assert_neq(content, MAP_FAILED, "%m");
    close(fd);
    return (struct str){content, (size_t)status.st_size};
}

static bool contains(struct str content, const void *bytes, size_t n)
{
    return memmem(content.p, content.n, bytes, n) != NULL;
}

/* Whether any piece of a number is there: a vector register holds no more of it than 16 to 64 bytes. */
static bool contains_piece(struct str content, const unsigned char *bytes, size_t n)
{
    enum { PIECE = 16 };
    for (size_t i = 0; i + PIECE <= n; i += PIECE)
        if (contains(content, bytes + i, PIECE))
            return true;
    return false;
}

/* A line in the middle of a key's PEM file. */
static struct str line_of(const char *name)
{
    struct str text = pki_read(name, "key");
    str_cut(&text, '\n');
    return str_cut(&text, '\n');
}

static void assert_no_key(struct str core, const char *name)
{
    struct secret secrets[SECRETS];
    size_t n = secrets_of(name, secrets);
    cr_assert_gt(n, 0);
    for (size_t i = 0; i < n; i++) {
        cr_expect_not(contains_piece(core, secrets[i].big, secrets[i].n), "%s: %s, as it is written", name,
                      secrets[i].name);
        cr_expect_not(contains_piece(core, secrets[i].little, secrets[i].n), "%s: %s, as a number", name,
                      secrets[i].name);
    }
    cr_expect_not(contains(core, line_of(name).p, line_of(name).n), "%s: what is in its file", name);
}

/* Handshakes of both kinds, with either key, so that each was used. */
static struct server start_used(void)
{
    static const char *const algorithms[] = {"ECDSA+SHA256", "RSA-PSS+SHA256"};
    struct server server =
        tls_serve("workers: 1\n" TLS_LISTEN(TLS_BOTH) "sites: [{routes: [{exact: /mark, respond: {body: " MARK "}},\n"
                                                      "  {exact: /hello, respond: {body: hello}}]}]\n");
    for (int i = 0; i < 8; i++) {
        struct client *c = tls_open(.port = server.port, .sigalgs = algorithms[i % 2],
                                    .version = i < 4 ? TLS1_2_VERSION : TLS1_3_VERSION);
        assert_hello(get(c, "/hello"));
        client_close(c);
    }
    return server;
}

static void assert_no_keys(const char *path)
{
    struct str core = map(path);
    cr_assert(contains(core, MARK, sizeof MARK - 1), "what is no secret is not there either");
    assert_no_key(core, "ecdsa");
    assert_no_key(core, "rsa");
    munmap((void *)core.p, core.n);
}

static bool kernel_leaves_cores(void)
{
    struct rlimit limit;
    char pattern[128] = "";
    FILE *file = fopen("/proc/sys/kernel/core_pattern", "re");
    if (!file || !fgets(pattern, sizeof pattern, file))
        return false;
    fclose(file);
    return getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_cur == RLIM_INFINITY && strcmp(pattern, "core\n") == 0;
}

Test(tls_core, a_worker_that_crashes_leaves_no_key)
{
    if (!kernel_leaves_cores())
        harness_skip("core files go elsewhere");
    struct server server = start_used();
    pid_t worker = tls_worker(&server);
    const char *names[] = {file_path("core"), file_path(harness_text("core.%d", worker))};
    cr_assert_eq(kill(worker, SIGABRT), 0);
    cr_assert(until(harness_state(worker) == 0));
    cr_assert(tls_serves(server.port));
    const char *core = access(names[0], R_OK) == 0 ? names[0] : names[1];
    assert_no_keys(core);
    assert_stop(&server, 0);
}

static void debugger_core(pid_t pid)
{
    struct command command = {.arguments = {"gdb", "-nx", "-batch", "-p", harness_text("%d", pid), "-ex",
                                            harness_text("generate-core-file %s", file_path("core.gdb"))}};
    if (access("/usr/bin/gdb", X_OK) != 0)
        harness_skip("gdb is not installed");
    struct result r = command_run(&command);
    if (access(file_path("core.gdb"), R_OK) != 0)
        harness_skip(harness_text("gdb may not look at a process here: %s", r.err.p));
}

Test(tls_core, a_debugger_finds_no_key_in_a_worker)
{
    struct server server = start_used();
    debugger_core(tls_worker(&server));
    assert_no_keys("core.gdb");
    cr_assert(tls_serves(server.port));
    assert_stop(&server, 0);
}

/* The master has read them; what a worker leaves is what it leaves, too. */
Test(tls_core, a_debugger_finds_no_key_in_the_master)
{
    struct server server = start_used();
    debugger_core(server.pid);
    assert_no_keys("core.gdb");
    assert_stop(&server, 0);
}
