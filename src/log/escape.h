/* escape.h: text from elsewhere, made harmless for a log. */
#ifndef TERN_LOG_ESCAPE_H
#define TERN_LOG_ESCAPE_H

#include "base/out.h"

/* Writes s with every byte that is not printable ASCII as \xHH, and between quotes also '"' and '\'. As much as
 * fits is written. */
void log_escape(struct out *o, struct str s, bool quoted);

#endif
