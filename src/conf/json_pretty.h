/* json_pretty.h: JSON on many lines, to be read and compared by people. */
#ifndef TERN_CONF_JSON_PRETTY_H
#define TERN_CONF_JSON_PRETTY_H

#include <stdio.h>

#include "base/str.h"

/* Writes a text as base/json.h makes it with a line for each member, two spaces a level; what has no objects and arrays
 * in it stays on its line. 0, or -EIO when the stream failed. */
int json_pretty(FILE *f, struct str text) __attribute__((warn_unused_result));

#endif
