/* str.h: a run of bytes, by pointer and length.
 *
 * A `struct str` owns nothing: it points into a buffer, an arena or a literal that outlives it. It is passed by
 * value and is never assumed to end in NUL, so a NUL that a peer sends is a byte like any other.
 */
#ifndef TERN_BASE_STR_H
#define TERN_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
    const char *p; /* first byte; may be NULL when n is 0 */
    size_t n;      /* bytes */
};

/* clang-format off */
#define STR(literal) ((struct str){"" literal, sizeof(literal) - 1})
#define STR_INIT(literal) {"" literal, sizeof(literal) - 1} /* the same, in a static initialiser */
#define STR_FMT "%.*s"                                      /* printf format of a str ... */
#define STR_ARG(s) (int)(s).n, (s).p                        /* ... and its two arguments */
/* clang-format on */

static inline struct str str_of(const char *text)
{
    return (struct str){text, text ? strlen(text) : 0};
}

static inline struct str str_range(const char *from, const char *to)
{
    return (struct str){from, (size_t)(to - from)};
}

static inline bool str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool str_starts(struct str s, struct str prefix)
{
    return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

static inline bool str_ends(struct str s, struct str suffix)
{
    return s.n >= suffix.n && (suffix.n == 0 || memcmp(s.p + s.n - suffix.n, suffix.p, suffix.n) == 0);
}

/* The str without its first n bytes; empty when it has no more than that. */
static inline struct str str_skip(struct str s, size_t n)
{
    if (n > s.n)
        n = s.n;
    return (struct str){n ? s.p + n : s.p, s.n - n};
}

/* ASCII only, whatever the locale: field names and host names are compared so (RFC 9110, 5.1). */
static inline char char_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

bool bytes_eq_nocase(const char *a, const char *b, size_t n);

static inline bool str_eq_nocase(struct str a, struct str b)
{
    return a.n == b.n && bytes_eq_nocase(a.p, b.p, a.n);
}

/* Where c first stands, or s.n. */
size_t str_find(struct str s, char c);

/* Takes what stands before the first `sep` off the front of *rest, and the separator with it. */
struct str str_cut(struct str *rest, char sep);

/* Without spaces and tabs at both ends (OWS of RFC 9110, 5.6.3). */
struct str str_trim(struct str s);

/* Digits only: no sign, no blank, no overflow. 0, or -EINVAL, or -ERANGE. */
int str_to_u64(struct str s, uint64_t *value) __attribute__((warn_unused_result));

/* A size in bytes: digits with an optional k, m or g (powers of 1024). 0, -EINVAL or -ERANGE. */
int str_to_size(struct str s, uint64_t *bytes) __attribute__((warn_unused_result));

/* A duration in nanoseconds: digits with an optional ms, s, m, h, d, w or y (365 days); seconds without. 0, -EINVAL or
 * -ERANGE. */
int str_to_time(struct str s, int64_t *nanoseconds) __attribute__((warn_unused_result));

/* Edits (insert, delete, replace, swap of neighbours) that turn a into b, for "did you mean"; at most `limit`. */
unsigned str_distance(struct str a, struct str b, unsigned limit);

/* The name that was probably meant, of all that could have been: the one that takes the fewest edits, if these are no
 * more than a quarter of it and one. */
struct str_guess {
    struct str name, best; /* best.p is NULL: none is near */
    unsigned limit;
};

static inline struct str_guess str_guess(struct str name)
{
    return (struct str_guess){.name = name, .limit = (unsigned)name.n / 4 + 2};
}

void str_guess_try(struct str_guess *guess, struct str candidate);

#endif
