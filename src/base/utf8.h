/* utf8.h: characters of a UTF-8 text (RFC 3629). */
#ifndef TERN_BASE_UTF8_H
#define TERN_BASE_UTF8_H

#include "base/str.h"

/* Takes one character off the front of *rest, which is not empty. Its code point; or -EILSEQ, and one byte is taken,
 * where there is none: a stray or missing continuation byte, an overlong form, a surrogate, a value above U+10FFFF. */
int32_t utf8_next(struct str *rest) __attribute__((warn_unused_result));

#endif
