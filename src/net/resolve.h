/* resolve.h: from a name to addresses.
 *
 * Names are looked up on the blocking pool, a few at a time (green/pool_share.h), so that a name server that is silent
 * takes no thread from those who read files. Whoever asks for a name that is being looked up waits for the same answer.
 * A lookup has a green thread of its own: those who ask may give up, by their deadline or because they are cancelled,
 * and neither the others nor the lookup notice; one that has not begun when the last of them has gone is dropped.
 *
 * Answers are kept, and are the same for all of a worker: addresses for RESOLVE_KEPT, a failure for RESOLVE_FAILED. Of
 * RESOLVE_NAMES names at most, the one that nobody has asked for for longest gives way.
 */
#ifndef TERN_NET_RESOLVE_H
#define TERN_NET_RESOLVE_H

#include "green/green.h"
#include "net/addr.h"

enum {
    RESOLVE_MOST = 8,        /* addresses of a name that are used */
    RESOLVE_NAMES = 256,     /* that are known, or being looked up */
    RESOLVE_NAME_MOST = 253, /* bytes of a name (RFC 1035, 3.1: 255 octets as it is sent) */
};

#define RESOLVE_KEPT (10 * NSEC_SEC)
#define RESOLVE_FAILED NSEC_SEC

/* In the order in which they are to be tried. */
struct resolved {
    size_t count; /* at least one */
    struct addr addrs[RESOLVE_MOST];
};

/* Finds the addresses of a name, each with this port. An IP address (without brackets) and "unix:/path" or "unix:@name"
 * stand for themselves, and are answered without a wait. On an error *why says so, in words for a log; the text is
 * constant. 0;
 *
 *   -ENOENT      there is no such name;
 *   -ENODATA     it has no address;
 *   -EREMOTEIO   the name servers do not know, or do not answer;
 *   -EBUSY       too many names are being looked up;
 *   -EINVAL, -ENAMETOOLONG    it can't be a name;
 *   -ETIMEDOUT, -ECANCELED, -ENOMEM, -EAGAIN: no green thread is to be had, or -errno. */
int resolve(struct str name, uint16_t port, struct resolved *found, nsec deadline, const char **why) GREEN_WAITS;

/* Forgets all names, and waits for the lookups that have begun: whoever asks meanwhile gets -ECANCELED. For the end of
 * green_run(); afterwards it may all begin again. */
void resolve_end(void);

#endif
