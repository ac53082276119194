/* file_open_test.c: ways out of a root, with and without leave to follow links; roots that move. What file_job_test.c
 * says of paths that stay below is not said again. */
#include "handler/file_open.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

static void setup(void)
{
    disk_make_folder();
    disk_write("a", "hello", 5);
    cr_assert_eq(mkdirat(disk_root, "d", 0755), 0);
    disk_write("d/b", "world", 5);
    cr_assert_eq(symlinkat("/dev/null", disk_root, "away"), 0);
    cr_assert_eq(symlinkat("../..", disk_root, "d/up"), 0);
    cr_assert_eq(symlinkat("/", disk_root, "root"), 0);
    cr_assert_eq(symlinkat("/proc/self/root", disk_root, "magic"), 0);
    cr_assert_eq(symlinkat("loop", disk_root, "loop"), 0);
    cr_assert_eq(symlinkat("nothing", disk_root, "dangling"), 0);
    cr_assert_eq(symlinkat("d/b", disk_root, "inside"), 0);
}

TestSuite(file_open, .init = setup, .fini = disk_remove_folder);

/* 0, or what opening fails with. */
static int try_open(const char *path, bool may_block, bool follow)
{
    int fd = file_open(disk_root, path, O_RDONLY | O_NONBLOCK, may_block, follow);
    if (fd < 0)
        return fd;
    cr_expect_neq(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0, "%s", path);
    close(fd);
    return 0;
}

/* The kernels there are: with openat2(), and without. */
static const int no_openat2[] = {0, ENOSYS, EPERM, EINVAL};

/* ---- what leads out, or nowhere ---- */

static const char *const out[] = {
    "..",      "../",          "../a",         "/",       "/dev/null", "//",   "//dev/null",
    "d/../..", "d/../../etc/", "root/../etc/", "d/up/..", "d/..",      "x/..", "d/../a",
};

static const char *const nowhere[] = {"a/", "a/x", "a/.", "x", "d/x/", "loop", "loop/", "loop/x", "dangling"};

static void expect_never(const char *name)
{
    for (unsigned i = 0; i < 4; i++)
        cr_expect_lt(try_open(name, i & 1, i & 2), 0, "%s", name);
}

Test(file_open, out_or_nowhere)
{
    for (size_t k = 0; k < COUNT(no_openat2); k++) {
        disk.openat2_errno = no_openat2[k];
        for (size_t i = 0; i < COUNT(out); i++)
            cr_expect_eq(try_open(out[i], true, false), -EXDEV, "%s", out[i]);
        for (size_t i = 0; i < COUNT(out); i++)
            cr_expect_eq(try_open(out[i], true, true), -EXDEV, "%s", out[i]);
        for (size_t i = 0; i < COUNT(nowhere); i++)
            expect_never(nowhere[i]);
    }
}

Test(file_open, no_path_at_all)
{
    cr_expect_eq(try_open("", true, false), -ENOENT);
    cr_expect_eq(try_open("", true, true), -ENOENT);
}

static const char *const only_followed[] = {"away", "root/dev/null", "d/up", "d/up/", "root"};

Test(file_open, links_that_lead_out_without_leave)
{
    for (size_t i = 0; i < COUNT(only_followed); i++) {
        cr_expect_eq(try_open(only_followed[i], true, false), -EXDEV, "%s", only_followed[i]);
        cr_expect_lt(try_open(only_followed[i], false, false), 0, "%s", only_followed[i]);
    }
    disk.openat2_errno = ENOSYS;
    for (size_t i = 0; i < COUNT(only_followed); i++) {
        int error = try_open(only_followed[i], true, false);
        cr_expect(error == -ELOOP || error == -ENOTDIR, "%s: %d", only_followed[i], error);
    }
}

Test(file_open, links_that_lead_out_with_leave)
{
    for (size_t k = 0; k < COUNT(no_openat2); k++) {
        disk.openat2_errno = no_openat2[k];
        for (size_t i = 0; i < COUNT(only_followed); i++)
            cr_expect_eq(try_open(only_followed[i], true, true), 0, "%s", only_followed[i]);
        cr_expect_eq(try_open("inside", true, true), 0);
        cr_expect_eq(try_open("d/b", true, true), 0);
        cr_expect_eq(try_open("d//b", true, true), 0);
    }
}

Test(file_open, magic_links_are_no_links)
{
    cr_expect_eq(try_open("magic", true, true), -ELOOP);
    cr_expect_eq(try_open("magic/etc", true, true), -ELOOP);
    cr_expect_lt(try_open("magic/etc", true, false), 0);
}

Test(file_open, an_end_that_is_a_link_is_not_followed_by_a_walk)
{
    struct stat st;
    disk.openat2_errno = ENOSYS;
    int fd = file_open(disk_root, "away", O_PATH, true, false);
    cr_assert_geq(fd, 0);
    cr_assert_eq(fstat(fd, &st), 0);
    cr_expect(S_ISLNK(st.st_mode), "it is the link itself, which is no file");
    close(fd);
}

/* ---- what would block ---- */

Test(file_open, without_blocking)
{
    cr_expect_eq(try_open("d/b", false, false), 0, "it was just made");
    cr_expect_eq(try_open("d/b", false, true), 0);
    disk.cold = true;
    cr_expect_eq(try_open("d/b", false, false), -EAGAIN);
    cr_expect_eq(try_open("d/b", false, true), -EAGAIN);
    cr_expect_eq(try_open("d/b", true, false), 0);
}

Test(file_open, only_openat2_can_promise_not_to_block)
{
    for (size_t k = 1; k < COUNT(no_openat2); k++) {
        disk.openat2_errno = no_openat2[k];
        cr_expect_eq(try_open("a", false, false), -EAGAIN);
        cr_expect_eq(try_open("a", false, true), -EAGAIN);
    }
}

Test(file_open, a_race_that_does_not_end)
{
    disk.openat2_errno = EAGAIN;
    cr_expect_eq(try_open("a", true, false), -EAGAIN);
    cr_expect_eq(try_open("a", true, true), -EAGAIN);
}

Test(file_open, errors_that_pass)
{
    static const int passing[] = {-EAGAIN, -EMFILE, -ENFILE, -ENOMEM};
    static const int lasting[] = {0, -ENOENT, -ENOTDIR, -EXDEV, -ELOOP, -EACCES, -EIO, -ENAMETOOLONG};
    for (size_t i = 0; i < COUNT(passing); i++)
        cr_expect(file_error_passes(passing[i]), "%d", passing[i]);
    for (size_t i = 0; i < COUNT(lasting); i++)
        cr_expect_not(file_error_passes(lasting[i]), "%d", lasting[i]);
}

/* ---- roots ---- */

static char path[PATH_MAX];

static const char *path_of(const char *name)
{
    char own[PATH_MAX / 2], descriptor[64];
    snprintf(descriptor, sizeof descriptor, "/proc/self/fd/%d", disk_root);
    ssize_t n = readlink(descriptor, own, sizeof own - 1);
    cr_assert_gt(n, 0);
    snprintf(path, sizeof path, "%.*s/%s", (int)n, own, name);
    return path;
}

/* Whether the root's descriptor is of the directory that is there now. */
static bool is_now(const struct file_root *root, const char *name)
{
    struct stat st, expected;
    int fd = file_open_root(root, true);
    cr_assert_geq(fd, 0);
    cr_assert_eq(fstat(fd, &st), 0);
    cr_assert_eq(fstatat(disk_root, name, &expected, 0), 0);
    file_close_root(root, fd);
    cr_expect_geq(fcntl(root->fd, F_GETFD), 0, "the first descriptor stays open");
    return st.st_ino == expected.st_ino;
}

Test(file_open, a_root_that_is_gone)
{
    struct file_root root = {.fd = disk_root, .path = path_of("nothing")};
    cr_expect_eq(file_open_root(&root, true), -ENOENT);
    cr_expect_eq(file_open_root(&root, false), -EAGAIN);
    root.path = path_of("a");
    cr_expect_eq(file_open_root(&root, true), -ENOTDIR);
    file_close_root(&root, -ENOENT);
    file_close_root(&root, root.fd);
    cr_expect_geq(fcntl(root.fd, F_GETFD), 0);
}

Test(file_open, a_root_that_moved)
{
    struct file_root root = {.fd = openat(disk_root, "d", O_PATH | O_CLOEXEC), .path = path_of("d")};
    for (size_t k = 0; k < 2; k++) {
        disk.openat2_errno = no_openat2[k];
        cr_expect(is_now(&root, "d"));
    }
    cr_assert_eq(renameat(disk_root, "d", disk_root, "old"), 0);
    cr_assert_eq(mkdirat(disk_root, "d", 0755), 0);
    for (size_t k = 0; k < 2; k++) {
        disk.openat2_errno = no_openat2[k];
        cr_expect(is_now(&root, "d"));
    }
    root.path = NULL;
    cr_expect(is_now(&root, "old"));
    close(root.fd);
}

Test(file_open, a_root_that_may_not_be_opened_again)
{
    disk.openat2_errno = EACCES;
    struct file_root root = {.fd = openat(disk_root, "d", O_PATH | O_CLOEXEC), .path = path_of("d")};
    cr_expect_eq(file_open_root(&root, true), root.fd);
    cr_expect_eq(file_open_root(&root, false), root.fd);
    close(root.fd);
}
