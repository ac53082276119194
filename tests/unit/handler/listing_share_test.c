/* listing_share_test.c: who waits, who shares, and who goes without. */
#include "handler/listing_share.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "directory.h"
#include "disk.h"
#include "green/offload.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

static struct file_root root;

static void setup(void)
{
    disk_make_folder();
    root = (struct file_root){.fd = disk_root};
}

TestSuite(listing_share, .init = setup, .fini = disk_remove_folder);

static int on_a_thread(void *test)
{
    (*(void (**)(void))test)();
    return 0;
}

static void run(void (*test)(void), size_t pool)
{
    cr_assert_eq(green_run(&(struct green_options){.stack = 64 * 1024, .pool = pool}, on_a_thread, &test), 0);
}

/* A test whose body may wait, with so many threads of the pool. */
#define ShareTest(name, pool)                                                                                          \
    static void name(void);                                                                                            \
    Test(listing_share, name)                                                                                          \
    {                                                                                                                  \
        run(name, pool);                                                                                               \
    }                                                                                                                  \
    static void name(void)

/* ---- people who ask ---- */

struct asker {
    struct green *thread;
    struct listing_query query;
    nsec patience; /* 0: for ever */
    char name[16];
    int error;
    struct listing *listing; /* released by let_go() */
};

/* What it is called tells apart what is asked for. */
static struct asker asker_of(int name)
{
    struct asker asker = {.query = {.root = &root, .path = STR(""), .format = &listing_json}};
    snprintf(asker.name, sizeof asker.name, "/%d/", name);
    return asker;
}

static int ask(void *arg)
{
    struct asker *asker = arg;
    asker->query.name = str_of(asker->name);
    nsec deadline = asker->patience ? nsec_add(green_now(), asker->patience) : NSEC_NEVER;
    asker->listing = NULL;
    asker->error = listing_acquire(&asker->query, deadline, &asker->listing);
    return 0;
}

static void start(struct asker *asker)
{
    cr_assert_eq(green_spawn(&asker->thread, "asker", ask, asker), 0);
    cr_assert_eq(green_yield(), 0);
}

static void join(struct asker *asker)
{
    cr_assert_eq(green_join(asker->thread, NULL, NSEC_NEVER), 0);
}

static void let_go(struct asker *asker)
{
    if (asker->listing)
        listing_release(asker->listing);
    asker->listing = NULL;
}

/* Listings that hold the two turns until free_turns(). */
static struct asker holders[2];

static void hold_turns(void)
{
    atomic_store(&directory.held, true);
    for (size_t i = 0; i < COUNT(holders); i++) {
        holders[i] = asker_of(-(int)i - 1);
        start(&holders[i]);
    }
}

static void hold_turns_reading(void)
{
    hold_turns();
    while (atomic_load(&directory.readers) < COUNT(holders))
        cr_assert_eq(green_sleep(NSEC_MS), 0);
}

static void free_turns(void)
{
    atomic_store(&directory.held, false);
    for (size_t i = 0; i < COUNT(holders); i++) {
        join(&holders[i]);
        let_go(&holders[i]);
    }
}

/* ---- a pool that has other things to do ---- */

struct chore {
    struct green *thread;
    atomic_bool begun, over;
};

static void toil(void *arg)
{
    struct chore *chore = arg;
    atomic_store(&chore->begun, true);
    while (!atomic_load(&chore->over))
        usleep(100);
}

static int have_it_done(void *arg)
{
    return green_offload(toil, arg, NSEC_NEVER);
}

static void begin(struct chore *chore)
{
    cr_assert_eq(green_spawn(&chore->thread, "chore", have_it_done, chore), 0);
    while (!atomic_load(&chore->begun))
        cr_assert_eq(green_sleep(NSEC_MS), 0);
}

static void end(struct chore *chore)
{
    atomic_store(&chore->over, true);
    cr_assert_eq(green_join(chore->thread, NULL, NSEC_NEVER), 0);
}

/* ---- who goes without ---- */

ShareTest(too_many_wait, 0)
{
    static struct asker askers[LISTING_WAITING + 2];
    hold_turns_reading();
    for (size_t i = 0; i < COUNT(askers); i++) {
        askers[i] = asker_of(i < LISTING_WAITING ? (int)i : i == LISTING_WAITING ? 1000 : 0);
        start(&askers[i]);
    }
    cr_expect_eq(askers[LISTING_WAITING].error, -EBUSY, "at once");
    free_turns();
    for (size_t i = 0; i < COUNT(askers); i++) {
        join(&askers[i]);
        cr_expect_eq(askers[i].error, i == LISTING_WAITING ? -EBUSY : 0, "%zu: %d", i, askers[i].error);
        let_go(&askers[i]);
    }
}

ShareTest(patience_has_an_end, 0)
{
    struct asker hasty = asker_of(1), patient = asker_of(1), alone = asker_of(2);
    hasty.patience = alone.patience = NSEC_MS;
    hold_turns_reading();
    start(&hasty);
    start(&patient);
    start(&alone);
    join(&hasty);
    join(&alone);
    cr_expect_eq(hasty.error, -ETIMEDOUT);
    cr_expect_eq(alone.error, -ETIMEDOUT);
    free_turns();
    join(&patient);
    cr_expect_eq(patient.error, 0, "who shared it still gets it");
    let_go(&patient);
}

/* Who has the turn, but no thread of the pool yet, gives up: another one has to make what he was about to. */
ShareTest(who_was_about_to_make_it_is_cancelled, 1)
{
    static struct chore chore;
    struct asker before = asker_of(2), first = asker_of(1), second = asker_of(1);
    begin(&chore);
    start(&before);
    start(&first);
    start(&second);
    green_cancel(before.thread);
    join(&before);
    cr_expect_eq(before.error, -ECANCELED);
    cr_assert_eq(green_yield(), 0);
    green_cancel(first.thread);
    join(&first);
    cr_expect_eq(first.error, -ECANCELED);
    end(&chore);
    join(&second);
    cr_expect_eq(second.error, 0);
    let_go(&second);
}

static void expect_error(int error)
{
    struct asker asker = asker_of(0);
    ask(&asker);
    cr_expect_eq(asker.error, error, "%d", asker.error);
    cr_expect_null(asker.listing);
}

ShareTest(errors, 0)
{
    disk_write("a", "", 0);
    disk.openat2_errno = EMFILE;
    expect_error(-EMFILE);
    disk.openat2_errno = 0;
    directory.no_memory = true;
    expect_error(-ENOMEM);
    directory.no_memory = false;
    directory.error = EIO;
    expect_error(-EIO);
}

/* ---- who shares ---- */

static atomic_uint names_read;

static void count_name(void)
{
    atomic_fetch_add(&names_read, 1);
}

/* Names that are read with one listing of the empty root: two, and the end. */
enum { NAMES = 3 };

ShareTest(who_waits_for_the_same_shares_it, 0)
{
    static struct asker askers[20];
    hold_turns_reading();
    for (size_t i = 0; i < COUNT(askers); i++) {
        askers[i] = asker_of(1);
        start(&askers[i]);
    }
    directory.before_name = count_name;
    free_turns();
    for (size_t i = 0; i < COUNT(askers); i++) {
        join(&askers[i]);
        cr_assert_eq(askers[i].error, 0);
        cr_expect_eq(askers[i].listing, askers[0].listing);
    }
    cr_expect_eq(atomic_load(&names_read), NAMES * (COUNT(holders) + 1));
    for (size_t i = 0; i < COUNT(askers); i++)
        let_go(&askers[i]);
}

/* The holders' names are read as ever, one after the other; then reading stops until `stop` is false. */
static atomic_bool stop;

static void stop_behind_holders(void)
{
    if (atomic_fetch_add(&names_read, 1) < NAMES * COUNT(holders))
        return;
    while (atomic_load(&stop))
        usleep(100);
}

/* Of three threads, which are two turns, only one gets to them. */
ShareTest(whose_turn_comes_while_it_is_made_waits_for_it, 3)
{
    static struct chore chores[3];
    struct asker first = asker_of(1), second = asker_of(1);
    atomic_store(&stop, true);
    directory.before_name = stop_behind_holders;
    for (size_t i = 0; i < COUNT(chores); i++)
        begin(&chores[i]);
    hold_turns();
    start(&first);
    start(&second);
    end(&chores[0]);
    free_turns();
    while (atomic_load(&names_read) <= NAMES * COUNT(holders))
        cr_assert_eq(green_sleep(NSEC_MS), 0);
    cr_assert_eq(green_sleep(NSEC_MS), 0);
    atomic_store(&stop, false);
    join(&first);
    join(&second);
    cr_expect(first.listing && first.listing == second.listing);
    let_go(&first);
    let_go(&second);
    end(&chores[1]);
    end(&chores[2]);
}

/* Everything that makes a difference. */
ShareTest(who_waits_for_another_does_not, 0)
{
    struct file_root other = root;
    struct asker askers[] = {asker_of(1), asker_of(1), asker_of(1), asker_of(1), asker_of(1), asker_of(1), asker_of(2)};
    askers[1].query.root = &other;
    askers[2].query.path = STR("./");
    askers[3].query.hidden = true;
    askers[4].query.order = (struct listing_order){LISTING_NAME, true};
    askers[5].query.format = &listing_html;
    hold_turns_reading();
    for (size_t i = 0; i < COUNT(askers); i++)
        start(&askers[i]);
    free_turns();
    for (size_t i = 0; i < COUNT(askers); i++) {
        join(&askers[i]);
        cr_assert_eq(askers[i].error, 0);
        for (size_t k = 0; k < i; k++)
            cr_expect_neq(askers[i].listing, askers[k].listing, "%zu and %zu", i, k);
    }
    for (size_t i = 0; i < COUNT(askers); i++)
        let_go(&askers[i]);
}

static bool has(const struct asker *asker, const char *part)
{
    struct str text = listing_text(asker->listing);
    return memmem(text.p, text.n, part, strlen(part)) != NULL;
}

/* What was read before somebody asked may not be news to him. */
ShareTest(what_is_being_read_is_not_shared, 0)
{
    struct asker early = asker_of(1), late = asker_of(1);
    directory.name = "a";
    directory.times = 0;
    atomic_store(&directory.held, true);
    start(&early);
    while (atomic_load(&directory.readers) < 1)
        cr_assert_eq(green_sleep(NSEC_MS), 0);
    start(&late);
    while (atomic_load(&directory.readers) < 2)
        cr_assert_eq(green_sleep(NSEC_MS), 0);
    atomic_store(&directory.held, false);
    join(&early);
    join(&late);
    cr_assert(early.error == 0 && late.error == 0);
    cr_expect_neq(early.listing, late.listing);
    let_go(&early);
    let_go(&late);
}

/* ---- what is being sent ---- */

static void read_names(size_t times, struct asker *asker)
{
    directory.times = times;
    ask(asker);
}

static void invent_long_names(void)
{
    static char name[256];
    memset(name, 'x', 255);
    disk_write(name, "", 0);
    directory.name = name;
}

/* Takes different listings of so many names until there is no room for one more; returns their bytes. */
static size_t fill(struct asker *askers, size_t *n, size_t names)
{
    size_t bytes = 0;
    for (;; (*n)++) {
        askers[*n] = asker_of((int)*n);
        read_names(names, &askers[*n]);
        if (askers[*n].error)
            break;
        bytes += listing_text(askers[*n].listing).n;
    }
    cr_expect_eq(askers[*n].error, -ENOBUFS, "%d", askers[*n].error);
    return bytes;
}

/* The largest ones first, then such as are hardly large. */
ShareTest(large_ones_have_a_bound_together, 0)
{
    static struct asker askers[1000];
    struct asker small[] = {asker_of(-1), asker_of(-2)};
    size_t n = 0;
    invent_long_names();
    size_t bytes = fill(askers, &n, LISTING_MAX);
    bytes += fill(askers, &n, 120);
    cr_expect(bytes <= LISTING_TOGETHER && bytes + LISTING_SMALL * 3 / 2 > LISTING_TOGETHER, "%zu bytes", bytes);
    for (size_t i = 0; i < COUNT(small); i++) {
        read_names(100, &small[i]);
        cr_assert_eq(small[i].error, 0, "small ones pass");
        cr_expect_gt(listing_text(small[i].listing).n, LISTING_SMALL * 3 / 4);
    }
    let_go(&askers[0]);
    read_names(LISTING_MAX, &askers[n]);
    cr_expect_eq(askers[n].error, 0, "one has made room");
    for (size_t i = 0; i <= n; i++)
        let_go(&askers[i]);
    let_go(&small[0]);
    let_go(&small[1]);
}

/* Slow readers of one directory, however many, hold one text of it. */
ShareTest(equal_texts_are_kept_once, 0)
{
    static struct asker askers[100];
    struct asker other = asker_of(1);
    invent_long_names();
    for (size_t i = 0; i < COUNT(askers); i++) {
        askers[i] = asker_of(1);
        read_names(1000, &askers[i]);
        cr_assert_eq(askers[i].error, 0);
        cr_expect_eq(listing_text(askers[i].listing).p, listing_text(askers[0].listing).p);
    }
    read_names(1001, &other);
    cr_assert_eq(other.error, 0);
    cr_expect_gt(listing_text(other.listing).n, listing_text(askers[0].listing).n, "the directory has changed");
    for (size_t i = 0; i < COUNT(askers); i++) {
        cr_expect(has(&askers[i], "\n]}\n"), "it is there as long as anybody sends it");
        let_go(&askers[i]);
    }
    let_go(&other);
}
