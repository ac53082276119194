/* orphan.c: see orphan.h. */
#include "proc/orphan.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

static pid_t parent;
static unsigned seconds; /* to live without it */

/* An alarm that is set already stays as it is: whoever sends another SIGTERM gains it no time. */
static void end_in_time(void)
{
    unsigned left = getppid() == parent ? 0 : alarm(seconds);
    if (left)
        alarm(left);
}

static void on_term(int number)
{
    (void)number;
    end_in_time();
}

static unsigned whole_seconds(nsec limit)
{
    static const nsec most = 1000000000;
    nsec rounded = limit / NSEC_SEC + (limit % NSEC_SEC != 0);
    return (unsigned)(rounded < 1 ? 1 : rounded < most ? rounded : most);
}

int orphan_watch(pid_t master, nsec limit)
{
    struct sigaction action = {.sa_handler = on_term, .sa_flags = SA_RESTART | SA_ONSTACK};
    parent = master;
    seconds = whole_seconds(limit);
    if (sigaction(SIGTERM, &action, NULL) < 0 || prctl(PR_SET_PDEATHSIG, SIGTERM) < 0)
        return -errno;
    end_in_time(); /* it may have gone before we asked */
    return 0;
}
