/* disk.h: a disk that is slow, old, or busy, for the tests of the handlers of files. */
#ifndef TERN_TESTS_HANDLER_DISK_H
#define TERN_TESTS_HANDLER_DISK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct disk {
    int openat2_errno;           /* with which openat2() fails; 0: it works */
    bool cold;                   /* nothing is in the kernel's caches */
    atomic_bool held;            /* who looks at the disk itself waits until this is false */
    atomic_uint looks;           /* how many have looked at the disk itself */
    void (*before_read)(int fd); /* called before bytes of a file are read */
};

extern struct disk disk;

/* An empty folder of the test's own. */
void disk_make_folder(void);
void disk_remove_folder(void);

/* Its descriptor. */
extern int disk_root;

/* Writes a file in it. */
void disk_write(const char *name, const void *bytes, size_t n);

#endif
