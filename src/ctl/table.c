/* table.c: see table.h. */
#include "ctl/table.h"

#include <errno.h>
#include <stdlib.h>

enum { ROOM_FIRST = 8, GAP = 2 /* between two columns */ };

struct table table_of(const struct table_column *columns, size_t width)
{
    return (struct table){.columns = columns, .width = width};
}

static int make_room(struct table *table)
{
    if (table->rows < table->room)
        return 0;
    size_t room = table->room ? 2 * table->room : ROOM_FIRST;
    void *cells = reallocarray(table->cells, room, table->width * sizeof *table->cells);
    if (!cells)
        return -ENOMEM;
    table->cells = cells;
    table->room = room;
    return 0;
}

void table_add(struct table *table)
{
    table->failed |= make_room(table) < 0;
    if (table->failed)
        return;
    memset(table->cells + table->rows * table->width, 0, table->width * sizeof *table->cells);
    table->rows++;
}

void table_put(struct table *table, size_t column, struct str text)
{
    char *copy = table->failed ? NULL : arena_alloc(&table->arena, text.n);
    table->failed |= !copy;
    if (table->failed || table->rows == 0)
        return;
    for (size_t i = 0; i < text.n; i++)
        copy[i] = text.p[i] >= ' ' && text.p[i] < 0x7f ? text.p[i] : '?';
    table->cells[(table->rows - 1) * table->width + column] = (struct str){copy, text.n};
}

void table_put_number(struct table *table, size_t column, uint64_t number)
{
    char digits[20];
    struct out o = out_on(digits, sizeof digits);
    out_u64(&o, number);
    table_put(table, column, out_str(&o));
}

static int width_of(const struct table *table, size_t column)
{
    size_t most = strlen(table->columns[column].title);
    for (size_t row = 0; row < table->rows; row++) {
        size_t n = table->cells[row * table->width + column].n;
        most = n > most ? n : most;
    }
    return (int)most;
}

size_t table_width(const struct table *table)
{
    size_t width = 0;
    for (size_t column = 0; column < table->width; column++)
        width += (size_t)width_of(table, column) + GAP;
    return width ? width - GAP : 0;
}

/* What printf() takes for the width of a column: negative, to the left. No blanks at the end of a line. */
static int field_of(const struct table *table, size_t column)
{
    bool last = column + 1 == table->width;
    if (table->columns[column].number)
        return width_of(table, column);
    return last ? 0 : -width_of(table, column);
}

static void print_cell(const struct table *table, size_t column, int field, struct str text, FILE *f)
{
    bool last = column + 1 == table->width;
    fprintf(f, "%*.*s%*s", field, STR_ARG(text), last ? 1 : GAP, last ? "\n" : "");
}

int table_print(const struct table *table, FILE *f)
{
    int fields[TABLE_COLUMNS];
    if (table->failed)
        return -ENOMEM;
    for (size_t column = 0; column < table->width; column++) {
        fields[column] = field_of(table, column);
        print_cell(table, column, fields[column], str_of(table->columns[column].title), f);
    }
    for (size_t row = 0; row < table->rows; row++)
        for (size_t column = 0; column < table->width; column++)
            print_cell(table, column, fields[column], table->cells[row * table->width + column], f);
    return 0;
}

void table_free(struct table *table)
{
    free(table->cells);
    arena_clear(&table->arena);
    *table = (struct table){.cells = NULL};
}
