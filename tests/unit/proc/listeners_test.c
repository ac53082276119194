#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proc/listeners.h"

static struct listeners listeners;
static struct listener *taken[4];
static FILE *errors;
static char *told;
static size_t told_n;
static char folder[] = "/tmp/tern-listeners-XXXXXX";

static void begin(void)
{
    listeners_init(&listeners);
    errors = open_memstream(&told, &told_n);
    cr_assert_not_null(mkdtemp(folder));
}

static void end(void)
{
    fclose(errors);
    free(told);
    cr_expect_eq(rmdir(folder), 0, "a file was left in %s", folder);
}

TestSuite(listeners, .init = begin, .fini = end);

static struct listen listen_on(const char *text)
{
    struct listen listen = {.text = str_of(text), .backlog = 16};
    if (str_starts(listen.text, STR("fd:")))
        listen.name = str_skip(listen.text, 3);
    else
        cr_assert_eq(addr_parse(listen.text, &listen.addr), 0, "%s", text);
    return listen;
}

/* A port of 127.0.0.1 that nobody had a moment ago. */
static struct listen listen_anywhere(char text[static 32])
{
    struct addr addr = {.size = sizeof addr.in, .in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert(fd >= 0 && bind(fd, &addr.any, addr.size) == 0 && getsockname(fd, &addr.any, &addr.size) == 0);
    close(fd);
    snprintf(text, 32, "127.0.0.1:%d", ntohs(addr.in.sin_port));
    return listen_on(text);
}

static int take(struct listen *listen, size_t count, size_t workers)
{
    struct config config = {.listen = listen, .listen_count = count};
    int error = listeners_take(&listeners, &config, workers, false, taken, errors);
    fflush(errors);
    return error;
}

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

static int pass(const char *name, struct addr *addr)
{
    static struct passed_socket sockets[2];
    struct passed_socket *socket_of = &sockets[listeners.passed.count++];
    listeners.passed.sockets = sockets;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    *addr = (struct addr){.size = sizeof addr->in, .in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)}};
    cr_assert(fd >= 0 && bind(fd, &addr->any, addr->size) == 0 && listen(fd, 5) == 0);
    cr_assert_eq(getsockname(fd, &addr->any, &addr->size), 0);
    *socket_of = (struct passed_socket){.fd = fd, .addr = *addr, .name = str_of(name), .ours = !*name};
    return fd;
}

/* ---- what can't be had ---- */

Test(listeners, a_port_of_another_program)
{
    char text[32];
    struct listen listen = listen_anywhere(text);
    int other = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    setsockopt(other, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on); /* which would let us in by accident */
    cr_assert_eq(bind(other, &listen.addr.any, listen.addr.size), 0);
    cr_expect_eq(take(&listen, 1, 2), -EADDRINUSE);
    cr_expect(list_empty(&listeners.all));
    cr_expect_not_null(strstr(told, "cannot listen on 127.0.0.1:"), "%s", told);
    close(other);
}

Test(listeners, a_name_that_was_not_passed)
{
    struct listen listen = listen_on("fd:web");
    cr_expect_eq(take(&listen, 1, 1), -ENOENT);
    cr_expect_str_eq(told, "cannot listen on fd:web: no socket of this name was passed\n");
}

Test(listeners, one_that_fails_takes_the_others_back)
{
    char text[32], path[64];
    snprintf(path, sizeof path, "unix:%s/missing/s", folder);
    struct listen listen[] = {listen_anywhere(text), listen_on(path)};
    cr_expect_eq(take(listen, 2, 3), -ENOENT);
    cr_expect(list_empty(&listeners.all));
    cr_expect_eq(take(listen, 1, 1), 0, "its port is free again");
    listener_release(taken[0]);
}

/* ---- sockets and workers ---- */

static void expect_all_served(const struct listener *listener, size_t workers)
{
    int fds[64];
    size_t served = 0;
    for (size_t i = 0; i < workers; i++) {
        size_t count = listener_share(listener, i, workers, fds);
        cr_expect_gt(count, 0, "worker %zu has nothing to do", i);
        served += count;
    }
    cr_expect_eq(served, listener->count);
}

Test(listeners, there_are_never_fewer_sockets_and_each_is_served)
{
    static const size_t workers[] = {2, 5, 3, 1, 4, 8};
    char text[32];
    struct listen listen = listen_anywhere(text);
    struct listener *first = NULL;
    size_t most = 0;
    for (size_t i = 0; i < sizeof workers / sizeof *workers; i++) {
        cr_assert_eq(take(&listen, 1, workers[i]), 0, "%s", told);
        cr_expect(!first || taken[0] == first);
        first = taken[0];
        listener_serve(first);
        most = workers[i] > most ? workers[i] : most;
        cr_expect_eq(first->count, most);
        expect_all_served(first, workers[i]);
    }
    int fd = first->fds[0];
    for (size_t i = sizeof workers / sizeof *workers; i > 0; i--) {
        cr_expect(is_open(fd));
        listener_release(first);
    }
    cr_expect(!is_open(fd));
}

/* A generation that did not come about must leave no socket that takes connections and that nobody serves. */
Test(listeners, what_was_opened_in_vain_is_closed)
{
    char text[32];
    struct listen listen = listen_anywhere(text);
    cr_assert_eq(take(&listen, 1, 2), 0, "%s", told);
    listener_serve(taken[0]);
    cr_assert_eq(take(&listen, 1, 5), 0, "%s", told);
    int extra = taken[0]->fds[4], accepts = 1;
    socklen_t size = sizeof accepts;
    cr_expect_eq(getsockopt(extra, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &size), 0);
    cr_expect_eq(accepts, 0, "it takes connections before anybody serves it");
    listener_release(taken[0]);
    cr_expect_eq(taken[0]->count, 2);
    cr_expect(!is_open(extra) && is_open(taken[0]->fds[1]));
    listener_release(taken[0]);
}

Test(listeners, a_file_that_is_no_socket_of_ours_stays)
{
    char text[64];
    snprintf(text, sizeof text, "unix:%s/precious", folder);
    FILE *f = fopen(text + 5, "w");
    cr_assert_not_null(f);
    fclose(f);
    struct listen listen = listen_on(text);
    cr_expect_eq(take(&listen, 1, 1), -EADDRINUSE);
    cr_expect_eq(unlink(text + 5), 0, "it is gone");
}

Test(listeners, one_socket_can_not_be_two_listeners)
{
    struct addr addr;
    pass("web", &addr);
    struct listen both[] = {{.text = STR("x"), .addr = addr, .backlog = 5}, listen_on("fd:web")};
    cr_expect_eq(take(both, 2, 1), -EALREADY);
    cr_expect(list_empty(&listeners.all));
}

Test(listeners, a_unix_socket_is_shared_and_its_file_goes_with_the_last_use)
{
    char text[64];
    int fds[2];
    snprintf(text, sizeof text, "unix:%s/s", folder);
    struct listen listen = listen_on(text);
    cr_assert_eq(take(&listen, 1, 3), 0, "%s", told);
    cr_assert_eq(take(&listen, 1, 3), 0, "%s", told);
    cr_expect_eq(taken[0]->count, 1);
    for (size_t i = 0; i < 3; i++)
        cr_expect(listener_share(taken[0], i, 3, fds) == 1 && fds[0] == taken[0]->fds[0]);
    listener_release(taken[0]);
    cr_expect_eq(access(text + 5, F_OK), 0);
    listener_release(taken[0]);
    cr_expect_lt(access(text + 5, F_OK), 0);
}

Test(listeners, the_file_is_left_to_a_successor)
{
    char text[64];
    snprintf(text, sizeof text, "unix:%s/s", folder);
    struct listen listen = listen_on(text);
    cr_assert_eq(take(&listen, 1, 1), 0, "%s", told);
    listeners_keep_files(&listeners);
    listener_release(taken[0]);
    cr_expect_eq(unlink(text + 5), 0);
}

Test(listeners, our_own_port_on_another_address_is_no_other_program)
{
    char text[32], all[32];
    struct listen one = listen_anywhere(text);
    snprintf(all, sizeof all, "0.0.0.0:%d", ntohs(one.addr.in.sin_port));
    struct listen any = listen_on(all);
    cr_assert_eq(take(&one, 1, 1), 0, "%s", told);
    struct listener *first = taken[0];
    cr_assert_eq(take(&any, 1, 1), 0, "%s", told);
    cr_expect_neq(taken[0], first);
    listener_release(taken[0]);
    listener_release(first);
}

/* ---- sockets of others ---- */

Test(listeners, all_sockets_of_a_name_are_shared_by_all_workers)
{
    struct addr addr;
    int fds[4], first = pass("web", &addr), second = pass("web", &addr);
    struct listen listen = listen_on("fd:web");
    cr_assert_eq(take(&listen, 1, 4), 0, "%s", told);
    cr_expect(taken[0]->passed && taken[0]->count == 2);
    for (size_t i = 0; i < 4; i++)
        cr_expect(listener_share(taken[0], i, 4, fds) == 2 && fds[0] == first && fds[1] == second);
    listener_release(taken[0]);
}

Test(listeners, a_socket_of_our_predecessor_is_one_of_ours)
{
    struct addr addr;
    int fd = pass("", &addr);
    struct listen listen = {.text = STR("x"), .addr = addr, .backlog = 5};
    listeners.passed.sockets[0].ours = true;
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    cr_assert_eq(take(&listen, 1, 1), 0, "%s", told);
    cr_expect(!taken[0]->passed && taken[0]->fds[0] == fd);
    int *all;
    struct str *names;
    cr_expect_eq(listeners_gather(&listeners, &all, &names), 1);
    cr_expect(all[0] == fd && names[0].n == 0);
    free(all);
    free(names);
    listener_release(taken[0]);
}
