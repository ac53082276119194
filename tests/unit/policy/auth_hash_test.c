/* auth_hash_test.c: hashes that are refused, and passwords that have one or have not. */
#include "policy/auth_hash.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "hashes.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

#define DIGEST43 "rloU6KpfKKm9G.NUT4Kh3.lZ3eQ67D/GrlYTTZlly7."
#define DIGEST53 "abcdefghijklmnopqrstuuinwY/tkBVrn3xrxQI/TgnMHhkvl85RW"
#define DIGEST86 "GK3yib7Lb94CdPqNt0xP5RxgvpEWVn9CfnufX04biOKhvXzbBUvzy01KX.g/08wFRTJ2aRZ.lH3NQTM08sbo9."

/* Texts that are no hash, and hashes that are not fit for passwords. */
static const struct str foreign[] = {
    STR_INIT(""),
    STR_INIT("sesame"),
    STR_INIT("*"),
    STR_INIT("!"),
    STR_INIT("{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g="),           /* SHA-1 */
    STR_INIT("{PLAIN}sesame"),                               /* */
    STR_INIT("ab1VPBQmUSG7w"),                               /* DES */
    STR_INIT("_J9..rasmBYk8r9AiWNc"),                        /* BSDi's DES */
    STR_INIT("$1$salt$b5PnBtmkmVyBV.O1KqVyZ/"),              /* MD5 */
    STR_INIT("$apr1$salt$xxxxxxxxxxxxxxxxxxxxxx"),           /* Apache's MD5 */
    STR_INIT("$sha1$40000$jtNX3nZ2$hBNaIXkt4wBI2o5rsi8Kej"), /* SHA-1 by HMAC */
    STR_INIT("$3$$8846f7eaee8fb117ad06bdd830b7586c"),        /* NT */
    STR_INIT("$2$04$" DIGEST53),                             /* bcrypt as it was broken */
    STR_INIT("$2a$04$" DIGEST53),
    STR_INIT("$2x$04$" DIGEST53),
    STR_INIT("$6"),
    STR_INIT(" $6$salt$" DIGEST86),
};

Test(auth_hash, foreign_methods_are_refused)
{
    for (size_t i = 0; i < COUNT(foreign); i++) {
        const char *objection = auth_hash_objection(foreign[i]);
        cr_expect(objection && str_starts(str_of(objection), STR("not a hash of bcrypt")), "%s: %s", foreign[i].p,
                  objection);
    }
}

static const struct str incomplete[] = {
    STR_INIT("$2b$"),
    STR_INIT("$2b$04$"),
    STR_INIT("$2b$04$" DIGEST53 "x"),
    STR_INIT("$2b$04$" DIGEST43),
    STR_INIT("$2b$4$" DIGEST53),
    STR_INIT("$2b$004$" DIGEST53),
    STR_INIT("$2b$03$" DIGEST53),
    STR_INIT("$2b$32$" DIGEST53),
    STR_INIT("$2b$0x$" DIGEST53),
    STR_INIT("$2b$04:" DIGEST53),
    STR_INIT("$2b$04$!bcdefghijklmnopqrstuuinwY/tkBVrn3xrxQI/TgnMHhkvl85RW"),
    STR_INIT("$6$"),
    STR_INIT("$6$salt"),
    STR_INIT("$6$salt$"),
    STR_INIT("$6$" DIGEST86),
    STR_INIT("$6$$" DIGEST86),
    STR_INIT("$6$salt" DIGEST86),
    STR_INIT("$6$saltsaltsaltsalts$" DIGEST86),
    STR_INIT("$6$sa$lt$" DIGEST86),
    STR_INIT("$6$sa:lt$" DIGEST86),
    STR_INIT("$6$sa lt$" DIGEST86),
    STR_INIT("$6$sa\nlt$" DIGEST86),
    STR_INIT("$6$sa\0lt$" DIGEST86),
    STR_INIT("$6$s\xc3\xa4lt$" DIGEST86),
    STR_INIT("$6$salt$" DIGEST86 "x"),
    STR_INIT("$6$salt$" DIGEST86 "\n"),
    STR_INIT("$6$salt$" DIGEST86 ":0:99999"),
    STR_INIT("$6$salt$" DIGEST43),
    STR_INIT("$6$rounds=$salt$" DIGEST86),
    STR_INIT("$6$rounds=999$salt$" DIGEST86),
    STR_INIT("$6$rounds=01000$salt$" DIGEST86),
    STR_INIT("$6$rounds=1000000000$salt$" DIGEST86),
    STR_INIT("$6$rounds=1e4$salt$" DIGEST86),
    STR_INIT("$6$rounds=1000$" DIGEST86),
    STR_INIT("$6$rounds=1000$$" DIGEST86),
    STR_INIT("$5$salt$" DIGEST86),
    STR_INIT("$5$salt$" DIGEST43 "x"),
    STR_INIT("$5$" DIGEST43),
    STR_INIT("$y$"),
    STR_INIT("$y$j9T"),
    STR_INIT("$y$" DIGEST43),
    STR_INIT("$y$$salt$" DIGEST43),
    STR_INIT("$y$j9T$sa$lt$" DIGEST43),
    STR_INIT("$y$j9T$sa-lt$" DIGEST43),
    STR_INIT("$y$j9-$salt$" DIGEST43),
    STR_INIT("$y$j9T$" DIGEST86 DIGEST86 "$" DIGEST43),
    STR_INIT("$y$" DIGEST86 DIGEST86 DIGEST86 DIGEST86 DIGEST86 "$salt$" DIGEST43),
};

Test(auth_hash, incomplete_ones_are_refused)
{
    for (size_t i = 0; i < COUNT(incomplete); i++) {
        const char *objection = auth_hash_objection(incomplete[i]);
        cr_expect(objection && strstr(objection, "missing"), "%s: %s", incomplete[i].p, objection);
    }
}

static const struct str slow[] = {
    STR_INIT("$2b$17$" DIGEST53),
    STR_INIT("$2y$31$" DIGEST53),
    STR_INIT("$6$rounds=10000001$salt$" DIGEST86),
    STR_INIT("$6$rounds=999999999$salt$" DIGEST86),
    STR_INIT("$5$rounds=10000001$salt$" DIGEST43),
    STR_INIT("$y$jGT$salt$" DIGEST43),
    STR_INIT("$y$jzT$salt$" DIGEST43),
    STR_INIT("$y$jFU$salt$" DIGEST43),
    STR_INIT("$y$jFz$salt$" DIGEST43),
    STR_INIT("$y$j9T5$salt$" DIGEST43),
    STR_INIT("$y$j9$salt$" DIGEST43),
    STR_INIT("$y$zzz$salt$" DIGEST43),
};

Test(auth_hash, slow_ones_are_refused)
{
    for (size_t i = 0; i < COUNT(slow); i++) {
        const char *objection = auth_hash_objection(slow[i]);
        cr_expect(objection && strstr(objection, "too long to check"), "%s: %s", slow[i].p, objection);
    }
}

static const char *const good[] = {
    "$2b$16$" DIGEST53,
    "$6$rounds=10000000$salt$" DIGEST86,
    "$5$rounds=10000000$salt$" DIGEST43,
    "$y$jFT$salt$" DIGEST43,
    BCRYPT,
    BCRYPT_Y,
    SHA512,
    SHA512_PLAIN,
    SHA256,
    YESCRYPT,
    EMPTY,
    UMLAUT,
    "$y$j9T$$NJLey1.PlKBNRXKC8paA5/oiM57RRZku22T4YZVfTGA",
};

Test(auth_hash, good_ones)
{
    for (size_t i = 0; i < COUNT(good); i++)
        cr_expect_null(auth_hash_objection(str_of(good[i])), "%s", good[i]);
}

struct check {
    const char *password, *hash;
    int result;
};

static const struct check checks[] = {
    {"", SHA512, 0},
    {"sesam", SHA512, 0},
    {"sesame ", SHA512, 0},
    {"Sesame", SHA512, 0},
    {SHA512, SHA512, 0},
    {"sesame", EMPTY, 0},
    {"Sesame", BCRYPT, 0},
    {"Sesame", YESCRYPT, 0},
    {"sesame", "$y$zzz$salt$" DIGEST43, -EINVAL},
    {"sesame", BCRYPT, 1},
    {"sesame", BCRYPT_Y, 1},
    {"sesame", SHA512, 1},
    {"sesame", SHA512_PLAIN, 1},
    {"sesame", SHA256, 1},
    {"sesame", YESCRYPT, 1},
    {"", EMPTY, 1},
    {"s\xc3\xa4same:", UMLAUT, 1},
};

Test(auth_hash, who_has_which)
{
    for (size_t i = 0; i < COUNT(checks); i++) {
        int result = auth_hash_check(checks[i].password, checks[i].hash);
        cr_expect_eq(result, checks[i].result, "\"%s\" and %s: %d", checks[i].password, checks[i].hash, result);
    }
}

Test(auth_hash, a_digest_counts_to_its_last_character)
{
    char hash[sizeof SHA512] = SHA512;
    for (size_t i = sizeof hash - 2; hash[i] != '$'; i--) {
        char right = hash[i];
        hash[i] = right == 'a' ? 'b' : 'a';
        cr_expect_eq(auth_hash_check("sesame", hash), 0, "%s", hash);
        hash[i] = right;
    }
    cr_expect_eq(auth_hash_check("sesame", hash), 1);
}

Test(auth_hash, the_longest_password)
{
    char password[AUTH_PASSWORD_MAX + 1];
    memset(password, 'x', AUTH_PASSWORD_MAX);
    password[AUTH_PASSWORD_MAX] = '\0';
    cr_expect_eq(auth_hash_check(password, SHA512), 0);
}
