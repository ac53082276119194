/* table.c: see table.h. */
#include "ctl/table.h"

#include <stdlib.h>

enum { ROOM_FIRST = 8, GAP = 2 /* between two columns */ };

struct table table_of(const struct table_column *columns, size_t width)
{
    return (struct table){.columns = columns, .width = width};
}

char (*table_add(struct table *table))[TABLE_CELL]
{
    if (table->rows == table->room) {
        size_t room = table->room ? 2 * table->room : ROOM_FIRST;
        void *cells = reallocarray(table->cells, room, table->width * sizeof *table->cells);
        if (!cells)
            return NULL;
        table->cells = cells;
        table->room = room;
    }
    char(*row)[TABLE_CELL] = table->cells + table->rows++ * table->width;
    memset(row, 0, table->width * sizeof *row);
    return row;
}

static int width_of(const struct table *table, size_t column)
{
    size_t most = strlen(table->columns[column].title);
    for (size_t row = 0; row < table->rows; row++) {
        size_t n = strlen(table->cells[row * table->width + column]);
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

static void print_cell(const struct table *table, size_t column, int field, const char *text, FILE *f)
{
    if (column + 1 == table->width)
        fprintf(f, "%*s\n", field, text);
    else
        fprintf(f, "%*s%*s", field, text, GAP, "");
}

void table_print(const struct table *table, FILE *f)
{
    int fields[TABLE_COLUMNS];
    for (size_t column = 0; column < table->width; column++) {
        fields[column] = field_of(table, column);
        print_cell(table, column, fields[column], table->columns[column].title, f);
    }
    for (size_t row = 0; row < table->rows; row++)
        for (size_t column = 0; column < table->width; column++)
            print_cell(table, column, fields[column], table->cells[row * table->width + column], f);
}

void table_free(struct table *table)
{
    free(table->cells);
    *table = (struct table){.cells = NULL};
}
