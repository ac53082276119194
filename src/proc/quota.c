/* quota.c: see quota.h. */
#include "proc/quota.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "base/str.h"

enum { FILE_SIZE = 4096 };

/* The start of a file: all of the short ones that are read here. Empty: it can't be read. */
static struct str read_start(const char *root, struct str folder, struct str name, char buffer[FILE_SIZE])
{
    char path[PATH_MAX];
    int length = snprintf(path, sizeof path, "%s" STR_FMT STR_FMT, root, STR_ARG(folder), STR_ARG(name));
    int fd = length > 0 && (size_t)length < sizeof path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return STR("");
    ssize_t n = read(fd, buffer, FILE_SIZE);
    close(fd);
    return n > 0 ? (struct str){buffer, (size_t)n} : STR("");
}

/* Quota and period as processors; 0: no quota. */
static size_t cores(struct str quota, struct str period)
{
    uint64_t most, each;
    if (str_to_u64(quota, &most) < 0 || str_to_u64(period, &each) < 0 || most == 0 || each == 0)
        return 0; /* "max", or "-1" */
    return (size_t)((most - 1) / each + 1);
}

/* cpu.max is "QUOTA PERIOD". */
static size_t read_v2(const char *root, struct str folder)
{
    char buffer[FILE_SIZE];
    struct str text = read_start(root, folder, STR("/cpu.max"), buffer);
    struct str period = str_cut(&text, '\n'), quota = str_cut(&period, ' ');
    return cores(quota, period);
}

static size_t read_v1(const char *root, struct str folder)
{
    char quota_file[FILE_SIZE], period_file[FILE_SIZE];
    struct str quota = read_start(root, folder, STR("/cpu.cfs_quota_us"), quota_file);
    struct str period = read_start(root, folder, STR("/cpu.cfs_period_us"), period_file);
    return cores(str_cut(&quota, '\n'), str_cut(&period, '\n'));
}

static size_t lesser(size_t a, size_t b)
{
    return b == 0 || (a && a < b) ? a : b;
}

/* The least quota on the way from a group up to the top. In a container the path may be one of the outside: what is not
 * found there is found at the top. */
static size_t least_on_path(const char *root, struct str mount, struct str path,
                            size_t (*read_quota)(const char *root, struct str folder))
{
    char folder[PATH_MAX];
    size_t least = 0;
    for (;;) {
        int n = snprintf(folder, sizeof folder, STR_FMT STR_FMT, STR_ARG(mount), STR_ARG(path));
        if (n > 0 && (size_t)n < sizeof folder)
            least = lesser(least, read_quota(root, str_of(folder)));
        if (path.n == 0)
            return least;
        while (path.n && path.p[--path.n] != '/')
            ;
    }
}

static bool has_cpu(struct str controllers)
{
    while (controllers.n)
        if (str_eq(str_cut(&controllers, ','), STR("cpu")))
            return true;
    return false;
}

/* A line of /proc/self/cgroup is HIERARCHY:CONTROLLERS:PATH; version 2 is hierarchy 0, without controllers. */
static size_t read_line(const char *root, struct str line)
{
    struct str hierarchy = str_cut(&line, ':'), controllers = str_cut(&line, ':');
    if (str_eq(hierarchy, STR("0")) && controllers.n == 0)
        return least_on_path(root, STR("/sys/fs/cgroup"), line, read_v2);
    return has_cpu(controllers) ? least_on_path(root, STR("/sys/fs/cgroup/cpu"), line, read_v1) : 0;
}

size_t quota_cores(const char *root)
{
    char buffer[FILE_SIZE];
    size_t least = 0;
    struct str lines = read_start(root, STR("/proc/self"), STR("/cgroup"), buffer);
    while (lines.n)
        least = lesser(least, read_line(root, str_cut(&lines, '\n')));
    return least;
}
