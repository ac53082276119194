/* privs.c: see privs.h. */
#include "proc/privs.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

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
    int count = CPU_COUNT(&set);
    return count > 0 ? (size_t)count : 1;
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

static const struct passwd *find_user(struct str user)
{
    if (user.n)
        return getpwnam(user.p);
    const struct passwd *own = getpwnam("tern");
    return own ? own : getpwnam("nobody");
}

int privs_drop(struct str user, struct str group)
{
    if (geteuid() != 0)
        return 0;
    const struct passwd *account = find_user(user);
    if (!account)
        return -ENOENT;
    uid_t uid = account->pw_uid;
    gid_t gid = account->pw_gid;
    const char *name = account->pw_name;
    if (group.n) {
        const struct group *other = getgrnam(group.p);
        if (!other)
            return -ENOENT;
        gid = other->gr_gid;
    }
    if (initgroups(name, gid) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
        return -errno;
    return 0;
}
