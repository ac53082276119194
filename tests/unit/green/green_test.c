/* green_test.c: threads from start to end: order, fairness, cancels, results, and what a census says of them. */
#include "green/green.h"
#include "green/view.h"

#include "green/core.h"
#include "green/scope.h"
#include "green/sync.h"
#include "run.h"

/* ---- what is refused ---- */

static int never(void *arg)
{
    (void)arg;
    cr_assert_fail("this must not run");
    return 0;
}

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

Test(green, a_stack_beyond_all_bounds_is_refused)
{
    cr_expect_eq(green_run(&(struct green_options){.stack = ((size_t)1 << 30) + 1}, never, NULL), -EINVAL);
    cr_expect_eq(green_run(&(struct green_options){.stack = SIZE_MAX}, never, NULL), -EINVAL);
    cr_expect_eq(green_run(&(struct green_options){0}, nothing, NULL), 0, "and leaves nothing behind");
}

GreenTest(green, no_more_threads_than_allowed, .threads = 3)
{
    struct green_scope scope;
    struct green *a = run_spawn(nothing, NULL), *b = run_spawn(nothing, NULL), *c = NULL;
    green_scope_enter(&scope);
    for (int i = 0; i < 3; i++) {
        cr_expect_eq(green_spawn(&c, "c", never, NULL), -EAGAIN);
        cr_expect_eq(green_go("c", never, NULL), -EAGAIN);
        cr_expect_eq(green_scope_go(&scope, "c", never, NULL), -EAGAIN);
        run_yield(); /* a thread that has ended, but was not joined, still counts */
    }
    run_join(a);
    cr_expect_eq(green_scope_go(&scope, "c", nothing, NULL), 0);
    cr_expect_eq(green_spawn(&c, "d", never, NULL), -EAGAIN);
    green_scope_leave(&scope);
    run_join(b);
}

static int wait_for_gate(void *arg)
{
    return green_sem_wait(arg, NSEC_NEVER);
}

static int join_for_ever(void *arg)
{
    return green_join(arg, NULL, NSEC_NEVER);
}

GreenTest(green, a_second_joiner_is_refused)
{
    struct green_sem gate;
    green_sem_init(&gate, 0);
    struct green *thread = run_spawn(wait_for_gate, &gate), *joiner = run_spawn(join_for_ever, thread);
    run_yield();
    cr_expect_eq(green_join(thread, NULL, NSEC_NEVER), -EBUSY);
    green_cancel(joiner);
    cr_expect_eq(run_join(joiner), -ECANCELED);
    green_sem_post(&gate);
    cr_expect_eq(green_join(thread, NULL, NSEC_NEVER), 0, "the first one gave up");
}

/* ---- start and end ---- */

static int give_back(void *arg)
{
    return *(int *)arg;
}

Test(green, the_result_of_main_is_the_result_of_the_run)
{
    for (int i = -3; i <= 3; i++)
        cr_expect_eq(green_run(&(struct green_options){.threads = 1}, give_back, &i), i);
}

GreenTest(green, joining_gives_the_result)
{
    int results[] = {7, 0, -EPIPE}, result = 1;
    for (size_t i = 0; i < 3; i++)
        cr_expect_eq(run_join(run_spawn(give_back, &results[i])), results[i]);
    struct green *ended = run_spawn(give_back, &results[0]);
    run_yield();
    cr_expect_eq(green_join(ended, &result, 0), 0, "no deadline is too short for one that has ended");
    cr_expect_eq(result, 7);
}

static int note_it(void *arg)
{
    run_note(*(char *)arg);
    return 0;
}

GreenTest(green, threads_start_in_the_order_of_their_spawns)
{
    char letters[] = "abcdefgh";
    for (char *letter = letters; *letter; letter++)
        cr_assert_eq(green_go("note", note_it, letter), 0);
    cr_expect_str_eq(run_noted(), "", "a spawn does not wait");
    run_yield();
    cr_expect_str_eq(run_noted(), "abcdefgh");
}

static int wait_and_note(void *arg)
{
    struct green_sem *gate = arg;
    int error = green_sem_wait(gate, NSEC_NEVER);
    run_note('w');
    return error;
}

GreenTest(green, one_that_waited_goes_before_a_new_one)
{
    struct green_sem gate;
    green_sem_init(&gate, 0);
    struct green *waiting = run_spawn(wait_and_note, &gate);
    run_yield();
    cr_assert_eq(green_go("new", note_it, "n"), 0);
    green_sem_post(&gate);
    run_yield();
    cr_expect_str_eq(run_noted(), "wn");
    cr_expect_eq(run_join(waiting), 0);
}

static int self_is(void *arg)
{
    struct green **thread = arg;
    return green_self() == *thread;
}

GreenTest(green, a_thread_knows_itself)
{
    struct green *main_thread = green_self(), *thread;
    cr_assert_not_null(main_thread);
    cr_assert_eq(green_spawn(&thread, "self", self_is, &thread), 0);
    cr_expect_eq(run_join(thread), 1);
    cr_expect_eq(green_self(), main_thread);
}

static int far_wait(void *arg)
{
    return green_sem_wait(arg, run_in(3600 * 1000));
}

GreenTest(green, an_ended_thread_leaves_no_timer)
{
    struct green_sem gate;
    green_sem_init(&gate, 0);
    struct green *threads[8];
    for (size_t i = 0; i < 8; i++)
        threads[i] = run_spawn(far_wait, &gate);
    run_yield();
    cr_expect_eq(green_wheel()->count, 8);
    for (size_t i = 0; i < 8; i++)
        green_sem_post(&gate);
    for (size_t i = 0; i < 8; i++)
        cr_expect_eq(run_join(threads[i]), 0);
    cr_expect_eq(green_wheel()->count, 0);
    cr_expect(wheel_check(green_wheel()));
}

/* ---- cancel ---- */

static int count_cancelled_waits(void *arg)
{
    struct green_sem *gate = arg;
    int count = green_sem_wait(gate, NSEC_NEVER) == -ECANCELED;
    count += green_cancelled();
    count += green_sem_wait(gate, NSEC_NEVER) == -ECANCELED;
    count += green_sleep(NSEC_SEC) == -ECANCELED;
    count += green_yield() == -ECANCELED;
    return count;
}

GreenTest(green, a_cancel_ends_this_wait_and_every_later_one)
{
    struct green_sem gate;
    green_sem_init(&gate, 0);
    struct green *waiting = run_spawn(count_cancelled_waits, &gate);
    run_yield();
    struct green *not_started = run_spawn(count_cancelled_waits, &gate);
    green_cancel(waiting);
    green_cancel(not_started);
    green_cancel(not_started);
    cr_expect_eq(run_join(waiting), 5);
    cr_expect_eq(run_join(not_started), 5);
    cr_expect_not(green_cancelled(), "one thread's cancel is nobody else's");
}

GreenTest(green, what_came_before_the_cancel_counts)
{
    struct green_sem gate;
    green_sem_init(&gate, 0);
    struct green *thread = run_spawn(wait_and_note, &gate);
    run_yield();
    green_sem_post(&gate);
    green_cancel(thread);
    cr_expect_eq(run_join(thread), 0);
}

GreenTest(green, cancelling_what_has_ended_is_harmless)
{
    int seven = 7;
    struct green *thread = run_spawn(give_back, &seven);
    run_yield();
    green_cancel(thread);
    cr_expect_eq(run_join(thread), 7);
}

static int cancel_self(void *arg)
{
    (void)arg;
    green_cancel(green_self());
    return green_cancelled() && green_yield() == -ECANCELED;
}

GreenTest(green, a_thread_may_cancel_itself)
{
    cr_expect_eq(run_join(run_spawn(cancel_self, NULL)), 1);
}

/* ---- yield, sleep, fairness ---- */

static int note_and_yield(void *arg)
{
    for (int i = 0; i < 3; i++) {
        run_note(*(char *)arg);
        run_yield();
    }
    return 0;
}

GreenTest(green, yielding_threads_take_turns)
{
    run_yield(); /* alone: comes back */
    struct green *a = run_spawn(note_and_yield, "a"), *b = run_spawn(note_and_yield, "b");
    struct green *c = run_spawn(note_and_yield, "c");
    run_join(a);
    run_join(b);
    run_join(c);
    cr_expect_str_eq(run_noted(), "abcabcabc");
}

GreenTest(green, yields_go_on_beyond_a_burst)
{
    for (int i = 0; i < 10000; i++)
        run_yield();
}

struct sleeper {
    nsec duration;
    char letter;
};

static int sleep_and_note(void *arg)
{
    const struct sleeper *sleeper = arg;
    nsec start = clock_monotonic();
    int error = green_sleep(sleeper->duration);
    cr_expect_geq(clock_monotonic() - start, sleeper->duration);
    run_note(sleeper->letter);
    return error;
}

GreenTest(green, sleepers_wake_in_the_order_of_their_times)
{
    struct sleeper sleepers[] = {{60 * NSEC_MS, 'd'}, {20 * NSEC_MS, 'b'}, {0, 'a'}, {40 * NSEC_MS, 'c'}, {-1, 'a'}};
    struct green *threads[5];
    for (size_t i = 0; i < 5; i++)
        threads[i] = run_spawn(sleep_and_note, &sleepers[i]);
    for (size_t i = 0; i < 5; i++)
        cr_expect_eq(run_join(threads[i]), 0);
    cr_expect_str_eq(run_noted(), "aabcd");
}

struct game {
    struct green_sem ping, pong;
};

static int play(struct green_sem *take, struct green_sem *give)
{
    int error = 0;
    while (!error) {
        green_sem_post(give);
        error = green_sem_wait(take, NSEC_NEVER);
    }
    return error;
}

static int play_ping(void *arg)
{
    struct game *game = arg;
    return play(&game->ping, &game->pong);
}

static int play_pong(void *arg)
{
    struct game *game = arg;
    return play(&game->pong, &game->ping);
}

GreenTest(green, threads_that_wake_each_other_for_ever_starve_nobody)
{
    struct game game;
    green_sem_init(&game.ping, 0);
    green_sem_init(&game.pong, 0);
    struct green *ping = run_spawn(play_ping, &game), *pong = run_spawn(play_pong, &game);
    for (int i = 0; i < 100; i++)
        run_yield(); /* not the new */
    cr_expect_eq(run_join(run_spawn(nothing, NULL)), 0);
    cr_expect_eq(green_sleep(2 * NSEC_MS), 0); /* and not the timers */
    green_cancel(ping);
    green_cancel(pong);
    cr_expect_eq(run_join(ping), -ECANCELED);
    cr_expect_eq(run_join(pong), -ECANCELED);
}

static bool breed;

static int breeder(void *arg)
{
    return breed ? green_go("breeder", breeder, arg) : 0;
}

GreenTest(green, new_threads_without_end_starve_nobody)
{
    breed = true;
    cr_expect_eq(green_go("breeder", breeder, NULL), 0);
    cr_expect_eq(green_go("breeder", breeder, NULL), 0);
    cr_expect_eq(green_sleep(2 * NSEC_MS), 0);
    breed = false;
    run_yield();
}

static int yield_until_cancelled(void *arg)
{
    (void)arg;
    int error = 0;
    while (!error)
        error = green_yield();
    return error;
}

GreenTest(green, yields_without_end_starve_no_timer)
{
    struct green *thread = run_spawn(yield_until_cancelled, NULL);
    cr_expect_eq(green_sleep(2 * NSEC_MS), 0);
    green_cancel(thread);
    cr_expect_eq(run_join(thread), -ECANCELED);
}

/* ---- what can be seen from outside ---- */

GreenTest(green, a_census_counts_the_living)
{
    struct green_census census;
    struct green *threads[10];
    for (size_t i = 0; i < 10; i++)
        threads[i] = run_spawn(nothing, NULL);
    green_take_census(&census);
    cr_expect_eq(census.live, 11);
    for (size_t i = 0; i < 10; i++)
        run_join(threads[i]);
    cr_expect_eq(green_go("detached", nothing, NULL), 0);
    run_yield();
    green_take_census(&census);
    cr_expect_eq(census.live, 1);
    cr_expect_eq(census.most_live, 11);
    cr_expect_eq(census.spawned, 12);
    cr_expect_eq(census.stacks, 11);
    cr_expect_eq(census.stack_size, 64 * 1024);
    cr_expect_eq(census.guard_pages, green_guards_pages());
    cr_expect_gt(census.high_water, 0);
    cr_expect_lt(census.high_water, census.stack_size);
    cr_expect_geq(census.resident, census.high_water);
}

static int describe_and_wait(void *arg)
{
    green_describe(STR("GET /slow"));
    return green_sem_wait(arg, NSEC_NEVER);
}

struct seen {
    size_t count, running, waiting, fresh;
};

static void see(const struct green_view *view, void *arg)
{
    struct seen *seen = arg;
    seen->count++;
    cr_expect_lt(view->depth, 64 * 1024);
    if (strcmp(view->name, "main") == 0) {
        cr_expect_not(view->standing == GREEN_STANDS_WAITING);
        seen->running += view->depth == 0;
    } else if (view->standing == GREEN_STANDS_WAITING) {
        cr_expect(str_eq(view->what, STR("GET /slow")));
        seen->waiting += view->depth > 0;
    } else {
        cr_expect_str_eq(view->name, "fresh");
        seen->fresh += view->depth == 0 && view->what.n == 0;
    }
}

GreenTest(green, each_live_thread_is_seen_once)
{
    struct green_sem gate;
    struct seen seen = {0};
    green_sem_init(&gate, 0);
    run_join(run_spawn(nothing, NULL)); /* one stack in the pool: nobody's */
    struct green *waiting[3], *ended = run_spawn(nothing, NULL);
    for (size_t i = 0; i < 3; i++)
        waiting[i] = run_spawn(describe_and_wait, &gate);
    run_yield();
    cr_assert_eq(green_go("fresh", nothing, NULL), 0);
    green_each(see, &seen);
    cr_expect_eq(seen.count, 5);
    cr_expect_eq(seen.running, 1);
    cr_expect_eq(seen.waiting, 3);
    cr_expect_eq(seen.fresh, 1);
    for (size_t i = 0; i < 3; i++) {
        green_sem_post(&gate);
        run_join(waiting[i]);
    }
    run_join(ended);
    run_yield();
}

Test(green, names_the_library_below)
{
    cr_expect_eq(strncmp(green_library(), "libev 4.", 8), 0);
}
