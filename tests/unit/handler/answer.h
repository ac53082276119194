/* answer.h: an exchange without a connection, whose response is kept for the test to look at. Its request has no
 * content, unless the test gives it some. */
#ifndef TERN_TESTS_HANDLER_ANSWER_H
#define TERN_TESTS_HANDLER_ANSWER_H

#include "http/exchange.h"

struct answer {
    struct exchange x;
    struct http_field accept; /* the only field of the request; none without a value */
    int status;               /* of the head; 0: none came */
    struct str fields;
    int64_t length;
    char *content;
    size_t n, size;
    size_t pieces;      /* in which the content came */
    size_t files;       /* how many of them from an open file */
    size_t flushes;     /* at the last of them ... */
    size_t flushed;     /* ... so many bytes of content had come */
    size_t fail_from;   /* the piece that fails, and all after it: from 1; 0: none */
    void (*sent)(void); /* called after a piece from an open file */
    bool ended;
    struct str body; /* content of the request that has not been read yet; it comes in pieces ... */
    size_t piece;    /* ... of so many bytes */
    int body_error;  /* what comes after it; 0: its end */
};

/* A GET (or another method) of a path and query, both as http_uri_parse() leaves them. */
void answer_begin(struct answer *a, enum method method, const char *path, const char *query, const char *accept);
void answer_end(struct answer *a);

/* The content. */
struct str answer_content(const struct answer *a);

/* Whether it contains this; and how often. */
bool answer_has(const struct answer *a, const char *part);
size_t answer_times(const struct answer *a, const char *part);

/* Whether the head has this whole line, without its CRLF. */
bool answer_has_field(const struct answer *a, const char *line);

#endif
