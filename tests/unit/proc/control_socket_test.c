/* control_socket_test.c: places that can't be had, what is left over, and who may come in. */
#include "proc/control_socket.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SOMEBODY = 65533, SOME_GROUP = 65532 };

static char directory[] = "/tmp/tern-socket-XXXXXX", path[64];

static void setup(void)
{
    cr_assert_not_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/socket", directory);
}

static void teardown(void)
{
    unlink(path);
    rmdir(directory);
}

TestSuite(control_socket, .init = setup, .fini = teardown);

static struct stat status_of(const char *name)
{
    struct stat st;
    cr_assert_eq(lstat(name, &st), 0, "%s: %m", name);
    return st;
}

static struct control_socket open_socket(void)
{
    struct control_socket s;
    cr_assert_eq(control_socket_open(&s, str_of(path), getegid()), 0);
    return s;
}

static int connect_to(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, name, sizeof address.sun_path - 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_geq(fd, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    int error = -errno;
    close(fd);
    return error;
}

Test(control_socket, places_that_cannot_be_had)
{
    struct control_socket s;
    char missing[80], beyond[109];
    snprintf(missing, sizeof missing, "%s/missing/socket", directory);
    memset(beyond, 'x', sizeof beyond);
    cr_expect_eq(control_socket_open(&s, str_of(missing), getegid()), -ENOENT);
    cr_expect_eq(control_socket_open(&s, STR(""), getegid()), -ENAMETOOLONG);
    cr_expect_eq(control_socket_open(&s, (struct str){beyond, 108}, getegid()), -ENAMETOOLONG);
    cr_expect_eq(control_socket_open(&s, str_of(directory), getegid()), -ENOTSOCK);
}

Test(control_socket, a_file_that_is_no_socket_stays)
{
    struct control_socket s;
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    cr_assert_eq(write(fd, "text", 4), 4);
    close(fd);
    cr_expect_eq(control_socket_open(&s, str_of(path), getegid()), -ENOTSOCK);
    cr_expect_eq(status_of(path).st_size, 4);
    unlink(path);
    cr_assert_eq(symlink("/dev/log", path), 0);
    cr_expect_eq(control_socket_open(&s, str_of(path), getegid()), -ENOTSOCK, "a link is followed");
    cr_expect(S_ISLNK(status_of(path).st_mode));
}

Test(control_socket, one_that_is_in_use_stays)
{
    struct control_socket first = open_socket(), second;
    cr_expect_eq(control_socket_open(&second, str_of(path), getegid()), -EADDRINUSE);
    int fd = connect_to(path);
    cr_expect_geq(fd, 0, "it is gone: %s", strerror(-fd));
    close(fd);
    close(first.fd);
}

Test(control_socket, one_with_a_full_queue_is_in_use)
{
    struct control_socket first = open_socket(), second;
    cr_assert_eq(listen(first.fd, 0), 0);
    int fd = connect_to(path);
    cr_expect_eq(control_socket_open(&second, str_of(path), getegid()), -EADDRINUSE);
    close(fd);
    close(first.fd);
}

Test(control_socket, one_that_is_left_over_is_replaced)
{
    close(open_socket().fd);
    cr_assert_eq(connect_to(path), -ECONNREFUSED);
    struct control_socket s = open_socket();
    int fd = connect_to(path);
    cr_expect_geq(fd, 0);
    close(fd);
    close(s.fd);
}

Test(control_socket, its_mode_does_not_depend_on_the_mask)
{
    static const mode_t masks[] = {0, 022, 077, 0777};
    for (size_t i = 0; i < sizeof masks / sizeof *masks; i++) {
        umask(masks[i]);
        struct control_socket s = open_socket();
        cr_expect_eq(status_of(path).st_mode, S_IFSOCK | 0660, "mask %03o: %o", masks[i], status_of(path).st_mode);
        cr_expect_eq(umask(0), masks[i], "the mask is another one afterwards");
        cr_expect(fcntl(s.fd, F_GETFL) & O_NONBLOCK && fcntl(s.fd, F_GETFD) & FD_CLOEXEC);
        close(s.fd);
    }
}

Test(control_socket, its_group_is_that_of_the_workers)
{
    if (geteuid() != 0)
        cr_skip("only root may give a file to any group");
    struct control_socket s;
    cr_assert_eq(control_socket_open(&s, str_of(path), SOME_GROUP), 0);
    cr_expect_eq(status_of(path).st_gid, SOME_GROUP);
    cr_expect_eq(status_of(path).st_uid, 0);
    close(s.fd);
}

Test(control_socket, a_file_where_another_one_listens_is_not_removed)
{
    struct control_socket first = open_socket();
    unlink(path);
    struct control_socket second = open_socket();
    control_socket_close(&first, true);
    int fd = connect_to(path);
    cr_expect_geq(fd, 0, "another one's file was removed");
    close(fd);
    control_socket_close(&second, false);
    cr_expect_eq(access(path, F_OK), 0, "it was to stay");
    control_socket_close(&second, true);
    cr_expect_neq(access(path, F_OK), 0, "it was to be removed");
    control_socket_close(&second, true);
}

/* ---- taking over ---- */

Test(control_socket, what_is_not_the_one_at_the_path_is_not_taken_over)
{
    struct control_socket s = open_socket(), other;
    char elsewhere[80];
    int pair[2];
    snprintf(elsewhere, sizeof elsewhere, "%s/other", directory);
    cr_assert_eq(control_socket_open(&other, str_of(elsewhere), getegid()), 0);
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    struct control_socket taken;
    cr_expect_eq(control_socket_adopt(&taken, str_of(path), other.fd), -ESTALE, "another path");
    cr_expect_eq(control_socket_adopt(&taken, str_of(path), pair[0]), -ESTALE, "no listening socket");
    cr_expect_eq(control_socket_adopt(&taken, str_of(path), STDIN_FILENO), -ENOTSOCK, "no socket");
    unlink(elsewhere);
    cr_expect_eq(control_socket_adopt(&taken, str_of(elsewhere), other.fd), -ENOENT, "without a file");
    close(pair[0]);
    close(pair[1]);
    close(other.fd);
    close(s.fd);
}

static pid_t listener_of(int fd)
{
    struct ucred credentials;
    socklen_t size = sizeof credentials;
    cr_assert_eq(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size), 0);
    return credentials.pid;
}

Test(control_socket, peers_are_told_who_listens_now)
{
    struct control_socket s = open_socket(), taken;
    int fd = connect_to(path);
    cr_expect_eq(listener_of(fd), getpid());
    close(fd);
    pid_t child = fork();
    if (child == 0) {
        int error = control_socket_adopt(&taken, str_of(path), s.fd);
        if (!error)
            control_socket_listen(&taken);
        _exit(error ? 1 : 0);
    }
    int status = -1;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert_eq(status, 0);
    fd = connect_to(path);
    cr_expect_eq(listener_of(fd), child);
    close(fd);

    control_socket_listen(&s);
    fd = connect_to(path);
    cr_expect_eq(listener_of(fd), getpid(), "it does not take it back");
    close(fd);
    close(s.fd);
}

/* ---- who may ask ---- */

struct stranger {
    uid_t uid;
    gid_t gid, other; /* other: a supplementary group */
    bool permitted;
};

static const struct stranger strangers[] = {
    {SOMEBODY, SOMEBODY, SOMEBODY, false},  {SOMEBODY, SOMEBODY, 0, false}, /* root's group is not the workers' */
    {SOMEBODY, 0, SOMEBODY, false},         {0, SOMEBODY, SOMEBODY, true},
    {SOME_GROUP, SOMEBODY, SOMEBODY, true}, /* the workers' user, whose number is the same here */
    {SOMEBODY, SOME_GROUP, SOMEBODY, true}, {SOMEBODY, SOMEBODY, SOME_GROUP, true},
};

static pid_t connect_as(const struct stranger *stranger)
{
    pid_t child = fork();
    if (child != 0)
        return child;
    bool become = setgroups(1, &stranger->other) == 0 && setresgid(stranger->gid, stranger->gid, stranger->gid) == 0 &&
                  setresuid(stranger->uid, stranger->uid, stranger->uid) == 0;
    int fd = become ? connect_to(path) : -1;
    char byte;
    _exit(fd >= 0 && recv(fd, &byte, 1, 0) == 0 ? 0 : 1);
}

Test(control_socket, peers_are_told_apart)
{
    if (geteuid() != 0)
        cr_skip("only root can be anybody");
    struct control_socket s = open_socket();
    cr_assert(chmod(directory, 0711) == 0 && chmod(path, 0666) == 0);
    cr_assert_eq(fcntl(s.fd, F_SETFL, 0), 0);
    for (size_t i = 0; i < sizeof strangers / sizeof *strangers; i++) {
        struct control_peer peer;
        pid_t child = connect_as(&strangers[i]);
        int fd = accept(s.fd, NULL, NULL), status = -1;
        cr_assert_geq(fd, 0);
        cr_expect_eq(control_peer_of(&peer, fd, SOME_GROUP, SOME_GROUP), 0);
        cr_expect_eq(peer.permitted, strangers[i].permitted, "row %zu", i);
        cr_expect_eq(peer.pid, child);
        cr_expect_eq(peer.uid, strangers[i].uid);
        close(fd);
        cr_expect_eq(waitpid(child, &status, 0), child);
        cr_expect_eq(status, 0, "row %zu could not connect", i);
    }
    close(s.fd);
}
