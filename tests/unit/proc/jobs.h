/* jobs.h: jobs for the tests of compute processes, and a plain caller that blocks. */
#ifndef TERN_TESTS_PROC_JOBS_H
#define TERN_TESTS_PROC_JOBS_H

#include <stdatomic.h>

#include "module/compute_message.h"

/* What the processes of a test share: jobs count there, and wait. */
struct jobs_board {
    atomic_uint counted; /* how often `count` has run */
    atomic_bool holding; /* `hold` runs ... */
    atomic_bool go;      /* ... until this is set */
    atomic_bool hanging; /* `hang` runs */
};

extern struct jobs_board *jobs_board;

/*   reverse   the input, turned round
 *   count     counts
 *   hold      see above
 *   pid       of the process that runs it
 *   refuse    -EACCES
 *   boast     more output than there is room
 *   babble    a number that means nothing
 *   fill      all the room there is
 *   crash     SIGSEGV
 *   leave     exit(3)
 *   hang      for ever
 * load() fails if there is a text at `modules`, with that. */
extern const struct compute_source jobs_source;

/* Makes the board. Before any fork. */
void jobs_open(void);

/* Puts a job into a queue; the read end of the pipe that its answer will come through. */
int jobs_send(int queue, const char *name, struct str in, size_t room, nsec deadline);

/* The answer; or -EPIPE: there is none. */
int64_t jobs_answer(int pipe);

/* Both, without a deadline. */
int64_t jobs_run(int queue, const char *name);

#endif
