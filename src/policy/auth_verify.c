/* auth_verify.c: see auth_verify.h. */
#include "policy/auth_verify.h"

#include <errno.h>

#include "log/log.h"
#include "policy/auth_hash.h"

enum {
    SETS = 256, /* a power of two */
    SET = 4,    /* facts in each */
};

#define REMEMBERED (300 * NSEC_SEC)

/* That a password has a hash. */
struct fact {
    uint64_t id[2];
    nsec until; /* it is remembered; 0: none */
};

/* This worker's. */
static struct fact facts[SETS][SET];
static struct hash keyed[2]; /* used for their hashes alone */

static bool make_keys(void)
{
    for (size_t i = 0; i < 2; i++)
        if (!keyed[i].chains && hash_init(&keyed[i], 0) < 0)
            return false;
    return true;
}

/* False: there are no random bytes to be had, and nothing can be remembered. */
static bool identify(struct fact *fact, const char *password, const char *hash)
{
    char text[AUTH_HASH_MAX + 1 + AUTH_PASSWORD_MAX];
    struct out o = out_on(text, sizeof text);
    out_put(&o, str_of(hash));
    out_char(&o, '\0');
    out_put(&o, str_of(password));
    bool fits = !o.full && make_keys();
    for (size_t i = 0; i < 2 && fits; i++)
        fact->id[i] = hash_of(&keyed[i], out_str(&o));
    explicit_bzero(text, sizeof text);
    return fits;
}

static bool is_same(const struct fact *a, const struct fact *b)
{
    return a->id[0] == b->id[0] && a->id[1] == b->id[1];
}

static bool is_known(const struct fact *fact)
{
    const struct fact *set = facts[fact->id[0] % SETS];
    for (size_t i = 0; i < SET; i++)
        if (is_same(&set[i], fact) && set[i].until > green_now())
            return true;
    return false;
}

/* In its own place, or else in that of the one that would be forgotten first. */
static void remember(const struct fact *fact)
{
    struct fact *set = facts[fact->id[0] % SETS], *place = set;
    for (size_t i = 0; i < SET && !is_same(place, fact); i++)
        if (is_same(&set[i], fact) || set[i].until < place->until)
            place = &set[i];
    *place = *fact;
    place->until = nsec_add(green_now(), REMEMBERED);
}

int auth_verify(const struct auth_users *users, const struct peer *peer, struct str name, const char *password)
{
    struct fact fact = {0};
    struct auth_question question = {.peer = peer, .password = password};
    bool user = auth_users_find(users, name, &question.hash);
    bool identified = identify(&fact, password, question.hash);
    if (identified && user && is_known(&fact))
        return 1;
    question.id = identified ? fact.id : NULL;
    int result = auth_queue_ask(&question);
    if (result > 0 && identified && user)
        remember(&fact);
    if (result == -EINVAL)
        log_limited(LOG_LEVEL_ERROR, "libcrypt cannot check the password of the user " STR_FMT, STR_ARG(name));
    if (result == -EINVAL || result == -ERANGE || (result > 0 && !user))
        return 0;
    return result;
}
