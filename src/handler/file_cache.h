/* file_cache.h: files that are ready to be sent.
 *
 * Each worker has one cache. An entry is one version of one file: small ones with their content, larger ones as an open
 * descriptor; both with the header fields already written. It is looked at again on the disk at most once in the
 * `fresh` time its user allows, and dropped when the disk has another version. What is being sent stays as it was:
 * entries are counted.
 *
 * The first one who finds an entry missing or stale looks, on the loop if the kernel has everything in its caches, else
 * on the blocking pool; all others who come meanwhile wait for the same look. Least recently used entries go when
 * there is no room.
 */
#ifndef TERN_HANDLER_FILE_CACHE_H
#define TERN_HANDLER_FILE_CACHE_H

#include "base/hash.h"
#include "base/list.h"
#include "green/sync.h"
#include "handler/file_job.h"
#include "http/mime.h"

struct file_entry {
    struct hash_node node;
    struct list used;         /* in the order of use */
    size_t refs;              /* users, the cache among them */
    bool cached;              /* the cache is one of them */
    bool looking;             /* somebody looks at the disk ... */
    struct green_cond looked; /* ... and tells who waits for it here */
    int error;                /* what the look came to */
    nsec checked;             /* when it last was the disk's version */
    nsec current_at;          /* an open file was as its version says in that pass of the loop (green_now()) */
    nsec warm_until;          /* of an open file: until then its pages are taken to be in memory */
    struct file_version version;
    char *bytes; /* its content, or NULL: */
    int fd;      /* the open file */
    struct str etag;
    struct str fields; /* Content-Type, Last-Modified, ETag */
    size_t cost;       /* bytes of memory */
    char key[];        /* and the texts above, behind it */
};

/* Media types for the fields, and how many files may be kept open. Before the first use. */
void file_cache_setup(const struct mime_types *types, size_t open_files);

/* Gives up every file that is kept open, when descriptors have run out. False: there was none. */
bool file_cache_shed(void);

/* Makes the next file_acquire() look at the disk: this version was found to be an old one. */
void file_expire(struct file_entry *entry);

/* The present version of the file at `path` (relative) below the directory `root`. A counted entry in *entry, which
 * file_release() gives back; or -errno as of a file_job, or -EAGAIN when the pool is full, -ECANCELED. */
int file_acquire(const struct file_root *root, struct str path, nsec fresh, struct file_entry **entry)
    __attribute__((warn_unused_result));
void file_release(struct file_entry *entry);

/* Ends the cache of this worker. */
void file_cache_free(void);

#endif
