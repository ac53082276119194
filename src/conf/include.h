/* include.h: a configuration of several files.
 *
 * The top level of the main file may say `include: PATTERN`, or give a list of patterns (glob(7)), relative to its own
 * folder. The files are merged behind it in the order of their names: mappings key by key, sequences one behind the
 * other, and a scalar replaces an earlier one. A key with nothing below it adds nothing to a sequence or a mapping. An
 * included file includes no others. A pattern with wildcards may match nothing; a plain name must exist.
 */
#ifndef TERN_CONF_INCLUDE_H
#define TERN_CONF_INCLUDE_H

#include "conf/schema.h"
#include "conf/source.h"

/* The key `include`, for who describes the configuration. */
extern const struct conf_table conf_include_table;

/* conf_parse_file() on the main file, with all that it includes. `include` itself is not in the tree. */
int conf_load(struct conf_reader *r, const char *path, struct conf_node **root) __attribute__((warn_unused_result));

#endif
