/* no_mmap.h: a kernel that maps no more memory, while a test says so. */
#ifndef TERN_TESTS_BASE_NO_MMAP_H
#define TERN_TESTS_BASE_NO_MMAP_H

#include <stdbool.h>

extern bool no_mmap;

#endif
