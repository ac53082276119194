/* listing_job.c: see listing_job.h. */
#include "handler/listing_job.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/out.h"

enum { ROOM_FIRST = 64 };

/* A directory while it is read. */
struct reading {
    struct listing_job *job;
    int root;
    DIR *directory;
    size_t looks, denials; /* at entries; those that permission was missing for */
};

/* ---- one entry ---- */

/* What a symbolic link leads to, found as the file below the root would be found. */
static int stat_target(const struct reading *r, struct str name, struct stat *st)
{
    char path[PATH_MAX];
    struct out o = out_on(path, sizeof path);
    out_put(&o, r->job->path);
    out_put(&o, name);
    out_char(&o, '\0');
    if (o.full)
        return -ENAMETOOLONG;
    int fd = file_open(r->root, path, O_PATH, true, r->job->root->follow);
    if (fd < 0)
        return fd;
    int error = fstat(fd, st) < 0 ? -errno : 0;
    close(fd);
    return error;
}

static int stat_entry(struct reading *r, struct str name, struct stat *st)
{
    r->looks++;
    if (fstatat(dirfd(r->directory), name.p, st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0) {
        r->denials += errno == EACCES;
        return -errno;
    }
    return S_ISLNK(st->st_mode) ? stat_target(r, name, st) : 0;
}

static int make_room(struct listing_job *job)
{
    if (job->count < job->room)
        return 0;
    size_t room = job->room ? 2 * job->room : ROOM_FIRST;
    struct listing_entry *entries = reallocarray(job->entries, room, sizeof *entries);
    if (!entries)
        return -ENOMEM;
    job->entries = entries;
    job->room = room;
    return 0;
}

static int add(struct listing_job *job, struct str name, const struct stat *st)
{
    int error = make_room(job);
    if (error)
        return error;
    struct listing_entry entry = {arena_copy(&job->names, name), S_ISDIR(st->st_mode), 0, st->st_mtim.tv_sec};
    if (!entry.name.p)
        return -ENOMEM;
    if (!entry.directory)
        entry.size = (uint64_t)st->st_size;
    job->entries[job->count++] = entry;
    return 0;
}

static int consider(struct reading *r, struct str name)
{
    struct listing_job *job = r->job;
    struct stat st;
    if (str_eq(name, STR(".")) || str_eq(name, STR("..")) || (name.p[0] == '.' && !job->hidden))
        return 0;
    int error = stat_entry(r, name, &st);
    if (error)
        return file_error_passes(error) ? error : 0;
    if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        return 0;
    job->truncated = job->count == LISTING_MAX;
    return job->truncated ? 0 : add(job, name, &st);
}

/* ---- all of them ---- */

static int read_entries(struct reading *r)
{
    for (size_t read = 0; !r->job->truncated; read++) {
        errno = 0;
        const struct dirent *found = readdir(r->directory);
        if (!found)
            return -errno;
        r->job->truncated = read == LISTING_READ;
        int error = r->job->truncated ? 0 : consider(r, str_of(found->d_name));
        if (error)
            return error;
    }
    return 0;
}

/* Where permission is missing for every entry, it is the directory that can't be searched: it is not empty. */
static bool is_closed(const struct reading *r)
{
    return r->denials && r->denials == r->looks;
}

static int open_directory(struct reading *r)
{
    char path[PATH_MAX];
    struct out o = out_on(path, sizeof path);
    out_put(&o, r->job->path.n ? r->job->path : STR("."));
    out_char(&o, '\0');
    if (o.full)
        return -ENAMETOOLONG;
    int fd = file_open(r->root, path, O_RDONLY | O_DIRECTORY, true, r->job->root->follow);
    if (fd < 0)
        return fd;
    r->directory = fdopendir(fd);
    if (r->directory)
        return 0;
    int error = -errno;
    close(fd);
    return error;
}

/* ---- order ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Takes a number off the front of a name: its digits, without leading zeros. */
static struct str cut_number(struct str *rest)
{
    size_t zeros = 0, n = 0;
    while (zeros < rest->n && rest->p[zeros] == '0')
        zeros++;
    struct str number = str_skip(*rest, zeros);
    while (n < number.n && is_digit(number.p[n]))
        n++;
    *rest = str_skip(number, n);
    return (struct str){number.p, n};
}

static int compare_sizes(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int compare_bytes(struct str a, struct str b)
{
    int order = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);
    return order ? order : compare_sizes(a.n, b.n);
}

static int compare_numbers(struct str a, struct str b)
{
    return a.n == b.n ? compare_bytes(a, b) : compare_sizes(a.n, b.n);
}

/* Numbers by value, other bytes by theirs; names that differ in leading zeros only, byte by byte. */
static int compare_names(struct str a, struct str b)
{
    struct str x = a, y = b;
    while (x.n && y.n) {
        int order = (unsigned char)x.p[0] - (unsigned char)y.p[0];
        if (is_digit(x.p[0]) && is_digit(y.p[0])) {
            order = compare_numbers(cut_number(&x), cut_number(&y));
        } else {
            x = str_skip(x, 1);
            y = str_skip(y, 1);
        }
        if (order)
            return order;
    }
    return x.n || y.n ? compare_sizes(x.n, y.n) : compare_bytes(a, b);
}

static int compare_key(const struct listing_entry *a, const struct listing_entry *b, enum listing_key key)
{
    if (key == LISTING_SIZE)
        return compare_sizes(a->size, b->size);
    if (key == LISTING_TIME)
        return (a->modified > b->modified) - (a->modified < b->modified);
    return compare_names(a->name, b->name);
}

static int compare(const void *left, const void *right, void *arg)
{
    const struct listing_entry *a = left, *b = right;
    const struct listing_order *order = arg;
    if (a->directory != b->directory)
        return b->directory - a->directory;
    int result = compare_key(a, b, order->key);
    if (result)
        return order->descending ? -result : result;
    return compare_names(a->name, b->name);
}

/* ---- the job ---- */

static int read_directory(struct listing_job *job)
{
    struct reading r = {.job = job, .root = file_open_root(job->root, true)};
    if (r.root < 0)
        return r.root;
    int error = open_directory(&r);
    if (!error) {
        error = read_entries(&r);
        if (!error && is_closed(&r))
            error = -EACCES;
        closedir(r.directory);
    }
    file_close_root(job->root, r.root);
    return error;
}

void listing_job_run(void *arg)
{
    struct listing_job *job = arg;
    job->error = read_directory(job);
    if (job->error)
        listing_job_clear(job);
    else if (job->count)
        qsort_r(job->entries, job->count, sizeof *job->entries, compare, &job->order);
}

void listing_job_clear(struct listing_job *job)
{
    arena_clear(&job->names);
    free(job->entries);
    job->entries = NULL;
    job->count = job->room = 0;
    job->truncated = false;
}
