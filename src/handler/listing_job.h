/* listing_job.h: what is in a directory, in order.
 *
 * To read a directory and look at each of its entries may wait for the disk as often as it has entries, so the job is
 * for the blocking pool only. It touches nothing but itself.
 *
 * What can't be served is left out: dot files unless `hidden`, whatever is neither a regular file nor a directory, and
 * symbolic links that file_open() would not follow. A link that it would follow is listed with the kind, size and time
 * of its target. A directory that changes meanwhile is listed as each entry was when it was looked at. One that may be
 * read but not searched is -EACCES, unless it is empty.
 *
 * Both time and memory have a bound: of a directory with more than LISTING_MAX entries, or more than LISTING_READ names
 * of any kind, the first ones found are listed, whatever they are.
 */
#ifndef TERN_HANDLER_LISTING_JOB_H
#define TERN_HANDLER_LISTING_JOB_H

#include "base/arena.h"
#include "handler/file_open.h"

enum { LISTING_MAX = 10 * 1000, LISTING_READ = 10 * LISTING_MAX };

enum listing_key { LISTING_NAME, LISTING_SIZE, LISTING_TIME };

/* Directories come first in any order. Names are ordered as people count: "x9" before "x10". */
struct listing_order {
    enum listing_key key;
    bool descending;
};

struct listing_entry {
    struct str name; /* any bytes but '/' and NUL */
    bool directory;
    uint64_t size;    /* bytes; 0 for a directory */
    int64_t modified; /* seconds since 1970-01-01 00:00:00 UTC */
};

struct listing_job {
    const struct file_root *root;
    struct str path; /* of the directory, relative; ends in '/' or is empty */
    bool hidden;     /* dot files are listed */
    struct listing_order order;
    /* results: */
    int error; /* 0 or -errno */
    struct listing_entry *entries;
    size_t count;
    bool truncated; /* there are more */
    size_t room;    /* for entries, while the job runs */
    struct arena names;
};

/* Runs a struct listing_job whose results are zero: a function for green_offload(). */
void listing_job_run(void *job);

/* Gives back what the job found, and makes it ready to be run again. */
void listing_job_clear(struct listing_job *job);

#endif
