/* resolve.c: see resolve.h.
 *
 * A lookup lives while it is in the table of names, or is used: by the thread that makes it, and by each who waits.
 * Once it is done nothing of it changes; when its time is over it leaves the table, and a new one takes its place.
 */
#include "net/resolve.h"

#include <errno.h>
#include <stdlib.h>

#include "base/hash.h"
#include "green/pool_share.h"
#include "green/scope.h"
#include "net/resolve_job.h"

struct lookup {
    struct hash_node node; /* in `names`, by the name */
    struct list asked;     /* in `by_use` */
    size_t users;
    size_t waiting; /* of these, who wait for its end */
    bool known;     /* it is in the table */
    bool done;
    nsec until; /* it holds so long */
    struct green_cond end;
    struct resolve_job job;
};

/* This worker's. */
static struct hash names;                      /* without chains: nothing was asked yet */
static struct list by_use = LIST_INIT(by_use); /* who was asked for last is the last */
static struct green_scope threads;             /* of the lookups that are not done */

static int begin(void)
{
    if (names.chains)
        return 0;
    green_scope_enter(&threads);
    return hash_init(&names, RESOLVE_NAMES);
}

/* ---- the table ---- */

static void release(struct lookup *lookup)
{
    if (--lookup->users == 0 && !lookup->known)
        free(lookup);
}

static void forget(struct lookup *lookup)
{
    if (!lookup->known)
        return;
    lookup->known = false;
    hash_remove(&names, &lookup->node);
    list_unlink(&lookup->asked);
    if (lookup->users == 0)
        free(lookup);
}

/* What is known of a name, and still holds; NULL: nothing. */
static struct lookup *find(struct str name)
{
    struct hash_node *node = hash_find(&names, name);
    struct lookup *lookup = node ? container_of(node, struct lookup, node) : NULL;
    if (lookup && lookup->done && lookup->until <= green_now()) {
        forget(lookup);
        return NULL;
    }
    if (lookup) {
        list_unlink(&lookup->asked);
        list_push_back(&by_use, &lookup->asked);
    }
    return lookup;
}

/* Sees to it that there is room for another name. */
static int make_room(void)
{
    if (names.count < RESOLVE_NAMES)
        return 0;
    list_each (l, next, &by_use) {
        struct lookup *lookup = container_of(l, struct lookup, asked);
        if (lookup->done) {
            forget(lookup);
            return 0;
        }
    }
    return -EBUSY;
}

/* ---- looking up ---- */

/* What kept us from looking is no answer, and not kept. */
static void conclude(struct lookup *lookup, int obstacle)
{
    lookup->done = true;
    lookup->until = nsec_add(green_now(), lookup->job.error ? RESOLVE_FAILED : RESOLVE_KEPT);
    if (obstacle) {
        lookup->job.error = obstacle;
        lookup->job.why = strerrordesc_np(-obstacle);
        forget(lookup);
    }
    green_cond_broadcast(&lookup->end);
}

static int look_up(void *arg)
{
    struct lookup *lookup = arg;
    int error = green_sem_wait(pool_turns_of_names(), NSEC_NEVER);
    if (!error) {
        error = lookup->waiting ? green_offload(resolve_job_run, &lookup->job, NSEC_NEVER) : -ECANCELED;
        green_sem_post(pool_turns_of_names());
    }
    conclude(lookup, error == -EAGAIN ? -EBUSY : error);
    release(lookup);
    return 0;
}

static struct lookup *create(struct str name)
{
    struct lookup *lookup = calloc(1, sizeof *lookup);
    if (!lookup)
        return NULL;
    green_cond_init(&lookup->end);
    memcpy(lookup->job.name, name.p, name.n);
    lookup->node.key = (struct str){lookup->job.name, name.n};
    return lookup;
}

/* Begins to look a name up, which nobody does yet. */
static int start(struct str name, struct lookup **started)
{
    int error = make_room();
    if (error)
        return error;
    struct lookup *lookup = create(name);
    if (!lookup)
        return -ENOMEM;
    error = hash_insert(&names, &lookup->node);
    if (error)
        goto free_lookup;
    error = green_scope_go(&threads, "resolve", look_up, lookup);
    if (error)
        goto remove;
    list_push_back(&by_use, &lookup->asked);
    lookup->known = true;
    lookup->users = 1;
    *started = lookup;
    return 0;
remove:
    hash_remove(&names, &lookup->node);
free_lookup:
    free(lookup);
    return error;
}

/* ---- asking ---- */

static int await(struct lookup *lookup, nsec deadline)
{
    int error = 0;
    lookup->waiting++;
    while (!lookup->done && !error)
        error = green_cond_wait(&lookup->end, NULL, deadline);
    lookup->waiting--;
    return error;
}

/* The answer of a lookup that this thread has joined. */
static int take_answer(struct lookup *lookup, struct resolved *found, nsec deadline, const char **why)
{
    lookup->users++;
    int error = await(lookup, deadline);
    if (!error) {
        error = lookup->job.error;
        *why = lookup->job.why;
        *found = lookup->job.found;
    }
    release(lookup);
    return error;
}

static int ask(struct str name, struct resolved *found, nsec deadline, const char **why)
{
    char lower[RESOLVE_NAME_MOST + 1];
    if (name.n == 0 || str_find(name, '\0') < name.n)
        return -EINVAL;
    if (name.n > RESOLVE_NAME_MOST)
        return -ENAMETOOLONG;
    for (size_t i = 0; i < name.n; i++)
        lower[i] = char_lower(name.p[i]);
    name.p = lower;
    int error = begin();
    if (error)
        return error;
    struct lookup *lookup = find(name);
    error = lookup ? 0 : start(name, &lookup);
    return error ? error : take_answer(lookup, found, deadline, why);
}

int resolve(struct str name, uint16_t port, struct resolved *found, nsec deadline, const char **why)
{
    int error = 0;
    *why = NULL;
    found->count = 1;
    if (str_starts(name, STR("unix:")))
        error = addr_parse(name, &found->addrs[0]);
    else if (addr_from_ip(name, port, &found->addrs[0]) < 0)
        error = ask(name, found, deadline, why);
    for (size_t i = 0; i < found->count && !error; i++)
        addr_set_port(&found->addrs[i], port);
    if (error && !*why)
        *why = strerrordesc_np(-error);
    return error;
}

void resolve_end(void)
{
    if (!names.chains)
        return;
    green_scope_leave(&threads);
    list_each (l, next, &by_use)
        forget(container_of(l, struct lookup, asked));
    hash_free(&names);
}
