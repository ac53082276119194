/* table_test.c: columns as wide as they need to be, in a time that grows with the rows and not with their square. */
#include "ctl/table.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static const struct table_column columns[] = {{"N", true}, {"NAME", false}, {"LAST", false}};

static char *printed(const struct table *table)
{
    char *text;
    size_t n;
    FILE *f = open_memstream(&text, &n);
    cr_assert_not_null(f);
    cr_assert_eq(table_print(table, f), 0);
    cr_assert_eq(fclose(f), 0);
    return text;
}

static void add(struct table *table, const char *number, const char *name, const char *last)
{
    table_add(table);
    table_put(table, 0, str_of(number));
    table_put(table, 1, str_of(name));
    table_put(table, 2, str_of(last));
}

Test(table, titles_alone)
{
    struct table table = table_of(columns, 3);
    char *text = printed(&table);
    cr_expect_str_eq(text, "N  NAME  LAST\n");
    free(text);
    table_free(&table);
}

Test(table, each_column_is_as_wide_as_its_longest_cell)
{
    struct table table = table_of(columns, 3);
    add(&table, "7", "a", "");
    add(&table, "1000", "a longer name", "x");
    char *text = printed(&table);
    cr_expect_str_eq(text, "   N  NAME           LAST\n"
                           "   7  a              \n"
                           "1000  a longer name  x\n");
    free(text);
    table_free(&table);
}

Test(table, a_cell_has_room_for_anything_that_can_be_printed)
{
    char line[512];
    struct table table = table_of(columns, 3);
    memset(line, 'x', sizeof line);
    table_add(&table);
    table_put_number(&table, 0, UINT64_MAX);
    table_put(&table, 1, STR("a b\n\x1b\x7f\xc3\xbc"));
    table_put(&table, 2, (struct str){line, sizeof line});
    char *text = printed(&table);
    struct str rest = str_of(text);
    str_cut(&rest, '\n');
    cr_expect(str_starts(rest, STR("18446744073709551615  a b?????  xxx")), "%s", text);
    cr_expect_eq(rest.n, 20 + 2 + 8 + 2 + sizeof line + 1);
    free(text);
    table_free(&table);
}

/* A hostile server can list a worker in three bytes. */
Test(table, a_million_rows, .timeout = 60)
{
    enum { ROWS = 1000000 };
    struct table table = table_of(columns, 1);
    FILE *f = fopen("/dev/null", "we");
    cr_assert_not_null(f);
    for (size_t i = 0; i < ROWS; i++)
        table_add(&table);
    cr_assert_eq(table_print(&table, f), 0);
    fclose(f);
    cr_expect_eq(table.rows, ROWS);
    table_free(&table);
}

Test(table, its_width_is_that_of_its_longest_line)
{
    struct table table = table_of(columns, 3);
    cr_expect_eq(table_width(&table), strlen("N  NAME  LAST"));
    add(&table, "1000", "x", "what is last");
    cr_expect_eq(table_width(&table), strlen("1000  x     what is last"));
    table_free(&table);
}
