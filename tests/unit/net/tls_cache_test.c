/* tls_cache_test.c: sessions that are kept, those that are not, and what another process does meanwhile. */
#include "net/tls_cache.c" /* NOLINT(bugprone-suspicious-include): a place is touched as another process might */

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define ID(text) STR(text "-------- an id of 32 octets")

static char got[TLS_SESSION_SIZE];

static void setup(void)
{
    cr_assert_eq(tls_cache_open(), 0);
}

static void teardown(void)
{
    tls_cache_close();
}

TestSuite(tls_cache, .init = setup, .fini = teardown);

static nsec later(void)
{
    return nsec_add(clock_monotonic(), 100 * NSEC_SEC);
}

static void expect_kept(struct str id, struct str session)
{
    size_t n = tls_cache_get(id, got);
    cr_expect(str_eq((struct str){got, n}, session), STR_FMT ": %zu bytes", STR_ARG(id), n);
}

static void expect_none(struct str id)
{
    cr_expect_eq(tls_cache_get(id, got), 0, STR_FMT, STR_ARG(id));
}

/* ---- what is not kept ---- */

Test(tls_cache, ids_of_wrong_sizes)
{
    static const char bytes[TLS_SESSION_ID + 1] = "a row of more than thirty-two b.";
    for (size_t n = 0; n <= sizeof bytes; n++) {
        struct str id = {bytes, n};
        bool good = n >= 4 && n <= TLS_SESSION_ID;
        tls_cache_put(id, STR("session"), later());
        cr_expect_eq(tls_cache_get(id, got), good ? 7 : 0, "%zu", n);
        tls_cache_remove(id);
        expect_none(id);
    }
}

Test(tls_cache, a_session_that_is_too_large)
{
    static char large[TLS_SESSION_SIZE + 1];
    tls_cache_put(ID("a"), STR("small"), later());
    tls_cache_put(ID("b"), (struct str){large, sizeof large}, later());
    expect_none(ID("b"));
    tls_cache_put(ID("a"), (struct str){large, sizeof large}, later());
    expect_kept(ID("a"), STR("small"));
    tls_cache_put(ID("b"), (struct str){large, sizeof large - 1}, later());
    expect_kept(ID("b"), (struct str){large, sizeof large - 1});
}

Test(tls_cache, a_time_that_is_over)
{
    tls_cache_put(ID("a"), STR("session"), clock_monotonic());
    expect_none(ID("a"));
    tls_cache_put(ID("a"), STR("session"), later());
    expect_kept(ID("a"), STR("session"));
    tls_cache_put(ID("a"), STR("session"), 0);
    expect_none(ID("a"));
    tls_cache_put(ID("a"), STR("for ever"), NSEC_NEVER);
    expect_kept(ID("a"), STR("for ever"));
}

Test(tls_cache, without_memory)
{
    tls_cache_close();
    tls_cache_put(ID("a"), STR("session"), later());
    expect_none(ID("a"));
    tls_cache_remove(ID("a"));
    tls_cache_close();
}

/* ---- what is ---- */

Test(tls_cache, put_get_and_remove)
{
    expect_none(ID("a"));
    tls_cache_put(ID("a"), STR("of a"), later());
    tls_cache_put(ID("b"), STR("of b"), later());
    expect_kept(ID("a"), STR("of a"));
    expect_kept(ID("b"), STR("of b"));
    expect_none(STR("a---"));
    tls_cache_put(ID("a"), STR("again"), later());
    expect_kept(ID("a"), STR("again"));
    tls_cache_remove(ID("c"));
    tls_cache_remove(ID("a"));
    tls_cache_remove(ID("a"));
    expect_none(ID("a"));
    expect_kept(ID("b"), STR("of b"));
}

/* Ids that begin alike share a row. */
static struct str in_row(int letter)
{
    static char ids[256][8];
    return (struct str){ids[letter], (size_t)snprintf(ids[letter], sizeof *ids, "row:%c", letter)};
}

Test(tls_cache, the_oldest_makes_room)
{
    nsec time = later();
    for (int letter = 'a'; letter < 'a' + WAYS; letter++)
        tls_cache_put(in_row(letter), in_row(letter), time + (letter == 'c' ? 0 : letter));
    for (int letter = 'a'; letter < 'a' + WAYS; letter++)
        expect_kept(in_row(letter), in_row(letter));
    tls_cache_put(in_row('x'), STR("new"), nsec_add(time, NSEC_SEC));
    expect_kept(in_row('x'), STR("new"));
    expect_none(in_row('c'));
    tls_cache_put(in_row('b'), STR("the same place"), nsec_add(time, NSEC_SEC));
    expect_kept(in_row('b'), STR("the same place"));
    expect_kept(in_row('a'), in_row('a'));
    tls_cache_remove(in_row('d'));
    tls_cache_put(in_row('y'), STR("where d was"), later());
    expect_kept(in_row('y'), STR("where d was"));
    expect_kept(in_row('a'), in_row('a'));
    expect_kept(in_row('x'), STR("new"));
}

Test(tls_cache, many)
{
    enum { MANY = 3000 };
    size_t kept = 0;
    char id[TLS_SESSION_ID];
    for (int round = 0; round < 2; round++) {
        srand(1);
        for (int i = 0; i < MANY; i++) {
            for (size_t j = 0; j < sizeof id; j++)
                id[j] = (char)rand();
            struct str session = {id, 1 + (size_t)i % sizeof id};
            if (round == 0)
                tls_cache_put((struct str){id, sizeof id}, session, later());
            size_t n = tls_cache_get((struct str){id, sizeof id}, got);
            kept += round == 1 && n;
            cr_expect(n == session.n || (round == 1 && n == 0), "%d: %zu", i, n);
            cr_expect_eq(memcmp(got, id, n), 0, "%d", i);
        }
    }
    cr_expect_gt(kept, MANY * 3 / 4, "%zu", kept);
}

/* ---- other processes ---- */

/* As if another process had stopped, or died, in the middle of writing. */
Test(tls_cache, a_place_that_is_being_written)
{
    tls_cache_put(ID("a"), STR("session"), later());
    struct place *place = choose(row_of(ID("a")), ID("a"));
    place->version++;
    expect_none(ID("a"));
    tls_cache_put(ID("a"), STR("another"), later());
    tls_cache_remove(ID("a"));
    cr_expect_eq(place->size, 7);
    cr_expect_eq(memcmp(place->session, "session", 7), 0, "nobody else writes there");
    place->version++;
    expect_kept(ID("a"), STR("session"));
}

/* What stands there then may be anything. */
Test(tls_cache, sizes_that_are_nonsense)
{
    tls_cache_put(ID("a"), STR("session"), later());
    struct place *place = choose(row_of(ID("a")), ID("a"));
    place->size = TLS_SESSION_SIZE + 1;
    expect_none(ID("a"));
    place->size = UINT16_MAX;
    expect_none(ID("a"));
    place->size = 7;
    place->id_size = UINT16_MAX;
    expect_none(ID("a"));
    tls_cache_remove(ID("a"));
}

Test(tls_cache, one_cache_for_all_processes)
{
    tls_cache_put(ID("a"), STR("of the parent"), later());
    tls_cache_put(ID("b"), STR("to be removed"), later());
    pid_t child = fork();
    if (child == 0) {
        bool there = tls_cache_get(ID("a"), got) == 13 && memcmp(got, "of the parent", 13) == 0;
        tls_cache_put(ID("c"), STR("of the child"), later());
        tls_cache_remove(ID("b"));
        _exit(there ? 0 : 1);
    }
    int status = -1;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_expect_eq(status, 0);
    expect_kept(ID("c"), STR("of the child"));
    expect_none(ID("b"));
}

/* Several write the same places at once: what is read was written as a whole. */
static void write_and_read(char letter)
{
    char session[1000];
    for (int i = 0; i < 20000; i++) {
        memset(session, letter, sizeof session);
        tls_cache_put(in_row('a' + i % 6), (struct str){session, sizeof session}, later());
        size_t n = tls_cache_get(in_row('a' + (i + 1) % 6), got);
        for (size_t j = 0; j < n; j++)
            if (got[j] != got[0])
                _exit(1);
        if (i % 7 == 0)
            tls_cache_remove(in_row('a' + i % 6));
    }
    _exit(0);
}

Test(tls_cache, writers_at_once)
{
    enum { WRITERS = 4 };
    for (int i = 0; i < WRITERS; i++)
        if (fork() == 0)
            write_and_read((char)('A' + i));
    for (int i = 0; i < WRITERS; i++) {
        int status = -1;
        cr_assert_gt(wait(&status), 0);
        cr_expect_eq(status, 0, "a session of two halves");
    }
    for (size_t i = 0; i < WAYS; i++)
        cr_expect_eq(row_of(in_row('a'))[i].version % 2, 0, "nobody is left writing");
}
