/* compute_message.h: how a job travels from a worker to a compute process.
 *
 * One message of the queue, with two descriptors: the memory of the job, a memfd of fixed size, and the end of a pipe
 * that the answer is to be written to. A pipe that ends without an answer says that the process is gone. Both sides are
 * of one generation and so of one binary; nevertheless neither believes what the other says without looking.
 */
#ifndef TERN_MODULE_COMPUTE_MESSAGE_H
#define TERN_MODULE_COMPUTE_MESSAGE_H

#include "module/compute.h"

struct compute_message {
    char name[COMPUTE_NAME_SIZE]; /* ends in NUL */
    uint32_t in, room;            /* bytes */
    nsec deadline;                /* of the monotonic clock, which is the same in all processes */
};

struct compute_answer {
    int64_t result; /* bytes of output, or -errno */
};

enum { COMPUTE_MEMORY, COMPUTE_ANSWER, COMPUTE_FDS }; /* in this order */

/* Where in the memory the output is: aligned, and behind at least one byte that stays zero. */
static inline size_t compute_output_at(size_t in)
{
    enum { ALIGNMENT = 64 };
    return (in / ALIGNMENT + 1) * ALIGNMENT;
}

/* A pair of sockets: workers write to the first, compute processes read from the second. 0 or -errno. */
int compute_queue_open(int queue[2]) __attribute__((warn_unused_result));

/* Whether the memory that a message came with is what the message says, and stays so. */
bool compute_memory_fits(int memory, const struct compute_message *message);

/* A sealed memory for a job. The descriptor, or -errno. */
int compute_memory_open(size_t in, size_t room) __attribute__((warn_unused_result));

/* Whether an answer means anything where there is so much room. */
bool compute_answer_makes_sense(int64_t result, size_t room);

#endif
