/* listing_job_test.c: what is not listed, directories that can't be read, or that end early or never; and the order of
 * the rest. */
#include "handler/listing_job.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/out.h"
#include "directory.h"
#include "disk.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

static struct file_root root;
static struct listing_job job;

static void setup(void)
{
    disk_make_folder();
    root = (struct file_root){.fd = disk_root};
}

static void teardown(void)
{
    listing_job_clear(&job);
    disk_remove_folder();
}

TestSuite(listing_job, .init = setup, .fini = teardown);

static int list(const char *path)
{
    listing_job_clear(&job);
    job.root = &root;
    job.path = str_of(path);
    listing_job_run(&job);
    bool clean = !job.entries && !job.count && !job.truncated && !job.names.chunks;
    cr_expect(job.error == 0 || clean, "%s: a failure leaves nothing behind", path);
    return job.error;
}

/* The names in their order, each followed by a blank; directories by a slash before that. */
static const char *names(void)
{
    static char text[4096];
    struct out o = out_on(text, sizeof text - 1);
    for (size_t i = 0; i < job.count; i++) {
        out_put(&o, job.entries[i].name);
        out_put(&o, job.entries[i].directory ? STR("/ ") : STR(" "));
    }
    *o.at = '\0';
    return text;
}

static void make_directory(const char *name)
{
    cr_assert_eq(mkdirat(disk_root, name, 0755), 0);
}

static void link_to(const char *target, const char *name)
{
    cr_assert_eq(symlinkat(target, disk_root, name), 0);
}

static void make(const char *name, size_t size, time_t modified)
{
    static const char bytes[4096];
    disk_write(name, bytes, size);
    cr_assert_eq(utimensat(disk_root, name, (struct timespec[]){{0, 0}, {modified, 0}}, 0), 0);
}

/* ---- what can't be listed ---- */

Test(listing_job, no_directory)
{
    disk_write("a", "", 0);
    link_to("a", "to-a");
    link_to("loop", "loop");
    link_to("/", "away");
    cr_assert_eq(mkfifoat(disk_root, "fifo", 0644), 0);
    cr_expect_eq(list("x/"), -ENOENT);
    cr_expect_eq(list("a/"), -ENOTDIR);
    cr_expect_eq(list("to-a/"), -ENOTDIR);
    cr_expect_eq(list("a/b/"), -ENOTDIR);
    cr_expect_eq(list("fifo/"), -ENOTDIR);
    cr_expect_eq(list("loop/"), -ELOOP);
    cr_expect_eq(list("away/"), -EXDEV);
    cr_expect_eq(list("../"), -EXDEV);
    cr_expect_eq(list("/"), -EXDEV);
    cr_expect_eq(list("/etc/"), -EXDEV);
}

Test(listing_job, too_long_a_path)
{
    static char path[5001];
    for (size_t n = 4090; n <= 5000; n += n < 4100 ? 1 : 100) {
        memset(path, '/', n);
        path[0] = '.';
        path[n] = '\0';
        cr_expect_eq(list(path), n < 4096 ? 0 : -ENAMETOOLONG, "%zu", n);
    }
}

/* Root may read everything, so a test becomes somebody else for a while. */
static void become(uid_t who)
{
    cr_assert(getuid() != 0 || seteuid(who) == 0);
}

Test(listing_job, without_permission)
{
    make_directory("d");
    cr_assert_eq(fchmodat(disk_root, ".", 0755, 0), 0);
    cr_assert_eq(fchmodat(disk_root, "d", 0311, 0), 0);
    become(65534);
    cr_expect_eq(list("d/"), -EACCES);
    cr_expect_eq(list(""), 0);
    cr_expect_str_eq(names(), "d/ ");
    become(getuid());
}

/* Names can be read, but nothing said of them: that is no empty directory. */
Test(listing_job, without_permission_to_search)
{
    make_directory("d");
    disk_write("d/a", "", 0);
    disk_write("d/.b", "", 0);
    make_directory("e");
    cr_assert_eq(fchmodat(disk_root, ".", 0755, 0), 0);
    cr_assert_eq(fchmodat(disk_root, "d", 0744, 0), 0);
    cr_assert_eq(fchmodat(disk_root, "e", 0744, 0), 0);
    become(65534);
    cr_expect_eq(list("d/"), -EACCES);
    job.hidden = true;
    cr_expect_eq(list("d/"), -EACCES);
    cr_expect_eq(list("e/"), 0, "there is nothing to be said");
    become(getuid());
    cr_assert_eq(fchmodat(disk_root, "d", 0755, 0), 0);
}

/* Somebody else's FUSE may be mounted on it. */
Test(listing_job, without_permission_for_one_entry)
{
    disk_write("a", "", 0);
    disk_write("b", "", 0);
    directory.denied = "b";
    cr_expect_eq(list(""), 0);
    cr_expect_str_eq(names(), "a ");
    directory.denied = "a";
    cr_expect_eq(list(""), 0);
    cr_expect_str_eq(names(), "b ");
}

/* It is the links' targets that can't be reached. */
Test(listing_job, links_to_what_permission_is_missing_for)
{
    make_directory("closed");
    make_directory("d");
    disk_write("closed/a", "", 0);
    link_to("../closed/a", "d/link");
    cr_assert_eq(fchmodat(disk_root, ".", 0755, 0), 0);
    cr_assert_eq(fchmodat(disk_root, "closed", 0700, 0), 0);
    become(65534);
    cr_expect_eq(list("d/"), 0);
    cr_expect_eq(job.count, 0);
    become(getuid());
}

Test(listing_job, a_root_that_is_gone)
{
    root.path = "/nothing/here";
    cr_expect_eq(list(""), -ENOENT);
}

Test(listing_job, a_directory_that_can_not_be_read_to_its_end)
{
    disk_write("a", "", 0);
    disk_write("b", "", 0);
    for (directory.after = 0; directory.after < 4;) {
        size_t after = directory.after;
        directory.error = EIO;
        cr_expect_eq(list(""), -EIO, "half a listing is none");
        directory.after = after + 1;
    }
}

Test(listing_job, no_memory)
{
    disk_write("a", "", 0);
    directory.no_memory = true;
    cr_expect_eq(list(""), -ENOMEM);
    directory.no_memory = false;
    cr_expect_eq(list(""), 0);
    cr_expect_str_eq(names(), "a ");
}

/* Of a link that can't be followed for want of a descriptor nobody can say what it is. */
Test(listing_job, no_descriptor_for_a_link)
{
    disk_write("a", "", 0);
    cr_expect_eq(list(""), 0);
    link_to("a", "link");
    disk.openat2_errno = EMFILE;
    cr_expect_eq(list(""), -EMFILE);
}

static int open_descriptors(void)
{
    int n = 0;
    for (int fd = 0; fd < 256; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

Test(listing_job, no_descriptor_is_lost)
{
    disk_write("a", "", 0);
    link_to("a", "link");
    link_to("/", "away");
    int before = open_descriptors();
    cr_expect_eq(list(""), 0);
    cr_expect_eq(list("a/"), -ENOTDIR);
    directory.error = EIO;
    cr_expect_eq(list(""), -EIO);
    directory.error = 0;
    directory.no_memory = true;
    cr_expect_eq(list(""), -ENOMEM);
    cr_expect_eq(open_descriptors(), before);
}

/* ---- what is left out ---- */

Test(listing_job, what_is_neither_file_nor_directory)
{
    cr_assert_eq(mkfifoat(disk_root, "fifo", 0644), 0);
    link_to("fifo", "to-fifo");
    link_to("nothing", "dangling");
    link_to("loop", "loop");
    link_to("a/", "no-directory");
    disk_write("a", "", 0);
    for (int follow = 0; follow < 2; follow++) {
        root.follow = follow;
        cr_expect_eq(list(""), 0);
        cr_expect_str_eq(names(), "a ");
    }
}

Test(listing_job, dot_files)
{
    disk_write(".htpasswd", "", 0);
    disk_write("...", "", 0);
    disk_write(" .a", "", 0);
    make_directory(".git");
    cr_expect_eq(list(""), 0);
    cr_expect_str_eq(names(), " .a ");
    job.hidden = true;
    cr_expect_eq(list(""), 0);
    cr_expect_str_eq(names(), ".git/  .a ... .htpasswd ");
}

Test(listing_job, links_that_lead_out)
{
    make_directory("d");
    link_to("/etc/passwd", "absolute");
    link_to("../../../../../../etc/passwd", "up");
    link_to("/dev/null", "device");
    link_to("/", "away");
    link_to("../..", "d/up");
    link_to("..", "d/root");
    cr_expect_eq(list(""), 0);
    cr_expect_str_eq(names(), "d/ ");
    cr_expect_eq(list("d/"), 0);
    cr_expect_str_eq(names(), "root/ ", "up to the root, but not beyond");
    root.follow = true;
    cr_expect_eq(list(""), 0);
    cr_expect_str_eq(names(), "away/ d/ absolute up ", "but no device");
    cr_expect_eq(list("d/"), 0);
    cr_expect_str_eq(names(), "root/ up/ ");
    cr_expect_eq(list("away/"), 0);
    cr_expect_gt(job.count, 0);
}

Test(listing_job, links_without_openat2)
{
    disk.openat2_errno = ENOSYS;
    disk_write("a", "", 0);
    link_to("a", "link");
    link_to("/", "away");
    cr_expect_eq(list(""), 0);
    cr_expect_str_eq(names(), "a ", "what would not be followed is not listed");
}

static void remove_a(void)
{
    unlinkat(disk_root, "a", 0);
}

Test(listing_job, a_file_that_is_gone_before_it_is_looked_at)
{
    directory.name = "a";
    directory.times = 3;
    directory.before_name = remove_a;
    disk_write("a", "", 0);
    cr_expect_eq(list(""), 0);
    cr_expect_eq(job.count, 0);
}

/* ---- what is said of the rest ---- */

Test(listing_job, an_empty_directory)
{
    cr_expect_eq(list(""), 0);
    cr_expect_eq(job.count, 0);
    cr_expect_not(job.truncated);
}

Test(listing_job, kinds_sizes_and_times)
{
    make_directory("d");
    make("d/a", 1234, 1000000000);
    make("old", 0, -1);
    link_to("d/a", "link");
    link_to("d", "link-to-d");
    cr_expect_eq(list(""), 0);
    cr_assert_str_eq(names(), "d/ link-to-d/ link old ");
    cr_expect_eq(job.entries[0].size, 0, "a directory has no size to speak of");
    cr_expect_eq(job.entries[2].size, 1234, "that of the target");
    cr_expect_eq(job.entries[2].modified, 1000000000);
    cr_expect_eq(job.entries[3].size, 0);
    cr_expect_eq(job.entries[3].modified, -1);
    cr_expect_eq(list("link-to-d/"), 0);
    cr_expect_str_eq(names(), "a ");
}

Test(listing_job, names_are_bytes)
{
    static const char *const hostile[] = {"\x01", "\n", "\"", "<b>", "\\", "\x7f", "\xc3\xa4", "\xff"};
    for (size_t i = 0; i < COUNT(hostile); i++)
        disk_write(hostile[i], "", 0);
    cr_expect_eq(list(""), 0);
    cr_assert_eq(job.count, COUNT(hostile));
    for (size_t i = 0; i < COUNT(hostile); i++)
        cr_expect(str_eq(job.entries[i].name, str_of(hostile[i])), "%zu", i);
}

/* ---- order ---- */

static const char *const in_order[] = {
    "0",
    "00",
    "01",
    "1",
    "2",
    "10",
    "010a",
    "10a",
    "18446744073709551616",
    "99999999999999999999999",
    "A",
    "B",
    "a",
    "a0",
    "a1",
    "a01b",
    "a1b",
    "a1c",
    "a2",
    "a10",
    "a10b",
    "a100",
    "aa",
    "b",
};

static void expect_order(void)
{
    cr_assert_eq(list(""), 0);
    cr_assert_eq(job.count, COUNT(in_order));
    for (size_t i = 0; i < COUNT(in_order); i++) {
        size_t at = job.order.descending ? COUNT(in_order) - 1 - i : i;
        cr_expect(str_eq(job.entries[at].name, str_of(in_order[i])), "%zu: %s, not " STR_FMT, i, in_order[i],
                  STR_ARG(job.entries[at].name));
    }
}

Test(listing_job, names_in_the_order_that_people_count_in)
{
    for (size_t i = 0; i < COUNT(in_order); i++)
        disk_write(in_order[(i * 7) % COUNT(in_order)], "", 0);
    expect_order();
    job.order.descending = true;
    expect_order();
}

static const char *names_by(enum listing_key key, bool descending)
{
    job.order = (struct listing_order){key, descending};
    cr_assert_eq(list(""), 0);
    return names();
}

Test(listing_job, order)
{
    make_directory("y");
    make_directory("z");
    make("a", 100, 3000);
    make("b", 20, 2000);
    make("c", 3000, 1000);
    make("d", 100, 3000);
    for (const char *name = "y"; name; name = *name == 'y' ? "z" : NULL)
        cr_assert_eq(utimensat(disk_root, name, (struct timespec[]){{0, 0}, {*name, 0}}, 0), 0);
    cr_expect_str_eq(names_by(LISTING_NAME, false), "y/ z/ a b c d ");
    cr_expect_str_eq(names_by(LISTING_NAME, true), "z/ y/ d c b a ");
    cr_expect_str_eq(names_by(LISTING_SIZE, false), "y/ z/ b a d c ");
    cr_expect_str_eq(names_by(LISTING_SIZE, true), "y/ z/ c a d b ", "what is equal stays in the order of names");
    cr_expect_str_eq(names_by(LISTING_TIME, false), "y/ z/ c b a d ");
    cr_expect_str_eq(names_by(LISTING_TIME, true), "z/ y/ a d b c ");
}

/* ---- bounds ---- */

Test(listing_job, as_many_as_are_listed_and_one_more)
{
    disk_write("a", "", 0);
    directory.name = "a";
    directory.times = LISTING_MAX;
    cr_expect_eq(list(""), 0);
    cr_expect_eq(job.count, LISTING_MAX);
    cr_expect_not(job.truncated);
    directory.times = LISTING_MAX + 1;
    cr_expect_eq(list(""), 0);
    cr_expect_eq(job.count, LISTING_MAX);
    cr_expect(job.truncated);
    directory.times = SIZE_MAX;
    cr_expect_eq(list(""), 0);
    cr_expect_eq(job.count, LISTING_MAX);
    cr_expect(job.truncated);
}

Test(listing_job, as_many_as_are_read_and_one_more)
{
    directory.name = ".a";
    directory.times = LISTING_READ;
    cr_expect_eq(list(""), 0);
    cr_expect_eq(job.count, 0);
    cr_expect_not(job.truncated);
    directory.times = LISTING_READ + 1;
    cr_expect_eq(list(""), 0);
    cr_expect(job.truncated);
    directory.times = SIZE_MAX;
    cr_expect_eq(list(""), 0, "what never ends is not read for ever");
}
