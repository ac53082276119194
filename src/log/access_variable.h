/* access_variable.h: the variables that a format may have, each with what writes its value. Private to this folder. */
#ifndef TERN_LOG_ACCESS_VARIABLE_H
#define TERN_LOG_ACCESS_VARIABLE_H

#include "log/access_format.h"

enum { ACCESS_VALUE_MAX = 128 }; /* bytes of the value of a variable that is not `wide` */

/* A line being made. */
struct access_line {
    struct out *out;
    const struct access_entry *entry;
    const struct access_clock *clock;
    size_t most; /* bytes of the value of a `wide` variable */
    bool json;
};

/* A variable in a format: %{name}X. */
struct access_piece {
    struct str text;                        /* that stands before it */
    const struct access_variable *variable; /* NULL: the format ends here */
    struct str name;                        /* in its braces, where any may stand there */
};

struct access_variable {
    char letter;
    const char *name; /* in braces; NULL: there are none; ACCESS_ANY_NAME: whatever stands there */
    void (*write)(struct access_line *line, const struct access_piece *piece);
    unsigned needs; /* enum access_needs */
    bool wide;      /* the peer decides how long its value is */
    size_t offset;  /* of the member of struct access_entry that it is about, if `write` asks for one */
    nsec unit;      /* of a duration */
};

#define ACCESS_ANY_NAME "*"

extern const struct access_variable access_variables[]; /* letter 0 ends them */

#endif
