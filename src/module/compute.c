/* compute.c: see compute.h. The side of the worker; that of the process is proc/compute_job.c. */
#include "module/compute.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "green/fd.h"
#include "green/sync.h"
#include "module/compute_message.h"
#include "net/rights.h"

enum { SLICE = 1 << 20 }; /* bytes that are copied before others have their turn */

static struct {
    bool open;
    struct green_fd queue;
    struct green_mutex sending; /* one thread waits for the queue at a time; the others wait for it, in order */
} client;

void compute_client_init(int queue)
{
    client.open = queue >= 0;
    green_fd_init(&client.queue, queue);
    green_mutex_init(&client.sending);
}

void compute_client_free(void)
{
    if (client.open)
        green_fd_release(&client.queue);
    client.open = false;
}

/* ---- the memory of a job ---- */

/* To the file a memory is, its limits are those of a disk. */
static int no_memory(int error)
{
    return error == -ENOSPC || error == -EFBIG ? -ENOMEM : error;
}

/* pread() or pwrite(), of one slice. */
typedef ssize_t transfer_fn(int fd, char *bytes, size_t n, off_t at);

static ssize_t get(int fd, char *bytes, size_t n, off_t at)
{
    return pread(fd, bytes, n, at);
}

static ssize_t put(int fd, char *bytes, size_t n, off_t at)
{
    return pwrite(fd, bytes, n, at);
}

static int transfer(transfer_fn *fn, int memory, char *bytes, size_t n, size_t at)
{
    for (size_t done = 0; done < n;) {
        size_t left = n - done;
        ssize_t moved = fn(memory, bytes + done, left < SLICE ? left : SLICE, (off_t)(at + done));
        if (moved <= 0)
            return moved < 0 ? no_memory(-errno) : -EIO;
        done += (size_t)moved;
        int error = done < n ? green_yield() : 0;
        if (error)
            return error;
    }
    return 0;
}

/* ---- a job on its way ---- */

static int send_when_there_is_room(const struct compute_message *message, const int fds[static COMPUTE_FDS])
{
    for (;;) {
        int error = rights_send(client.queue.fd, message, sizeof *message, fds, COMPUTE_FDS);
        if (error == -EAGAIN)
            error = green_fd_writable(&client.queue, message->deadline);
        else
            return error == -ECONNRESET ? -EPIPE : error == -ETOOMANYREFS ? -EMFILE : error;
        if (error)
            return error;
    }
}

static int post(const struct compute_message *message, const int fds[static COMPUTE_FDS])
{
    int error = green_mutex_lock(&client.sending, message->deadline);
    if (error)
        return error;
    error = send_when_there_is_room(message, fds);
    green_mutex_unlock(&client.sending);
    return error;
}

/* The end of the pipe without an answer: at its deadline a job is killed, else it has crashed. */
static int explain_end(nsec deadline)
{
    return clock_monotonic() >= deadline ? -ETIMEDOUT : -EPIPE;
}

static int read_answer(struct green_fd *pipe, size_t room, nsec deadline)
{
    for (;;) {
        struct compute_answer answer;
        int error = green_fd_readable(pipe, deadline);
        if (error)
            return error;
        ssize_t got = read(pipe->fd, &answer, sizeof answer);
        if (got == 0)
            return explain_end(deadline);
        if (got == sizeof answer)
            return compute_answer_makes_sense(answer.result, room) ? (int)answer.result : -EPIPE;
        if (got > 0)
            return -EPIPE;
        if (errno != EAGAIN && errno != EINTR)
            return -errno;
    }
}

static int await_answer(int fd, size_t room, nsec deadline)
{
    struct green_fd pipe;
    green_fd_init(&pipe, fd);
    int result = read_answer(&pipe, room, deadline);
    green_fd_release(&pipe);
    return result;
}

static int run_in(int memory, const struct compute_message *message, struct str in, void *out)
{
    int ends[2];
    int error = transfer(put, memory, (char *)in.p, in.n, 0);
    if (error)
        return error;
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
        return -errno;
    error = post(message, (const int[COMPUTE_FDS]){[COMPUTE_MEMORY] = memory, [COMPUTE_ANSWER] = ends[1]});
    close(ends[1]); /* ours would hide the end of the other */
    int result = error ? error : await_answer(ends[0], message->room, message->deadline);
    close(ends[0]);
    if (result > 0)
        error = transfer(get, memory, out, (size_t)result, compute_output_at(in.n));
    return error ? error : result;
}

int compute_run(const char *name, struct str in, void *out, size_t room, nsec deadline)
{
    size_t length = strnlen(name, COMPUTE_NAME_SIZE);
    if (!client.open)
        return -ENOTSUP;
    if (length == COMPUTE_NAME_SIZE || in.n > COMPUTE_BYTES_MAX || room > COMPUTE_BYTES_MAX)
        return -EMSGSIZE;
    if (deadline <= green_now())
        return -ETIMEDOUT;
    struct compute_message message = {.in = (uint32_t)in.n, .room = (uint32_t)room, .deadline = deadline};
    memcpy(message.name, name, length);
    int memory = compute_memory_open(in.n, room);
    if (memory < 0)
        return no_memory(memory);
    int result = run_in(memory, &message, in, out);
    close(memory);
    return result;
}
