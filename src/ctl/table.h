/* table.h: rows and columns of text for a terminal. */
#ifndef TERN_CTL_TABLE_H
#define TERN_CTL_TABLE_H

#include <stdio.h>

#include "base/arena.h"
#include "base/out.h"

enum { TABLE_COLUMNS = 20 };

struct table_column {
    const char *title;
    bool number; /* to the right */
};

struct table {
    const struct table_column *columns;
    size_t width, rows, room; /* columns; rows that there are, and room for */
    struct str *cells;        /* row after row */
    struct arena arena;       /* of their texts */
    bool failed;              /* memory was out */
};

/* An empty table of `width` columns, TABLE_COLUMNS at most. */
struct table table_of(const struct table_column *columns, size_t width);

/* Appends an empty row. */
void table_add(struct table *table);

/* Says what stands in a column of the last row: a copy, in which all that is no printable character of ASCII is a
 * question mark. */
void table_put(struct table *table, size_t column, struct str text);
void table_put_number(struct table *table, size_t column, uint64_t number);

/* How wide the longest line is that is printed. */
size_t table_width(const struct table *table);

/* Prints the titles and all rows, each column as wide as it needs to be. 0; or -ENOMEM, if a row or a cell is missing:
 * then nothing is printed. */
int table_print(const struct table *table, FILE *f) __attribute__((warn_unused_result));

void table_free(struct table *table);

#endif
