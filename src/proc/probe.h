/* probe.h: whether a configuration's handlers can start, found out where it does no harm.
 *
 * Some handlers load code that is not ours, which only workers run. So before a configuration is taken they are started
 * in a process of its own, as the user that workers run as: what they report there is reported here, and a crash or a
 * hang costs nothing but that process.
 */
#ifndef TERN_PROC_PROBE_H
#define TERN_PROC_PROBE_H

#include "proc/config.h"

/* 0; -EINVAL: something was reported; -errno. */
int probe_check(struct conf_reader *r, const struct config *config) __attribute__((warn_unused_result));

#endif
