/* file_cache.c: see file_cache.h. */
#include "handler/file_cache.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/out.h"
#include "green/offload.h"
#include "handler/file_encoded.h"
#include "http/date.h"

enum {
    ENTRIES_MAX = 4096,
    PATH_SIZE = 4096,
    SUFFIX_SIZE = 8,
    FIELDS_SIZE = 512, /* beside the media type */
};
#define MEMORY_MAX ((size_t)64 << 20)

static struct {
    struct hash entries;
    struct list used; /* the next to go first */
    size_t memory, open, open_max;
    const struct mime_types *types;
} cache;

void file_cache_setup(const struct mime_types *types, size_t open_files)
{
    cache.types = types;
    cache.open_max = open_files;
}

void file_release(struct file_entry *entry)
{
    if (--entry->refs)
        return;
    if (entry->fd >= 0)
        close(entry->fd);
    for (enum coding coding = 0; coding < CODING_COUNT; coding++)
        file_encoded_free(entry->encoded[coding]);
    free(entry->bytes);
    free(entry);
}

static void drop(struct file_entry *entry)
{
    if (!entry->cached)
        return;
    entry->cached = false;
    hash_remove(&cache.entries, &entry->node);
    list_unlink(&entry->used);
    cache.memory -= entry->cost;
    cache.open -= entry->fd >= 0;
    file_release(entry);
}

static void make_room(void)
{
    while (cache.entries.count > ENTRIES_MAX || cache.memory > MEMORY_MAX || cache.open > cache.open_max)
        drop(container_of(cache.used.next, struct file_entry, used));
}

bool file_cache_shed(void)
{
    size_t before = cache.open;
    hash_each (node, next, &cache.entries) {
        struct file_entry *entry = container_of(node, struct file_entry, node);
        if (entry->fd >= 0)
            drop(entry);
    }
    return before > 0;
}

void file_account(struct file_entry *entry, ssize_t bytes)
{
    entry->cost += (size_t)bytes;
    if (!entry->cached)
        return;
    cache.memory += (size_t)bytes;
    make_room();
}

void file_expire(struct file_entry *entry)
{
    entry->checked = INT64_MIN / 2;
}

/* `fields`: bytes of header fields to come. */
static struct file_entry *make(struct str key, size_t fields)
{
    struct file_entry *entry = malloc(sizeof *entry + key.n + fields);
    if (!entry)
        return NULL;
    *entry = (struct file_entry){.fd = -1, .refs = 1};
    memcpy(entry->key, key.p, key.n);
    entry->node.key = (struct str){entry->key, key.n};
    entry->cost = sizeof *entry + key.n + fields;
    list_init(&entry->used);
    green_cond_init(&entry->looked);
    return entry;
}

/* Puts an entry in, which becomes one reference more. */
static int insert(struct file_entry *entry)
{
    if (!cache.entries.chains) {
        list_init(&cache.used);
        int error = hash_init(&cache.entries, ENTRIES_MAX / 4);
        if (error)
            return error;
    }
    int error = hash_insert(&cache.entries, &entry->node);
    if (error)
        return error;
    entry->refs++;
    entry->cached = true;
    list_push_back(&cache.used, &entry->used);
    cache.memory += entry->cost;
    cache.open += entry->fd >= 0;
    return 0;
}

/* Within a second of its last change a file may change again without a newer time: then its tag is a weak one (RFC
 * 9110, 8.8.1 and 8.8.2.2). */
static bool is_young(const struct file_version *version)
{
    return version->modified.tv_sec >= time(NULL) - 1;
}

/* The coding is a part of it: two files made from one often have its time, and may have one size (8.8.3). */
static struct str write_etag(struct out *o, const struct file_version *version, enum coding coding)
{
    char *etag = o->at;
    if (is_young(version))
        out_text(o, "W/");
    out_char(o, '"');
    out_hex(o, (uint64_t)version->modified.tv_sec * 1000000000 + (uint64_t)version->modified.tv_nsec);
    out_char(o, '-');
    out_hex(o, (uint64_t)version->size);
    if (coding != CODING_NONE)
        out_put(o, coding_suffix(coding));
    out_char(o, '"');
    return str_range(etag, o->at);
}

static const struct str vary = STR_INIT("Vary: Accept-Encoding\r\n");

/* The header fields, written once for all requests to come. */
static void write_fields(struct file_entry *entry, const struct file_query *query)
{
    char date[HTTP_DATE_SIZE];
    struct out o = out_on(entry->key + entry->node.key.n, FIELDS_SIZE + entry->type.n);
    int64_t now = time(NULL), modified = entry->version.modified.tv_sec;
    entry->modified = modified < now ? modified : now; /* nothing is newer than its Date (RFC 9110, 8.8.2.1) */
    http_date_write(date, entry->modified);
    out_text(&o, "Content-Type: ");
    out_put(&o, entry->type);
    out_text(&o, "\r\nLast-Modified: ");
    out_bytes(&o, date, sizeof date);
    out_text(&o, "\r\nETag: ");
    entry->etag = write_etag(&o, &entry->version, query->coding);
    out_text(&o, "\r\nAccept-Ranges: bytes\r\n");
    if (query->coding != CODING_NONE) {
        out_text(&o, "Content-Encoding: ");
        out_put(&o, coding_name(query->coding));
        out_text(&o, "\r\n");
    }
    entry->fields = out_str(&o);
    out_put(&o, vary); /* which may or may not count: see set_present() */
}

/* Whether there is a choice is for caches to know. */
static void set_present(struct file_entry *entry, const struct file_query *query, unsigned present)
{
    entry->present = present;
    entry->fields.n -= str_ends(entry->fields, vary) ? vary.n : 0;
    if (present || query->coding != CODING_NONE)
        entry->fields.n += vary.n;
}

static void fill(struct file_entry *entry, const struct file_job *job, const struct file_query *query)
{
    entry->version = job->version;
    entry->bytes = job->bytes;
    entry->fd = job->fd;
    if (entry->bytes)
        entry->cost += (size_t)job->version.size;
    write_fields(entry, query);
    set_present(entry, query, job->present);
}

/* The job found another version than `old` (or there was none): a new entry takes its place. */
static int replace(struct file_entry *old, const struct file_job *job, const struct file_query *query,
                   struct file_entry **entry)
{
    struct str type = http_mime_of(cache.types, query->path);
    struct file_entry *fresh = make(old->node.key, FIELDS_SIZE + type.n);
    if (!fresh) {
        free(job->bytes);
        if (job->fd >= 0)
            close(job->fd);
        return -ENOMEM;
    }
    drop(old);
    fresh->type = type;
    fresh->coding = query->coding;
    fill(fresh, job, query);
    fresh->checked = green_now();
    (void)!insert(fresh); /* without memory for that it just serves this once */
    make_room();
    *entry = fresh;
    return 0;
}

/* Runs the job where it may run; while it is on the pool, others wait for `entry`. */
static int run_job(struct file_entry *entry, struct file_job *job)
{
    file_job_run(job);
    if ((job->error == -EMFILE || job->error == -ENFILE) && file_cache_shed())
        file_job_run(job);
    if (job->error != -EAGAIN)
        return job->error;
    job->may_block = true;
    entry->looking = true;
    int error = green_offload(file_job_run, job, NSEC_NEVER);
    entry->looking = false;
    return error ? error : job->error;
}

/* Whether the entry would be written as it was: a tag that was weak may have become a strong one. */
static bool is_settled(const struct file_entry *entry)
{
    return entry->fields.n > 0 && (!str_starts(entry->etag, STR("W/")) || is_young(&entry->version));
}

/* Looks at the disk for an entry, new or stale, that the caller has a reference to, and gives that up for one to what
 * was found. */
static int look(struct file_entry *entry, const struct file_query *query, struct file_entry **found)
{
    char name[PATH_SIZE + SUFFIX_SIZE];
    struct out o = out_on(name, sizeof name);
    out_put(&o, query->path);
    if (query->coding != CODING_NONE)
        out_put(&o, coding_suffix(query->coding));
    out_char(&o, '\0');
    struct file_job job = {.root = query->root, .path = name, .wanted = query->wanted};
    job.known = is_settled(entry) ? &entry->version : NULL;
    int error = run_job(entry, &job);
    bool passes = error && file_error_passes(error) && entry->fields.n > 0; /* better an old look than none */
    if (passes || (!error && job.unchanged)) {
        entry->checked = green_now();
        set_present(entry, query, passes ? entry->present : job.present);
        *found = entry;
        error = 0;
    } else {
        if (!error)
            error = replace(entry, &job, query, found);
        entry->error = error;
        drop(entry);
    }
    green_cond_broadcast(&entry->looked);
    if (error || *found != entry)
        file_release(entry);
    return error;
}

static struct file_entry *find(struct str key)
{
    struct hash_node *node = cache.entries.chains ? hash_find(&cache.entries, key) : NULL;
    return node ? container_of(node, struct file_entry, node) : NULL;
}

static bool is_fresh(const struct file_entry *entry, nsec fresh)
{
    return green_now() - entry->checked < fresh;
}

static int wait_for_look(struct file_entry *entry)
{
    entry->refs++;
    int error = 0;
    while (entry->looking && !error)
        error = green_cond_wait(&entry->looked, NULL, NSEC_NEVER);
    if (!error && entry->error != -ECANCELED) /* that one was cancelled, not we: the next look is ours */
        error = entry->error;
    file_release(entry);
    return error;
}

/* What an entry is found by: the root, the coding, and the path. 0: there is no room for it. */
static size_t write_key(const struct file_query *query, char *to, size_t size)
{
    struct out o = out_on(to, size);
    out_bytes(&o, &query->root->fd, sizeof query->root->fd);
    out_char(&o, (char)query->coding);
    out_put(&o, query->path);
    return o.full ? 0 : out_len(&o);
}

int file_acquire(const struct file_query *query, struct file_entry **found)
{
    char bytes[PATH_SIZE];
    struct str key = {bytes, write_key(query, bytes, sizeof bytes)};
    if (key.n == 0)
        return -ENAMETOOLONG;
    struct file_entry *entry = find(key);
    while (entry && entry->looking) {
        int error = wait_for_look(entry);
        if (error)
            return error;
        entry = find(key);
    }
    if (entry && is_fresh(entry, query->fresh)) {
        list_unlink(&entry->used);
        list_push_back(&cache.used, &entry->used);
        entry->refs++;
        *found = entry;
        return 0;
    }
    if (entry) {
        entry->refs++;
    } else {
        entry = make(key, 0);
        if (!entry)
            return -ENOMEM;
        (void)!insert(entry); /* so that others find it while we look */
    }
    return look(entry, query, found);
}

void file_cache_free(void)
{
    hash_each (node, next, &cache.entries)
        drop(container_of(node, struct file_entry, node));
    hash_free(&cache.entries);
}
