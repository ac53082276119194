/* inspect.h: what handlers may know of the server that they run in, and of the workers beside theirs.
 *
 * Set by the worker before it serves; in a process that only tries a configuration it is all zero.
 */
#ifndef TERN_HTTP_INSPECT_H
#define TERN_HTTP_INSPECT_H

#include "base/scoreboard.h"
#include "green/green.h"

struct http_inspection {
    const struct scoreboard *board; /* of all workers of this generation */
    size_t worker;                  /* this one's slot in it */
    unsigned generation;
    nsec started; /* the master */

    /* Asks the master what the control socket would be asked: the line of a verb that changes nothing. A descriptor of
     * a file in memory that has the answer, an object of JSON, to be closed by the caller; or -errno. */
    GREEN_WAITS int (*ask)(struct str line, nsec deadline);
};

extern struct http_inspection http_inspection;

#endif
