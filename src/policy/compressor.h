/* compressor.h: makes the content of a response smaller on its way to whoever carries it.
 *
 * A compressor stands before the operations of an exchange, and takes their place until the exchange ends. Small pieces
 * of content are compressed where they come, on the loop, and few of them in one pass of it; so is a small rest at the
 * end. Everything else, and whatever comes from a file, goes to the blocking pool in jobs of a few milliseconds. So no
 * other thread waits for longer than it takes to compress 32 KiB, about half a millisecond.
 *
 * A worker has two such jobs at once, as long as that leaves a thread of the pool to those who wait for the disk;
 * further ones wait their turn. And it has a bounded number of compressors, since each holds memory (http/encoder.h)
 * for as long as its client takes to read. The result goes on when there is a buffer full of it, and at the end.
 */
#ifndef TERN_POLICY_COMPRESSOR_H
#define TERN_POLICY_COMPRESSOR_H

#include "http/encoder.h"

enum { COMPRESSORS_MAX = 256 }; /* of a worker at once */

/* Puts a compressor before an exchange whose head is about to be written. `size` of its content, or
 * HTTP_LENGTH_UNKNOWN. 0; -EAGAIN: there are as many as there may be; -ENOMEM. */
int compressor_attach(struct exchange *x, enum coding coding, enum encoder_level level, int64_t size)
    __attribute__((warn_unused_result));

/* A turn for somebody else who compresses on the pool. False: all are taken, and perhaps waited for. Who has got one
 * ends it when his job has run. */
bool compressor_try_turn(void) __attribute__((warn_unused_result));
void compressor_end_turn(void);

#endif
