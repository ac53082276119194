/* auth_queue.c: see auth_queue.h. */
#include "policy/auth_queue.h"

#include <errno.h>

#include "green/pool_share.h"
#include "net/cidr.h"
#include "policy/auth_hash.h"

enum {
    PLACES = 2 + 64,
    PLACES_OF_CLIENT = 2,
    PLACES_OF_LOCAL = PLACES / 2,
    FOLLOWERS = 16, /* of a check */
};

#define PATIENCE (10 * NSEC_SEC)

/* On the stack of who asked first. */
struct check {
    struct list link; /* in `checks` */
    const struct auth_question *question;
    cidr_ip client;
    struct list followers;
    size_t follower_count; /* that ever were */
    int result;
};

/* On the stack of who asked the same. */
struct follower {
    struct list link;
    struct green_sem answered;
    int result;
};

/* This worker's: those that run, and those that wait. */
static struct list checks = LIST_INIT(checks);
static struct green_sem turns;

/* ---- who asks the same ---- */

static struct check *find_same(const uint64_t *id)
{
    list_each (link, next, &checks) {
        struct check *check = container_of(link, struct check, link);
        const uint64_t *its = check->question->id;
        if (id && its && its[0] == id[0] && its[1] == id[1])
            return check;
    }
    return NULL;
}

static int follow(struct check *check, nsec deadline)
{
    struct follower follower = {.result = -EAGAIN};
    if (check->follower_count == FOLLOWERS)
        return -EBUSY;
    check->follower_count++;
    green_sem_init(&follower.answered, 0);
    list_push_back(&check->followers, &follower.link);
    int error = green_sem_wait(&follower.answered, deadline);
    list_unlink(&follower.link); /* the check has done so if it has ended */
    return error ? error : follower.result;
}

/* What befell the one who asked first, such as being cancelled, is no answer for the others. */
static void answer_followers(struct check *check)
{
    for (struct list *link; (link = list_pop_front(&check->followers));) {
        struct follower *follower = container_of(link, struct follower, link);
        follower->result = check->result == -ECANCELED ? -EAGAIN : check->result;
        green_sem_post(&follower->answered);
    }
}

/* ---- who asks first ---- */

static bool has_place(const struct peer *peer, cidr_ip client)
{
    bool local = peer->family == AF_UNIX || cidr_is_loopback(cidr_ip_of(peer));
    size_t all = 0, own = 0;
    list_each (link, next, &checks) {
        all++;
        own += container_of(link, struct check, link)->client == client;
    }
    return all < PLACES && own < (local ? PLACES_OF_LOCAL : PLACES_OF_CLIENT);
}

static void run(void *arg)
{
    struct check *check = arg;
    check->result = auth_hash_check(check->question->password, check->question->hash);
}

static int take_turn(struct check *check, nsec deadline)
{
    int error = green_sem_wait(pool_turns(&turns), deadline);
    if (error)
        return error;
    error = green_offload(run, check, NSEC_NEVER);
    green_sem_post(&turns);
    return error;
}

static int find_out(const struct auth_question *question, nsec deadline)
{
    struct check check = {.question = question, .client = cidr_client_of(question->peer)};
    if (!has_place(question->peer, check.client))
        return -EBUSY;
    list_init(&check.followers);
    list_push_back(&checks, &check.link);
    int error = take_turn(&check, deadline);
    if (error)
        check.result = error;
    list_unlink(&check.link);
    answer_followers(&check);
    return check.result;
}

int auth_queue_ask(const struct auth_question *question)
{
    nsec deadline = nsec_add(green_now(), PATIENCE);
    struct check *same = find_same(question->id);
    return same ? follow(same, deadline) : find_out(question, deadline);
}
