/* auth_verify.c: see auth_verify.h. */
#include "policy/auth_verify.h"

#include <errno.h>

#include "green/offload.h"
#include "green/sync.h"
#include "log/log.h"
#include "policy/auth_hash.h"

enum {
    AT_ONCE = 2,
    SETS = 256, /* a power of two */
    SET = 4,    /* facts in each */
};

#define PATIENCE (10 * NSEC_SEC)
#define REMEMBERED (300 * NSEC_SEC)

/* That a password has a hash. */
struct fact {
    uint64_t id[2];
    nsec until; /* it is remembered; 0: none */
};

/* This worker's. */
static struct green_sem turns = {.count = AT_ONCE, .waiting = LIST_INIT(turns.waiting)};
static struct fact facts[SETS][SET];
static struct hash keyed[2]; /* used for their hashes alone */

/* ---- what is known ---- */

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

static bool is_known(const struct fact *fact)
{
    const struct fact *set = facts[fact->id[0] % SETS];
    for (size_t i = 0; i < SET; i++)
        if (set[i].id[0] == fact->id[0] && set[i].id[1] == fact->id[1] && set[i].until > green_now())
            return true;
    return false;
}

/* In the place of the one that would be forgotten first. */
static void remember(const struct fact *fact)
{
    struct fact *set = facts[fact->id[0] % SETS], *first = set;
    for (size_t i = 1; i < SET; i++)
        if (set[i].until < first->until)
            first = &set[i];
    *first = *fact;
    first->until = nsec_add(green_now(), REMEMBERED);
}

/* ---- what has to be found out ---- */

struct job {
    const char *password, *hash;
    int result;
};

static void run(void *arg)
{
    struct job *job = arg;
    job->result = auth_hash_check(job->password, job->hash);
}

static int check_on_pool(const char *password, const char *hash)
{
    struct job job = {password, hash, 0};
    int error = green_offload(run, &job, NSEC_NEVER);
    return error ? error : job.result;
}

/* A fact that is NULL is not remembered. Whoever sends several requests at once is checked but once. */
static int find_out(const struct fact *fact, const char *password, const char *hash)
{
    int result = green_sem_wait(&turns, nsec_add(green_now(), PATIENCE));
    if (result)
        return result;
    result = fact && is_known(fact) ? 1 : check_on_pool(password, hash);
    green_sem_post(&turns);
    if (fact && result > 0)
        remember(fact);
    return result;
}

int auth_verify(const struct auth_users *users, struct str name, const char *password)
{
    const char *hash;
    struct fact fact = {0};
    bool user = auth_users_find(users, name, &hash);
    bool memorable = identify(&fact, password, hash) && user;
    if (memorable && is_known(&fact))
        return 1;
    int result = find_out(memorable ? &fact : NULL, password, hash);
    if (result == -EINVAL)
        log_limited(LOG_LEVEL_ERROR, "libcrypt cannot check the password of the user " STR_FMT, STR_ARG(name));
    if (result == -EINVAL || result == -ERANGE || (result > 0 && !user))
        return 0;
    return result;
}
