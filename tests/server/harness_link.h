/* harness_link.h: a network between a test and its server that delays, loses and reorders packets, or is cut.
 *
 * Each side has a network namespace of its own, with one TUN device; a process carries the packets from one to the
 * other as the rules say. It takes the rights of root, and harness_skip()s where they are not to be had.
 */
#ifndef TERN_TESTS_SERVER_HARNESS_LINK_H
#define TERN_TESTS_SERVER_HARNESS_LINK_H

#include <stdatomic.h>

#define LINK_SERVER "10.99.0.1"
#define LINK_CLIENT "10.99.0.2"

struct link_rules {
    atomic_uint delay;   /* milliseconds, each way */
    atomic_uint lost;    /* percent */
    atomic_uint hurried; /* percent that are not delayed, and so overtake others */
    atomic_bool cut;     /* nothing gets through */
};

/* From here on the test is where the server is to be, alone with it: before server_start(). */
struct link_rules *link_begin(void);

/* From here on it is where the clients are. */
void link_cross(void);

#endif
