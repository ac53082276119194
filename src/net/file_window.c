/* file_window.c: see file_window.h. */
#include "net/file_window.h"

#include <errno.h>
#include <sys/uio.h>
#include <unistd.h>

#include "green/offload.h"

/* One page in so many bytes is looked at: the kernel reads ahead in large pieces. */
enum { PROBED = FILE_WINDOW / 2 };

struct warm_up {
    int fd;
    off_t at;
    size_t n;
};

/* On the pool: waits for the disk. What goes wrong, the one who sends it will meet, too. */
static void read_window(void *arg)
{
    const struct warm_up *job = arg;
    char bytes[16 * 1024];
    for (size_t done = 0; done < job->n;) {
        ssize_t got = pread(job->fd, bytes, sizeof bytes, job->at + (off_t)done);
        if (got <= 0)
            return;
        done += (size_t)got;
    }
}

static bool in_memory(int fd, off_t at)
{
    char byte;
    struct iovec piece = {&byte, 1};
    return preadv2(fd, &piece, 1, at, RWF_NOWAIT) == 1;
}

static bool window_in_memory(int fd, off_t at, size_t n)
{
    for (size_t probed = PROBED; probed < n; probed += PROBED)
        if (!in_memory(fd, at + (off_t)probed))
            return false;
    return in_memory(fd, at + (off_t)n - 1);
}

int file_warm(int fd, off_t at, size_t n)
{
    if (n == 0 || window_in_memory(fd, at, n))
        return 0;
    int error = green_offload(read_window, &(struct warm_up){fd, at, n}, NSEC_NEVER);
    return error == -ECANCELED ? error : 0;
}
