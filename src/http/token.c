/* token.c: see token.h. */
#include "http/token.h"

static const bool tchars[256] = {
    ['!'] = true,         ['#' ... '\''] = true, ['*'] = true, ['+'] = true,         ['-'] = true, ['.'] = true,
    ['0' ... '9'] = true, ['A' ... 'Z'] = true,  ['^'] = true, ['_' ... 'z'] = true, ['|'] = true, ['~'] = true,
};

static bool is_control(char c)
{
    return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7f;
}

size_t http_token_length(struct str s)
{
    size_t n = 0;
    while (n < s.n && tchars[(unsigned char)s.p[n]])
        n++;
    return n;
}

bool http_is_token(struct str s)
{
    return s.n > 0 && http_token_length(s) == s.n;
}

bool http_is_field_value(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (is_control(s.p[i]))
            return false;
    return str_trim(s).n == s.n;
}

size_t http_quoted_length(struct str s)
{
    if (!str_starts(s, STR("\"")))
        return 0;
    for (size_t i = 1; i < s.n && !is_control(s.p[i]); i++) {
        if (s.p[i] == '"')
            return i + 1;
        if (s.p[i] == '\\' && i + 1 < s.n && !is_control(s.p[i + 1]))
            i++;
    }
    return 0;
}
