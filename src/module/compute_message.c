/* compute_message.c: see compute_message.h. */
#include "module/compute_message.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SEALS = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL };

int compute_queue_open(int queue[2])
{
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, queue) < 0 ? -errno : 0;
}

int compute_memory_open(size_t in, size_t room)
{
    int fd = memfd_create("tern-job", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return -errno;
    if (ftruncate(fd, (off_t)(compute_output_at(in) + room)) == 0 && fcntl(fd, F_ADD_SEALS, SEALS) == 0)
        return fd;
    int error = -errno;
    close(fd);
    return error;
}

bool compute_memory_fits(int memory, const struct compute_message *message)
{
    struct stat info;
    if (message->in > COMPUTE_BYTES_MAX || message->room > COMPUTE_BYTES_MAX || fstat(memory, &info) < 0)
        return false;
    int seals = fcntl(memory, F_GET_SEALS);
    return seals >= 0 && (seals & SEALS) == SEALS &&
           (size_t)info.st_size == compute_output_at(message->in) + message->room;
}

bool compute_answer_makes_sense(int64_t result, size_t room)
{
    return result >= COMPUTE_RESULT_LEAST && result <= (int64_t)room;
}
