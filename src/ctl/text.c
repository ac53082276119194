/* text.c: see text.h. */
#include "ctl/text.h"

#include "base/utf8.h"

/* Controls, ends of lines, and what turns the direction of the text around it. */
static bool is_hidden(int32_t code)
{
    static const int32_t hidden[][2] = {{0x00, 0x1f},     {0x7f, 0x9f},     {0x61c, 0x61c},
                                        {0x200e, 0x200f}, {0x2028, 0x202e}, {0x2066, 0x2069}};
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
        if (code >= hidden[i][0] && code <= hidden[i][1])
            return true;
    return false;
}

void text_put(FILE *f, struct str text)
{
    while (text.n) {
        struct str before = text;
        int32_t code = utf8_next(&text);
        if (code < 0 || is_hidden(code))
            fputc('?', f);
        else
            fwrite(before.p, 1, (size_t)(text.p - before.p), f);
    }
}

void text_member(FILE *f, const struct answer *answer, const char *key)
{
    text_put(f, answer_text(answer, key));
}

void text_count(FILE *f, uint64_t n, const char *noun)
{
    fprintf(f, "%llu %s%s", (unsigned long long)n, noun, n == 1 ? "" : "s");
}

static struct str two_units(char room[static TEXT_DURATION], const char *format, uint64_t large, uint64_t small)
{
    int n = snprintf(room, TEXT_DURATION, format, (unsigned long long)large, (unsigned long long)small);
    return (struct str){room, (size_t)n};
}

struct str text_seconds(char room[static TEXT_DURATION], uint64_t seconds)
{
    uint64_t minutes = seconds / 60, hours = minutes / 60, days = hours / 24;
    if (days)
        return two_units(room, "%llud%02lluh", days, hours % 24);
    if (hours)
        return two_units(room, "%lluh%02llum", hours, minutes % 60);
    if (minutes)
        return two_units(room, "%llum%02llus", minutes, seconds % 60);
    struct out o = out_on(room, TEXT_DURATION);
    out_u64(&o, seconds);
    out_char(&o, 's');
    return out_str(&o);
}

struct str text_duration(char room[static TEXT_DURATION], nsec duration)
{
    uint64_t ns = duration > 0 ? (uint64_t)duration : 0, ms = ns / (uint64_t)NSEC_MS;
    if (ms >= 60000)
        return text_seconds(room, ms / 1000);
    if (ms >= 1000)
        return two_units(room, "%llu.%llus", ms / 1000, ms % 1000 / 100);
    struct out o = out_on(room, TEXT_DURATION);
    out_u64(&o, ms ? ms : ns / 1000);
    out_put(&o, ms ? STR("ms") : STR("us"));
    return out_str(&o);
}
