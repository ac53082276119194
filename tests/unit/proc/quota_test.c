/* quota_test.c: files of control groups as several kernels and containers show them, in a folder that is our root. */
#include "proc/quota.h"

#include <criterion/criterion.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[] = "/tmp/quota-XXXXXX";

static void make_root(void)
{
    cr_assert_not_null(mkdtemp(root));
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info, (void)kind, (void)at;
    return remove(path);
}

static void remove_root(void)
{
    nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    mkdir(root, 0700);
}

static void remove_all(void)
{
    remove_root();
    rmdir(root);
}

TestSuite(quota, .init = make_root, .fini = remove_all);

static void write_file(const char *name, const char *content)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s%s", root, name);
    for (char *slash = path + strlen(root) + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
        *slash = '\0';
        mkdir(path, 0700);
    }
    FILE *f = fopen(path, "w");
    cr_assert_not_null(f);
    fputs(content, f);
    fclose(f);
}

struct file {
    const char *name, *content;
};

#define V2 "/sys/fs/cgroup"
#define V1 "/sys/fs/cgroup/cpu"
#define OWN "/proc/self/cgroup"

static const struct {
    struct file files[5];
    size_t cores;
} rows[] = {
    /* nothing to be known */
    {{{NULL, NULL}}, 0},
    {{{OWN, ""}}, 0},
    {{{OWN, "0::/\n"}}, 0},
    {{{OWN, "rubbish\n:::\n1::/\n"}, {V2 "/cpu.max", "100000 100000\n"}}, 0},
    {{{OWN, "0::/\n"}, {V2 "/cpu.max", ""}}, 0},
    {{{OWN, "0::/\n"}, {V2 "/cpu.max", "max 100000\n"}}, 0},
    {{{OWN, "0::/\n"}, {V2 "/cpu.max", "100000\n"}}, 0},
    {{{OWN, "0::/\n"}, {V2 "/cpu.max", "0 100000\n"}}, 0},
    {{{OWN, "0::/\n"}, {V2 "/cpu.max", "100000 0\n"}}, 0},
    {{{OWN, "0::/\n"}, {V2 "/cpu.max", "-1 -1\n"}}, 0},
    {{{OWN, "3:cpuset:/\n"}, {V1 "/cpu.cfs_quota_us", "100000\n"}, {V1 "/cpu.cfs_period_us", "100000\n"}}, 0},
    {{{OWN, "3:cpu:/\n"}, {V1 "/cpu.cfs_quota_us", "-1\n"}, {V1 "/cpu.cfs_period_us", "100000\n"}}, 0},
    {{{OWN, "3:cpu:/\n"}, {V1 "/cpu.cfs_quota_us", "100000\n"}}, 0},

    /* version 2, in a container: our group is the top */
    {{{OWN, "0::/\n"}, {V2 "/cpu.max", "1 100000\n"}}, 1},
    {{{OWN, "0::/\n"}, {V2 "/cpu.max", "100000 100000\n"}}, 1},
    {{{OWN, "0::/\n"}, {V2 "/cpu.max", "100001 100000\n"}}, 2},
    {{{OWN, "0::/\n"}, {V2 "/cpu.max", "350000 100000\n"}}, 4},
    {{{OWN, "0::/\n"}, {V2 "/cpu.max", "18446744073709551615 1000\n"}}, 18446744073709552},

    /* a service; the least of those above counts */
    {{{OWN, "0::/system.slice/tern.service\n"}, {V2 "/system.slice/tern.service/cpu.max", "200000 100000\n"}}, 2},
    {{{OWN, "0::/system.slice/tern.service\n"},
      {V2 "/system.slice/tern.service/cpu.max", "max 100000\n"},
      {V2 "/system.slice/cpu.max", "300000 100000\n"}},
     3},
    {{{OWN, "0::/a/b\n"}, {V2 "/a/b/cpu.max", "200000 100000\n"}, {V2 "/a/cpu.max", "100000 100000\n"}}, 1},
    {{{OWN, "0::/a/b\n"}, {V2 "/a/b/cpu.max", "200000 100000\n"}, {V2 "/a/cpu.max", "500000 100000\n"}}, 2},
    {{{OWN, "0::/a/b\n"}, {V2 "/c/cpu.max", "100000 100000\n"}}, 0},

    /* version 1; and a container whose path is one of the outside */
    {{{OWN, "4:cpu,cpuacct:/a\n0::/a\n"},
      {V1 "/a/cpu.cfs_quota_us", "150000\n"},
      {V1 "/a/cpu.cfs_period_us", "100000\n"}},
     2},
    {{{OWN, "4:cpuacct,cpu:/outside/id\n"},
      {V1 "/cpu.cfs_quota_us", "400000\n"},
      {V1 "/cpu.cfs_period_us", "100000\n"}},
     4},

    /* both: the lesser one */
    {{{OWN, "4:cpu:/\n0::/\n"},
      {V1 "/cpu.cfs_quota_us", "400000\n"},
      {V1 "/cpu.cfs_period_us", "100000\n"},
      {V2 "/cpu.max", "300000 100000\n"}},
     3},
};

Test(quota, what_files_say)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        remove_root();
        for (const struct file *file = rows[i].files; file->name; file++)
            write_file(file->name, file->content);
        size_t cores = quota_cores(root);
        cr_expect_eq(cores, rows[i].cores, "row %zu: %zu, not %zu", i, cores, rows[i].cores);
    }
}

Test(quota, a_path_of_any_length_is_survived)
{
    char line[3 * PATH_MAX];
    memset(line, 'a', sizeof line);
    memcpy(line, "0::/", 4);
    line[sizeof line - 2] = '\n';
    line[sizeof line - 1] = '\0';
    write_file(OWN, line);
    write_file(V2 "/cpu.max", "100000 100000\n");
    cr_expect_eq(quota_cores(root), 1);
}
