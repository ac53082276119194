/* h1_scan.c: the first look at a head, before any parser.
 *
 * http-parser 2.9.4 accepts much that RFC 9112 forbids. What can be told from single bytes and their neighbours is
 * refused here: control characters (RFC 9110, 5.5), a CR or LF that is not part of CRLF (RFC 9112, 2.2), and lines
 * that start with white space (2.2, and the obsolete folding of 5.2). Sixteen bytes are looked at in one step.
 */
#include <errno.h>

#include "http/h1.h"

/* Looked at in one step: one or two instructions wherever there are vectors. */
typedef unsigned char lanes __attribute__((vector_size(16)));

/* Where the first control byte at or after `at` stands; n: nowhere. */
static size_t find_control(const char *bytes, size_t at, size_t n)
{
    for (; at + sizeof(lanes) <= n; at += sizeof(lanes)) {
        lanes piece, found;
        uint64_t halves[2];
        memcpy(&piece, bytes + at, sizeof piece);
        found = (lanes)((piece < 0x20) | (piece == 0x7f));
        memcpy(halves, &found, sizeof found);
        if (halves[0])
            return at + (size_t)__builtin_ctzll(halves[0]) / 8;
        if (halves[1])
            return at + 8 + (size_t)__builtin_ctzll(halves[1]) / 8;
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
