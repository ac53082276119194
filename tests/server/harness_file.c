/* harness_file.c: see harness_file.h. */
#include "harness_file.h"

#include "harness.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

const char *file_path(const char *name)
{
    return name[0] == '/' ? name : harness_text("%s/%s", harness_directory(), name);
}

static void make_parents(const char *path)
{
    for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        const char *parent = harness_text("%.*s", (int)(slash - path), path);
        cr_assert(mkdir(parent, 0755) == 0 || errno == EEXIST, "cannot make %s: %m", parent);
    }
}

void file_directory(const char *name)
{
    make_parents(harness_text("%s/", file_path(name)));
}

static void write_all(const char *path, int flags, struct str content)
{
    int fd = open(path, flags | O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    cr_assert_geq(fd, 0, "cannot open %s: %m", path);
    while (content.n) {
        ssize_t n = write(fd, content.p, content.n);
        cr_assert_gt(n, 0, "cannot write %s: %m", path);
        content = str_skip(content, (size_t)n);
    }
    close(fd);
}

void file_write(const char *name, struct str content)
{
    make_parents(file_path(name));
    write_all(file_path(name), O_TRUNC, content);
}

void file_replace(const char *name, struct str content)
{
    const char *path = file_path(name), *fresh = harness_text("%s.new", path);
    write_all(fresh, O_TRUNC, content);
    cr_assert_eq(rename(fresh, path), 0, "cannot rename %s: %m", fresh);
}

void file_overwrite(const char *name, struct str content)
{
    write_all(file_path(name), 0, content);
}

void file_append(const char *name, struct str content)
{
    write_all(file_path(name), O_APPEND, content);
}

struct str file_read(const char *name)
{
    int fd = open(file_path(name), O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (fd < 0)
        return (struct str){NULL, 0};
    cr_assert_eq(fstat(fd, &status), 0);
    size_t size = (size_t)status.st_size, done = 0;
    char *content = harness_alloc(size + 1);
    ssize_t n = 1;
    while (done < size && (n = read(fd, content + done, size - done)) > 0)
        done += (size_t)n;
    close(fd);
    content[done] = '\0';
    return (struct str){content, done};
}

struct str file_pattern(size_t n)
{
    char *content = harness_alloc(n + 9);
    for (size_t at = 0; at < n; at += 8)
        snprintf(content + at, 9, "%08" PRIx32, (uint32_t)(at * 2654435761U));
    return (struct str){content, n};
}

struct str file_fill(char c, size_t n)
{
    char *content = harness_alloc(n + 1);
    memset(content, c, n);
    content[n] = '\0';
    return (struct str){content, n};
}
