/* env.h: the environment in configuration values.
 *
 * `${NAME}` stands for the variable's value, `${NAME:-default}` for the default when it is unset or empty, and `$${`
 * for a literal `${`. Any other `$` is a `$`. What is put in is not looked at again.
 */
#ifndef TERN_CONF_ENV_H
#define TERN_CONF_ENV_H

#include "conf/report.h"

/* Replaces the references in a scalar. What cannot be is reported, and leaves its text as it was. */
int conf_expand(struct conf_reader *r, struct conf_node *scalar) __attribute__((warn_unused_result));

#endif
