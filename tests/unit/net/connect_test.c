/* connect_test.c: connections to nobody, to who does not answer, and to names of which some addresses are dead. */
#include "net/connect.c" // NOLINT(bugprone-suspicious-include): two attempts succeed at once

#include <criterion/criterion.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "../green/run.h"
#include "names.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

enum { LIVE = 1, DEAD, SILENT, SILENT_TOO }; /* the last number of an address of 127.0.0.0/8 */
enum { FILLERS = 4 };

static uint16_t port; /* of all of them */
static int live = -1, silent[2][1 + FILLERS];
static struct stream stream;
static const char *why;

static const struct name known[] = {
    {.name = "live.test", .addrs = "127.0.0.1"},
    {.name = "dead.test", .addrs = "127.0.0.2"},
    {.name = "silent.test", .addrs = "127.0.0.3"},
    {.name = "dead-live.test", .addrs = "127.0.0.2 127.0.0.1"},
    {.name = "silent-live.test", .addrs = "127.0.0.3 127.0.0.1"},
    {.name = "all-but-one.test", .addrs = "127.0.0.3 127.0.0.2 127.0.0.4 127.0.0.1"},
    {.name = "all-dead.test", .addrs = "127.0.0.2 127.0.0.5 127.0.0.6"},
    {.name = "all-silent.test", .addrs = "127.0.0.3 127.0.0.4"},
    {.name = NULL},
};

/* ---- those who are connected to ---- */

static struct addr addr_of(int last)
{
    struct addr addr = {.size = sizeof addr.in, .in.sin_family = AF_INET};
    addr.in.sin_addr.s_addr = htonl(0x7f000000 + (uint32_t)last);
    addr.in.sin_port = htons(port);
    return addr;
}

static int new_socket(int family)
{
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    cr_assert_geq(fd, 0);
    return fd;
}

static int listen_at(int last, int backlog)
{
    struct addr addr = addr_of(last);
    int fd = new_socket(AF_INET);
    cr_assert_eq(bind(fd, &addr.any, addr.size), 0);
    cr_assert_eq(listen(fd, backlog), 0);
    return fd;
}

/* Its queue is full: the kernel answers nobody any more. */
static void be_silent(int *fds, int last)
{
    struct addr addr = addr_of(last);
    fds[0] = listen_at(last, 0);
    for (int i = 1; i <= FILLERS; i++) {
        fds[i] = new_socket(AF_INET);
        (void)!connect(fds[i], &addr.any, addr.size);
    }
}

static void setup(void)
{
    struct addr addr;
    socklen_t size = sizeof addr.in;
    live = listen_at(LIVE, 16);
    cr_assert_eq(getsockname(live, &addr.any, &size), 0);
    port = ntohs(addr.in.sin_port);
    be_silent(silent[0], SILENT);
    be_silent(silent[1], SILENT_TOO);
    names_are(known);
}

TestSuite(connect, .init = setup);

/* ---- who connects ---- */

/* The lowest one that is free: as before, if none was left open. */
static int next_descriptor(void)
{
    int next = dup(live);
    close(next);
    return next;
}

static int to(const char *host, nsec deadline)
{
    struct place place = {str_of(host), port};
    why = NULL;
    return connect_place(&stream, &place, deadline, &why);
}

/* Whether it leads to who listens. */
static void expect_live(int error, const char *what)
{
    cr_assert_eq(error, 0, "%s: %d", what, error);
    int fd = accept4(live, NULL, NULL, SOCK_NONBLOCK);
    cr_assert_geq(fd, 0, "%s", what);
    struct iovec piece = {(char *)"hello", 5};
    char got[8];
    cr_expect_eq(stream_write(&stream, &piece, 1, false, NSEC_SEC), 0, "%s", what);
    cr_expect_eq(recv(fd, got, sizeof got, 0), 5, "%s", what);
    close(fd);
    cr_expect_eq(stream_read(&stream, got, sizeof got, NSEC_NEVER), 0, "%s", what);
    stream_close(&stream);
}

/* ---- places ---- */

Test(places, what_is_none)
{
    static const struct {
        struct str text;
        uint16_t port;
        int error;
    } table[] = {
        {STR_INIT(""), 80, -EINVAL},
        {STR_INIT(":"), 80, -EINVAL},
        {STR_INIT(":80"), 0, -EINVAL},
        {STR_INIT("example.org"), 0, -EINVAL},
        {STR_INIT("example.org:"), 80, -EINVAL},
        {STR_INIT("example.org:http"), 0, -EINVAL},
        {STR_INIT("example.org:80:80"), 0, -EINVAL},
        {STR_INIT("example.org:0"), 80, -ERANGE},
        {STR_INIT("example.org:65536"), 80, -ERANGE},
        {STR_INIT("example.org:80/"), 0, -EINVAL},
        {STR_INIT("::1"), 80, -EINVAL},
        {STR_INIT("2001:db8::1"), 80, -EINVAL},
        {STR_INIT("["), 80, -EINVAL},
        {STR_INIT("[]"), 80, -EINVAL},
        {STR_INIT("[::1"), 80, -EINVAL},
        {STR_INIT("[::1]"), 0, -EINVAL},
        {STR_INIT("[::1]80"), 0, -EINVAL},
        {STR_INIT("[::1]x:80"), 0, -EINVAL},
        {STR_INIT("[127.0.0.1]:80"), 0, -EINVAL},
        {STR_INIT("[example.org]:80"), 0, -EINVAL},
        {STR_INIT("unix:"), 80, -EINVAL},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        struct place place;
        int error = place_parse(table[i].text, table[i].port, &place);
        cr_expect_eq(error, table[i].error, STR_FMT ": %d", STR_ARG(table[i].text), error);
    }
}

Test(places, what_is_one)
{
    static const struct {
        struct str text;
        uint16_t meant;
        struct place place;
    } table[] = {
        {STR_INIT("example.org"), 80, {STR_INIT("example.org"), 80}},
        {STR_INIT("example.org:8080"), 80, {STR_INIT("example.org"), 8080}},
        {STR_INIT("127.0.0.1:65535"), 0, {STR_INIT("127.0.0.1"), 65535}},
        {STR_INIT("[::1]"), 443, {STR_INIT("::1"), 443}},
        {STR_INIT("[2001:db8::1]:1"), 443, {STR_INIT("2001:db8::1"), 1}},
        {STR_INIT("unix:/run/s:80"), 443, {STR_INIT("unix:/run/s:80"), 0}},
        {STR_INIT("unix:@s"), 0, {STR_INIT("unix:@s"), 0}},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        struct place place;
        cr_expect_eq(place_parse(table[i].text, table[i].meant, &place), 0, STR_FMT, STR_ARG(table[i].text));
        cr_expect(str_eq(place.host, table[i].place.host), STR_FMT, STR_ARG(place.host));
        cr_expect_eq(place.port, table[i].place.port, STR_FMT ": %d", STR_ARG(place.host), place.port);
    }
}

/* ---- nobody ---- */

GreenTest(connect, nobody_is_there)
{
    static const struct {
        const char *host;
        int error;
        const char *why;
    } table[] = {
        {"unknown.test", -ENOENT, "Name or service not known"},
        {"127.0.0.2", -ECONNREFUSED, "Connection refused"},
        {"dead.test", -ECONNREFUSED, "Connection refused"},
        {"all-dead.test", -ECONNREFUSED, "Connection refused"},
        {"unix:/nowhere", -ENOENT, "No such file or directory"},
        {"unix:@tern-nobody", -ECONNREFUSED, "Connection refused"},
        {"255.255.255.255", -ENETUNREACH, "Network is unreachable"},
    };
    int before = next_descriptor();
    for (size_t i = 0; i < COUNT(table); i++) {
        int error = to(table[i].host, run_in(60000));
        cr_expect_eq(error, table[i].error, "%s: %d", table[i].host, error);
        cr_expect(why && strcmp(why, table[i].why) == 0, "%s: %s", table[i].host, why);
    }
    cr_expect_eq(next_descriptor(), before);
    resolve_end();
}

GreenTest(connect, nobody_answers)
{
    static const char *const hosts[] = {"127.0.0.3", "silent.test", "all-silent.test"};
    struct addr addr = addr_of(SILENT);
    int before = next_descriptor();
    for (size_t i = 0; i < COUNT(hosts); i++) {
        cr_expect_eq(to(hosts[i], run_in(400)), -ETIMEDOUT, "%s", hosts[i]);
        cr_expect_str_eq(why, "Connection timed out");
        cr_expect_eq(to(hosts[i], run_in(2)), -ETIMEDOUT, "%s", hosts[i]);
        cr_expect_eq(to(hosts[i], 0), -ETIMEDOUT, "%s", hosts[i]);
    }
    cr_expect_eq(connect_addr(&stream, &addr, run_in(5)), -ETIMEDOUT);
    cr_expect_eq(next_descriptor(), before);
    resolve_end();
}

static int connect_as(void *host)
{
    return to(host, NSEC_NEVER);
}

GreenTest(connect, it_is_cancelled)
{
    static const char *const hosts[] = {"127.0.0.3", "silent.test", "all-silent.test"};
    int before = next_descriptor();
    for (size_t i = 0; i < COUNT(hosts); i++) {
        struct green *thread = run_spawn(connect_as, (void *)hosts[i]);
        cr_assert_eq(green_sleep(5 * NSEC_MS), 0);
        green_cancel(thread);
        cr_expect_eq(run_join(thread), -ECANCELED, "%s", hosts[i]);
    }
    cr_expect_eq(next_descriptor(), before);
    resolve_end();
}

GreenTest(connect, no_more_descriptors)
{
    static const char *const hosts[] = {"127.0.0.1", "live.test", "dead-live.test"};
    struct rlimit limit;
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    struct green *thread = run_spawn(connect_as, (void *)"live.test"); /* names are known afterwards */
    expect_live(run_join(thread), "live.test");
    expect_live(to("dead-live.test", NSEC_NEVER), "dead-live.test");
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &(struct rlimit){(rlim_t)next_descriptor(), limit.rlim_max}), 0);
    for (size_t i = 0; i < COUNT(hosts); i++) {
        cr_expect_eq(to(hosts[i], NSEC_NEVER), -EMFILE, "%s", hosts[i]);
        cr_expect_str_eq(why, "Too many open files");
    }
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    expect_live(to("dead-live.test", NSEC_NEVER), "dead-live.test");
    resolve_end();
}

/* ---- somebody ---- */

GreenTest(connect, a_stream_with_manners)
{
    struct addr addr = addr_of(LIVE);
    cr_assert_eq(connect_addr(&stream, &addr, NSEC_NEVER), 0);
    int fd = stream.fd.fd, no_delay = 0;
    socklen_t size = sizeof no_delay;
    cr_expect_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
    cr_expect(fcntl(fd, F_GETFL) & O_NONBLOCK);
    cr_expect_eq(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &no_delay, &size), 0);
    cr_expect_neq(no_delay, 0);
    expect_live(0, "127.0.0.1");
}

GreenTest(connect, some_addresses_are_dead)
{
    static const char *const hosts[] = {"127.0.0.1",        "live.test",        "dead-live.test",
                                        "silent-live.test", "all-but-one.test", "silent-live.test"};
    int before = next_descriptor();
    for (size_t i = 0; i < COUNT(hosts); i++)
        expect_live(to(hosts[i], run_in(60000)), hosts[i]);
    cr_expect_eq(next_descriptor(), before);
    resolve_end();
}

/* The first address is tried by the only thread that is to be had, the second by the one who asks. */
GreenTest(connect, no_thread_for_a_second_attempt, .threads = 2)
{
    expect_live(to("silent-live.test", run_in(60000)), "silent-live.test");
    resolve_end();
}

GreenTest(connect, two_attempts_that_succeed)
{
    struct resolved twice = {.count = 2, .addrs = {addr_of(LIVE), addr_of(LIVE)}};
    struct race both = {.to = &twice, .deadline = NSEC_NEVER, .fd = -1};
    int before = next_descriptor();
    green_cond_init(&both.changed);
    attempt(&both);
    int first = both.fd;
    attempt(&both);
    cr_expect_eq(both.fd, first);
    cr_expect_eq(both.failed, 0);
    close(first);
    cr_expect_eq(next_descriptor(), before);
}

/* ---- unix sockets ---- */

static int wait_and_accept(void *listener)
{
    cr_assert_eq(green_sleep(20 * NSEC_MS), 0);
    for (int fd; (fd = accept(*(int *)listener, NULL, NULL)) >= 0;)
        close(fd);
    return 0;
}

GreenTest(connect, a_unix_socket_whose_queue_is_full)
{
    char name[64];
    struct addr addr;
    int listener = new_socket(AF_UNIX), fillers[FILLERS];
    snprintf(name, sizeof name, "unix:@tern-connect-%d", getpid());
    cr_assert_eq(addr_parse(str_of(name), &addr), 0);
    cr_assert_eq(bind(listener, &addr.any, addr.size), 0);
    cr_assert_eq(listen(listener, 0), 0);
    for (int i = 0; i < FILLERS; i++) {
        fillers[i] = new_socket(AF_UNIX);
        (void)!connect(fillers[i], &addr.any, addr.size);
    }
    cr_expect_eq(to(name, 0), -ETIMEDOUT);
    cr_expect_eq(to(name, run_in(30)), -ETIMEDOUT);
    struct green *thread = run_spawn(connect_as, name);
    run_yield();
    green_cancel(thread);
    cr_expect_eq(run_join(thread), -ECANCELED);
    thread = run_spawn(wait_and_accept, &listener);
    cr_expect_eq(to(name, run_in(60000)), 0);
    cr_expect_eq(run_join(thread), 0);
    stream_close(&stream);
    for (int i = 0; i < FILLERS; i++)
        close(fillers[i]);
    close(listener);
}
