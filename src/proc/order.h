/* order.h: what `tern -s` tells the master of a running server, by signals. */
#ifndef TERN_PROC_ORDER_H
#define TERN_PROC_ORDER_H

#include <stdbool.h>
#include <sys/types.h>

struct order {
    const char *name;
    int signals[2]; /* one after the other; 0: none */
};

/* The order of that name, or NULL. */
const struct order *order_find(const char *name);

/* The master that listens on a control socket, by what the kernel knows; or -errno as connect(). Its socket may be
 * busy, its loop may hang: it is found all the same. */
pid_t order_find_master(const char *control) __attribute__((warn_unused_result));

/* Whether that process may well be a tern: it is called what we are called. A pid file may be older than the process
 * that has its number now. */
bool order_fits(pid_t master);

/* 0 or -errno. */
int order_send(const struct order *order, pid_t master) __attribute__((warn_unused_result));

#endif
