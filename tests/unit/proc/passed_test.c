#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proc/passed.h"

enum { FIRST = 3 };

/* Criterion's own descriptors lie where passed ones belong: each test runs in a child that has given them up. */
static void in_child(void (*body)(void))
{
    pid_t pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0) {
        close_range(FIRST, ~0U, 0);
        body();
        _exit(0);
    }
    int status;
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_expect_eq(status, 0, "%x", (unsigned)status);
}

static void require(bool condition, int line)
{
    if (condition)
        return;
    fprintf(stderr, "passed_test.c:%d\n", line);
    _exit(1);
}

#define REQUIRE(condition) require((condition), __LINE__)

static int listen_somewhere(struct addr *addr)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    *addr = (struct addr){.size = sizeof addr->in, .in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)}};
    REQUIRE(fd >= 0 && bind(fd, &addr->any, addr->size) == 0 && listen(fd, 1) == 0);
    REQUIRE(getsockname(fd, &addr->any, &addr->size) == 0);
    return fd;
}

static void tell(pid_t pid, const char *count, const char *names)
{
    char text[24];
    snprintf(text, sizeof text, "%d", (int)pid);
    setenv("LISTEN_PID", text, 1);
    setenv("LISTEN_FDS", count, 1);
    if (names)
        setenv("LISTEN_FDNAMES", names, 1);
}

static void nothing(void)
{
    struct passed passed;
    REQUIRE(passed_read(&passed, false) == 0);
    REQUIRE(passed.count == 0);
    passed_close(&passed);
}

Test(passed, nothing_is)
{
    in_child(nothing);
}

static void for_somebody_else(void)
{
    struct addr addr;
    struct passed passed;
    int fd = listen_somewhere(&addr);
    tell(getppid(), "1", "web");
    REQUIRE(passed_read(&passed, false) == 0);
    REQUIRE(passed.count == 0);
    REQUIRE(fcntl(fd, F_GETFD) >= 0); /* not ours to close */
    REQUIRE(!getenv("LISTEN_FDS"));
    passed_close(&passed);
}

Test(passed, what_is_for_another_process_is_left_alone)
{
    in_child(for_somebody_else);
}

static void not_listening(void)
{
    struct addr addr;
    struct passed passed;
    int plain = open("/dev/null", O_RDONLY), datagrams = socket(AF_INET, SOCK_DGRAM, 0);
    int good = listen_somewhere(&addr);
    REQUIRE(plain == FIRST && good == FIRST + 2);
    tell(getpid(), "3", "a:b:c");
    REQUIRE(passed_read(&passed, false) == 0);
    REQUIRE(passed.count == 1);
    REQUIRE(passed.sockets[0].fd == good && str_eq(passed.sockets[0].name, STR("c")));
    REQUIRE(fcntl(plain, F_GETFD) < 0 && fcntl(datagrams, F_GETFD) < 0);
    passed_close(&passed);
    REQUIRE(fcntl(good, F_GETFD) < 0);
}

Test(passed, what_does_not_listen_is_closed)
{
    in_child(not_listening);
}

static void by_name_and_address(void)
{
    struct addr addr, other;
    struct passed passed;
    int fd = listen_somewhere(&addr);
    listen_somewhere(&other);
    tell(getpid(), "2", "web:admin");
    REQUIRE(passed_read(&passed, false) == 0);
    REQUIRE(fcntl(fd, F_GETFD) & FD_CLOEXEC && fcntl(fd, F_GETFL) & O_NONBLOCK);
    REQUIRE(passed_find(&passed, STR(""), &addr)->fd == fd);
    REQUIRE(passed_find(&passed, STR("admin"), &addr)->fd == fd + 1);
    REQUIRE(!passed_find(&passed, STR("nobody"), &addr));
    REQUIRE(!passed_find(&passed, STR("web"), &addr)->ours);
    passed_find(&passed, STR("web"), &addr)->fd = -1;
    REQUIRE(!passed_find(&passed, STR(""), &addr));
    passed_close(&passed);
    REQUIRE(fcntl(fd, F_GETFD) >= 0 && fcntl(fd + 1, F_GETFD) < 0);
}

Test(passed, a_socket_is_found_by_its_name_or_its_address_until_it_is_taken)
{
    in_child(by_name_and_address);
}

/* Sockets that lie in the way of each other come out where they belong, under their names. */
static void handed_on(void)
{
    struct addr a, b;
    int first = listen_somewhere(&a), second = listen_somewhere(&b);
    int fds[2] = {second, first};
    struct str names[2] = {STR(""), STR("web")};
    struct passed passed;
    REQUIRE(first == FIRST);
    REQUIRE(passed_on(fds, names, 2) == 0);
    REQUIRE(passed_read(&passed, true) == 0);
    REQUIRE(passed.count == 2);
    REQUIRE(addr_same(&passed.sockets[0].addr, &b) && passed.sockets[0].ours);
    REQUIRE(addr_same(&passed.sockets[1].addr, &a) && !passed.sockets[1].ours);
    REQUIRE(str_eq(passed.sockets[1].name, STR("web")));
    passed_close(&passed);
}

Test(passed, sockets_are_handed_on)
{
    in_child(handed_on);
}
