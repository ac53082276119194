/* bucket.h: how often each of many may do something, counted by all processes together.
 *
 * The measure is the generic cell rate algorithm, in the form of virtual scheduling (ITU-T I.371, 5.4.1.3; ATM Forum,
 * Traffic Management 4.1, C.2): of each client all that is kept is the time at which its next request is due. A request
 * may come early by so much that a burst passes; one that comes earlier does not count.
 *
 * The table is memory that processes share over fork(). It is a fixed number of slots in small sets; a client's set
 * follows from its key. Nobody ever waits: each word changes by a compare-and-swap of its own. A client that finds no
 * slot in its set takes over that of the client who is due soonest, so a flood of clients makes the table forget, and
 * first of all those of whom there is the least to remember. Between processes that race this may happen:
 *
 *   - two of them take over two slots for one client: it has the slot that is found first, and at most those requests
 *     pass once more that were counted in the other one;
 *   - one counts a request while another one takes the slot over: then it is not counted;
 *   - one is killed while it takes a slot over: that is nobody's then, until it is taken over again.
 *
 * So a client may get a few requests too many. No due time is ever further away than a burst from when it was written:
 * whatever happens, nobody is kept out for longer.
 */
#ifndef TERN_POLICY_BUCKET_H
#define TERN_POLICY_BUCKET_H

#include <stddef.h>

#include "base/clock.h"

struct bucket_rate {
    nsec interval; /* between two requests, on average */
    int64_t burst; /* that may come at once; 1 or more. interval * burst stays below 2^62 */
};

struct bucket_set;

struct bucket_table {
    struct bucket_set *sets;
    size_t mask; /* number of sets - 1; they are a power of two */
};

enum { BUCKET_SET = 8 }; /* slots of a set: two cache lines, which processors fetch in pairs */

/* An empty table with room for at least `clients`, in memory that is shared over fork(). 0 or -ENOMEM. */
int bucket_table_make(struct bucket_table *table, size_t clients) __attribute__((warn_unused_result));
void bucket_table_free(struct bucket_table *table);

/* Counts a request of a client at a point in time of the monotonic clock. The key is the client's hash, by a function
 * that no peer can foresee, so that nobody can crowd out another on purpose. 0: it passes; else how long it will be
 * until one would, and it is not counted. */
nsec bucket_take(const struct bucket_table *table, uint64_t key, const struct bucket_rate *rate, nsec now);

#endif
