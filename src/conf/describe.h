/* describe.h: a key of the configuration in words.
 *
 * The same words for the manual page (manual.h) and for editors (json_schema.h), from what a directive's row says.
 */
#ifndef TERN_CONF_DESCRIBE_H
#define TERN_CONF_DESCRIBE_H

#include "conf/schema.h"

/* How many values the key takes. */
enum conf_many conf_how_many(const struct conf_key *key);

/* What the key takes: "a size from 1k to 1m", "on or off", "a network, or a list of them". */
void conf_put_takes(struct out *o, const struct conf_key *key);

/* What the key is for: its doc as a sentence. */
void conf_put_doc(struct out *o, const struct conf_key *key);

#endif
