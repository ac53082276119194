/* dump.h: a tree is written as YAML again.
 *
 * Canonical block style: two spaces a level, one scalar a line, quotes only where the text would read as something
 * else. conf_parse() makes an equal tree of it, except for secrets, which are written as "***".
 */
#ifndef TERN_CONF_DUMP_H
#define TERN_CONF_DUMP_H

#include "conf/node.h"

#include <stdio.h>

/* 0, or -EIO when the stream failed. */
int conf_dump(FILE *f, const struct conf_node *root) __attribute__((warn_unused_result));

/* Writes a part of a tree for people, without a newline: in flow style, the outermost brackets left out. Secret is also
 * what is below a secret. 0 or -EIO. */
int conf_dump_line(FILE *f, const struct conf_node *node) __attribute__((warn_unused_result));

#endif
