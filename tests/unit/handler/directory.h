/* directory.h: directories that end early, or never, or are slow to read, for the tests of listings. */
#ifndef TERN_TESTS_HANDLER_DIRECTORY_H
#define TERN_TESTS_HANDLER_DIRECTORY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct directory {
    int error;                 /* with which readdir() fails ... */
    size_t after;              /* ... when it has read so many names */
    const char *name;          /* that is read instead of what is there ... */
    size_t times;              /* ... so many times */
    const char *denied;        /* the entry that permission is missing for */
    bool no_memory;            /* for what was found */
    void (*before_name)(void); /* called before a name is read */
    atomic_bool held;          /* who reads waits until this is false */
    atomic_uint readers;       /* how many wait so */
};

extern struct directory directory;

#endif
