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
    table_print(table, f);
    cr_assert_eq(fclose(f), 0);
    return text;
}

static void add(struct table *table, const char *number, const char *name, const char *last)
{
    char(*row)[TABLE_CELL] = table_add(table);
    cr_assert_not_null(row);
    strncpy(row[0], number, TABLE_CELL - 1);
    strncpy(row[1], name, TABLE_CELL - 1);
    strncpy(row[2], last, TABLE_CELL - 1);
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

/* A hostile server can list a worker in three bytes. */
Test(table, a_million_rows, .timeout = 60)
{
    enum { ROWS = 1000000 };
    struct table table = table_of(columns, 1);
    FILE *f = fopen("/dev/null", "we");
    cr_assert_not_null(f);
    for (size_t i = 0; i < ROWS; i++)
        cr_assert_not_null(table_add(&table));
    table_print(&table, f);
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
