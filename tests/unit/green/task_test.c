/* task_test.c: work that gets a thread when its turn comes: order, refusal, and whose stack it runs on. */
#include "green/core.h"
#include "green/scope.h"
#include "green/sync.h"
#include "green/view.h"
#include "run.h"

enum { MANY = 1000 };

static struct green_sem gate;

static void setup(void)
{
    green_sem_init(&gate, 0);
}

TestSuite(task, .init = setup);

struct work {
    struct green_task task;
    char letter;
};

static int run_it(struct green_task *task)
{
    run_note(container_of(task, struct work, task)->letter);
    return 0;
}

static int run_with_wait(struct green_task *task)
{
    cr_expect_eq(green_sem_wait(&gate, NSEC_NEVER), 0);
    return run_it(task);
}

static void on_refused(struct green_task *task, int error)
{
    cr_expect_eq(error, -EAGAIN);
    run_it(task);
    run_note('!');
}

static const struct green_task_kind quick = {.name = "quick", .run = run_it, .refused = on_refused};
static const struct green_task_kind slow = {.name = "slow", .run = run_with_wait, .refused = on_refused};

static void post(struct work work[], const char *letters, const struct green_task_kind *kind)
{
    for (size_t i = 0; letters[i]; i++) {
        work[i] = (struct work){.task = {.kind = kind}, .letter = letters[i]};
        green_post(&work[i].task);
    }
}

/* Lets everything run that can: a task's turn comes when no thread is ready. */
static void settle(void)
{
    cr_expect_eq(green_sleep(NSEC_MS), 0);
}

/* ---- no thread to be had ---- */

GreenTest(task, those_without_a_thread_are_refused, .threads = 2)
{
    struct work work[4];
    post(work, "abcd", &slow);
    settle();
    cr_expect_str_eq(run_noted(), "b!c!d!");
    green_sem_post(&gate);
    settle();
    cr_expect_str_eq(run_noted(), "a");
    post(work, "e", &quick);
    settle();
    cr_expect_str_eq(run_noted(), "e");
}

static int note_thread(void *arg)
{
    run_note(*(char *)arg);
    return 0;
}

GreenTest(task, a_thread_that_has_just_ended_leaves_room_for_one, .threads = 2)
{
    struct green_scope scope;
    struct work work[2];
    green_scope_enter(&scope);
    for (int i = 0; i < 10; i++) {
        cr_expect_eq(green_scope_go(&scope, "member", note_thread, "m"), 0);
        post(work, "ab", &quick);
        settle();
        cr_expect_str_eq(run_noted(), "mab");
    }
    green_scope_leave(&scope);
}

/* ---- order ---- */

GreenTest(task, they_run_in_order_one_after_the_other)
{
    struct work work[26];
    post(work, "abcdefghijklmnopqrstuvwxyz", &quick);
    cr_expect_str_eq(run_noted(), "");
    settle();
    cr_expect_str_eq(run_noted(), "abcdefghijklmnopqrstuvwxyz");
}

GreenTest(task, threads_go_before_tasks)
{
    struct work work[2];
    post(work, "xy", &quick);
    cr_expect_eq(green_go("thread", note_thread, "t"), 0);
    settle();
    cr_expect_str_eq(run_noted(), "txy");
}

GreenTest(task, one_that_waits_holds_up_nobody)
{
    struct work waiting[3], others[3];
    post(waiting, "abc", &slow);
    post(others, "xyz", &quick);
    settle();
    cr_expect_str_eq(run_noted(), "xyz");
    for (int i = 0; i < 3; i++)
        green_sem_post(&gate);
    settle();
    cr_expect_str_eq(run_noted(), "abc");
}

static int yield_until_cancelled(void *arg)
{
    (void)arg;
    int error = 0;
    while (!error)
        error = green_yield();
    return error;
}

GreenTest(task, threads_that_are_always_ready_do_not_starve_it)
{
    struct work work[1];
    struct green *thread = run_spawn(yield_until_cancelled, NULL);
    post(work, "a", &quick);
    settle();
    cr_expect_str_eq(run_noted(), "a");
    green_cancel(thread);
    cr_expect_eq(run_join(thread), -ECANCELED);
}

static bool again;

static int run_again(struct green_task *task)
{
    if (again)
        green_post(task);
    return 0;
}

static const struct green_task_kind endless = {.name = "endless", .run = run_again, .refused = on_refused};

GreenTest(task, tasks_without_end_starve_nobody)
{
    struct work work[2];
    again = true;
    post(work, "ab", &endless);
    settle();
    cr_expect_eq(run_join(run_spawn(note_thread, "t")), 0);
    again = false;
    settle();
}

/* ---- threads and stacks ---- */

GreenTest(task, a_thousand_need_one_stack)
{
    static struct work work[MANY];
    struct green_census census = {.spawned = 0};
    for (size_t i = 0; i < MANY; i++)
        post(&work[i], ".", &quick);
    for (int i = 0; i < 100 && census.spawned <= MANY; i++) {
        settle();
        green_take_census(&census);
    }
    cr_expect_eq(strlen(run_noted()), MANY);
    cr_expect_leq(census.stacks, 3);
    cr_expect_leq(census.most_live, 2);
    cr_expect_eq(census.spawned, MANY + 1);
}

static struct green *stale;

static int be_cancelled(struct green_task *task)
{
    green_describe(STR("first"));
    stale = green_self();
    green_cancel(stale);
    cr_expect_eq(green_yield(), -ECANCELED);
    return run_it(task);
}

static void expect_clean(const struct green_view *view, void *arg)
{
    *(bool *)arg |= strcmp(view->name, "clean") == 0 && view->what.n == 0;
}

static int be_clean(struct green_task *task)
{
    bool seen = false;
    cr_expect_eq(green_self(), stale, "on the same stack");
    green_each(expect_clean, &seen);
    cr_expect(seen, "with a name of its own and no description");
    cr_expect_not(green_cancelled());
    cr_expect_eq(green_yield(), 0);
    return run_it(task);
}

static const struct green_task_kind cancelled = {.name = "cancelled", .run = be_cancelled, .refused = on_refused};
static const struct green_task_kind clean = {.name = "clean", .run = be_clean, .refused = on_refused};

GreenTest(task, the_next_inherits_nothing_from_the_one_before)
{
    struct work work[2];
    post(&work[0], "a", &cancelled);
    post(&work[1], "b", &clean);
    settle();
    cr_expect_str_eq(run_noted(), "ab");
    cr_expect_eq(green_wheel()->count, 0);
}

GreenTest(task, one_that_starts_when_a_member_of_a_scope_ends_gets_a_stack_of_its_own)
{
    struct green_scope scope;
    struct work work[3];
    green_scope_enter(&scope);
    for (int i = 0; i < 300; i++) { /* at every point of a burst */
        cr_assert_eq(green_scope_go(&scope, "member", note_thread, "m"), 0);
        post(work, "abc", &quick);
        if (i % 3 == 0)
            cr_assert_eq(green_scope_join(&scope, NSEC_NEVER), 0);
        settle();
        cr_assert_eq(strlen(run_noted()), 4);
    }
    green_scope_leave(&scope);
}

/* ---- yielding to them ---- */

GreenTest(task, a_yield_to_tasks_comes_back_behind_them)
{
    static const struct green_task_kind waits = {.name = "waits", .run = run_with_wait, .refused = on_refused};
    static const struct green_task_kind runs = {.name = "runs", .run = run_it, .refused = on_refused};
    struct work work[] = {{{.kind = &runs}, 'a'}, {{.kind = &waits}, 'b'}, {{.kind = &runs}, 'c'}};
    for (size_t i = 0; i < sizeof work / sizeof *work; i++)
        green_post(&work[i].task);
    cr_expect_eq(green_yield_to_tasks(), 0);
    cr_expect_str_eq(run_noted(), "ac", "one that waits is not waited for");
    green_sem_post(&gate);
    cr_expect_eq(green_yield_to_tasks(), 0);
    cr_expect_str_eq(run_noted(), "b");
}

static int yield_when_cancelled(void *arg)
{
    (void)arg;
    green_cancel(green_self());
    return green_yield_to_tasks();
}

GreenTest(task, who_is_cancelled_does_not_yield_to_them)
{
    cr_expect_eq(run_join(run_spawn(yield_when_cancelled, NULL)), -ECANCELED);
}
