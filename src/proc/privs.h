/* privs.h: what a process may do: descriptors, users, processors. */
#ifndef TERN_PROC_PRIVS_H
#define TERN_PROC_PRIVS_H

#include "base/str.h"

/* Raises the soft limit on descriptors to the hard one. The limit that holds now. */
size_t privs_raise_descriptors(void);

/* Processors that this process may use. */
size_t privs_usable_cores(void);

/* Puts this process on the i-th of them, round again when there are fewer. 0 or -errno. */
int privs_pin(size_t i) __attribute__((warn_unused_result));

/* When root: becomes the user and group for good. An empty user is `tern` if there is one, else `nobody`; an empty
 * group is the user's own. 0 or -errno; -ENOENT: there is no such user or group. */
int privs_drop(struct str user, struct str group) __attribute__((warn_unused_result));

#endif
