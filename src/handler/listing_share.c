/* listing_share.c: see listing_share.h. */
#include "handler/listing_share.h"

#include <errno.h>
#include <stdlib.h>

#include "green/pool_share.h"
#include "handler/file_cache.h"

enum stage { WAITING, MAKING, MADE };

struct listing {
    struct list link;   /* in `waiting`; in `sent` when it is large; else alone */
    struct arena arena; /* of the texts of the query */
    struct listing_query query;
    size_t users;
    enum stage stage;
    struct green_cond changed; /* the stage */
    int error;                 /* how it ended; 0: with a text */
    struct str text;           /* allocated, or that of `same` */
    struct listing *same;      /* in use by this one; NULL: none has the same text */
};

/* This worker's. */
static struct green_sem turns;
static struct list waiting = LIST_INIT(waiting);
static struct list sent = LIST_INIT(sent);
static size_t waiting_count, sent_bytes;

/* ---- listings by query ---- */

static bool same_query(const struct listing_query *a, const struct listing_query *b)
{
    return a->root == b->root && a->hidden == b->hidden && a->format == b->format && a->order.key == b->order.key &&
           a->order.descending == b->order.descending && str_eq(a->path, b->path) && str_eq(a->name, b->name);
}

static struct listing *find(struct list *listings, const struct listing_query *query)
{
    list_each (l, next, listings) {
        struct listing *listing = container_of(l, struct listing, link);
        if (same_query(&listing->query, query))
            return listing;
    }
    return NULL;
}

static void enqueue(struct listing *listing)
{
    listing->stage = WAITING;
    list_push_back(&waiting, &listing->link);
    waiting_count++;
}

static void dequeue(struct listing *listing)
{
    list_unlink(&listing->link);
    waiting_count--;
}

static struct listing *create(const struct listing_query *query)
{
    struct listing *listing = calloc(1, sizeof *listing);
    if (!listing)
        return NULL;
    listing->query = *query;
    listing->query.path = arena_copy(&listing->arena, query->path);
    listing->query.name = arena_copy(&listing->arena, query->name);
    green_cond_init(&listing->changed);
    if (!listing->query.path.p || !listing->query.name.p) {
        arena_clear(&listing->arena);
        free(listing);
        return NULL;
    }
    enqueue(listing);
    return listing;
}

static void drop_text(struct listing *listing)
{
    if (listing->same)
        listing_release(listing->same);
    else
        free((char *)listing->text.p);
    listing->text = (struct str){NULL, 0};
}

void listing_release(struct listing *listing)
{
    if (--listing->users)
        return;
    if (listing->stage == WAITING)
        dequeue(listing);
    if (!list_empty(&listing->link))
        sent_bytes -= listing->text.n;
    list_unlink(&listing->link);
    drop_text(listing);
    arena_clear(&listing->arena);
    free(listing);
}

struct str listing_text(const struct listing *listing)
{
    return listing->text;
}

/* ---- making one ---- */

/* On the pool. */
static void run(void *arg)
{
    struct listing *listing = arg;
    const struct listing_query *query = &listing->query;
    struct listing_job job = {.root = query->root, .path = query->path, .hidden = query->hidden, .order = query->order};
    listing_job_run(&job);
    listing->error = job.error;
    if (!job.error)
        listing->error = listing_page_make(query->format, &job, query->name, &listing->text);
    listing_job_clear(&job);
}

/* Another listing that is being sent takes the place of one that is the same; if there is none, there must be room. */
static int admit(struct listing *listing)
{
    struct listing *other = find(&sent, &listing->query);
    if (other && str_eq(other->text, listing->text)) {
        drop_text(listing);
        listing->same = other;
        listing->text = other->text;
        other->users++;
        return 0;
    }
    if (listing->text.n > LISTING_TOGETHER - sent_bytes) {
        drop_text(listing);
        return -ENOBUFS;
    }
    sent_bytes += listing->text.n;
    list_push_front(&sent, &listing->link);
    return 0;
}

static int run_on_pool(struct listing *listing, nsec deadline)
{
    int error = green_offload(run, listing, deadline);
    if (!error && (listing->error == -EMFILE || listing->error == -ENFILE) && file_cache_shed())
        error = green_offload(run, listing, deadline);
    return error;
}

/* What did not run is to be made by another of its users. */
static int make(struct listing *listing, nsec deadline)
{
    dequeue(listing);
    listing->stage = MAKING;
    int error = run_on_pool(listing, deadline);
    if (error) {
        enqueue(listing);
    } else {
        listing->stage = MADE;
        if (!listing->error && listing->text.n > LISTING_SMALL)
            listing->error = admit(listing);
    }
    green_cond_broadcast(&listing->changed);
    return error;
}

/* Every user of a listing waits for a turn, since any of them may give up; the first one to have it makes it. */
static int take_turn(struct listing *listing, nsec deadline)
{
    int error = green_sem_wait(pool_turns(&turns), deadline);
    if (error)
        return error;
    if (listing->stage == WAITING)
        error = make(listing, deadline);
    green_sem_post(&turns);
    return error;
}

static int finish(struct listing *listing, nsec deadline)
{
    int error = 0;
    while (listing->stage != MADE && !error)
        if (listing->stage == WAITING)
            error = take_turn(listing, deadline);
        else
            error = green_cond_wait(&listing->changed, NULL, deadline);
    return error ? error : listing->error;
}

int listing_acquire(const struct listing_query *query, nsec deadline, struct listing **listing)
{
    struct listing *found = find(&waiting, query);
    if (!found && waiting_count >= LISTING_WAITING)
        return -EBUSY;
    if (!found)
        found = create(query);
    if (!found)
        return -ENOMEM;
    found->users++;
    int error = finish(found, deadline);
    if (error)
        listing_release(found);
    else
        *listing = found;
    return error;
}
