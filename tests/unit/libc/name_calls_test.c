/* name_calls_test.c: names on green threads: looked up on the pool, unless there is nothing to look up. */
#include <arpa/inet.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "peers.h"

enum { THREADS = 20 };

static const char host[] = "localhost";

/* An address of loopback, of whichever family. */
static void expect_loopback(const struct addrinfo *found)
{
    cr_assert_neq(found, NULL);
    const struct sockaddr_in *in = (const void *)found->ai_addr;
    const struct sockaddr_in6 *in6 = (const void *)found->ai_addr;
    if (found->ai_family == AF_INET)
        cr_expect_eq(in->sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    else
        cr_expect(IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr));
}

/* ---- what is not found ---- */

GreenTest(name_calls, what_is_not_to_be_looked_up_is_not)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST}, *found = NULL;
    cr_expect_eq(ours.getaddrinfo(host, "80", &hints, &found), EAI_NONAME);
    cr_expect_eq(ours.getaddrinfo(NULL, NULL, &hints, &found), EAI_NONAME);
    hints = (struct addrinfo){.ai_family = 1234};
    cr_expect_eq(ours.getaddrinfo("127.0.0.1", "80", &hints, &found), EAI_FAMILY);
}

static int find_address(void *arg)
{
    struct addrinfo *found = NULL;
    int result = ours.getaddrinfo(arg, NULL, NULL, &found);
    if (result == 0) {
        expect_loopback(found);
        freeaddrinfo(found);
    }
    run_note('f');
    return result == EAI_SYSTEM ? errno : result;
}

static int find_host(void *arg)
{
    return ours.gethostbyname(arg) ? 0 : errno;
}

static int find_name(void *arg)
{
    char name[64];
    struct sockaddr_in of = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    (void)arg;
    int result = ours.getnameinfo((void *)&of, sizeof of, name, sizeof name, NULL, 0, 0);
    return result == EAI_SYSTEM ? errno : result;
}

GreenTest(name_calls, a_cancelled_thread_looks_nothing_up)
{
    static green_fn *const fns[] = {find_address, find_host, find_name};
    for (size_t i = 0; i < 3; i++) {
        struct green *thread = run_spawn(fns[i], (void *)host);
        green_cancel(thread);
        cr_expect_eq(run_join(thread), ECANCELED);
    }
}

/* ---- what is in digits ---- */

/* Others get no turn meanwhile. */
GreenTest(name_calls, digits_are_translated_at_once)
{
    struct green *other = run_spawn(find_address, (void *)host);
    struct addrinfo *found;
    errno = EXDEV;
    cr_expect_eq(ours.getaddrinfo("127.0.0.1", "80", NULL, &found), 0);
    expect_loopback(found);
    cr_expect_eq(((struct sockaddr_in *)(void *)found->ai_addr)->sin_port, htons(80));
    freeaddrinfo(found);
    cr_expect_eq(ours.getaddrinfo("::1", NULL, NULL, &found), 0);
    expect_loopback(found);
    freeaddrinfo(found);
    cr_expect_eq(errno, EXDEV, "errno is left alone");
    char name[64], service[16];
    struct sockaddr_in of = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(80)};
    cr_expect_eq(ours.getnameinfo((void *)&of, sizeof of, name, sizeof name, service, sizeof service,
                                  NI_NUMERICHOST | NI_NUMERICSERV),
                 0);
    cr_expect_str_eq(name, "127.0.0.1");
    cr_expect_str_eq(service, "80");
    struct hostent *entry = ours.gethostbyname("127.0.0.1");
    cr_assert_neq(entry, NULL);
    cr_expect_eq(memcmp(entry->h_addr_list[0], &of.sin_addr, sizeof of.sin_addr), 0);
    cr_expect_str_eq(run_noted(), "");
    cr_expect_eq(run_join(other), 0);
}

/* ---- what is looked up ---- */

GreenTest(name_calls, a_name_is_looked_up_while_others_run)
{
    struct green *thread = run_spawn(find_address, (void *)host);
    run_yield();
    cr_expect_str_eq(run_noted(), "", "it waits for the pool");
    cr_expect_eq(run_join(thread), 0);
    cr_expect_eq(find_name(NULL), 0);
}

GreenTest(name_calls, more_lookups_than_the_pool_has_room_for_wait_for_their_turn, .pool = 1, .pool_queue = 1)
{
    struct green *threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        threads[i] = run_spawn(find_address, (void *)host);
    for (int i = 0; i < THREADS; i++)
        cr_expect_eq(run_join(threads[i]), 0);
}

GreenTest(name_calls, an_entry_lies_in_memory_that_the_next_one_replaces)
{
    struct hostent *first = ours.gethostbyname(host);
    cr_assert_neq(first, NULL);
    cr_expect_eq(first->h_addrtype, AF_INET);
    cr_expect_str_eq(first->h_name, host);
    struct in_addr loopback = {htonl(INADDR_LOOPBACK)};
    cr_expect_eq(memcmp(first->h_addr_list[0], &loopback, sizeof loopback), 0);
    cr_expect_eq(ours.gethostbyaddr(&loopback, sizeof loopback, AF_INET), first);
    cr_expect_eq(ours.gethostbyname2(host, AF_INET), first);
}

GreenTest(name_calls, who_brings_too_little_room_is_told)
{
    struct hostent entry, *found;
    char room[4];
    int error = 0;
    struct in_addr loopback = {htonl(INADDR_LOOPBACK)};
    cr_expect_eq(ours.gethostbyname_r(host, &entry, room, sizeof room, &found, &error), ERANGE);
    cr_expect_eq(found, NULL);
    cr_expect_eq(ours.gethostbyname2_r(host, AF_INET, &entry, room, sizeof room, &found, &error), ERANGE);
    cr_expect_eq(ours.gethostbyaddr_r(&loopback, sizeof loopback, AF_INET, &entry, room, sizeof room, &found, &error),
                 ERANGE);
}
