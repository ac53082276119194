/* file_encoded.c: see file_encoded.h. */
#include "handler/file_encoded.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/out.h"
#include "green/offload.h"

enum { FIELDS_SIZE = 512 }; /* beside those of the entry */

/* What the pool does. */
struct job {
    const struct file_entry *entry;
    enum coding coding;
    char *to;       /* room for as many bytes as the file has */
    ssize_t result; /* bytes; 0: it would be no smaller; -errno */
};

static int read_all(int fd, char *to, size_t n)
{
    for (size_t done = 0; done < n;) {
        ssize_t got = pread(fd, to + done, n - done, (off_t)done);
        if (got <= 0)
            return got < 0 ? -errno : -ESTALE;
        done += (size_t)got;
    }
    return 0;
}

static void encode(void *arg)
{
    struct job *job = arg;
    size_t size = (size_t)job->entry->version.size;
    char *copy = job->entry->bytes ? NULL : malloc(size);
    const char *content = copy ? copy : job->entry->bytes;
    job->result = !content ? -ENOMEM : copy ? read_all(job->entry->fd, copy, size) : 0;
    if (job->result == 0)
        job->result = encoder_whole(job->coding, ENCODER_SMALL, (struct str){content, size}, job->to);
    free(copy);
}

static void write_fields(struct file_encoded *encoded, const struct file_entry *entry, enum coding coding, char *to)
{
    struct str rest = entry->fields;
    struct out o = out_on(to, FIELDS_SIZE + entry->fields.n);
    for (int i = 0; i < 2; i++) { /* Content-Type and Last-Modified */
        struct str line = str_cut(&rest, '\n');
        out_bytes(&o, line.p, line.n + 1);
    }
    out_text(&o, "ETag: ");
    char *etag = o.at;
    if (!str_starts(entry->etag, STR("W/")))
        out_text(&o, "W/");
    out_put(&o, entry->etag);
    encoded->etag = str_range(etag, o.at);
    out_text(&o, "\r\nContent-Encoding: ");
    out_put(&o, coding_name(coding));
    out_text(&o, "\r\nVary: Accept-Encoding\r\n");
    encoded->fields = out_str(&o);
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

static struct file_encoded *make(struct file_entry *entry, enum coding coding)
{
    struct file_encoded *encoded = calloc(1, sizeof *encoded);
    struct job job = {.entry = entry, .coding = coding, .to = malloc((size_t)entry->version.size)};
    int error = encoded && job.to ? 0 : -ENOMEM;
    entry->encoded[coding] = encoded;
    if (!error)
        error = green_offload(encode, &job, NSEC_NEVER);
    if (!error)
        error = job.result < 0 ? (int)job.result : 0;
    if (!error && job.result > 0 && keep(encoded, entry, &job))
        return encoded;
    free(job.to);
    if (!error && job.result == 0) {
        encoded->state = FILE_NOT_SMALLER;
        return NULL;
    }
    entry->encoded[coding] = NULL; /* another try, next time */
    free(encoded);
    return NULL;
}

const struct file_encoded *file_encode(struct file_entry *entry, enum coding coding)
{
    const struct file_encoded *encoded = entry->encoded[coding];
    if (entry->version.size == 0 || entry->version.size > FILE_ENCODED_MAX)
        return NULL;
    if (!encoded)
        return make(entry, coding);
    return encoded->state == FILE_ENCODED ? encoded : NULL;
}
