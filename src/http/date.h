/* date.h: the dates of HTTP header fields (RFC 9110, 5.6.7), as seconds since 1970-01-01 00:00:00 UTC.
 *
 * Pure arithmetic on the proleptic Gregorian calendar: no locale, no time zone, no libc calendar.
 */
#ifndef TERN_HTTP_DATE_H
#define TERN_HTTP_DATE_H

#include "base/str.h"

enum { HTTP_DATE_SIZE = 29 }; /* bytes of "Sun, 06 Nov 1994 08:49:37 GMT" */

/* Writes an IMF-fixdate, without a NUL. The year has four digits: what lies before year 0 or after 9999 is written as
 * the first or last second that has a name. */
void http_date_write(char to[static HTTP_DATE_SIZE], int64_t seconds);

/* Reads any of the three forms that RFC 9110 lets a peer send: IMF-fixdate, RFC 850, asctime. Strict: names in the
 * case of the grammar, a day that the month has, and the weekday it fell on. The two-digit year of RFC 850 is the one
 * that lies at most 50 years after `now`. A leap second is the first second of the next day. 0 or -EBADMSG. */
int http_date_parse(struct str text, int64_t now, int64_t *seconds) __attribute__((warn_unused_result));

#endif
