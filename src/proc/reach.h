/* reach.h: whether workers can get at what they are to serve.
 *
 * The master, as root, opens any directory; its workers, as another user, may find that they can't enter it, and answer
 * every request with 403. That is found while the configuration is read, by a process that becomes the workers' user
 * and tries: nobody but the kernel knows what groups, access lists and mounts come to.
 */
#ifndef TERN_PROC_REACH_H
#define TERN_PROC_REACH_H

#include "conf/report.h"

/* Reports each `root` of a `files` in a tree without errors that workers of this user and group can't enter. 0 or
 * -EINVAL; what can't be found out is not reported. */
int reach_check(struct conf_reader *r, const struct conf_node *tree, struct str user, struct str group)
    __attribute__((warn_unused_result));

#endif
