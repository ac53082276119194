/* str.c: see str.h. */
#include "base/str.h"

#include <errno.h>

bool bytes_eq_nocase(const char *a, const char *b, size_t n)
{
    if (n == 0 || memcmp(a, b, n) == 0) /* most are written as the standard writes them */
        return true;
    for (size_t i = 0; i < n; i++)
        if (char_lower(a[i]) != char_lower(b[i]))
            return false;
    return true;
}

size_t str_find(struct str s, char c)
{
    const char *at = s.n ? memchr(s.p, c, s.n) : NULL;
    return at ? (size_t)(at - s.p) : s.n;
}

struct str str_cut(struct str *rest, char sep)
{
    size_t n = str_find(*rest, sep);
    struct str head = {rest->p, n};
    *rest = str_skip(*rest, n + 1);
    return head;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct str str_trim(struct str s)
{
    while (s.n && is_blank(s.p[0]))
        s = str_skip(s, 1);
    while (s.n && is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

int str_to_u64(struct str s, uint64_t *value)
{
    if (s.n == 0)
        return -EINVAL;
    uint64_t sum = 0;
    bool overflow = false;
    for (size_t i = 0; i < s.n; i++) {
        unsigned digit = (unsigned)s.p[i] - '0';
        if (digit > 9)
            return -EINVAL;
        overflow |= __builtin_mul_overflow(sum, 10, &sum) || __builtin_add_overflow(sum, digit, &sum);
    }
    if (overflow)
        return -ERANGE;
    *value = sum;
    return 0;
}

struct unit {
    struct str name;
    uint64_t factor;
};

static const struct unit size_units[] = {
    {STR_INIT("k"), 1ULL << 10},
    {STR_INIT("m"), 1ULL << 20},
    {STR_INIT("g"), 1ULL << 30},
    {STR_INIT(""), 1},
};

#define SECOND 1000000000ULL

static const struct unit time_units[] = {
    {STR_INIT("ms"), SECOND / 1000},       {STR_INIT("s"), SECOND},         {STR_INIT("m"), 60 * SECOND},
    {STR_INIT("h"), 3600 * SECOND},        {STR_INIT("d"), 86400 * SECOND}, {STR_INIT("w"), 7 * 86400 * SECOND},
    {STR_INIT("y"), 365 * 86400 * SECOND}, {STR_INIT(""), SECOND},
};

static int to_units(struct str s, const struct unit *units, size_t count, uint64_t max, uint64_t *value)
{
    size_t digits = 0;
    while (digits < s.n && s.p[digits] >= '0' && s.p[digits] <= '9')
        digits++;
    uint64_t number;
    int error = str_to_u64((struct str){s.p, digits}, &number);
    if (error)
        return error;
    for (size_t i = 0; i < count; i++) {
        if (!str_eq_nocase(str_skip(s, digits), units[i].name))
            continue;
        if (__builtin_mul_overflow(number, units[i].factor, value) || *value > max)
            return -ERANGE;
        return 0;
    }
    return -EINVAL;
}

int str_to_size(struct str s, uint64_t *bytes)
{
    return to_units(s, size_units, sizeof size_units / sizeof *size_units, INT64_MAX, bytes);
}

int str_to_time(struct str s, int64_t *nanoseconds)
{
    uint64_t value;
    int error = to_units(s, time_units, sizeof time_units / sizeof *time_units, INT64_MAX, &value);
    if (!error)
        *nanoseconds = (int64_t)value;
    return error;
}

enum { DISTANCE_MAX = 63 }; /* names longer than this are never suggested */

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

static bool same_letter(char a, char b)
{
    return char_lower(a) == char_lower(b);
}

/* Optimal string alignment, three rows at a time. */
unsigned str_distance(struct str a, struct str b, unsigned limit)
{
    if (a.n > DISTANCE_MAX || b.n > DISTANCE_MAX)
        return limit;
    unsigned rows[3][DISTANCE_MAX + 1];
    unsigned *before = rows[0], *above = rows[1], *row = rows[2];
    for (unsigned j = 0; j <= b.n; j++)
        above[j] = j;
    for (unsigned i = 1; i <= a.n; i++) {
        row[0] = i;
        for (unsigned j = 1; j <= b.n; j++) {
            bool same = same_letter(a.p[i - 1], b.p[j - 1]);
            row[j] = least(above[j - 1] + !same, least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && same_letter(a.p[i - 1], b.p[j - 2]) && same_letter(a.p[i - 2], b.p[j - 1]))
                row[j] = least(row[j], before[j - 2] + 1);
        }
        unsigned *oldest = before;
        before = above;
        above = row;
        row = oldest;
    }
    return least(above[b.n], limit);
}

void str_guess_try(struct str_guess *guess, struct str candidate)
{
    unsigned distance = str_distance(guess->name, candidate, guess->limit);
    if (distance >= guess->limit)
        return;
    guess->limit = distance;
    guess->best = candidate;
}
