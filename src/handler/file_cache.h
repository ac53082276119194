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
#include "http/encoder.h"
#include "http/mime.h"

struct file_encoded; /* the content of a file, compressed here (file_encoded.h) */

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
    enum coding coding; /* that the file has by its name; CODING_NONE */
    unsigned present;   /* the codings, a bit for each, in which the disk has it too */
    char *bytes;        /* its content, or NULL: */
    int fd;             /* the open file */
    struct str type;    /* media type */
    int64_t modified;   /* as it says in Last-Modified */
    struct str etag;
    struct str fields; /* Content-Type first, in a line of its own; Last-Modified, ETag ... */
    struct file_encoded *encoded[CODING_COUNT];
    size_t cost; /* bytes of memory */
    char key[];  /* and the texts above, behind it */
};

/* Media types for the fields, and how many files may be kept open. Before the first use. */
void file_cache_setup(const struct mime_types *types, size_t open_files);

/* Gives up every file that is kept open, when descriptors have run out. False: there was none. */
bool file_cache_shed(void);

/* What is asked for. */
struct file_query {
    const struct file_root *root;
    struct str path;    /* below the root, relative */
    enum coding coding; /* not the file itself, but the one beside it whose name ends in the coding's suffix */
    unsigned wanted;    /* codings to look for beside it */
    nsec fresh;         /* how old the last look at the disk may be */
};

/* The present version of a file. A counted entry in *entry, which file_release() gives back; or -errno as of a
 * file_job, or -EAGAIN when the pool is full, -ECANCELED. */
int file_acquire(const struct file_query *query, struct file_entry **entry) __attribute__((warn_unused_result));
void file_release(struct file_entry *entry);

/* Makes the next file_acquire() look at the disk: this version was found to be an old one. */
void file_expire(struct file_entry *entry);

/* An entry has come to hold more, or fewer, bytes of memory. */
void file_account(struct file_entry *entry, ssize_t bytes);

/* Ends the cache of this worker. */
void file_cache_free(void);

#endif
