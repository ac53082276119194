/* source.h: the text of a configuration comes from a file. */
#ifndef TERN_CONF_SOURCE_H
#define TERN_CONF_SOURCE_H

#include "conf/yaml.h"

enum { CONF_FILE_SIZE_MAX = 16 << 20 }; /* bytes */

/* conf_parse() on a regular file of at most CONF_FILE_SIZE_MAX. A file that cannot be read is one collected error
 * and -EINVAL; the error is about the node that names the file, or, when that is NULL, about the file itself. */
int conf_parse_file(struct conf_reader *r, const char *path, const struct conf_node *named_by, struct conf_node **root)
    __attribute__((warn_unused_result));

#endif
