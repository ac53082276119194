/* h1_scan.c: the first look at a head, before any parser.
 *
 * http-parser 2.9.4 accepts much that RFC 9112 forbids. What can be told from single bytes and their neighbours is
 * refused here: control characters (RFC 9110, 5.5), a CR or LF that is not part of CRLF (RFC 9112, 2.2), and lines
 * that start with white space (2.2, and the obsolete folding of 5.2). Eight bytes are looked at in one step.
 */
#include <errno.h>

#include "http/h1.h"

#define EACH_BYTE(b) (0x0101010101010101ULL * (b))

/* Bytes of the word that are below 0x20, or 0x7f: a bit 7 for each. There may be false ones above a true one. */
static uint64_t control_bytes(uint64_t word)
{
    uint64_t below = (word - EACH_BYTE(0x20)) & ~word;
    uint64_t flipped = word ^ EACH_BYTE(0x7f);
    uint64_t del = (flipped - EACH_BYTE(0x01)) & ~flipped;
    return (below | del) & EACH_BYTE(0x80);
}

/* Where the first control byte at or after `at` stands; n: nowhere. */
static size_t find_control(const char *bytes, size_t at, size_t n)
{
    for (; at + 8 <= n; at += 8) {
        uint64_t word;
        memcpy(&word, bytes + at, sizeof word);
        uint64_t found = control_bytes(word);
        if (found)
            return at + (size_t)__builtin_ctzll(found) / 8;
    }
    for (; at < n; at++)
        if ((unsigned char)bytes[at] < 0x20 || bytes[at] == 0x7f)
            return at;
    return n;
}

static ssize_t refuse(struct h1_scan *scan, const char *wrong)
{
    scan->wrong = wrong;
    return -EBADMSG;
}

/* A byte that no line contains, and that does not end one either. */
static ssize_t refuse_byte(struct h1_scan *scan, char byte)
{
    if (byte == '\r' || byte == '\n')
        return refuse(scan, byte == '\r' ? "CR without LF" : "LF without CR");
    return refuse(scan, scan->fields ? "a control character in a field" : "a control character in the request line");
}

ssize_t h1_scan(struct h1_scan *scan, const char *head, size_t n)
{
    size_t at = scan->checked;
    while ((at = find_control(head, at, n)) < n) {
        size_t next = at + 2; /* the next line, if this is a CRLF */
        if (head[at] == '\t' && scan->fields) {
            at++;
            continue;
        }
        if (head[at] != '\r' || (at + 1 < n && head[at + 1] != '\n'))
            return refuse_byte(scan, head[at]);
        /* A line is judged by its first byte, an empty one by two: until they are here, this CRLF is not done. */
        if (next >= n || (head[next] == '\r' && next + 1 == n))
            break;
        if (head[next] == ' ' || head[next] == '\t')
            return refuse(scan, "white space at the start of a line");
        if (head[next] == '\r' && head[next + 1] == '\n')
            return (ssize_t)next + 2;
        scan->fields = true;
        at = next;
    }
    scan->checked = at;
    return 0;
}
