/* listing_share.h: listings, each made once for all who wait for it, and what they may take of a worker.
 *
 * To read a large directory, put it in order and write its page takes some 30 ms of a thread of the pool. So few of
 * them are made at one time (pool_share.h). The others wait for their turn, and who asks for one that waits already
 * shares it. A listing that is being read is joined no more: it may be past a change of the directory that the newcomer
 * knows of.
 *
 * Nothing but the text is kept while it is sent, and of large ones that are the same only one. All that are large have
 * a bound together: peers that read slowly can keep others from further large listings, but from nothing else. Small
 * ones always pass.
 */
#ifndef TERN_HANDLER_LISTING_SHARE_H
#define TERN_HANDLER_LISTING_SHARE_H

#include "green/green.h"
#include "handler/listing_page.h"

enum {
    LISTING_WAITING = 64,        /* for a turn */
    LISTING_SMALL = 64 * 1024,   /* bytes of text that count for nothing */
    LISTING_TOGETHER = 64 << 20, /* bytes of all larger texts */
};

struct listing; /* a counted one */

/* What is asked for. */
struct listing_query {
    const struct file_root *root;
    struct str path; /* of the directory, as of a listing_job */
    struct str name; /* as of a listing_page */
    bool hidden;
    struct listing_order order;
    const struct listing_format *format;
};

/* The listing as it is after this call. 0, or -errno as of a listing_job or listing_page_make(); -EBUSY: too many wait
 * already; -ETIMEDOUT: the deadline came before its turn, or its end; -ENOBUFS: the large ones that are being sent take
 * all they may; -EAGAIN: the pool is full; -ECANCELED. */
int listing_acquire(const struct listing_query *query, nsec deadline, struct listing **listing) GREEN_WAITS;
void listing_release(struct listing *listing);

/* Its text, until it is released. */
struct str listing_text(const struct listing *listing);

#endif
