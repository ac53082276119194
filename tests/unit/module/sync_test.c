/* sync_test.c: mutexes in wrong hands, channels that are closed, selections out of range, and time. */
#include "../green/run.h"
#include "green/sanitize.h"
#include "tern.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* ---- mutexes ---- */

struct locking {
    struct tern_mutex *mutex;
    tern_time deadline;
    char letter;
};

static int lock_and_note(void *arg)
{
    const struct locking *l = arg;
    int error = tern_lock(l->mutex, l->deadline);
    if (error)
        return error;
    run_note(l->letter);
    cr_assert_eq(tern_yield(), 0);
    return tern_unlock(l->mutex);
}

static int unlock(void *arg)
{
    return tern_unlock(arg);
}

GreenTest(module_sync, a_mutex_in_wrong_hands)
{
    struct tern_mutex mutex = {{0}};
    cr_expect_eq(tern_unlock(&mutex), -EPERM, "nobody has it");
    cr_expect_eq(tern_lock(&mutex, TERN_NEVER), 0);
    cr_expect_eq(tern_lock(&mutex, TERN_NEVER), -EDEADLK);
    cr_expect_eq(run_join(run_spawn(unlock, &mutex)), -EPERM);
    cr_expect_eq(tern_unlock(&mutex), 0);
    cr_expect_eq(tern_unlock(&mutex), -EPERM);
}

GreenTest(module_sync, waits_for_a_mutex_that_are_given_up)
{
    struct tern_mutex mutex = {{0}};
    struct locking late = {&mutex, tern_now() - 1, 'l'}, patient = {&mutex, TERN_NEVER, 'p'};
    cr_expect_eq(tern_lock(&mutex, tern_now() - 1), 0, "there is nothing to wait for");
    cr_expect_eq(run_join(run_spawn(lock_and_note, &late)), -ETIMEDOUT);
    struct green *thread = run_spawn(lock_and_note, &patient);
    cr_assert_eq(tern_yield(), 0);
    green_cancel(thread);
    cr_expect_eq(run_join(thread), -ECANCELED);
    cr_expect_eq(tern_unlock(&mutex), 0);
    cr_expect_str_empty(run_noted());
}

GreenTest(module_sync, a_mutex_is_fair)
{
    static struct tern_mutex mutex; /* that nobody has made anything of */
    struct locking lockings[] = {{&mutex, TERN_NEVER, 'a'}, {&mutex, TERN_NEVER, 'b'}, {&mutex, TERN_NEVER, 'c'}};
    struct green *threads[3];
    cr_expect_eq(tern_lock(&mutex, TERN_NEVER), 0);
    for (size_t i = 0; i < 3; i++)
        threads[i] = run_spawn(lock_and_note, &lockings[i]);
    cr_assert_eq(tern_yield(), 0);
    cr_expect_eq(tern_unlock(&mutex), 0);
    for (size_t i = 0; i < 3; i++)
        cr_expect_eq(run_join(threads[i]), 0);
    cr_expect_str_eq(run_noted(), "abc");
}

/* ---- channels ---- */

GreenTest(module_sync, channels_that_are_too_large)
{
    if (SANITIZE_OWNS_SIGNALS)
        cr_skip_test("a sanitizer ends who asks for that much");
    cr_expect_null(tern_chan_open(SIZE_MAX / 2, 3));
    cr_expect_null(tern_chan_open(16, SIZE_MAX / 2));
}

GreenTest(module_sync, a_channel_that_is_closed)
{
    struct tern_chan *chan = tern_chan_open(sizeof(int), 2);
    int message = 5;
    cr_expect_eq(tern_chan_send(chan, &message, TERN_NEVER), 0);
    tern_chan_close(chan);
    message = 6;
    cr_expect_eq(tern_chan_send(chan, &message, TERN_NEVER), -EPIPE);
    cr_expect_eq(tern_chan_recv(chan, &message, TERN_NEVER), 0, "what is in it");
    cr_expect_eq(message, 5);
    cr_expect_eq(tern_chan_recv(chan, &message, TERN_NEVER), -EPIPE);
    tern_chan_free(chan);
}

GreenTest(module_sync, channels_that_are_full_or_empty)
{
    static const size_t rooms[] = {0, 1, 3};
    for (size_t i = 0; i < COUNT(rooms); i++) {
        struct tern_chan *chan = tern_chan_open(sizeof(size_t), rooms[i]);
        size_t message = 99;
        cr_expect_eq(tern_chan_recv(chan, &message, tern_now()), -ETIMEDOUT);
        for (size_t n = 0; n < rooms[i]; n++)
            cr_expect_eq(tern_chan_send(chan, &n, tern_now()), 0);
        cr_expect_eq(tern_chan_send(chan, &message, tern_now()), -ETIMEDOUT);
        for (size_t n = 0; n < rooms[i]; n++) {
            cr_expect_eq(tern_chan_recv(chan, &message, tern_now()), 0);
            cr_expect_eq(message, n);
        }
        tern_chan_free(chan);
    }
}

static int send_three(void *arg)
{
    int error = 0;
    for (int n = 1; n <= 3 && !error; n++)
        error = tern_chan_send(arg, &n, TERN_NEVER);
    tern_chan_close(arg);
    return error;
}

GreenTest(module_sync, messages_from_thread_to_thread)
{
    for (size_t room = 0; room < 5; room++) {
        struct tern_chan *chan = tern_chan_open(sizeof(int), room);
        struct green *thread = run_spawn(send_three, chan);
        int message, sum = 0, error;
        while ((error = tern_chan_recv(chan, &message, TERN_NEVER)) == 0)
            sum = 10 * sum + message;
        cr_expect_eq(error, -EPIPE);
        cr_expect_eq(sum, 123);
        cr_expect_eq(run_join(thread), 0);
        tern_chan_free(chan);
    }
}

/* ---- selections ---- */

GreenTest(module_sync, selections_out_of_range)
{
    static const int counts[] = {-1, 0, TERN_CASES + 1, INT32_MAX};
    struct tern_case cases[TERN_CASES + 1] = {{0}};
    int result = 7;
    for (size_t i = 0; i < COUNT(counts); i++)
        cr_expect_eq(tern_select(cases, counts[i], &result, tern_now()), -EINVAL, "%d", counts[i]);
    cr_expect_eq(result, 7);
}

GreenTest(module_sync, the_largest_selection)
{
    struct tern_chan *chans[TERN_CASES];
    struct tern_case cases[TERN_CASES];
    int message = 0, result = 7, sent = 5;
    for (int i = 0; i < TERN_CASES; i++) {
        chans[i] = tern_chan_open(sizeof(int), 1);
        cases[i] = (struct tern_case){chans[i], &message, false};
    }
    cr_expect_eq(tern_select(cases, TERN_CASES, &result, tern_now()), -ETIMEDOUT);
    cr_expect_eq(tern_chan_send(chans[TERN_CASES - 1], &sent, TERN_NEVER), 0);
    cr_expect_eq(tern_select(cases, TERN_CASES, &result, TERN_NEVER), TERN_CASES - 1);
    cr_expect_eq(result, 0);
    cr_expect_eq(message, 5);
    cases[1].send = cases[2].send = true;
    cr_expect_eq(tern_select(cases, TERN_CASES, &result, TERN_NEVER), 1, "the first that can be");
    cr_expect_eq(tern_chan_recv(chans[1], &sent, tern_now()), 0);
    tern_chan_close(chans[0]);
    cr_expect_eq(tern_select(cases, TERN_CASES, &result, TERN_NEVER), 0);
    cr_expect_eq(result, -EPIPE);
    for (int i = 0; i < TERN_CASES; i++)
        tern_chan_free(chans[i]);
}

static int send_two(void *arg)
{
    struct tern_chan *const *chans = arg;
    int message = 8, error = tern_chan_send(chans[1], &message, TERN_NEVER);
    return error ? error : tern_chan_send(chans[0], &message, tern_now());
}

GreenTest(module_sync, a_selection_that_waits_does_one_thing)
{
    struct tern_chan *chans[] = {tern_chan_open(sizeof(int), 0), tern_chan_open(sizeof(int), 0)};
    int messages[2] = {0}, result;
    struct tern_case cases[] = {{chans[0], &messages[0], false}, {chans[1], &messages[1], false}};
    struct green *thread = run_spawn(send_two, chans);
    cr_expect_eq(tern_select(cases, 2, &result, TERN_NEVER), 1);
    cr_expect_eq(messages[0], 0);
    cr_expect_eq(messages[1], 8);
    cr_expect_eq(run_join(thread), -ETIMEDOUT, "nobody receives from the other one");
    tern_chan_free(chans[0]);
    tern_chan_free(chans[1]);
}

/* ---- time ---- */

static int be_cancelled(void *arg)
{
    (void)arg;
    cr_expect_eq(tern_sleep(3600 * TERN_SEC), -ECANCELED);
    cr_expect(tern_cancelled());
    cr_expect_eq(tern_yield(), -ECANCELED);
    return tern_sleep(0);
}

GreenTest(module_sync, time)
{
    struct green *thread = run_spawn(be_cancelled, NULL);
    cr_expect_eq(tern_yield(), 0);
    green_cancel(thread);
    cr_expect_eq(run_join(thread), -ECANCELED);
    tern_time before = tern_now();
    cr_expect_eq(tern_sleep(TERN_MS), 0);
    cr_expect_geq(tern_now(), before + TERN_MS);
    cr_expect_eq(tern_after(5 * TERN_SEC), tern_now() + 5 * TERN_SEC);
    cr_expect_eq(tern_after(TERN_NEVER), TERN_NEVER);
    cr_expect_not(tern_cancelled());
}
