/* file_job_test.c: paths that lead nowhere or out, things that are no files, files that change while they are read; by
 * openat2() and, where the kernel has none, by walking. */
#include "handler/file_job.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "disk.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

static struct file_job job;

static void setup(void)
{
    disk_make_folder();
    disk_write("a", "hello", 5);
    cr_assert_eq(mkdirat(disk_root, "d", 0755), 0);
    cr_assert_eq(mkdirat(disk_root, "d/e", 0755), 0);
    disk_write("d/b", "world", 5);
    disk_write("d/e/c", "", 0);
}

static void forget(void)
{
    free(job.bytes);
    if (job.fd > 0)
        close(job.fd);
    job = (struct file_job){.fd = -1};
}

static void teardown(void)
{
    forget();
    disk_remove_folder();
}

TestSuite(file_job, .init = setup, .fini = teardown);

static int look(const char *path, bool may_block)
{
    forget();
    job = (struct file_job){.root = &(struct file_root){.fd = disk_root}, .path = path, .may_block = may_block};
    file_job_run(&job);
    cr_expect(job.error == 0 || (!job.bytes && job.fd == -1), "%s: a failure leaves nothing behind", path);
    return job.error;
}

static void link_to(const char *target, const char *name)
{
    cr_assert_eq(symlinkat(target, disk_root, name), 0);
}

static void make_links(void)
{
    link_to("../../../../../../etc/passwd", "up");
    link_to("/etc/passwd", "away");
    link_to("/", "root");
    link_to("/proc/self/root", "magic");
    link_to("..", "d/out");
    link_to("../..", "d/further");
    link_to("nothing", "dangling");
    link_to("loop", "loop");
}

/* Never 0, however the path is walked. */
static const char *const nowhere[] = {
    "x",
    "d/x",
    "x/y",
    "a/b",
    "a/",
    "a/.",
    "d/b/c",
    "..",
    "../..",
    "d/../..",
    "../../../../../../../../etc/passwd",
    "d/../../../../../../../../etc/passwd",
    "/etc/passwd",
    "up",
    "away",
    "root/etc/passwd",
    "magic/etc/passwd",
    "d/further/etc/passwd",
    "dangling",
    "loop",
    "loop/a",
};

static void expect_nowhere(void)
{
    for (size_t i = 0; i < COUNT(nowhere); i++) {
        int error = look(nowhere[i], true);
        cr_expect(error < 0 && error != -EAGAIN, "%s: %d", nowhere[i], error);
        cr_expect_lt(look(nowhere[i], false), 0, "%s", nowhere[i]);
    }
    char name[5000];
    memset(name, 'x', sizeof name);
    name[4999] = '\0';
    cr_expect(look(name, true) == -ENAMETOOLONG || job.error == -ENOENT, "%d", job.error);
    name[256] = '\0';
    cr_expect(look(name, true) == -ENAMETOOLONG || job.error == -ENOENT, "%d", job.error);
}

/* A FIFO without a reader must not be waited for, a device must not be touched. */
static void expect_no_files(void)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    cr_assert_eq(mkfifoat(disk_root, "fifo", 0644), 0);
    link_to("fifo", "to-fifo");
    link_to("/dev/zero", "zero");
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(name.sun_path, sizeof name.sun_path, "/proc/self/fd/%d/socket", disk_root);
    cr_assert_eq(bind(fd, (struct sockaddr *)&name, sizeof name), 0);
    close(fd);
    cr_expect_eq(look("fifo", true), -ENOENT);
    cr_expect_eq(look("to-fifo", true), -ENOENT);
    cr_expect_lt(look("zero", true), 0);
    cr_expect_eq(look("socket", true), -ENOENT);
    cr_expect_eq(look("d", true), -EISDIR);
    cr_expect_eq(look("d/e", true), -EISDIR);
    cr_expect_eq(look("d/", true), -EISDIR);
}

static void expect_files(bool may_block)
{
    cr_expect_eq(look("a", may_block), 0);
    cr_expect(job.bytes && memcmp(job.bytes, "hello", 5) == 0);
    cr_expect_eq(job.version.size, 5);
    cr_expect_eq(job.fd, -1);
    cr_expect_eq(look("d/b", may_block), 0);
    cr_expect(job.bytes && memcmp(job.bytes, "world", 5) == 0);
    cr_expect_eq(look("d//b", may_block), 0);
    cr_expect_eq(look("d/e/c", may_block), 0);
    cr_expect_eq(job.version.size, 0);
    cr_expect_not_null(job.bytes, "an empty file has content, too");
}

Test(file_job, nowhere)
{
    make_links();
    expect_nowhere();
}

Test(file_job, no_files)
{
    expect_no_files();
}

Test(file_job, files)
{
    expect_files(true);
}

Test(file_job, links_that_stay_below_the_root)
{
    link_to("d/b", "link");
    link_to("../a", "d/link");
    link_to("d", "folder");
    cr_expect_eq(look("link", true), 0);
    cr_expect_eq(look("d/link", true), 0);
    cr_expect_eq(look("folder/e/c", true), 0);
    cr_expect_eq(look("folder", true), -EISDIR);
}

/* Old kernels, and filters of system calls. */
static const int no_openat2[] = {ENOSYS, EPERM, EINVAL};

Test(file_job, walking_nowhere)
{
    make_links();
    for (size_t i = 0; i < COUNT(no_openat2); i++) {
        disk.openat2_errno = no_openat2[i];
        expect_nowhere();
    }
}

Test(file_job, walking_to_no_files)
{
    disk.openat2_errno = ENOSYS;
    expect_no_files();
}

Test(file_job, walking_to_files)
{
    for (size_t i = 0; i < COUNT(no_openat2); i++) {
        disk.openat2_errno = no_openat2[i];
        expect_files(true);
    }
}

Test(file_job, walking_follows_no_links)
{
    disk.openat2_errno = ENOSYS;
    link_to("d/b", "link");
    link_to("d", "folder");
    cr_expect_lt(look("link", true), 0);
    cr_expect_lt(look("folder/b", true), 0);
    cr_expect_lt(look("folder", true), 0);
}

Test(file_job, walking_may_block)
{
    disk.openat2_errno = ENOSYS;
    cr_expect_eq(look("a", false), -EAGAIN);
    cr_expect_eq(look("d/x", false), -EAGAIN);
}

static int open_descriptors(void)
{
    int n = 0;
    for (int fd = 0; fd < 256; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

Test(file_job, no_descriptor_is_lost)
{
    make_links();
    int before = open_descriptors();
    expect_nowhere();
    expect_files(true);
    disk.openat2_errno = ENOSYS;
    expect_nowhere();
    expect_files(true);
    forget();
    cr_expect_eq(open_descriptors(), before);
}

Test(file_job, another_error_is_reported)
{
    disk.openat2_errno = EMFILE;
    cr_expect_eq(look("a", true), -EMFILE);
    disk.openat2_errno = EAGAIN;
    cr_expect_eq(look("a", false), -EAGAIN);
    disk.openat2_errno = EIO;
    cr_expect_eq(look("a", false), -EIO);
}

/* Root may read everything, so the test becomes somebody else for a while. */
Test(file_job, without_permission)
{
    uid_t me = geteuid();
    cr_assert_eq(fchmodat(disk_root, ".", 0755, 0), 0);
    cr_assert_eq(fchmodat(disk_root, "a", 0, 0), 0);
    cr_assert(me != 0 || seteuid(65534) == 0);
    cr_expect_eq(look("a", true), -EACCES);
    cr_expect_eq(look("d/b", true), 0);
    cr_assert(me != 0 || seteuid(me) == 0);
}

/* ---- large files, versions ---- */

Test(file_job, a_large_file_stays_open)
{
    static char bytes[FILE_IN_MEMORY + 1];
    bytes[FILE_IN_MEMORY - 1] = 'y';
    disk_write("large", bytes, sizeof bytes);
    cr_expect_eq(look("large", true), 0);
    cr_expect_null(job.bytes);
    cr_expect_geq(job.fd, 0);
    cr_expect_eq(job.version.size, FILE_IN_MEMORY + 1);
    disk_write("small", bytes, FILE_IN_MEMORY);
    cr_expect_eq(look("small", true), 0);
    cr_expect(job.bytes && job.bytes[FILE_IN_MEMORY - 1] == 'y');
    cr_expect_eq(job.fd, -1);
}

static bool unchanged_since(const struct file_version *known)
{
    forget();
    job =
        (struct file_job){.root = &(struct file_root){.fd = disk_root}, .path = "a", .known = known, .may_block = true};
    file_job_run(&job);
    cr_expect_eq(job.error, 0);
    cr_expect_eq(job.unchanged, !job.bytes, "what is known is not read again");
    return job.unchanged;
}

Test(file_job, versions)
{
    cr_assert_eq(look("a", true), 0);
    struct file_version known = job.version;
    cr_expect(unchanged_since(&known));
    disk_write("new", "hello", 5);
    cr_assert_eq(renameat(disk_root, "new", disk_root, "a"), 0);
    cr_expect_not(unchanged_since(&known), "another inode");
    known = job.version;
    disk_write("a", "hello!", 6);
    cr_expect_not(unchanged_since(&known), "another size");
    known = job.version;
    cr_assert_eq(utimensat(disk_root, "a", (struct timespec[]){{1, 0}, {1, 0}}, 0), 0);
    cr_expect_not(unchanged_since(&known), "another time");
    known = job.version;
    known.changed.tv_nsec ^= 1;
    cr_expect_not(unchanged_since(&known), "only the inode was written to");
}

/* ---- encoded files beside it ---- */

enum { BR = 1, ZST = 2, GZ = 4, EVERY = BR | ZST | GZ };

static unsigned beside(const char *path, unsigned wanted, const struct file_version *known, bool may_block)
{
    forget();
    job = (struct file_job){.root = &(struct file_root){.fd = disk_root}, .path = path, .known = known};
    job.wanted = wanted;
    job.may_block = may_block;
    file_job_run(&job);
    cr_expect_eq(job.error, 0, "%s: %d", path, job.error);
    return job.present;
}

Test(file_job, what_is_no_encoded_file)
{
    cr_assert_eq(mkdirat(disk_root, "a.br", 0755), 0);
    cr_assert_eq(mkfifoat(disk_root, "a.zst", 0644), 0);
    link_to("/etc/passwd", "a.gz");
    cr_expect_eq(beside("a", EVERY, NULL, true), 0);
    cr_expect_eq(beside("d/b", EVERY, NULL, true), 0);
    disk.openat2_errno = ENOSYS;
    cr_expect_eq(beside("a", EVERY, NULL, true), 0);
}

Test(file_job, encoded_files_where_there_is_no_file)
{
    disk_write("x.br", "", 0);
    cr_expect_eq(look("x", true), -ENOENT);
    job.wanted = EVERY;
    file_job_run(&job);
    cr_expect_eq(job.error, -ENOENT);
    cr_expect_eq(job.present, 0);
}

Test(file_job, a_path_too_long_for_a_suffix)
{
    static char path[4096]; /* "././././a", as long as a path may be */
    memset(path, '/', sizeof path - 1);
    for (size_t i = 0; i < sizeof path - 2; i += 2)
        path[i] = '.';
    path[sizeof path - 2] = 'a';
    cr_expect_eq(beside(path, EVERY, NULL, true), 0);
    disk_write("a.br", "", 0);
    cr_expect_eq(beside(path, EVERY, NULL, true), 0);
    cr_expect_eq(beside(path + 4, EVERY, NULL, true), BR);
}

Test(file_job, encoded_files)
{
    static const char *const names[] = {"a.br", "a.zst", "a.gz"};
    for (unsigned i = 0; i < 3; i++) {
        disk_write(names[i], "", 0);
        for (unsigned wanted = 0; wanted <= EVERY; wanted++)
            cr_expect_eq(beside("a", wanted, NULL, true), wanted & ((2U << i) - 1), "%s %u", names[i], wanted);
    }
    cr_expect_eq(beside("a", EVERY, NULL, false), EVERY, "all is in the caches");
    struct file_version known = job.version;
    cr_expect_eq(beside("a", EVERY, &known, true), EVERY);
    cr_expect(job.unchanged);
    cr_assert_eq(unlinkat(disk_root, "a.zst", 0), 0);
    cr_expect_eq(beside("a", EVERY, &known, true), BR | GZ);
    cr_expect(job.unchanged, "that says nothing of the file itself");
}

/* That a name is not there is something the kernel has to find out, too: nobody has asked for these yet. */
Test(file_job, encoded_files_that_are_not_in_the_caches)
{
    cr_expect_eq(look("a", false), 0);
    forget();
    job = (struct file_job){.root = &(struct file_root){.fd = disk_root}, .path = "a", .wanted = GZ};
    file_job_run(&job);
    cr_expect_eq(job.error, -EAGAIN);
    cr_expect_null(job.bytes);
    job.may_block = true;
    file_job_run(&job);
    cr_expect_eq(job.error, 0);
    cr_expect_eq(job.present, 0);
}

Test(file_job, encoded_files_behind_links)
{
    disk_write("d/x", "", 0);
    link_to("d/x", "a.br");
    link_to("loop.zst", "loop.zst");
    link_to("a.gz", "a.gz");
    cr_expect_eq(beside("a", EVERY, NULL, true), BR);
}

/* ---- files that change while they are read ---- */

static unsigned changes; /* still to come */

static void change(int fd)
{
    (void)fd;
    if (changes && changes--)
        disk_write("a", changes % 2 ? "HELLO" : "hello", 5);
}

static void shorten(int fd)
{
    (void)fd;
    if (changes && changes--)
        disk_write("a", "hel", 3);
}

Test(file_job, a_file_that_keeps_changing)
{
    disk.before_read = change;
    changes = 100;
    int error = look("a", true);
    cr_expect(error == -ESTALE || (error == 0 && job.bytes), "%d", error);
    cr_expect_geq(changes, 90, "it gives up soon");
}

Test(file_job, a_file_that_became_shorter)
{
    disk_write("a", "hello", 5);
    disk.before_read = shorten;
    changes = 1;
    cr_expect_eq(look("a", true), 0, "the second try finds it whole");
    cr_expect_eq(job.version.size, 3);
    cr_expect(job.bytes && memcmp(job.bytes, "hel", 3) == 0);
}
