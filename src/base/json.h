/* json.h: a writer of JSON (RFC 8259).
 *
 * It puts the commas and the escapes; what it writes is one line, since a newline can only stand in a string, where it
 * is escaped. Whoever writes opens and closes objects and arrays in the right order:
 *
 *     struct json j = json_on(&out);
 *     json_open(&j, NULL, '{');
 *     json_u64(&j, "pid", 12);
 *     json_open(&j, "listeners", '[');
 *     json_text(&j, NULL, STR("127.0.0.1:80"));
 *     json_close(&j, ']');
 *     json_close(&j, '}');
 *
 * What does not fit sets out.full, as ever: such a text is not to be used.
 */
#ifndef TERN_BASE_JSON_H
#define TERN_BASE_JSON_H

#include "base/out.h"

struct json {
    struct out *out;
    bool comma; /* the next value stands behind another one */
};

static inline struct json json_on(struct out *o)
{
    return (struct json){.out = o};
}

/* Begins an object, '{', or an array, '['. Here and below: a value in an object has a key, one in an array or on its
 * own has NULL. */
void json_open(struct json *j, const char *key, char bracket);

/* Ends it: '}' or ']'. */
void json_close(struct json *j, char bracket);

void json_text(struct json *j, const char *key, struct str value);
void json_u64(struct json *j, const char *key, uint64_t value);
void json_bool(struct json *j, const char *key, bool value);

/* Writes s as a string, with its quotes. Quotes, backslashes and controls (DEL, those of U+0080 to U+009F and the line
 * ends of Unicode among them) are escaped; each byte that is no part of UTF-8 comes out as U+FFFD. */
void json_string(struct out *o, struct str s);

#endif
