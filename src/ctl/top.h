/* top.h: `ternctl top`: what the workers do, seen again and again.
 *
 * On a terminal the figures change in place until somebody presses q; elsewhere, or with --json, each look is a block
 * or a line of its own.
 */
#ifndef TERN_CTL_TOP_H
#define TERN_CTL_TOP_H

#include "ctl/option.h"
#include "ctl/thread.h"

struct top_settings {
    nsec interval;
    uint64_t count; /* looks; 0: without end */
};

/* The names of the settings, for completion; the last one has none. */
extern const struct thread_key top_keys[];

/* Reads the argument of the verb: "interval=500ms count=10". 0; or -EINVAL, and why has been written to `why`. */
int top_settings_read(struct top_settings *settings, struct str argument, struct out *why)
    __attribute__((warn_unused_result));

/* Watches the server until enough has been seen, or it is gone. 0, and *status; or -errno: no server answers. Each
 * answer may take `timeout`. */
int top_run(const struct options *options, nsec timeout, enum ctl_status *status) __attribute__((warn_unused_result));

#endif
