/* real.h: libc's own calls, which ours stand before.
 *
 * real_NAME is libc's NAME, or that of who else stands before it: a library that is preloaded, or a sanitizer. The
 * pointers are filled in before main(), or by the first call, if that comes sooner; then calling through them is safe
 * wherever the call itself is, in a signal handler too.
 */
#ifndef TERN_LIBC_REAL_H
#define TERN_LIBC_REAL_H

#include "libc/calls.h"

#define DECLARE(type, name, parameters, arguments) extern type(*real_##name) parameters;
LIBC_CALLS(DECLARE)
#undef DECLARE

#endif
