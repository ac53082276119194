/* orphan.h: a worker whose master is gone.
 *
 * It drains as soon as it reads the end of its socket pair. This sees to it that it ends even if it never reads that,
 * because a handler does not yield: the kernel tells it by SIGTERM (prctl(2), PR_SET_PDEATHSIG), and from then on an
 * alarm is set. SIGALRM ends the process, and the error log says what it was at (green/fault.c).
 *
 * A SIGTERM that comes while the master lives means nothing: a terminal or a service manager sends it to the whole
 * group, and it is the master who decides.
 */
#ifndef TERN_PROC_ORPHAN_H
#define TERN_PROC_ORPHAN_H

#include <sys/types.h>

#include "base/clock.h"

/* From now on this process ends at most `limit` after its parent `master`, in whole seconds, rounded up. The limit
 * should leave it time to drain. To be called after the last change of user, which makes the kernel forget it, and
 * before green_run(). 0 or -errno. */
int orphan_watch(pid_t master, nsec limit) __attribute__((warn_unused_result));

#endif
