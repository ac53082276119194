/* harness_file.h: files in the test's directory. Names are relative to it; an absolute one is taken as it is. */
#ifndef TERN_TESTS_SERVER_HARNESS_FILE_H
#define TERN_TESTS_SERVER_HARNESS_FILE_H

#include "base/str.h"

/* The whole path of a name. */
const char *file_path(const char *name) __attribute__((returns_nonnull));

/* Makes a directory and those above it, with mode 0755. */
void file_directory(const char *name);

/* Makes a file, with the directories above it, or gives an old one new content in place. */
void file_write(const char *name, struct str content);

/* Puts a new file in the place of an old one, as an editor or a deployment does: by rename. */
void file_replace(const char *name, struct str content);

/* Writes over the start of a file, which keeps its length when that is as long. */
void file_overwrite(const char *name, struct str content);

void file_append(const char *name, struct str content);

/* The content; empty when there is no such file. */
struct str file_read(const char *name);

/* n bytes in which every run of eight tells its own place, so that nothing can be lost, doubled or swapped unseen. */
struct str file_pattern(size_t n);

/* n times the same character. */
struct str file_fill(char c, size_t n);

#endif
