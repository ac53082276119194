/* manual.h: a table as the part of a manual page that lists all keys, in mdoc(7).
 *
 * A section for each mapping, under the names that lead to it; a mapping or a key that stands in several places is
 * described in the first of them, and the others refer to it.
 */
#ifndef TERN_CONF_MANUAL_H
#define TERN_CONF_MANUAL_H

#include <stdio.h>

#include "conf/schema.h"

/* Copies a page, and puts the keys where it has a line `.\" KEYS`. 0, -EINVAL when it has none, -EIO when a stream
 * failed, -E2BIG when there are too many keys to keep track of, or -ENOMEM. */
int conf_manual(FILE *f, FILE *page, const struct conf_table *table) __attribute__((warn_unused_result));

#endif
