/* auth_hash.c: see auth_hash.h. */
#include "policy/auth_hash.h"

#include <crypt.h>
#include <errno.h>

_Static_assert(AUTH_PASSWORD_MAX < CRYPT_MAX_PASSPHRASE_SIZE, "libcrypt takes every password");
_Static_assert(AUTH_HASH_MAX < CRYPT_OUTPUT_SIZE, "libcrypt writes no longer hash");

struct method {
    struct str prefix;
    bool (*is_setting)(struct str text); /* whether this can stand between the prefix and the digest */
    size_t digest;                       /* characters of it, at the end */
};

/* The alphabet of crypt's own base 64. */
static bool is_crypt64(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i], letter = char_lower(c);
        if (!(c >= '.' && c <= '9') && !(letter >= 'a' && letter <= 'z'))
            return false;
    }
    return true;
}

/* Two digits of cost, 04 to 31. The salt is counted with the digest. */
static bool is_bcrypt_setting(struct str text)
{
    uint64_t cost;
    return text.n == 3 && text.p[2] == '$' && str_to_u64((struct str){text.p, 2}, &cost) == 0 && cost >= 4 &&
           cost <= 31;
}

/* "rounds=N$", which may be missing, and a salt. */
static bool is_sha_setting(struct str text)
{
    uint64_t rounds;
    struct str salt = text, first = str_cut(&salt, '$');
    if (!str_starts(first, STR("rounds=")))
        salt = text;
    else if (str_to_u64(str_skip(first, sizeof "rounds=" - 1), &rounds) || rounds < 1000 || rounds > 999999999 ||
             first.p[sizeof "rounds=" - 1] == '0')
        return false;
    return salt.n > 1 && salt.n <= 17 && str_find(salt, '$') == salt.n - 1;
}

/* Parameters, and a salt, which may be empty. */
static bool is_yescrypt_setting(struct str text)
{
    struct str rest = text, parameters = str_cut(&rest, '$');
    if (rest.n == 0 || rest.n > 87 || rest.p[rest.n - 1] != '$')
        return false;
    rest.n--;
    return parameters.n > 0 && is_crypt64(parameters) && is_crypt64(rest);
}

static const struct method methods[] = {
    {STR_INIT("$2b$"), is_bcrypt_setting, 53},  {STR_INIT("$2y$"), is_bcrypt_setting, 53},
    {STR_INIT("$6$"), is_sha_setting, 86},      {STR_INIT("$5$"), is_sha_setting, 43},
    {STR_INIT("$y$"), is_yescrypt_setting, 43},
};

static const struct method *method_of(struct str hash)
{
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (str_starts(hash, methods[i].prefix))
            return &methods[i];
    return NULL;
}

static bool is_visible(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || s.p[i] == ':' || s.p[i] >= 0x7f)
            return false;
    return true;
}

static bool is_complete(const struct method *method, struct str hash)
{
    if (hash.n > AUTH_HASH_MAX || hash.n < method->prefix.n + method->digest || !is_visible(hash))
        return false;
    struct str digest = str_skip(hash, hash.n - method->digest);
    struct str setting = str_range(hash.p + method->prefix.n, digest.p);
    return is_crypt64(digest) && method->is_setting(setting);
}

const char *auth_hash_objection(struct str hash)
{
    const struct method *method = method_of(hash);
    if (!method)
        return "not a hash of bcrypt ($2b$, $2y$), SHA-512 ($6$), SHA-256 ($5$) or yescrypt ($y$); "
               "`openssl passwd -6` and `htpasswd -B` make such";
    if (!is_complete(method, hash))
        return "a hash of which something is missing or too much";
    if (crypt_checksalt(hash.p) == CRYPT_SALT_INVALID)
        return "a hash that this system's libcrypt does not know";
    return NULL;
}

static bool equal(const char *a, const char *b, size_t n)
{
    unsigned char difference = 0;
    for (size_t i = 0; i < n; i++)
        difference |= (unsigned char)(a[i] ^ b[i]);
    return difference == 0;
}

int auth_hash_check(const char *password, const char *hash)
{
    struct crypt_data data = {0};
    size_t n = strlen(hash);
    const char *made = crypt_rn(password, hash, &data, sizeof data);
    int result = made ? 0 : -errno;
    if (made && strlen(made) == n)
        result = equal(made, hash, n);
    explicit_bzero(&data, sizeof data);
    return result;
}
