/* plain.h: text on its way to a terminal.
 *
 * It may hold what peers or a configuration have put there: each control character, also one that turns the direction
 * of text, becomes a question mark.
 */
#ifndef TERN_CTL_PLAIN_H
#define TERN_CTL_PLAIN_H

#include <stdio.h>

#include "base/str.h"

void plain_put(FILE *f, struct str text);

#endif
