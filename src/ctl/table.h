/* table.h: rows and columns of text for a terminal. */
#ifndef TERN_CTL_TABLE_H
#define TERN_CTL_TABLE_H

#include <stdio.h>

#include "base/str.h"

enum { TABLE_COLUMNS = 20, TABLE_CELL = 32 };

struct table_column {
    const char *title;
    bool number; /* to the right */
};

struct table {
    const struct table_column *columns;
    size_t width, rows, room;  /* columns; rows that there are, and room for */
    char (*cells)[TABLE_CELL]; /* row after row */
};

/* An empty table of `width` columns, TABLE_COLUMNS at most. */
struct table table_of(const struct table_column *columns, size_t width);

/* Appends an empty row: the first of its `width` cells, for texts that end in NUL. NULL: memory is out. */
char (*table_add(struct table *table))[TABLE_CELL];

/* How wide the longest line is that is printed, in columns. */
size_t table_width(const struct table *table);

/* Prints the titles and all rows, each column as wide as it needs to be. */
void table_print(const struct table *table, FILE *f);

void table_free(struct table *table);

#endif
