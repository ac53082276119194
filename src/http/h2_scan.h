/* h2_scan.h: the first look at frames, before nghttp2 sees them.
 *
 * nghttp2 1.52 lets pass some of what RFC 9113 forbids, tells nobody of frames that it does not know, and counts a head
 * that comes in pieces as several frames. What can be told from the head of a frame (RFC 9113, 4.1), and from the first
 * octets behind it, is told here: what is refused, and what it costs. This goes from head to head, and sees to it that
 * only whole ones are handed on: what is less than a head stays behind, and comes again with the rest.
 */
#ifndef TERN_HTTP_H2_SCAN_H
#define TERN_HTTP_H2_SCAN_H

#include "base/str.h"
#include "http/h2_budget.h"

enum { H2_SCAN_KEPT = 12 }; /* octets that stay behind, at most */

enum h2_finding {
    H2_FOUND_NOTHING,
    H2_FOUND_COST,  /* a frame that costs something: scan->event */
    H2_FOUND_ERROR, /* a frame that is a connection error of type PROTOCOL_ERROR */
};

struct h2_scan {
    uint32_t left;   /* octets to the next head: of the preface, or of a frame */
    uint32_t next;   /* half the lowest id that is still idle: of the next request, if none is left out */
    uint64_t opened; /* which of the 64 ids below that were used; the last one is the lowest bit */
    enum h2_event event;
    size_t kept;
    char bytes[H2_SCAN_KEPT]; /* that stayed behind */
};

/* A connection begins with the preface (RFC 9113, 3.4). */
void h2_scan_init(struct h2_scan *scan);

/* Goes on looking: as far as the bytes go, or up to a frame that was found to be something; to go on behind which, it
 * is called again with the bytes from there. *sound: bytes to hand on. Those behind them, when nothing was found, are
 * less than a head. */
enum h2_finding h2_scan(struct h2_scan *scan, struct str bytes, size_t *sound);

/* Keeps what has stayed behind; puts it where more is about to be received behind it: how many bytes. */
void h2_scan_keep(struct h2_scan *scan, struct str rest);
size_t h2_scan_kept(const struct h2_scan *scan, char to[static H2_SCAN_KEPT]);

#endif
