/* file_encoded.c: see file_encoded.h. */
#include "handler/file_encoded.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/out.h"
#include "green/offload.h"
#include "net/stream.h"
#include "policy/compressor.h"

enum { FIELDS_SIZE = 512 }; /* beside those of the entry */

/* What the pool does. */
struct job {
    const struct file_entry *entry;
    enum coding coding;
    char *to;       /* room for as many bytes as the file has */
    ssize_t result; /* bytes; 0: it would be no smaller; -errno */
};

/* The whole of an open file, if it is still the version that its entry says. */
static int read_version(const struct file_entry *entry, char *to, size_t n)
{
    const struct file_stamp stamp = {entry->version.size, entry->version.modified};
    for (size_t done = 0; done < n;) {
        ssize_t got = pread(entry->fd, to + done, n - done, (off_t)done);
        if (got <= 0)
            return got < 0 ? -errno : -ESTALE;
        done += (size_t)got;
    }
    return file_still_is(entry->fd, &stamp) ? 0 : -ESTALE;
}

static void encode(void *arg)
{
    struct job *job = arg;
    size_t size = (size_t)job->entry->version.size;
    char *copy = job->entry->bytes ? NULL : malloc(size);
    const char *content = copy ? copy : job->entry->bytes;
    job->result = !content ? -ENOMEM : copy ? read_version(job->entry, copy, size) : 0;
    if (job->result == 0)
        job->result = encoder_whole(job->coding, ENCODER_SMALL, (struct str){content, size}, job->to);
    free(copy);
}

/* What the content has in common with its coded form. */
static void put_common_fields(struct out *o, const struct file_entry *entry)
{
    struct str rest = entry->fields;
    for (int i = 0; i < 2; i++) { /* Content-Type and Last-Modified */
        struct str line = str_cut(&rest, '\n');
        out_bytes(o, line.p, line.n + 1);
    }
    out_text(o, "ETag: ");
    if (!str_starts(entry->etag, STR("W/")))
        out_text(o, "W/");
    out_put(o, entry->etag);
    out_text(o, "\r\nVary: Accept-Encoding\r\n");
}

static void write_fields(struct file_encoded *encoded, const struct file_entry *entry, enum coding coding, char *to)
{
    struct out o = out_on(to, FIELDS_SIZE + entry->fields.n);
    put_common_fields(&o, entry);
    out_text(&o, "Content-Encoding: ");
    out_put(&o, coding_name(coding));
    out_text(&o, "\r\n");
    encoded->fields = out_str(&o);
}

struct str file_not_modified_fields(struct arena *arena, const struct file_entry *entry)
{
    size_t size = FIELDS_SIZE + entry->fields.n;
    char *text = arena_alloc(arena, size);
    if (!text)
        return (struct str){NULL, 0};
    struct out o = out_on(text, size);
    put_common_fields(&o, entry);
    return out_str(&o);
}

/* Fits the block to what has come out: content, then fields. */
static bool keep(struct file_encoded *encoded, struct file_entry *entry, const struct job *job)
{
    size_t n = (size_t)job->result;
    char *block = realloc(job->to, n + FIELDS_SIZE + entry->fields.n);
    if (!block)
        return false;
    encoded->bytes = block;
    encoded->n = n;
    write_fields(encoded, entry, job->coding, block + n);
    encoded->state = FILE_ENCODED;
    file_account(entry, (ssize_t)(sizeof *encoded + n + FIELDS_SIZE + entry->fields.n));
    return true;
}

void file_encoded_free(struct file_encoded *encoded)
{
    if (encoded)
        free(encoded->bytes);
    free(encoded);
}

/* What became of a job: 0, and the caller's to keep; else nobody's. */
static int run(struct job *job)
{
    job->to = malloc((size_t)job->entry->version.size);
    if (!job->to)
        return -ENOMEM;
    int error = green_offload(encode, job, NSEC_NEVER);
    if (!error && job->result < 0)
        error = (int)job->result;
    if (error || job->result == 0)
        free(job->to);
    return error;
}

/* Whoever comes while the pool is at it finds that somebody is. */
static struct file_encoded *make(struct file_entry *entry, enum coding coding)
{
    struct file_encoded *encoded = calloc(1, sizeof *encoded);
    struct job job = {.entry = entry, .coding = coding};
    if (!encoded)
        return NULL;
    entry->encoded[coding] = encoded;
    int error = run(&job);
    if (!error && job.result > 0 && keep(encoded, entry, &job))
        return encoded;
    if (!error && job.result == 0) {
        encoded->state = FILE_NOT_SMALLER;
        return NULL;
    }
    if (!error)
        free(job.to);
    entry->encoded[coding] = NULL; /* another try, next time */
    free(encoded);
    return NULL;
}

const struct file_encoded *file_encode(struct file_entry *entry, enum coding coding)
{
    const struct file_encoded *encoded = entry->encoded[coding];
    if (encoded)
        return encoded->state == FILE_ENCODED ? encoded : NULL;
    bool suits = entry->version.size > 0 && entry->version.size <= FILE_ENCODED_MAX;
    if (!suits || !compressor_try_turn())
        return NULL;
    encoded = make(entry, coding);
    compressor_end_turn();
    return encoded;
}
