/* child_test.c: what is heard of a worker that has ended. The test is the worker, too. */
#include "proc/child.h"

#include <criterion/criterion.h>
#include <unistd.h>

#include "proc/state.h"

enum { MANY = 100000 };

static struct master m;
static struct generation g;
static struct child child;
static int far;
static size_t heard_of[MESSAGE_REPORT + 1]; /* by kind */
static bool goes_on, has_ended;

static void say(enum message_kind kind)
{
    cr_assert_eq(message_tell(far, kind, 0), 0);
}

static bool heard(struct child *whose, const struct message *message, int fd)
{
    cr_assert_eq(whose, &child);
    cr_expect_eq(fd, -1);
    cr_assert_lt(++heard_of[message->kind], MANY, "it is listened to for ever");
    if (goes_on)
        say(message->kind);
    return true;
}

static void ended(struct child *whose, const struct ending *ending)
{
    cr_expect_eq(whose->pid, 0);
    cr_expect(ending->pid == 100 && ending->was_ready);
    has_ended = true;
}

static const struct child_kind kind = {.name = "worker", .heard = heard, .ended = ended};

static void begin(void)
{
    int pair[2];
    list_init(&m.generations);
    reactor_init(&m.reactor);
    reopen_init(&m);
    g = (struct generation){.master = &m, .state = SERVING};
    cr_assert_eq(message_pair(pair), 0);
    far = pair[1];
    child = (struct child){.generation = &g, .kind = &kind, .pid = 100, .ready = true, .pair.fd = pair[0]};
    list_init(&child.pair.link);
}

static void end(void)
{
    cr_expect(has_ended);
    cr_expect_eq(child.pair.fd, -1);
    close(far);
    reactor_free(&m.reactor);
}

TestSuite(child, .init = begin, .fini = end);

Test(child, a_process_that_it_has_left_behind_goes_on_talking)
{
    goes_on = true;
    say(MESSAGE_PONG);
    child_ended(&child, 0);
    cr_expect_gt(heard_of[MESSAGE_PONG], 0);
}

Test(child, its_last_words_are_heard_but_for_questions)
{
    static const enum message_kind kinds[] = {MESSAGE_READY, MESSAGE_PONG, MESSAGE_INQUIRE, MESSAGE_REPORT};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        say(kinds[i]);
    child_ended(&child, 0);
    cr_expect_eq(heard_of[MESSAGE_READY], 0);
    cr_expect_eq(heard_of[MESSAGE_PONG], 1);
    cr_expect_eq(heard_of[MESSAGE_INQUIRE], 0);
    cr_expect_eq(heard_of[MESSAGE_REPORT], 1);
}
