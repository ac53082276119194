/* top_test.c: what `ternctl top` is told to do. */
#include "ctl/top.h"

#include <criterion/criterion.h>
#include <errno.h>

static int read_text(struct top_settings *settings, const char *argument, struct out *why)
{
    return top_settings_read(settings, str_of(argument), why);
}

Test(top, rejects)
{
    static const char *const table[][2] = {
        {"2", "2 is neither interval=TIME nor count=N"},
        {"interval", "interval takes a time from 100ms to 1h"},
        {"interval=", "interval takes a time from 100ms to 1h"},
        {"interval=0", "interval takes a time from 100ms to 1h"},
        {"interval=99ms", "interval takes a time from 100ms to 1h"},
        {"interval=3601s", "interval takes a time from 100ms to 1h"},
        {"interval=-1s", "interval takes a time from 100ms to 1h"},
        {"count=0", "count takes a number from 1 on"},
        {"count=x", "count takes a number from 1 on"},
        {"count=-1", "count takes a number from 1 on"},
        {"interval=1s  elephants=2", "elephants=2 is neither interval=TIME nor count=N"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct top_settings settings;
        char text[128];
        struct out why = out_on(text, sizeof text);
        cr_expect_eq(read_text(&settings, table[i][0], &why), -EINVAL, "%s", table[i][0]);
        cr_expect(str_eq(out_str(&why), str_of(table[i][1])), "%s: " STR_FMT, table[i][0], STR_ARG(out_str(&why)));
    }
}

Test(top, settings)
{
    static const struct {
        const char *argument;
        struct top_settings settings;
    } table[] = {
        {"", {NSEC_SEC, 0}},
        {"interval=1h", {3600 * NSEC_SEC, 0}},
        {"count=3", {NSEC_SEC, 3}},
        {"count=1  interval=100ms", {100 * NSEC_MS, 1}},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct top_settings settings;
        char text[128];
        struct out why = out_on(text, sizeof text);
        cr_expect_eq(read_text(&settings, table[i].argument, &why), 0, "%s", table[i].argument);
        cr_expect(settings.interval == table[i].settings.interval && settings.count == table[i].settings.count, "%s",
                  table[i].argument);
    }
}
