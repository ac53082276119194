/* file_encoded.h: the content of a cached file, compressed here once and kept beside it.
 *
 * It is made on the blocking pool at the highest level that pays, since it will be sent often; whoever asks meanwhile
 * gets the file as it is. It lives and dies with its entry, so it is always of the same version. What does not become
 * smaller is remembered as such. Larger files are not kept: they are compressed while they are sent.
 */
#ifndef TERN_HANDLER_FILE_ENCODED_H
#define TERN_HANDLER_FILE_ENCODED_H

#include "handler/file_cache.h"

enum { FILE_ENCODED_MAX = 1 << 20 }; /* bytes of a file that is kept compressed */

struct file_encoded {
    enum { FILE_ENCODING, FILE_ENCODED, FILE_NOT_SMALLER } state;
    size_t n;
    struct str etag;   /* a weak one: the same bytes need not come out next time (RFC 9110, 8.8.1) */
    struct str fields; /* as of an entry, with Content-Encoding and Vary */
    char *bytes;       /* and the texts above, behind them */
};

/* The content of an entry, of which the caller has a reference, in a coding; NULL: it is to be sent as it is. */
const struct file_encoded *file_encode(struct file_entry *entry, enum coding coding);

void file_encoded_free(struct file_encoded *encoded);

#endif
