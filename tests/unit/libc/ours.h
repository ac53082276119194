/* ours.h: the calls of src/libc by name, where the names themselves are libc's: the binary of the tests is linked like
 * the server, so that whoever calls read() in it gets libc's, and ours is what the linker calls __real_read().
 *
 *     n = ours.read(fd, to, sizeof to);
 */
#ifndef TERN_TESTS_LIBC_OURS_H
#define TERN_TESTS_LIBC_OURS_H

#include "libc/calls.h"

#define DECLARE(type, name, parameters, arguments) extern type __real_##name parameters;
LIBC_CALLS(DECLARE)
#undef DECLARE

#define MEMBER(type, name, parameters, arguments) type(*name) parameters;
#define INITIALISER(type, name, parameters, arguments) .name = __real_##name,
static const struct {
    LIBC_CALLS(MEMBER)
} ours = {LIBC_CALLS(INITIALISER)};
#undef MEMBER
#undef INITIALISER

#endif
