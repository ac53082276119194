/* token.h: the small words of HTTP's grammar (RFC 9110, 5.5 and 5.6). */
#ifndef TERN_HTTP_TOKEN_H
#define TERN_HTTP_TOKEN_H

#include "base/str.h"

/* One or more tchar: methods, field names, codings (5.6.2). */
bool http_is_token(struct str s) __attribute__((pure));

/* What may stand in a field's value: no control character but HTAB, no white space at its ends (5.5). */
bool http_is_field_value(struct str s) __attribute__((pure));

/* The bytes at the start of s that are tchar. */
size_t http_token_length(struct str s) __attribute__((pure));

/* The bytes of a quoted-string at the start of s, its quotes included (5.6.4); 0: there is none. */
size_t http_quoted_length(struct str s) __attribute__((pure));

#endif
