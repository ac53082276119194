/* tls_tickets_test.c: keys that come, grow old and go, and are the same in every process. */
#include "net/tls_tickets.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

ssize_t __real_getrandom(void *to, size_t n, unsigned flags);
ssize_t __wrap_getrandom(void *to, size_t n, unsigned flags);

static ssize_t random_result; /* less than 0: -errno; more: so many bytes only */

ssize_t __wrap_getrandom(void *to, size_t n, unsigned flags)
{
    if (random_result == 0)
        return __real_getrandom(to, n, flags);
    errno = random_result < 0 ? (int)-random_result : 0;
    return random_result < 0 ? -1 : random_result;
}

static struct tls_ticket_key key, found;
static bool old;

static void teardown(void)
{
    tls_tickets_close();
}

TestSuite(tls_tickets, .fini = teardown);

static void expect_none(void)
{
    unsigned char name[TLS_TICKET_NAME] = {0};
    cr_expect_not(tls_tickets_newest(&key));
    cr_expect_not(tls_tickets_find(name, &found, &old), "memory that was never written has a name, too");
    cr_expect_eq(tls_tickets_rotate(), -ENOMEM);
}

static void expect_found(const struct tls_ticket_key *wanted, bool is_old)
{
    old = !is_old;
    cr_assert(tls_tickets_find(wanted->name, &found, &old));
    cr_expect_eq(memcmp(&found, wanted, sizeof found), 0);
    cr_expect_eq(old, is_old);
}

Test(tls_tickets, before_and_after)
{
    expect_none();
    cr_assert_eq(tls_tickets_open(), 0);
    tls_tickets_close();
    expect_none();
    tls_tickets_close();
}

Test(tls_tickets, no_random_numbers)
{
    static const struct {
        ssize_t result;
        int error;
    } table[] = {{-ENOSYS, -ENOSYS}, {-EAGAIN, -EAGAIN}, {1, -EIO}, {sizeof key - 1, -EIO}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        random_result = table[i].result;
        cr_expect_eq(tls_tickets_open(), table[i].error);
        expect_none();
        random_result = 0;
        cr_assert_eq(tls_tickets_open(), 0);
        cr_assert(tls_tickets_newest(&key));
        random_result = table[i].result;
        cr_expect_eq(tls_tickets_rotate(), table[i].error);
        expect_found(&key, false);
        cr_assert(tls_tickets_newest(&found));
        cr_expect_eq(memcmp(&found, &key, sizeof key), 0, "the old one goes on");
        tls_tickets_close();
    }
}

Test(tls_tickets, names_that_nobody_gave)
{
    cr_assert_eq(tls_tickets_open(), 0);
    cr_assert(tls_tickets_newest(&key));
    static const unsigned char none[TLS_TICKET_NAME];
    cr_expect_not(tls_tickets_find(none, &found, &old), "nor that of a key which is not made yet");
    for (size_t i = 0; i < TLS_TICKET_NAME; i++) {
        key.name[i] ^= 1;
        cr_expect_not(tls_tickets_find(key.name, &found, &old), "%zu", i);
        key.name[i] ^= 1;
    }
    expect_found(&key, false);
}

/* It seals for one period, opens for two more, and is gone. */
Test(tls_tickets, the_life_of_a_key)
{
    struct tls_ticket_key keys[20];
    cr_assert_eq(tls_tickets_open(), 0);
    for (size_t i = 0; i < 20; i++) {
        cr_assert(tls_tickets_newest(&keys[i]));
        for (size_t j = 0; j <= i; j++)
            if (i - j < 3)
                expect_found(&keys[j], j < i);
            else
                cr_expect_not(tls_tickets_find(keys[j].name, &found, &old), "%zu of %zu", j, i);
        cr_assert_eq(tls_tickets_rotate(), 0);
    }
}

/* A worker finds what the master makes later on, without being told. */
Test(tls_tickets, one_set_for_all_processes)
{
    int go[2];
    cr_assert_eq(tls_tickets_open(), 0);
    cr_assert(tls_tickets_newest(&key));
    cr_assert_eq(pipe(go), 0);
    pid_t child = fork();
    if (child == 0) {
        struct tls_ticket_key news;
        close(go[1]);
        bool told = read(go[0], &news, sizeof news) == (ssize_t)sizeof news;
        bool first = tls_tickets_find(key.name, &found, &old) && old && memcmp(&found, &key, sizeof key) == 0;
        bool second = tls_tickets_newest(&found) && memcmp(&found, &news, sizeof news) == 0;
        _exit(told && first && second ? 0 : 1);
    }
    cr_assert_eq(tls_tickets_rotate(), 0);
    cr_assert(tls_tickets_newest(&found));
    cr_assert_eq(write(go[1], &found, sizeof found), (ssize_t)sizeof found);
    int status = -1;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_expect_eq(status, 0);
}
