/* uri.h: from a request target (RFC 9112, 3.2) to a path that can be routed and opened, and back.
 *
 * The path is percent-decoded once, and only then normalised (RFC 3986, 5.2.4): dot segments are gone, and one above
 * the root stays at the root. Neighbouring slashes become one, since "//private/x" would otherwise name the same file
 * as "/private/x" without being below the route "/private/". So a path starts with one '/', and contains no "//",
 * no "/./", no "/../", and no "/." or "/.." at its end.
 *
 * Refused are: bytes outside 0x21 to 0x7E, '#', a '%' that two hexadecimal digits do not follow (these hold for the
 * query too), %00, and a bare '\' in the path, which the grammar does not know and some would read as '/'. %5C is an
 * ordinary byte of a name: nothing here takes it for a separator, and http_uri_encode() writes it as %5C again. %2F is
 * legal, and is no separator either (RFC 3986, 2.2): it stays as it is, and `opaque` says so to those who open files,
 * since no name can contain it.
 */
#ifndef TERN_HTTP_URI_H
#define TERN_HTTP_URI_H

#include "base/arena.h"
#include "base/out.h"

struct http_uri {
    struct str path;  /* decoded and normalised; in the target where nothing had to change, else in the arena */
    struct str query; /* as it was sent, without '?'; p is NULL when there is none */
    struct str host;  /* uri-host[:port] of an absolute-form, which takes the place of Host; p is NULL otherwise */
    bool secure;      /* an absolute-form of the scheme https */
    bool opaque;      /* a segment of the path contains a slash, which stands in it as %2F */
};

/* Takes an origin-form ("/path?query") or an absolute-form ("http://host/path?query") apart. The asterisk-form and
 * the authority-form belong to OPTIONS and CONNECT, and to the caller. 0, -EBADMSG or -ENOMEM. */
int http_uri_parse(struct arena *arena, struct str target, struct http_uri *uri) __attribute__((warn_unused_result));

/* Whether this is a uri-host[:port] of an http URI (RFC 3986, 3.2.2; RFC 9110, 4.2.1): not empty, no user. */
bool http_host_valid(struct str host);

/* Whether this is the host:port of an authority-form (RFC 9112, 3.2.3), where the port is not left out. */
bool http_authority_valid(struct str authority);

/* Whether a configured path is one that a request's path can be equal to, or start with: no "//", no dot segments, and
 * not percent-encoded. */
bool http_path_is_normal(struct str path);

/* Writes a decoded path for a Location field or a link: what is not a pchar or '/' becomes %XX. Slashes at its start
 * become one, since "//name" would be another host's. */
void http_uri_encode(struct out *o, struct str path);

/* The same for a path that is opaque. */
void http_uri_encode_opaque(struct out *o, struct str path);

/* Writes "?query", with what RFC 3986 does not allow there as %XX; nothing when there is none. */
void http_uri_encode_query(struct out *o, struct str query);

/* The same without the question mark. */
void http_uri_encode_bare_query(struct out *o, struct str query);

/* Writes any text as a part of a segment or of a query: what is not unreserved (RFC 3986, 2.3) becomes %XX. */
void http_uri_encode_value(struct out *o, struct str value);

#endif
