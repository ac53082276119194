/* variable.h: texts of the configuration that have something of the request in them.
 *
 *     https://$host$uri     ${scheme}s     $$5
 *
 * `$name` and `${name}` stand for a variable, `$$` for a dollar. A text is compiled once, while the configuration is
 * read, and written for each request into its arena. In a file `${...}` is the environment (conf/env.h) and `$${` what
 * that leaves as `${`, so the form with braces is written `$${name}` there.
 *
 * What a peer chooses can't end a field, nor become a part of a URL that it was not meant to be: in a URL all but
 * $host, $scheme and what is encoded as it is ($uri, $path, $query) has every byte but the unreserved ones as %XX; in a
 * field control characters come out as `?`.
 */
#ifndef TERN_HTTP_VARIABLE_H
#define TERN_HTTP_VARIABLE_H

#include "conf/report.h"
#include "http/exchange.h"

/* A compiled text. */
struct http_text;

/* Compiles the text of a node into the reader's arena. 0, -EINVAL (a variable that does not exist: reported, with those
 * that do) or -ENOMEM. */
int http_text_compile(struct conf_reader *r, const struct conf_node *at, struct str text, const struct http_text **made)
    __attribute__((warn_unused_result));

/* Whether it has no variables; then *value is what it always is. */
bool http_text_is_fixed(const struct http_text *text, struct str *value);

/* What its variables tell of the request: a set of enum http_told. */
enum http_told {
    HTTP_TOLD_HOST = 1, /* whom it is for */
    HTTP_TOLD_URI = 2,  /* what of, in whole or in part */
};
unsigned http_text_tells(const struct http_text *text) __attribute__((pure));

/* What the text is to become. */
enum http_text_use { HTTP_TEXT_FIELD, HTTP_TEXT_URL };

/* Writes it for a request, into the exchange's arena. 0 or -ENOMEM. */
int http_text_write(struct exchange *x, const struct http_text *text, enum http_text_use use, struct str *value)
    __attribute__((warn_unused_result));

/* What it could become, for a look at its form: the host is `_` and the scheme http; $uri, $path and $query are as
 * given; all others are a space, which stands for whatever a peer might like to put there. p is NULL: no memory. */
struct str http_text_sample(struct arena *arena, const struct http_text *text, struct str path, struct str query);

/* Writes all variables that exist, for a message: "$host $uri ...". */
void http_text_variables(struct out *o);

#endif
