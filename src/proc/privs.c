/* privs.c: see privs.h. */
#include "proc/privs.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proc/quota.h"

/* Percent of all memory that a worker counts as larger than it is when the kernel looks for a process to end: enough to
 * be found before its master, too little to be found before what really uses the memory. */
enum { OOM_HANDICAP = 2 };

size_t privs_raise_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return 1024;
    rlim_t soft = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        limit.rlim_cur = soft;
    return limit.rlim_cur == RLIM_INFINITY ? (size_t)1 << 20 : (size_t)limit.rlim_cur;
}

size_t privs_usable_cores(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) < 0)
        return 1;
    size_t usable = (size_t)CPU_COUNT(&set), quota = quota_cores("");
    return quota && quota < usable ? quota : usable;
}

int privs_pin(size_t i)
{
    cpu_set_t usable, one;
    if (sched_getaffinity(0, sizeof usable, &usable) < 0)
        return -errno;
    size_t nth = i % (size_t)CPU_COUNT(&usable);
    int core = -1;
    do
        if (CPU_ISSET(++core, &usable) && nth-- == 0)
            break;
    while (core + 1 < CPU_SETSIZE);
    CPU_ZERO(&one);
    CPU_SET(core, &one);
    return sched_setaffinity(0, sizeof one, &one) < 0 ? -errno : 0;
}

/* The number that a file begins with; `unknown`: it can't be read, or does not begin with one. */
static long read_number(const char *path, long unknown)
{
    long value = unknown;
    FILE *f = fopen(path, "re");
    if (!f)
        return unknown;
    if (fscanf(f, "%ld", &value) != 1)
        value = unknown;
    fclose(f);
    return value;
}

size_t privs_backlog_max(void)
{
    long most = read_number("/proc/sys/net/core/somaxconn", 0);
    return most > 0 ? (size_t)most : 0;
}

void privs_volunteer_for_oom(void)
{
    static const char path[] = "/proc/self/oom_score_adj";
    enum { PER_PERCENT = 10, MOST = 1000 };
    long adjusted = read_number(path, 0) + OOM_HANDICAP * PER_PERCENT;
    FILE *f = fopen(path, "we");
    if (!f)
        return;
    fprintf(f, "%ld", adjusted < MOST ? adjusted : MOST);
    fclose(f);
}

/* Whether the administrator wants to see the cores of processes that crash. */
static bool cores_wanted(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_cur > 0;
}

static const struct passwd *find_user(struct str user)
{
    if (user.n)
        return getpwnam(user.p);
    const struct passwd *own = getpwnam("tern");
    return own ? own : getpwnam("nobody");
}

/* Their ids, and the name of the user. 0 or -ENOENT. */
static int find_account(struct str user, struct str group, uid_t *uid, gid_t *gid, const char **name)
{
    const struct passwd *account = find_user(user);
    if (!account)
        return -ENOENT;
    *uid = account->pw_uid;
    *gid = account->pw_gid;
    *name = account->pw_name;
    if (group.n) {
        const struct group *other = getgrnam(group.p);
        if (!other)
            return -ENOENT;
        *gid = other->gr_gid;
    }
    return 0;
}

int privs_account(struct str user, struct str group, uid_t *uid, gid_t *gid)
{
    const char *name;
    *uid = geteuid();
    *gid = getegid();
    bool nobody = user.n == 0 && !getpwnam("tern");
    return *uid == 0 && !nobody ? find_account(user, group, uid, gid, &name) : 0;
}

/* The service manager may have given the master some, for its ports. Its filter of system calls may stand in the way of
 * giving them up (EPERM): then they stay, and are bounded by what it gave. */
static int drop_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};
    (void)!prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); /* goes with the permitted ones anyway */
    return syscall(SYS_capset, &header, none) < 0 && errno != EPERM ? -errno : 0;
}

int privs_drop(struct str user, struct str group)
{
    uid_t uid;
    gid_t gid;
    const char *name;
    if (geteuid() != 0)
        return drop_capabilities();
    int error = find_account(user, group, &uid, &gid, &name);
    if (error)
        return error;
    if (initgroups(name, gid) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
        return -errno;
    return cores_wanted() && prctl(PR_SET_DUMPABLE, 1) < 0 ? -errno : 0;
}
