/* harness_h2_frame.h: frames of HTTP/2 as they are sent by hand, right or wrong (RFC 9113, 4.1).
 *
 * A payload is put together from raw octets and from fields, which are encoded in the plainest form that HPACK has:
 * literals that are neither indexed nor Huffman-coded (RFC 7541, 6.2.2), so that no state is left behind. Nothing is
 * checked: what a frame says of itself may be a lie. Types, flags and errors are named by nghttp2's public header.
 */
#ifndef TERN_TESTS_SERVER_HARNESS_H2_FRAME_H
#define TERN_TESTS_SERVER_HARNESS_H2_FRAME_H

#include "base/str.h"

#include <nghttp2/nghttp2.h>

enum {
    H2C_HEAD = 9,       /* octets before a payload */
    H2C_WINDOW = 65535, /* octets that may be sent before anybody has said a word about windows */
    H2C_WINDOW_MAX = 0x7fffffff,
    H2C_FRAME_MAX = 16384, /* of a payload, likewise */
    H2C_RESERVED = 0xff    /* no type that anybody has defined */
};

struct h2c_frame {
    uint32_t stream; /* the reserved bit, which is the highest, and the stream's id */
    uint8_t type, flags;
    struct str start;  /* the payload: these octets ... */
    struct str fields; /* ... then these fields: lines of "name: value" ... */
    struct str rest;   /* ... then these octets ... */
    size_t fill;       /* ... then so many zeros */
    uint32_t length;   /* what the frame says of its length; 0: the truth */
};

/* The octets of frames, one behind the other, in the test's memory. */
struct str h2c_encode(const struct h2c_frame *frames, size_t count);

/* Fields as a header block. */
struct str h2c_block(struct str fields);

/* A number of 32 bits in network order, in the test's memory, and two of them. */
struct str h2c_u32(uint32_t value);
struct str h2c_two_u32(uint32_t first, uint32_t second);

/* One setting, as it stands in a payload. */
struct str h2c_setting(uint16_t id, uint32_t value);

/* The number of 32 bits that stands there. */
uint32_t h2c_get_u32(const void *octets);

/* The preface of a client, without the SETTINGS that belong behind it (RFC 9113, 3.4). */
struct str h2c_preface(void);

/* The fields of usual requests. */
#define H2C_TO(method, path) ":method: " method "\n:scheme: http\n:path: " path "\n:authority: localhost\n"
#define H2C_GET(path) H2C_TO("GET", path)
#define H2C_POST(path) H2C_TO("POST", path)

#endif
