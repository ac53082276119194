/* descriptors.h: how many descriptors this process has open, for tests of what leaves none behind. */
#ifndef TERN_TESTS_BASE_DESCRIPTORS_H
#define TERN_TESTS_BASE_DESCRIPTORS_H

#include <stddef.h>

size_t open_descriptors(void);

#endif
