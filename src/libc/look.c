/* look.c: see look.h. */
#include "libc/look.h"

#include <errno.h>

#include "green/poll.h"

int look_until(nsec deadline, look_fn *look, struct watch *watch)
{
    int before = errno;
    for (bool over = deadline == 0;;) {
        int found = look(watch);
        if (found < 0)
            return -1;
        if (found > 0 || over) {
            errno = before;
            return found;
        }
        int result = green_poll(watch->fds, watch->count, deadline);
        over = result == -ETIMEDOUT; /* what came in the last moment counts */
        if (result == -ECANCELED)
            green_give_way();
        if (result < 0 && !over) {
            errno = -result;
            return -1;
        }
    }
}
