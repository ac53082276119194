/* compressor.h: makes the content of a response smaller on its way to whoever carries it.
 *
 * A compressor stands before the operations of an exchange, and takes their place until the exchange ends. Small pieces
 * of content are compressed where they come, on the loop, and few of them in one pass of it; everything else, and
 * whatever comes from a file, in jobs for the blocking pool. So no other thread waits for longer than it takes to
 * compress 32 KiB, about half a millisecond. A worker has two such jobs on its pool at once, each of a few
 * milliseconds, which leaves the pool to those who wait for the disk; further ones wait their turn. And it has a
 * bounded number of compressors, since each holds memory (http/encoder.h) for as long as its client takes to read.
 *
 * The result goes on when there is a buffer full of it, and at the end. An exchange has no way yet to say that its
 * producer pauses, and the protocol below also gathers what it is given; where that comes, it is ENCODER_FLUSH here.
 */
#ifndef TERN_POLICY_COMPRESSOR_H
#define TERN_POLICY_COMPRESSOR_H

#include "http/encoder.h"

enum { COMPRESSORS_MAX = 256 }; /* of a worker at once */

/* Puts a compressor before an exchange whose head is about to be written. `size` of its content, or
 * HTTP_LENGTH_UNKNOWN. 0; -EAGAIN: there are as many as there may be; -ENOMEM. */
int compressor_attach(struct exchange *x, enum coding coding, enum encoder_level level, int64_t size)
    __attribute__((warn_unused_result));

/* For others who compress on the pool: a turn, if one is free, to be given back. */
bool compressor_try_turn(void);
void compressor_end_turn(void);

#endif
