/* notify.h: what the master tells the service manager that started it: the protocol of sd_notify(3).
 *
 * A message is one datagram to the socket that $NOTIFY_SOCKET names. Where there is none, nothing is sent, and nothing
 * is different for the caller. The manager listens to the main process only, so the master alone may call this.
 *
 * An upgrade hands the manager on in this order: notify_pass_on() in the child that becomes the new master; once that
 * is ready, notify_main_pid() by the old one; only then notify_ready() by the new one. The manager reads in the order
 * of sending, so it knows the new master before it hears from it.
 */
#ifndef TERN_PROC_NOTIFY_H
#define TERN_PROC_NOTIFY_H

#include <sys/socket.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/str.h"

struct notify {
    int fd; /* -1: nobody listens */
    struct sockaddr_un to;
    socklen_t size; /* of `to` */
    nsec watchdog;  /* longer than this without notify_alive(), and the manager ends us; 0: it does not look */
};

/* Reads the environment, and forgets there what it read, so that no program that is started later takes it for its
 * own. What can't be used counts as not there. */
void notify_open(struct notify *notify);

void notify_close(struct notify *notify);

/* In a child that is about to exec the next master: puts the environment back, the watchdog now for this process.
 * 0 or -ENOMEM. */
int notify_pass_on(const struct notify *notify) __attribute__((warn_unused_result));

/* A status is one line for people, which `systemctl status` shows; from a line break on it is left out. If the manager
 * does not take a message within a tenth of a second, it is lost. */

/* Every worker serves: at first, and again after notify_reloading(), however that ended. */
void notify_ready(const struct notify *notify, struct str status);

void notify_reloading(const struct notify *notify, struct str status);

/* No new connections from now on. */
void notify_stopping(const struct notify *notify, struct str status);

void notify_status(const struct notify *notify, struct str status);

/* Starting, reloading or stopping may take so much longer, from now on. */
void notify_extend(const struct notify *notify, nsec longer);

/* Every worker's heart beats. To be sent every half `watchdog`. */
void notify_alive(const struct notify *notify);

/* Another process is the main one from now on. 0, or -errno: the manager does not know it, and would take the end of
 * this process for the end of the service. */
int notify_main_pid(const struct notify *notify, pid_t pid) __attribute__((warn_unused_result));

#endif
