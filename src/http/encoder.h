/* encoder.h: content codings (RFC 9110, 8.4.1): which one a request gets, and what makes it.
 *
 * Each library that compresses is seen by one file, encoder_*.c, and from here they all look alike:
 *
 *     struct encoder *encoder;
 *     int more = encoder_open(&encoder, CODING_BR, ENCODER_BALANCED, size);
 *     ...
 *     do {
 *         struct out o = out_on(buffer, sizeof buffer);
 *         more = encoder_run(encoder, &piece, ENCODER_TAKE, &o);
 *         ... out_str(&o) is a piece of the result
 *     } while (more > 0);
 *
 * Neither content nor result is ever held as a whole. What a stream holds between two calls is bounded by small
 * windows, smaller still for content that is known to be small. Measured on 6 MB of HTML: the size of the result, the
 * time for a MiB, and the memory. Small contents cost more for a byte: 2 KiB take 20 to 70 us, and leave 30 to 40 %. Of
 * the stack, the libraries use 18 KiB at most.
 *
 *              window    fast                     balanced                 small
 *     br       64 KiB    12.7 %   6 ms  650 KiB   11.8 %   8 ms  630 KiB   10.2 %  16 ms  940 KiB
 *     zstd     64 KiB    14.8 %   2 ms  520 KiB   11.0 %   7 ms  550 KiB   10.5 %   9 ms  550 KiB
 *     gzip     32 KiB    15.6 %   7 ms  260 KiB   12.9 %  13 ms  260 KiB   11.7 %  20 ms  260 KiB
 *
 * An encoder belongs to one OS thread at a time, whichever that is.
 */
#ifndef TERN_HTTP_ENCODER_H
#define TERN_HTTP_ENCODER_H

#include "base/out.h"
#include "http/exchange.h"

/* In the order in which the server prefers them. */
enum coding {
    CODING_BR,   /* RFC 7932 */
    CODING_ZSTD, /* RFC 8878; windows are far below the 8 MiB that RFC 9659 allows */
    CODING_GZIP, /* RFC 1952 */
    CODING_COUNT,
    CODING_NONE = CODING_COUNT, /* the content as it is */
};

#define CODING_BIT(coding) (1U << (coding))
#define CODING_ALL (CODING_BIT(CODING_COUNT) - 1)

/* As it stands in Content-Encoding: "br". */
struct str coding_name(enum coding coding);

/* Of files that hold content in this coding: ".br". */
struct str coding_suffix(enum coding coding);

/* The coding of those available (a bit for each) in which a request wants its answer (RFC 9110, 12.5.3): the one with
 * the highest weight, and of several the first. CODING_NONE: it accepts none of them, or gives more weight to the
 * content as it is. */
enum coding coding_choose(const struct http_request *request, unsigned available);

/* What to spend: as little time as possible, as much as pays for itself, or more for what will be sent often. */
enum encoder_level { ENCODER_FAST, ENCODER_BALANCED, ENCODER_SMALL, ENCODER_LEVELS };

/* What to do with the input. */
enum encoder_op {
    ENCODER_TAKE,  /* more will follow: the result may come later */
    ENCODER_FLUSH, /* more will follow, but what there is can be decoded from what comes out */
    ENCODER_END,   /* this is the last */
};

enum { ENCODER_FLUSH_ROOM = 7 }; /* bytes */

struct encoder;

/* Starts a stream. `size`: of the whole content, by which windows are chosen; it may turn out another; or
 * HTTP_LENGTH_UNKNOWN. 0 or -ENOMEM. */
int encoder_open(struct encoder **encoder, enum coding coding, enum encoder_level level, int64_t size)
    __attribute__((warn_unused_result));

/* Takes input off the front of *in, and appends what comes of it to `to`; INT_MAX bytes of either are the most. 0:
 * everything has been taken, and after FLUSH and END everything is out. 1: `to` is full: call again for the rest, after
 * FLUSH and END with the same; a flush needs ENCODER_FLUSH_ROOM at once, or it does not come to an end. -ENOMEM, -EIO:
 * the stream is lost. */
int encoder_run(struct encoder *encoder, struct str *in, enum encoder_op op, struct out *to)
    __attribute__((warn_unused_result));

/* Ends a stream, complete or not. NULL is none. */
void encoder_close(struct encoder *encoder);

/* Encodes a whole content into `to`, which has room for as many bytes as it has. The size of the result; 0: that would
 * be no smaller; -ENOMEM or -EIO. */
ssize_t encoder_whole(enum coding coding, enum encoder_level level, struct str content, void *to)
    __attribute__((warn_unused_result));

/* The library below, with its version: for -V. */
const char *encoder_library(enum coding coding);

/* ---- what encoder.c and the files of the libraries share ---- */

struct encoder_kind {
    struct str name, suffix;
    struct encoder *(*open)(enum encoder_level level, int64_t size); /* NULL: no memory */
    int (*run)(struct encoder *encoder, struct str *in, enum encoder_op op, struct out *to);
    void (*close)(struct encoder *encoder);
    const char *(*library)(void);
};

struct encoder {
    const struct encoder_kind *kind;
};

extern const struct encoder_kind encoder_brotli, encoder_zstd, encoder_gzip;

/* The least power of two, within bounds, whose window holds a content of that size; `most` when it is not known. */
unsigned encoder_window(int64_t size, unsigned least, unsigned most) __attribute__((const));

#endif
