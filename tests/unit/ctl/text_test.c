/* text_test.c: durations, as short as people like them. */
#include "ctl/text.h"

#include <criterion/criterion.h>

Test(text, durations)
{
    static const struct {
        nsec duration;
        const char *text;
    } table[] = {
        {INT64_MIN, "0us"},
        {-1, "0us"},
        {0, "0us"},
        {999, "0us"},
        {12 * 1000, "12us"},
        {NSEC_MS - 1, "999us"},
        {NSEC_MS, "1ms"},
        {35 * NSEC_MS, "35ms"},
        {NSEC_SEC - 1, "999ms"},
        {NSEC_SEC, "1.0s"},
        {1299 * NSEC_MS, "1.2s"},
        {60 * NSEC_SEC - 1, "59.9s"},
        {60 * NSEC_SEC, "1m00s"},
        {7512 * NSEC_SEC, "2h05m"},
        {INT64_MAX, "106751d23h"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char room[TEXT_DURATION];
        struct str text = text_duration(room, table[i].duration);
        cr_expect(str_eq(text, str_of(table[i].text)), STR_FMT " is not %s", STR_ARG(text), table[i].text);
    }
}

Test(text, the_longest_of_them_has_room)
{
    char room[TEXT_DURATION];
    struct str text = text_seconds(room, UINT64_MAX);
    cr_expect(str_eq(text, STR("213503982334601d07h")), STR_FMT, STR_ARG(text));
}

Test(text, one_is_not_many)
{
    char *shown;
    size_t size;
    FILE *f = open_memstream(&shown, &size);
    cr_assert_not_null(f);
    text_count(f, 0, "worker");
    text_count(f, 1, " worker");
    text_count(f, 2, " worker");
    text_put(f, STR("\x1b\xff"));
    cr_assert_eq(fclose(f), 0);
    cr_expect_str_eq(shown, "0 workers1  worker2  workers??");
    free(shown);
}
