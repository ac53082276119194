/* pidfile_test.c: files that must not be touched, and what is written. */
#include "proc/pidfile.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[] = "/tmp/tern-pidfile-XXXXXX", path[64], own[16];

static void setup(void)
{
    cr_assert_not_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/tern.pid", directory);
    snprintf(own, sizeof own, "%d\n", (int)getpid());
}

static void teardown(void)
{
    unlink(path);
    cr_expect_eq(rmdir(directory), 0, "something else was left there");
}

TestSuite(pidfile, .init = setup, .fini = teardown);

static void put(const char *text)
{
    int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static void expect_content(const char *expected)
{
    char text[64] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    cr_assert_geq(fd, 0, "%m");
    cr_assert_geq(read(fd, text, sizeof text - 1), 0);
    close(fd);
    cr_expect_str_eq(text, expected);
}

static const char *const others[] = {
    "root:x:0:0:root\n",
    "12 13\n",
    "12\n13\n",
    "0\n",
    "-1\n",
    " 12\n",
    "12 \n",
    "0x12\n",
    "12\n\n",
    "\n",
    "2147483648\n",
    "12345678901234567890\n",
    "pid 12\n",
};

Test(pidfile, what_is_no_pid_file_is_left_alone)
{
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        put(others[i]);
        cr_expect_eq(pidfile_read(path), -EINVAL, "%s", others[i]);
        cr_expect_eq(pidfile_write(path), -EEXIST, "%s", others[i]);
        pidfile_remove(path);
        expect_content(others[i]);
    }
}

Test(pidfile, neither_a_link_nor_a_directory_is_replaced)
{
    cr_assert_eq(symlink("target", path), 0);
    cr_expect_eq(pidfile_write(path), -EEXIST);
    unlink(path);
    cr_assert_eq(mkdir(path, 0700), 0);
    cr_expect_eq(pidfile_write(path), -EEXIST);
    pidfile_remove(path);
    cr_expect_eq(rmdir(path), 0);
}

Test(pidfile, where_no_file_can_be)
{
    char missing[80], deep[5000];
    snprintf(missing, sizeof missing, "%s/missing/tern.pid", directory);
    memset(deep, '/', sizeof deep - 1);
    deep[sizeof deep - 1] = '\0';
    cr_expect_eq(pidfile_read(path), -ENOENT);
    cr_expect_eq(pidfile_write(missing), -ENOENT);
    cr_expect_lt(pidfile_write(deep), 0);
    pidfile_remove(missing);
}

Test(pidfile, it_holds_the_own_id_for_everybody_to_read)
{
    umask(077);
    struct stat st;
    cr_assert_eq(pidfile_write(path), 0);
    expect_content(own);
    cr_expect_eq(stat(path, &st), 0);
    cr_expect_eq(st.st_mode, S_IFREG | 0644, "%o", st.st_mode);
    cr_expect_eq(pidfile_read(path), getpid());
}

Test(pidfile, an_old_one_is_replaced_not_written_over)
{
    static const char *const olds[] = {"", "1\n", "1", "999999\n"};
    for (size_t i = 0; i < sizeof olds / sizeof *olds; i++) {
        char text[64] = "";
        put(olds[i]);
        int old = open(path, O_RDONLY | O_CLOEXEC);
        cr_assert_eq(pidfile_write(path), 0, "%s", olds[i]);
        expect_content(own);
        cr_expect_eq(read(old, text, sizeof text), (ssize_t)strlen(olds[i]), "a reader of the old one sees it change");
        close(old);
    }
}

Test(pidfile, only_the_own_one_is_removed)
{
    put("1\n");
    pidfile_remove(path);
    expect_content("1\n");
    cr_assert_eq(pidfile_write(path), 0);
    pidfile_remove(path);
    cr_expect_neq(access(path, F_OK), 0);
    pidfile_remove(path);
}
