/* compress.h: `compress`: content codings on the fly, by media type and size (http/encoder.h).
 *
 *     compress: on
 *     compress: {types: [text/html, application/json], min_size: 4k, level: fast}
 *
 * Of a site, or of a route, which then overrules its site's. A response is compressed when its type is one of those, it
 * is not known to be small, nobody has compressed it already or forbidden that (Cache-Control: no-transform), and the
 * request accepts a coding. Then its length is not known in advance, its entity tag is a weak one, since the same
 * content need not become the same bytes again, and it has no ranges. A request for a range gets one of the content as
 * it is. HEAD and 304 say what GET would have said; a handler gives the length of its content with a 304 too, so that
 * what is small is known as such. All answers that depend on Accept-Encoding have it in Vary. A worker that has too
 * many streams to compress already sends the next one as it is.
 *
 * HTTP/1.0 gets contents as they are: without chunks a connection would end with each of them, and its caches know
 * nothing of Vary.
 *
 * Who can have text of their own put into an encrypted response beside a secret, and see how long it becomes, can guess
 * the secret (BREACH, 2013). So this is off unless it is asked for: do not, where such responses are made.
 */
#ifndef TERN_POLICY_COMPRESS_H
#define TERN_POLICY_COMPRESS_H

#include "http/encoder.h"

/* The coding in which a content of this type and size would be sent in answer to a GET; CODING_NONE: as it is. For
 * handlers that keep compressed contents themselves: one that has this coding gives it with its Content-Encoding, and
 * is left alone. Costs nothing to speak of where `compress` is off. */
enum coding compress_wanted(const struct exchange *x, struct str type, uint64_t size);

#endif
