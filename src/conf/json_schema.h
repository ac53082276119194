/* json_schema.h: a table as a JSON Schema (draft 7), for editors that complete and check while somebody types.
 *
 * It is for main files: a file that another one includes need not have what is required, and may not include others.
 * It refuses no configuration that the tables take, but for a number where a text of a certain form is wanted, such as
 * a host: that wants quotes. It can't see all that they refuse: the bounds of `3g`, whether a
 * file is there, what one key means for another. Draft 7 is what yaml-language-server knows best.
 *
 * YAML 1.2, by which editors read, has true and false, and takes `on` for a text; both are let through, as are numbers
 * in quotes, and any value in which the environment is still to be put (`${`).
 */
#ifndef TERN_CONF_JSON_SCHEMA_H
#define TERN_CONF_JSON_SCHEMA_H

#include <stdio.h>

#include "conf/schema.h"

/* Writes the schema of a whole file. `elsewhere`: the key of the table that names other files; where it is there, they
 * may have what is required. 0, -EIO when the stream failed, or -ENOMEM. */
int conf_json_schema(FILE *f, const char *title, const struct conf_table *table, const char *elsewhere)
    __attribute__((warn_unused_result));

#endif
