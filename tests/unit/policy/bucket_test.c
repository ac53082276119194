/* bucket_test.c: requests against a clock of our own: never one too many nor one too few, by one process or several. */
#include "policy/bucket.h"

#include <criterion/criterion.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define START (1000 * NSEC_SEC)

static struct bucket_table table;

static void setup(void)
{
    cr_assert_eq(bucket_table_make(&table, 1), 0);
    cr_assert_eq(table.mask, 0, "one set");
}

static void teardown(void)
{
    bucket_table_free(&table);
}

TestSuite(bucket, .init = setup, .fini = teardown);

/* How many pass at that time. */
static int64_t take_all(uint64_t key, const struct bucket_rate *rate, nsec now)
{
    int64_t passed = 0;
    while (bucket_take(&table, key, rate, now) == 0)
        passed++;
    return passed;
}

Test(bucket, a_request_too_early_is_told_for_how_long)
{
    static const struct bucket_rate rate = {NSEC_SEC, 1};
    cr_expect_eq(bucket_take(&table, 7, &rate, START), 0);
    cr_expect_eq(bucket_take(&table, 7, &rate, START), NSEC_SEC);
    cr_expect_eq(bucket_take(&table, 7, &rate, START + 1), NSEC_SEC - 1);
    cr_expect_eq(bucket_take(&table, 7, &rate, START + NSEC_SEC - 1), 1);
    cr_expect_eq(bucket_take(&table, 7, &rate, START + NSEC_SEC), 0, "what did not pass was not counted");
    cr_expect_eq(bucket_take(&table, 7, &rate, START + NSEC_SEC), NSEC_SEC);
}

Test(bucket, a_burst_passes_at_once_and_comes_back_one_by_one)
{
    static const struct bucket_rate rate = {100, 50};
    cr_expect_eq(take_all(7, &rate, START), 50);
    cr_expect_eq(bucket_take(&table, 7, &rate, START), 100);
    for (nsec now = START + 99; now < START + 10000; now += 100) {
        cr_expect_eq(take_all(7, &rate, now), 0);
        cr_expect_eq(take_all(7, &rate, now + 1), 1);
    }
    cr_expect_eq(take_all(7, &rate, START + 10000 + 5000), 50, "no more than a burst gathers");
    cr_expect_eq(take_all(7, &rate, START + 1000000), 50);
}

Test(bucket, random_times_agree_with_a_leaky_bucket)
{
    static const struct bucket_rate rate = {1000, 20};
    nsec now = START, level = 0, before = START; /* what has not leaked out, in nanoseconds */
    srand(5);
    for (int i = 0; i < 100000; i++) {
        now += rand() % 2000;
        level = level > now - before ? level - (now - before) : 0;
        before = now;
        bool passes = level <= 19 * 1000;
        level += passes ? 1000 : 0;
        cr_assert_eq(bucket_take(&table, 7, &rate, now) == 0, passes, "request %d", i);
    }
}

Test(bucket, the_rarest_and_largest_rate_does_not_overflow)
{
    static const struct bucket_rate rate = {3600 * NSEC_SEC, 1000000};
    nsec late = INT64_MAX / 2;
    cr_expect_eq(take_all(7, &rate, late), 1000000);
    cr_expect_eq(bucket_take(&table, 7, &rate, late), 3600 * NSEC_SEC);
}

Test(bucket, clients_do_not_count_for_each_other)
{
    static const struct bucket_rate rate = {NSEC_SEC, 3};
    for (uint64_t key = 0; key < BUCKET_SET; key++)
        cr_expect_eq(take_all(key * 1000, &rate, START), 3, "client %llu", (unsigned long long)key);
    for (uint64_t key = 0; key < BUCKET_SET; key++)
        cr_expect_eq(take_all(key * 1000, &rate, START), 0, "client %llu", (unsigned long long)key);
}

Test(bucket, any_number_is_a_key)
{
    static const struct bucket_rate rate = {NSEC_SEC, 1};
    static const uint64_t keys[] = {0, 1, UINT64_MAX, UINT64_MAX - 1};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        cr_expect_eq(take_all(keys[i], &rate, START), 1);
        cr_expect_eq(take_all(keys[i], &rate, START), 0);
    }
}

Test(bucket, a_full_set_forgets_who_is_due_soonest)
{
    static const struct bucket_rate rate = {NSEC_SEC, 100};
    for (uint64_t key = 1; key <= BUCKET_SET; key++)
        for (uint64_t i = 0; i <= key; i++)
            cr_assert_eq(bucket_take(&table, 10 * key, &rate, START), 0);
    cr_expect_eq(take_all(777, &rate, START), 100, "a newcomer starts afresh");
    for (uint64_t key = BUCKET_SET; key > 1; key--)
        cr_expect_eq(take_all(10 * key, &rate, START), (int64_t)(99 - key), "client %llu is kept",
                     (unsigned long long)key);
}

Test(bucket, a_table_has_room_for_as_many_as_it_was_made_for)
{
    static const struct bucket_rate rate = {NSEC_SEC, 1};
    struct bucket_table large;
    cr_assert_eq(bucket_table_make(&large, 1000), 0);
    cr_assert_geq((large.mask + 1) * BUCKET_SET, 1000);
    for (uint64_t key = 0; key <= large.mask; key++)
        for (uint64_t i = 1; i <= BUCKET_SET; i++)
            cr_assert_eq(bucket_take(&large, key + (i << 32), &rate, START), 0);
    for (uint64_t key = 0; key <= large.mask; key++)
        for (uint64_t i = 1; i <= BUCKET_SET; i++)
            cr_assert_neq(bucket_take(&large, key + (i << 32), &rate, START), 0);
    bucket_table_free(&large);
}

/* ---- several processes ---- */

enum { PROCESSES = 4 };

struct shared {
    _Atomic int64_t passed[PROCESSES];
    atomic_uint arrived;
};

static struct shared *make_shared(void)
{
    void *memory = mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(memory, MAP_FAILED);
    return memory;
}

/* Runs a function in several processes that begin together; the sum of what they count. */
static int64_t run_processes(int64_t (*fn)(unsigned process))
{
    struct shared *shared = make_shared();
    pid_t pids[PROCESSES];
    int64_t sum = 0;
    for (unsigned i = 0; i < PROCESSES; i++) {
        pids[i] = fork();
        cr_assert_geq(pids[i], 0);
        if (pids[i] > 0)
            continue;
        atomic_fetch_add(&shared->arrived, 1);
        while (atomic_load(&shared->arrived) < PROCESSES)
            usleep(100);
        atomic_store(&shared->passed[i], fn(i));
        _exit(0);
    }
    for (unsigned i = 0; i < PROCESSES; i++) {
        int status;
        cr_assert_eq(waitpid(pids[i], &status, 0), pids[i]);
        cr_assert_eq(status, 0, "process %u ended with %#x", i, status);
        sum += shared->passed[i];
    }
    munmap(shared, sizeof *shared);
    return sum;
}

enum { STEPS = 2000, BURST = 10 };

static const struct bucket_rate hammered = {1000, BURST};

/* Every process asks at every step of the clock until it is refused. */
static int64_t hammer(unsigned process)
{
    int64_t passed = 0;
    (void)process;
    for (nsec step = 0; step <= STEPS; step++)
        passed += take_all(7, &hammered, START + step * 700);
    return passed;
}

Test(bucket, processes_count_together)
{
    for (int round = 0; round < 5; round++) {
        int64_t passed = run_processes(hammer);
        cr_expect_eq(passed, BURST + STEPS * 700 / 1000, "%lld passed", (long long)passed);
        teardown();
        setup();
    }
}

/* Clients of each process' own, more than the set has room for: they throw each other out all the time. */
static int64_t crowd(unsigned process)
{
    static const struct bucket_rate rate = {NSEC_SEC, 5};
    for (uint64_t i = 0; i < 50000; i++)
        (void)!bucket_take(&table, i % (2 * BUCKET_SET) * 100 + process, &rate, START + (nsec)i);
    return 0;
}

Test(bucket, nobody_is_kept_out_for_longer_than_a_burst_whatever_happened)
{
    static const struct bucket_rate rate = {NSEC_SEC, 5};
    run_processes(crowd);
    for (uint64_t key = 0; key < 2 * BUCKET_SET * 100; key++)
        cr_assert_eq(bucket_take(&table, key, &rate, START + NSEC_SEC + 5 * NSEC_SEC), 0);
}

/* One client who is asked for all the time keeps its slot, and its count, while others come and go around it. */
static int64_t hammer_in_a_crowd(unsigned process)
{
    static const struct bucket_rate rare = {NSEC_SEC, 1000000};
    int64_t passed = 0;
    for (uint64_t i = 0; i < 20000; i++) {
        passed += bucket_take(&table, 7, &rare, START) == 0;
        (void)!bucket_take(&table, 1000 + i * PROCESSES + process, &hammered, START);
    }
    return passed;
}

Test(bucket, a_busy_client_is_not_forgotten_in_a_crowd)
{
    static const struct bucket_rate rare = {NSEC_SEC, 1000000};
    cr_assert_eq(bucket_take(&table, 7, &rare, START), 0);
    int64_t passed = 1 + run_processes(hammer_in_a_crowd);
    cr_expect_eq(passed, 1 + PROCESSES * 20000);
    cr_expect_eq(take_all(7, &rare, START), 1000000 - passed, "all of them were counted");
}
