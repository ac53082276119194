/* privs.h: what a process may do: descriptors, users, processors. */
#ifndef TERN_PROC_PRIVS_H
#define TERN_PROC_PRIVS_H

#include "base/str.h"

#include <sys/types.h>

/* Raises the soft limit on descriptors to the hard one. The limit that holds now. */
size_t privs_raise_descriptors(void);

/* Processors that this process may use: those it may run on, or, if that is less, what its control group's quota
 * amounts to. At least 1. */
size_t privs_usable_cores(void);

/* Puts this process on the i-th of those it may run on, round again when there are fewer. 0 or -errno. */
int privs_pin(size_t i) __attribute__((warn_unused_result));

/* The most connections that the kernel lets wait to be accepted from one socket (net.core.somaxconn): a larger backlog
 * is cut to it. 0: unknown. */
size_t privs_backlog_max(void);

/* Asks the kernel to end this process, when memory runs out, rather than the one that forked it. For workers, which
 * can be replaced. It is asked for in vain where /proc is not to be written. To be called before privs_drop(). */
void privs_volunteer_for_oom(void);

/* The user and group that workers run as, and that may speak to the server therefore. Nobody, who is the user of other
 * programs too, may not: instead of it, it is our own. 0 or -ENOENT. */
int privs_account(struct str user, struct str group, uid_t *uid, gid_t *gid) __attribute__((warn_unused_result));

/* When root: becomes the user and group for good; otherwise gives up what capabilities there are. An empty user is
 * `tern` if there is one, else `nobody`; an empty group is the user's own. 0 or -errno; -ENOENT: there is no such user
 * or group.
 *
 * A process that was root dumps no core, and no other one of its user may look into it (prctl(2), PR_SET_DUMPABLE). It
 * stays so, unless the limit on core files (RLIMIT_CORE) says that they are wanted. */
int privs_drop(struct str user, struct str group) __attribute__((warn_unused_result));

#endif
