/* exchange.h: one request and its response, whatever protocol carries them.
 *
 * This is all that a handler sees. It reads top to bottom on a green thread of its own:
 *
 *     if (nothing_there)
 *         return http_send_status(x, 404, STR(""));
 *     ...
 *     return http_send(x, 200, STR("Content-Type: text/plain\r\n"), text);
 *
 * A response is a head, content and an end, in this order. Content is what is promised: its length is given with the
 * head, or HTTP_LENGTH_UNKNOWN. The protocol does the framing (Content-Length, chunks, DATA frames), writes Date and
 * Server, and leaves out the content where there must be none (HEAD, 204, 304); handlers need not know.
 *
 * Everything a request points to ends with the exchange: bytes of the request lie in the connection's buffer, what
 * handlers make lies in the arena.
 *
 * Functions return 0, or -errno when the connection is broken; then a handler returns that at once.
 */
#ifndef TERN_HTTP_EXCHANGE_H
#define TERN_HTTP_EXCHANGE_H

#include <sys/types.h>

#include "base/arena.h"
#include "http/method.h"
#include "http/times.h"
#include "http/uri.h"

#define HTTP_LENGTH_UNKNOWN (-1)

struct exchange;
struct http_failure;
struct http_route;
struct http_server;
struct http_site;
struct peer;
struct tls_peer;
struct file_stamp;

struct http_field {
    struct str name, value; /* the value without white space at its ends */
};

struct http_request {
    enum method method;
    struct str method_name;
    struct str target; /* as it was sent */
    struct str line;   /* method, target and version, as they were sent */
    struct str host;   /* of an absolute-form target, else of Host; without a port; may be empty */
    struct http_uri uri;
    unsigned minor; /* of the version HTTP/1.minor */
    struct http_field *fields;
    size_t field_count;
    int64_t length; /* of the content; HTTP_LENGTH_UNKNOWN when it is chunked; 0 when there is none */
};

struct http_response {
    int status;      /* 0: no head yet */
    bool no_content; /* the head says how long it would be, but none is sent */
    bool ended;
    int64_t length; /* as promised by the handler */
    uint64_t given; /* bytes of content that it has given so far */
    uint64_t sent;  /* bytes of content that went out, which a policy may have made fewer */
};

/* A head that is about to be written: policies may change it. */
struct http_head {
    int status;
    struct str fields; /* header fields, each ended by CRLF */
    int64_t length;    /* HTTP_LENGTH_UNKNOWN: not known */
};

/* How a protocol carries an exchange. A policy may put operations of its own in front of it. */
struct exchange_ops {
    int (*head)(struct exchange *x, const struct http_head *head);
    int (*content)(struct exchange *x, struct str bytes);
    int (*file)(struct exchange *x, int fd, off_t at, size_t n, const struct file_stamp *stamp);
    int (*flush)(struct exchange *x);
    int (*end)(struct exchange *x);
    ssize_t (*read)(struct exchange *x, void *to, size_t n);
};

struct exchange {
    const struct exchange_ops *ops;
    const struct http_server *server;
    const struct http_site *site;   /* NULL: none has this host, or the request could not be read */
    const struct http_route *route; /* NULL: the same */
    bool routed;                    /* the route has been looked up: it is not that of a refusal's terms */
    const struct peer *peer;
    const struct tls_peer *tls;         /* what is known of a connection that is secured; NULL: it is not */
    struct str user;                    /* as authenticated; empty: nobody */
    const struct http_failure *failure; /* that an error page is being made for; NULL: none */
    const char *reason;                 /* why it was refused or cut, for the log; NULL: it was not */
    struct http_times times;
    bool as_is; /* the handler's content is not to be compressed: it knows that this does not pay */
    struct http_request request;
    struct http_response response;
    struct arena arena;
};

/* The first line of the request as the log may have it: with its query masked, since that may have secrets in it, and
 * no longer than there is room for. */
enum { HTTP_LINE_SHOWN = 512 };
struct str http_shown_line(const struct exchange *x, char room[static HTTP_LINE_SHOWN]);

/* The value of a request's field, by its name without regard to case. Of several, the first; p is NULL: none. */
struct str http_field(const struct http_request *request, struct str name);

/* The same for the fields of a head that is about to be written; p is NULL: none. */
struct str http_head_field(const struct http_head *head, struct str name);

/* Appends fields to a head, in the exchange's arena; http_head_add: as printf makes them. 0 or -ENOMEM. */
int http_head_put(struct exchange *x, struct http_head *head, struct str fields) __attribute__((warn_unused_result));
int http_head_add(struct exchange *x, struct http_head *head, const char *format, ...)
    __attribute__((format(printf, 3, 4), warn_unused_result));

/* Reads content of the request: bytes; 0 at its end; -EMSGSIZE: there is more than body_size; -ETIMEDOUT: the peer
 * fell silent; -EBADMSG: its framing is broken; -ECONNRESET: it ended early. Return these, and the protocol answers. */
ssize_t http_read(struct exchange *x, void *to, size_t n) GREEN_WAITS;

/* ---- the response, piece by piece ---- */

/* `fields`: header fields, each ended by CRLF, but those that the protocol writes. */
int http_head(struct exchange *x, int status, struct str fields, int64_t length) GREEN_WAITS;

/* Content from memory: it may be changed or freed afterwards. */
int http_content(struct exchange *x, struct str bytes) GREEN_WAITS;

/* Content from a file, n bytes from `at` on, as long as it is as its stamp says (net/stream.h). -EIO, -ESTALE: it is
 * not, and the peer is cut off. */
int http_file(struct exchange *x, int fd, off_t at, size_t n, const struct file_stamp *stamp) GREEN_WAITS;

/* Sends what has gathered so far: before a wait for something else than the peer. */
int http_flush(struct exchange *x) GREEN_WAITS;

/* Ends the response; one that is shorter than promised cuts the connection. */
int http_end(struct exchange *x) GREEN_WAITS;

/* ---- the response at once ---- */

/* Head, content and end. */
int http_send(struct exchange *x, int status, struct str fields, struct str content) GREEN_WAITS;

/* The same with a line of text that says what the status is, or with the page that the site has for it. */
int http_send_status(struct exchange *x, int status, struct str fields) GREEN_WAITS;

#endif
