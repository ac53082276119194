/* listing.h: the contents of a directory as a page: HTML for people, JSON for whoever prefers it by Accept.
 *
 * `?sort=name|size|time&order=asc|desc` says in which order; other values, and other keys, mean nothing here.
 *
 * There is no validator. A directory's time of modification does not move when one of its files is written to, and an
 * entity tag would take all the work that it is to save. So caches may keep a listing, but must ask (no-cache).
 *
 * A worker reads few directories at one time, so that listings leave threads of the pool to files; and while the
 * listings that are being sent take too much memory already, it makes no more of them.
 */
#ifndef TERN_HANDLER_LISTING_H
#define TERN_HANDLER_LISTING_H

#include "handler/file_open.h"
#include "http/exchange.h"

/* Answers with the contents of the directory at `path`: relative to the root, in which the path of the request ends;
 * it ends in '/' or is empty. Dot files are listed if `hidden`.
 *
 * 0 or -errno. As long as x->response.status is 0 nothing was sent, and the error says why the directory can't be read:
 * -ENOMEM when there is no room for it, -EAGAIN when the pool is full. */
int listing_send(struct exchange *x, const struct file_root *root, struct str path, bool hidden) GREEN_WAITS;

#endif
