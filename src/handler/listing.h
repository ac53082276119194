/* listing.h: the contents of a directory as a page: HTML for people, JSON for whoever prefers it by Accept.
 *
 * `?sort=name|size|time&order=asc|desc` says in which order; other values, and other keys, mean nothing here.
 *
 * There is no validator. A directory's time of modification does not move when one of its files is written to, and an
 * entity tag would take all the work that it is to save. So caches may keep a listing, but must ask (no-cache).
 *
 * How many are made at one time, and what they may take, says listing_share.h. Who has waited for ten seconds, or would
 * be one too many, gets 503 with Retry-After.
 */
#ifndef TERN_HANDLER_LISTING_H
#define TERN_HANDLER_LISTING_H

#include "handler/file_open.h"
#include "http/exchange.h"

/* Answers with the contents of the directory at `path`: relative to the root, in which the path of the request ends;
 * it ends in '/' or is empty. Dot files are listed if `hidden`.
 *
 * 0 or -errno. As long as x->response.status is 0 nothing was sent, and the error says why the directory can't be
 * listed. */
int listing_send(struct exchange *x, const struct file_root *root, struct str path, bool hidden) GREEN_WAITS;

#endif
