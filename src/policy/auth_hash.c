/* auth_hash.c: see auth_hash.h. */
#include "policy/auth_hash.h"

#include <crypt.h>
#include <errno.h>

_Static_assert(AUTH_PASSWORD_MAX < CRYPT_MAX_PASSPHRASE_SIZE, "libcrypt takes every password");
_Static_assert(AUTH_HASH_MAX < CRYPT_OUTPUT_SIZE, "libcrypt writes no longer hash");

/* The most that a hash may cost: some seconds. Whoever sends a wrong password has a thread busy for as long. */
enum {
    BCRYPT_COST_MAX = 16,
    SHA_ROUNDS_MAX = 10 * 1000 * 1000,
    YESCRYPT_BLOCKS_MAX = 'F', /* 2^18 of them ... */
    YESCRYPT_SIZE_MAX = 'T',   /* ... of 4 KiB, which is what libcrypt makes at its highest cost */
};

enum verdict { MALFORMED, GOOD, TOO_SLOW };

struct method {
    struct str prefix;
    enum verdict (*judge)(struct str setting); /* what stands between the prefix and the digest */
    size_t digest;                             /* characters of it, at the end */
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
static enum verdict judge_bcrypt(struct str setting)
{
    uint64_t cost;
    if (setting.n != 3 || setting.p[2] != '$' || str_to_u64((struct str){setting.p, 2}, &cost) || cost < 4 || cost > 31)
        return MALFORMED;
    return cost > BCRYPT_COST_MAX ? TOO_SLOW : GOOD;
}

/* "rounds=N$", which may be missing, and a salt. */
static enum verdict judge_sha(struct str setting)
{
    uint64_t rounds = 0;
    struct str salt = setting, first = str_cut(&salt, '$');
    if (!str_starts(first, STR("rounds=")))
        salt = setting;
    else if (str_to_u64(str_skip(first, sizeof "rounds=" - 1), &rounds) || rounds < 1000 || rounds > 999999999 ||
             first.p[sizeof "rounds=" - 1] == '0')
        return MALFORMED;
    if (salt.n < 2 || salt.n > 17 || str_find(salt, '$') != salt.n - 1)
        return MALFORMED;
    return rounds > SHA_ROUNDS_MAX ? TOO_SLOW : GOOD;
}

/* Parameters, and a salt, which may be empty. */
static enum verdict judge_yescrypt(struct str setting)
{
    struct str salt = setting, parameters = str_cut(&salt, '$');
    if (salt.n == 0 || salt.n > 87 || salt.p[salt.n - 1] != '$')
        return MALFORMED;
    salt.n--;
    if (parameters.n == 0 || !is_crypt64(parameters) || !is_crypt64(salt))
        return MALFORMED;
    /* Only these three of them have no cost but those two. The alphabet is in the order of ASCII. */
    bool known = parameters.n == 3 && parameters.p[0] == 'j';
    return known && parameters.p[1] <= YESCRYPT_BLOCKS_MAX && parameters.p[2] <= YESCRYPT_SIZE_MAX ? GOOD : TOO_SLOW;
}

static const struct method methods[] = {
    {STR_INIT("$2b$"), judge_bcrypt, 53}, {STR_INIT("$2y$"), judge_bcrypt, 53},  {STR_INIT("$6$"), judge_sha, 86},
    {STR_INIT("$5$"), judge_sha, 43},     {STR_INIT("$y$"), judge_yescrypt, 43},
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

static enum verdict judge(const struct method *method, struct str hash)
{
    if (hash.n > AUTH_HASH_MAX || hash.n < method->prefix.n + method->digest || !is_visible(hash))
        return MALFORMED;
    struct str digest = str_skip(hash, hash.n - method->digest);
    return is_crypt64(digest) ? method->judge(str_range(hash.p + method->prefix.n, digest.p)) : MALFORMED;
}

const char *auth_hash_objection(struct str hash)
{
    static const char *const objections[] = {
        [MALFORMED] = "a hash of which something is missing or too much",
        [TOO_SLOW] =
            "a hash that takes too long to check; the most is a cost of 16 (bcrypt), of 10000000 rounds (SHA), "
            "of 11 (yescrypt)",
        [GOOD] = NULL,
    };
    const struct method *method = method_of(hash);
    if (!method)
        return "not a hash of bcrypt ($2b$, $2y$), SHA-512 ($6$), SHA-256 ($5$) or yescrypt ($y$); "
               "`openssl passwd -6` and `htpasswd -B` make such";
    enum verdict verdict = judge(method, hash);
    if (verdict != GOOD)
        return objections[verdict];
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
