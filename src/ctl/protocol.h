/* protocol.h: what ternctl and a running tern say to each other.
 *
 * ternctl connects to a unix stream socket and sends a line, `VERB [ARGUMENT]`; tern answers with a line, an object of
 * JSON, when what was asked for is done. Any number of lines may follow each other on one connection. An answer has a
 * member `ok`. When that is false, `code` says of what kind the trouble is, `error` tells it in a line, and `messages`
 * may tell more: what is wrong with a configuration, and where.
 */
#ifndef TERN_CTL_PROTOCOL_H
#define TERN_CTL_PROTOCOL_H

#define CTL_SOCKET "/run/tern/control.sock" /* unless the configuration or -S names another one */

enum {
    CTL_LINE_MAX = 16384,     /* bytes of a request, its newline included: a URL of 8 KiB has room in it */
    CTL_ANSWER_MAX = 32 << 20 /* the same of an answer: a list of 100,000 green threads has room */
};

/* The kinds of trouble. */
#define CTL_CODE_FAILED "failed"   /* something that it takes was not to be had */
#define CTL_CODE_USAGE "usage"     /* the line makes no sense */
#define CTL_CODE_REFUSED "refused" /* what it asks for is not good, or not now, or not for this peer: nothing changed */

/* Exit status of ternctl. */
enum ctl_status { CTL_FINE = 0, CTL_FAILED = 1, CTL_USAGE = 2, CTL_REFUSED = 4, CTL_NO_SERVER = 7 };

#endif
