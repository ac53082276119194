/* mime.h: which media type a file has, by the extension of its name.
 *
 * The table is read from a mime.types file, one type a line with the extensions it has: "text/html html htm". `#`
 * starts a comment; what a later line says of an extension holds. Extensions are compared without regard to case.
 *
 * Texts whose encoding a browser would otherwise guess get "; charset=utf-8": all of text/ and application/javascript,
 * unless the file gives them a parameter of their own. JSON has no such parameter (RFC 8259, 11), and for XML, also
 * text/xml and image/svg+xml, it would overrule what the document itself declares (RFC 7303, 3.2).
 *
 * Everything, the types themselves too, lives in the arena given at the start, and ends with it. The table is cleaned
 * up from there, so it stays where it is until then.
 */
#ifndef TERN_HTTP_MIME_H
#define TERN_HTTP_MIME_H

#include "base/arena.h"
#include "base/hash.h"

#define HTTP_MIME_DEFAULT STR("application/octet-stream")

struct mime_types {
    struct hash by_extension; /* of struct mime_extension */
};

/* Reads the text of a mime.types file. 0; -EBADMSG, with the line in *line, counted from 1; -ENOMEM. */
int http_mime_parse(struct mime_types *types, struct arena *arena, struct str text, unsigned *line)
    __attribute__((warn_unused_result));

/* The same for a file: besides what http_mime_parse() says, what open() or read() failed with, and -EFBIG for a file
 * beyond 1 MiB; then *line is 0. */
int http_mime_load(struct mime_types *types, struct arena *arena, const char *path, unsigned *line)
    __attribute__((warn_unused_result));

/* The short table that is compiled in, for when there is no file. 0 or -ENOMEM. */
int http_mime_builtin(struct mime_types *types, struct arena *arena) __attribute__((warn_unused_result));

/* The type for a path, as it stands in a Content-Type field; HTTP_MIME_DEFAULT when its last segment has no extension
 * that the table knows. ".html" is a hidden file without one. */
struct str http_mime_of(const struct mime_types *types, struct str path);

#endif
