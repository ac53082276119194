/* resolve_test.c: names that can't be resolved, askers that give up, and what is kept. */
#include "net/resolve.c" // NOLINT(bugprone-suspicious-include): time passes for what is kept

#include <netdb.h>
#include <stdio.h>

#include "../green/run.h"
#include "names.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define LONG (60 * NSEC_SEC)

static const struct name known[] = {
    {.name = "one.test", .addrs = "192.0.2.1"},
    {.name = "two.test", .addrs = "192.0.2.1 192.0.2.2"},
    {.name = "twice.test", .addrs = "192.0.2.1 192.0.2.1 192.0.2.2 192.0.2.1"},
    {.name = "sixes.test", .addrs = "2001:db8::1 2001:db8::2 2001:db8::3 192.0.2.1 192.0.2.2"},
    {.name = "fours.test", .addrs = "192.0.2.1 192.0.2.2 2001:db8::1"},
    {.name = "many.test",
     .addrs = "2001:db8::1 2001:db8::2 2001:db8::3 2001:db8::4 2001:db8::5 2001:db8::6 "
              "2001:db8::7 2001:db8::8 2001:db8::9 192.0.2.1"},
    {.name = "nodata.test", .code = EAI_NODATA},
    {.name = "family.test", .code = EAI_ADDRFAMILY},
    {.name = "again.test", .code = EAI_AGAIN},
    {.name = "fail.test", .code = EAI_FAIL},
    {.name = "memory.test", .code = EAI_MEMORY},
    {.name = "files.test", .code = EAI_SYSTEM, .error = EMFILE},
    {.name = "system.test", .code = EAI_SYSTEM},
    {.name = "strange.test", .code = -9999},
    {.name = NULL},
};

static struct resolved found;
static const char *why;

static int look(const char *name)
{
    return resolve(str_of(name), 80, &found, run_in(LONG / NSEC_MS), &why);
}

static struct str print_found(void)
{
    static char text[512];
    struct out o = out_on(text, sizeof text);
    for (size_t i = 0; i < found.count; i++) {
        out_put(&o, i ? STR(" ") : STR(""));
        addr_print(&found.addrs[i], &o);
    }
    return out_str(&o);
}

static void expect(const char *name, const char *addrs)
{
    int error = look(name);
    cr_expect_eq(error, 0, "%s: %d", name, error);
    struct str text = print_found();
    cr_expect(!error && str_eq(text, str_of(addrs)), "%s: " STR_FMT, name, STR_ARG(text));
}

/* The lookup of a name that is known. */
static struct lookup *entry(const char *name)
{
    struct hash_node *node = hash_find(&names, str_of(name));
    cr_assert_not_null(node, "%s", name);
    return container_of(node, struct lookup, node);
}

static void await_asked(size_t count)
{
    while (names_asked() < count)
        cr_assert_eq(green_sleep(NSEC_MS), 0);
}

static void setup(void)
{
    names_are(known);
}

TestSuite(resolve, .init = setup);

/* ---- what is refused ---- */

GreenTest(resolve, what_can_be_no_name)
{
    static char long_name[RESOLVE_NAME_MOST + 1];
    memset(long_name, 'a', sizeof long_name);
    static const struct {
        struct str name;
        int error;
    } table[] = {
        {STR_INIT(""), -EINVAL},
        {STR_INIT("one.test\0"), -EINVAL},
        {STR_INIT("\0one.test"), -EINVAL},
        {STR_INIT("unix:"), -EINVAL},
        {{long_name, sizeof long_name}, -ENAMETOOLONG},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        why = NULL;
        cr_expect_eq(resolve(table[i].name, 80, &found, NSEC_NEVER, &why), table[i].error, "%zu", i);
        cr_expect_not_null(why, "%zu", i);
    }
    cr_expect_eq(names_asked(), 0);
    resolve_end();
}

GreenTest(resolve, failures)
{
    static const struct {
        const char *name;
        int error;
        const char *why;
    } table[] = {
        {"unknown.test", -ENOENT, "Name or service not known"},
        {"nodata.test", -ENODATA, "No address associated with hostname"},
        {"family.test", -ENODATA, "Address family for hostname not supported"},
        {"again.test", -EREMOTEIO, "Temporary failure in name resolution"},
        {"fail.test", -EREMOTEIO, "Non-recoverable failure in name resolution"},
        {"memory.test", -ENOMEM, "Memory allocation failure"},
        {"files.test", -EMFILE, "Too many open files"},
        {"system.test", -EIO, "Input/output error"},
        {"strange.test", -EIO, "Unknown error"},
    };
    for (size_t i = 0; i < COUNT(table); i++)
        for (int kept = 0; kept < 2; kept++) {
            cr_expect_eq(look(table[i].name), table[i].error, "%s", table[i].name);
            cr_expect_str_eq(why, table[i].why, "%s", table[i].name);
            cr_expect_eq(names_asked(), i + 1, "a failure is kept, too");
        }
    resolve_end();
}

GreenTest(resolve, no_more_threads, .threads = 1)
{
    cr_expect_eq(look("one.test"), -EAGAIN);
    cr_expect_eq(look("127.0.0.1"), 0, "needs none");
    cr_expect_eq(names_asked(), 0);
    cr_expect_eq(names.count, 0);
    resolve_end();
}

/* ---- what it says ---- */

GreenTest(resolve, addresses_stand_for_themselves)
{
    static const struct {
        const char *name, *addrs;
    } table[] = {
        {"192.0.2.1", "192.0.2.1:80"},
        {"2001:db8::1", "[2001:db8::1]:80"},
        {"::", "[::]:80"},
        {"unix:/run/socket", "unix:/run/socket"},
        {"unix:@name", "unix:@name"},
    };
    for (size_t i = 0; i < COUNT(table); i++)
        expect(table[i].name, table[i].addrs);
    cr_expect_eq(resolve(STR("192.0.2.1"), 80, &found, 0, &why), 0, "there is no wait to be late for");
    cr_expect_eq(names_asked(), 0);
    resolve_end();
}

GreenTest(resolve, families_take_turns)
{
    expect("one.test", "192.0.2.1:80");
    expect("two.test", "192.0.2.1:80 192.0.2.2:80");
    expect("twice.test", "192.0.2.1:80 192.0.2.2:80");
    expect("sixes.test", "[2001:db8::1]:80 192.0.2.1:80 [2001:db8::2]:80 192.0.2.2:80 [2001:db8::3]:80");
    expect("fours.test", "192.0.2.1:80 [2001:db8::1]:80 192.0.2.2:80");
    expect("many.test", "[2001:db8::1]:80 192.0.2.1:80 [2001:db8::2]:80 [2001:db8::3]:80 [2001:db8::4]:80 "
                        "[2001:db8::5]:80 [2001:db8::6]:80 [2001:db8::7]:80");
    resolve_end();
}

/* The system's own names, which need no server. */
GreenTest(resolve, localhost)
{
    cr_expect_eq(look("localhost"), 0, "%s", why);
    cr_expect_gt(found.count, 0);
    resolve_end();
}

/* ---- what is kept ---- */

GreenTest(resolve, answers_are_kept_for_a_while)
{
    expect("one.test", "192.0.2.1:80");
    expect("ONE.tesT", "192.0.2.1:80");
    cr_expect_eq(names_asked(), 1);
    cr_expect_eq(resolve(STR("one.test"), 443, &found, 0, &why), 0, "without a wait");
    cr_expect(str_eq(print_found(), STR("192.0.2.1:443")));
    cr_expect_eq(look("unknown.test"), -ENOENT);
    nsec now = green_now();
    cr_expect(entry("one.test")->until > now + 9 * NSEC_SEC && entry("one.test")->until <= now + 10 * NSEC_SEC);
    cr_expect(entry("unknown.test")->until <= now + NSEC_SEC);
    names_are((const struct name[]){{.name = "one.test", .addrs = "192.0.2.9"}, {.name = NULL}});
    expect("one.test", "192.0.2.1:80");
    entry("one.test")->until = now;
    expect("one.test", "192.0.2.9:80");
    cr_expect_eq(names_asked(), 3);
    cr_expect_eq(names.count, 2);
    resolve_end();
    cr_expect_eq(names.count, 0);
}

static const char *number_name(size_t i)
{
    static char name[32];
    snprintf(name, sizeof name, "%zu.test", i);
    return name;
}

GreenTest(resolve, what_nobody_asks_for_gives_way)
{
    for (size_t i = 0; i < RESOLVE_NAMES; i++)
        cr_assert_eq(look(number_name(i)), -ENOENT);
    cr_expect_eq(names.count, RESOLVE_NAMES);
    cr_expect_eq(look(number_name(0)), -ENOENT, "it is asked for again");
    cr_expect_eq(names_asked(), RESOLVE_NAMES);
    cr_expect_eq(look("unknown.test"), -ENOENT);
    cr_expect_eq(names.count, RESOLVE_NAMES);
    cr_expect_null(hash_find(&names, STR("1.test")));
    cr_expect_not_null(hash_find(&names, STR("0.test")));
    cr_expect_not_null(hash_find(&names, STR("2.test")));
    resolve_end();
}

/* ---- many askers ---- */

struct asker {
    const char *name;
    nsec deadline;
    struct resolved found;
    const char *why;
};

static int ask_as(void *arg)
{
    struct asker *asker = arg;
    return resolve(str_of(asker->name), 80, &asker->found, asker->deadline, &asker->why);
}

static struct green *spawn(struct asker *asker)
{
    return run_spawn(ask_as, asker);
}

GreenTest(resolve, a_name_is_looked_up_once_for_all)
{
    struct asker askers[20];
    struct green *threads_of[20];
    names_hold();
    for (size_t i = 0; i < 20; i++) {
        askers[i] = (struct asker){.name = i % 2 ? "two.test" : "TWO.test", .deadline = NSEC_NEVER};
        threads_of[i] = spawn(&askers[i]);
    }
    await_asked(1);
    names_pass();
    for (size_t i = 0; i < 20; i++) {
        cr_expect_eq(run_join(threads_of[i]), 0);
        cr_expect_eq(askers[i].found.count, 2);
    }
    cr_expect_eq(names_asked(), 1);
    resolve_end();
}

/* The one who asked first goes, by a cancel, and another by its deadline: the rest gets the answer. */
GreenTest(resolve, askers_that_give_up)
{
    struct asker first = {.name = "one.test", .deadline = NSEC_NEVER}, second = first, third = first;
    names_hold();
    struct green *cancelled = spawn(&first);
    await_asked(1);
    second.deadline = run_in(5);
    struct green *late = spawn(&second), *patient = spawn(&third);
    run_yield();
    green_cancel(cancelled);
    cr_expect_eq(run_join(cancelled), -ECANCELED);
    cr_expect_str_eq(first.why, "Operation canceled");
    cr_expect_eq(run_join(late), -ETIMEDOUT);
    cr_expect_eq(green_join(patient, NULL, run_in(1)), -ETIMEDOUT, "it still waits");
    names_pass();
    cr_expect_eq(run_join(patient), 0);
    cr_expect_eq(third.found.count, 1);
    cr_expect_eq(names_asked(), 1);
    resolve_end();
}

/* All have gone: what comes is there for the next one. */
GreenTest(resolve, an_answer_that_nobody_waits_for)
{
    names_hold();
    cr_expect_eq(resolve(STR("one.test"), 80, &found, run_in(5), &why), -ETIMEDOUT);
    await_asked(1);
    names_pass();
    expect("one.test", "192.0.2.1:80");
    cr_expect_eq(names_asked(), 1);
    resolve_end();
}

/* A name server that is silent takes two threads of four; who waits for a turn and gives up leaves nothing behind. */
GreenTest(resolve, a_share_of_the_pool, .pool = 4)
{
    struct asker askers[6];
    struct green *threads_of[6];
    names_hold();
    for (size_t i = 0; i < 6; i++) {
        askers[i] = (struct asker){.name = known[i].name, .deadline = NSEC_NEVER};
        threads_of[i] = spawn(&askers[i]);
    }
    await_asked(2);
    cr_assert_eq(green_sleep(5 * NSEC_MS), 0);
    green_cancel(threads_of[5]);
    cr_expect_eq(run_join(threads_of[5]), -ECANCELED);
    names_pass();
    for (size_t i = 0; i < 5; i++)
        cr_expect_eq(run_join(threads_of[i]), 0);
    cr_expect_eq(look("unknown.test"), -ENOENT);
    cr_expect_eq(names_at_once(), 2);
    cr_expect_eq(names_asked(), 6, "the one who has gone was not asked for");
    cr_expect_null(hash_find(&names, str_of(known[5].name)));
    resolve_end();
}

GreenTest(resolve, too_many_names, .threads = 2 * RESOLVE_NAMES + 3)
{
    static struct asker askers[RESOLVE_NAMES];
    static struct green *threads_of[RESOLVE_NAMES];
    static char texts[RESOLVE_NAMES][16];
    names_hold();
    for (size_t i = 0; i < RESOLVE_NAMES; i++) {
        snprintf(texts[i], sizeof texts[i], "%zu.test", i);
        askers[i] = (struct asker){.name = texts[i], .deadline = NSEC_NEVER};
        threads_of[i] = spawn(&askers[i]);
    }
    await_asked(1);
    cr_expect_eq(look("one.test"), -EBUSY);
    names_pass();
    for (size_t i = 0; i < RESOLVE_NAMES; i++)
        cr_expect_eq(run_join(threads_of[i]), -ENOENT);
    expect("one.test", "192.0.2.1:80");
    resolve_end();
}

static void nothing(void *arg)
{
    (void)arg;
}

static int offload_nothing(void *arg)
{
    return green_offload(nothing, arg, NSEC_NEVER);
}

/* That is no answer, and is not kept. */
GreenTest(resolve, a_full_pool, .pool = 1, .pool_queue = 1)
{
    struct asker first = {.name = "one.test", .deadline = NSEC_NEVER};
    names_hold();
    struct green *asking = spawn(&first);
    await_asked(1);
    struct green *queued = run_spawn(offload_nothing, NULL);
    run_yield();
    pool_turns_of_names()->count++; /* as if the pool had room for another */
    cr_expect_eq(look("two.test"), -EBUSY);
    pool_turns_of_names()->count--;
    names_pass();
    cr_expect_eq(run_join(asking), 0);
    cr_expect_eq(run_join(queued), 0);
    expect("two.test", "192.0.2.1:80 192.0.2.2:80");
    resolve_end();
}

/* ---- the end ---- */

static int end_it(void *arg)
{
    (void)arg;
    resolve_end();
    return 0;
}

GreenTest(resolve, an_end_in_between, .pool = 1)
{
    struct asker first = {.name = "one.test", .deadline = NSEC_NEVER}, second = {"two.test", NSEC_NEVER, {0}, NULL};
    names_hold();
    struct green *running = spawn(&first);
    await_asked(1);
    struct green *queued = spawn(&second);
    run_yield();
    struct green *ending = run_spawn(end_it, NULL);
    cr_expect_eq(run_join(queued), -ECANCELED, "its turn never came");
    cr_expect_eq(green_join(ending, NULL, run_in(2)), -ETIMEDOUT, "a lookup that has begun is waited for");
    names_pass();
    cr_expect_eq(run_join(running), 0);
    cr_expect_eq(run_join(ending), 0);
    expect("two.test", "192.0.2.1:80 192.0.2.2:80");
    resolve_end();
    resolve_end();
}
