/* view_test.c: what is seen of green threads that stand still. */
#include "green/view.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "green/fd.h"
#include "green/offload.h"
#include "green/sync.h"
#include "run.h"

static const struct green_label label = {STR_INIT("files"), STR_INIT("/a/")};

struct found {
    const char *name;
    struct green_view view;
    size_t times, all;
};

static void look(const struct green_view *view, void *arg)
{
    struct found *found = arg;
    found->all++;
    if (strcmp(view->name, found->name) == 0) {
        found->view = *view;
        found->times++;
    }
}

static struct green_view find(const char *name)
{
    struct found found = {.name = name};
    green_each(look, &found);
    cr_assert_eq(found.times, 1, "%s is there %zu times", name, found.times);
    return found.view;
}

static int sleep_long(void *arg)
{
    (void)arg;
    return green_sleep(3600 * NSEC_SEC);
}

static int read_long(void *arg)
{
    return green_fd_readable(arg, NSEC_NEVER);
}

static void end(struct green *thread)
{
    green_cancel(thread);
    cr_expect_eq(run_join(thread), -ECANCELED);
}

GreenTest(view, a_thread_that_sleeps, .accounts = true)
{
    struct green *thread;
    cr_assert_eq(green_spawn(&thread, "sleeper", sleep_long, NULL), 0);
    cr_expect_eq(find("sleeper").standing, GREEN_STANDS_READY);
    run_yield();
    struct green_view view = find("sleeper");
    cr_expect_eq(view.standing, GREEN_STANDS_WAITING);
    cr_expect_eq(view.wait, GREEN_WAIT_TIMER);
    cr_expect_eq(view.fd, -1);
    cr_expect_gt(view.until, green_now());
    cr_expect_gt(view.depth, 0);
    cr_expect_gt(view.since, 0);
    cr_expect_geq(green_high_water(view.thread), view.depth);
    end(thread);
}

GreenTest(view, a_descriptor_is_named_and_whose_it_is)
{
    int ends[2];
    struct green_fd fd;
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    for (int client = 0; client < 2; client++) {
        struct green *thread;
        green_fd_init(&fd, ends[0]);
        fd.client = client;
        cr_assert_eq(green_spawn(&thread, "reader", read_long, &fd), 0);
        run_yield();
        struct green_view view = find("reader");
        cr_expect_eq(view.wait, client ? GREEN_WAIT_CLIENT : GREEN_WAIT_DESCRIPTOR);
        cr_expect_eq(view.fd, ends[0]);
        cr_expect_eq(view.until, NSEC_NEVER);
        end(thread);
        green_fd_release(&fd);
    }
    close(ends[0]);
    close(ends[1]);
}

static int lock(void *arg)
{
    return green_mutex_lock(arg, NSEC_NEVER);
}

GreenTest(view, a_lock)
{
    struct green_mutex mutex;
    struct green *thread;
    green_mutex_init(&mutex);
    cr_assert_eq(green_mutex_lock(&mutex, NSEC_NEVER), 0);
    cr_assert_eq(green_spawn(&thread, "locker", lock, &mutex), 0);
    run_yield();
    cr_expect_eq(find("locker").wait, GREEN_WAIT_LOCK);
    end(thread);
    cr_expect_eq(green_mutex_unlock(&mutex), 0);
}

GreenTest(view, the_running_thread_and_its_label)
{
    green_describe(STR("GET / HTTP/1.1"));
    green_label(&label);
    struct green_view view;
    cr_assert(green_find(find("main").number, &view));
    cr_expect_eq(view.standing, GREEN_STANDS_RUNNING);
    cr_expect_eq(view.label, &label);
    cr_expect(str_eq(view.what, STR("GET / HTTP/1.1")));
    cr_expect_eq(view.depth, 0);
}

static int forever(void *arg)
{
    (void)arg;
    return green_sleep(NSEC_SEC / 20);
}

GreenTest(view, who_is_joined_inherits_the_label_and_who_is_not_does_not)
{
    struct green *joined;
    green_describe(STR("what"));
    green_label(&label);
    cr_assert_eq(green_spawn(&joined, "joined", sleep_long, NULL), 0);
    cr_assert_eq(green_go("detached", forever, NULL), 0);
    cr_expect_eq(find("joined").label, &label);
    cr_expect(str_eq(find("joined").what, STR("what")));
    cr_expect_null(find("detached").label);
    cr_expect_eq(find("detached").what.n, 0);
    end(joined);
    cr_expect_eq(green_sleep(NSEC_SEC / 10), 0);
}

GreenTest(view, numbers_are_never_used_again)
{
    struct green *thread;
    struct green_view view;
    uint64_t last = 0;
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(green_spawn(&thread, "one", sleep_long, NULL), 0);
        uint64_t number = find("one").number;
        cr_expect_gt(number, last);
        last = number;
        end(thread);
        cr_expect_not(green_find(number, &view));
    }
}

GreenTest(view, in_parts_each_thread_is_seen_once)
{
    enum { THREADS = 300, PART = 7 };
    struct green *threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        cr_assert_eq(green_spawn(&threads[i], "one", sleep_long, NULL), 0);
    run_yield();
    struct found found = {.name = "one"};
    size_t from = 0;
    while (green_each_in(from, PART, look, &found))
        from += PART;
    cr_expect_eq(found.times, THREADS);
    struct green_counts counts = green_count_threads();
    cr_expect_eq(counts.live, THREADS + 1);
    cr_expect_eq(counts.waiting, THREADS);
    cr_expect_eq(counts.ready, 0);
    for (size_t i = 0; i < THREADS; i++)
        end(threads[i]);
}

static int note_kill(void *arg)
{
    bool *killed = arg;
    int error = green_sleep(3600 * NSEC_SEC);
    *killed = green_killed();
    return error;
}

GreenTest(view, a_thread_that_is_killed_knows_who_has_cancelled_it)
{
    for (int kills = 0; kills < 2; kills++) { /* the second on the stack of the first */
        struct green *thread;
        bool killed = !kills;
        cr_assert_eq(green_spawn(&thread, "victim", note_kill, &killed), 0);
        run_yield();
        uint64_t number = find("victim").number;
        if (kills)
            green_cancel(thread);
        else
            cr_expect_eq(green_kill(number), 0);
        cr_expect_eq(run_join(thread), -ECANCELED);
        cr_expect_eq(killed, !kills);
        cr_expect_eq(green_kill(number), -ESRCH);
    }
    cr_expect_eq(green_kill(0), -ESRCH);
    cr_expect_not(green_killed());
}
