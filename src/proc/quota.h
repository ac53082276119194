/* quota.h: how much of the processors a control group leaves us (cgroups(7)). */
#ifndef TERN_PROC_QUOTA_H
#define TERN_PROC_QUOTA_H

#include <stddef.h>

/* The processors that the CPU quotas of this process's control group, and of those above it, amount to, rounded up; 0:
 * there is no quota, or none that can be read. Both versions of control groups are looked at. `root` is put before
 * every path: empty but in tests. */
size_t quota_cores(const char *root);

#endif
