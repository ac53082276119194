/* auth_basic.c: see auth_basic.h. */
#include "policy/auth_basic.h"

#include <errno.h>

/* The value of a digit of base 64, or -1 (RFC 4648, 4). */
static int digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Four digits, of which the last `pads` are padding, into 3 - pads bytes. */
static int decode_group(const char *text, size_t pads, char *to)
{
    uint32_t word = 0;
    for (size_t i = 0; i < 4; i++) {
        int value = i < 4 - pads ? digit(text[i]) : 0;
        if (value < 0)
            return -EINVAL;
        word = word << 6 | (uint32_t)value;
    }
    for (size_t i = 0; i < 3; i++)
        to[i] = (char)(word >> (16 - 8 * i));
    return word & ((1U << 8 * pads) - 1) ? -EINVAL : 0; /* RFC 4648, 3.5 */
}

/* The number of bytes, of at most `size`, or -EINVAL. */
static int decode(struct str text, char *to, size_t size)
{
    if (text.n == 0 || text.n % 4 || text.n / 4 * 3 > size)
        return -EINVAL;
    size_t pads = str_ends(text, STR("==")) ? 2 : str_ends(text, STR("="));
    for (size_t i = 0; i < text.n; i += 4) {
        int error = decode_group(text.p + i, i + 4 == text.n ? pads : 0, to + i / 4 * 3);
        if (error)
            return error;
    }
    return (int)(text.n / 4 * 3 - pads);
}

static bool has_controls(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
            return true;
    return false;
}

/* What stands behind "Basic" and one or more spaces, without regard to case (RFC 9110, 11.1 and 11.4). */
static struct str encoded_part(struct str field)
{
    struct str scheme = str_cut(&field, ' ');
    if (!str_eq_nocase(scheme, STR("Basic")))
        return (struct str){NULL, 0};
    while (str_starts(field, STR(" ")))
        field = str_skip(field, 1);
    return field;
}

int auth_basic_read(struct str field, struct auth_basic *basic)
{
    int n = decode(encoded_part(field), basic->bytes, sizeof basic->bytes - 1);
    if (n < 0)
        return n;
    struct str password = {basic->bytes, (size_t)n};
    if (has_controls(password) || str_find(password, ':') == password.n)
        return -EINVAL;
    basic->bytes[n] = '\0';
    basic->user = str_cut(&password, ':');
    basic->password = password.p;
    return basic->user.n > AUTH_USER_MAX || password.n > AUTH_PASSWORD_MAX ? -EINVAL : 0;
}
