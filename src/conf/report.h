/* report.h: the reader of a configuration, and every error it finds.
 *
 * One run collects all errors, so that a file is corrected in one go. conf_report() prints them in the order of the
 * file, one a line:
 *
 *     tern.yaml:7:16: error: limits.header_size: 3g is out of range (1k to 1m)
 *
 * Functions that take a reader return 0, or -EINVAL when they have reported something, or -ENOMEM.
 */
#ifndef TERN_CONF_REPORT_H
#define TERN_CONF_REPORT_H

#include "conf/node.h"

#include <stdio.h>

enum { CONF_ERRORS_MAX = 50 }; /* kept and printed; later ones are counted */

struct conf_message {
    struct str file;
    unsigned line, col; /* 0: the file as a whole */
    struct str text;    /* path: reason */
};

struct conf_reader {
    struct arena *arena; /* the caller's: of the tree, and of what is read from it */
    bool must_start;     /* a server that does not start is worse than what is not worse than it was */
    size_t failed;       /* errors seen */
    size_t kept;         /* of them in `errors`, in the order of the file */
    struct conf_message errors[CONF_ERRORS_MAX];
};

void conf_reader_init(struct conf_reader *r, struct arena *arena);

/* Collects an error about a node: printf's format gives the reason, the path to the node is put before it. */
void conf_error(struct conf_reader *r, const struct conf_node *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same, where the node's key stands. */
void conf_error_key(struct conf_reader *r, const struct conf_node *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Collects an error about a place of a file; line 0: about the whole file. */
void conf_error_at(struct conf_reader *r, struct str file, unsigned line, unsigned col, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Whether anything has been reported. */
static inline bool conf_failed(const struct conf_reader *r)
{
    return r->failed > 0;
}

/* Prints what was collected, and "and N more" for what was only counted. */
void conf_report(const struct conf_reader *r, FILE *f);

#endif
