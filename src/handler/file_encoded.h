/* file_encoded.h: the content of a cached file, compressed here once and kept beside it.
 *
 * It is made on the blocking pool at the highest level that pays, since it will be sent often; whoever asks meanwhile,
 * or while the pool compresses enough already, gets the file as it is. It lives and dies with its entry, so it is
 * always of the same version. What does not become smaller is remembered as such. Larger files are not kept: they are
 * compressed while they are sent.
 */
#ifndef TERN_HANDLER_FILE_ENCODED_H
#define TERN_HANDLER_FILE_ENCODED_H

#include "handler/file_cache.h"

enum { FILE_ENCODED_MAX = 1 << 20 }; /* bytes of a file that is kept compressed */

struct file_encoded {
    enum { FILE_ENCODING, FILE_ENCODED, FILE_NOT_SMALLER } state;
    size_t n;
    struct str
        fields;  /* as of an entry, with Content-Encoding and Vary, and a weak tag: the same bytes need not come out
                          next time (RFC 9110, 8.8.1) */
    char *bytes; /* and the text above, behind it */
};

/* The content of an entry, of which the caller has a reference, in a coding; NULL: it is to be sent as it is. */
const struct file_encoded *file_encode(struct file_entry *entry, enum coding coding);

/* Whether it was tried, and did not become smaller. */
static inline bool file_is_incompressible(const struct file_entry *entry, enum coding coding)
{
    return entry->encoded[coding] && entry->encoded[coding]->state == FILE_NOT_SMALLER;
}

/* The fields of a 304 for content that would come compressed, in an arena; p is NULL when memory is out. */
struct str file_not_modified_fields(struct arena *arena, const struct file_entry *entry);

void file_encoded_free(struct file_encoded *encoded);

#endif
