/* run.h: what the tests of conf/ share: a text is parsed, and its errors and its tree become text again. */
#ifndef TERN_TESTS_CONF_RUN_H
#define TERN_TESTS_CONF_RUN_H

#include "conf/yaml.h"

struct conf_run {
    struct arena arena;
    struct conf_reader reader;
    struct conf_node *root; /* NULL: no tree */
    int status;             /* of conf_parse() */
};

/* A file that uses every part of the configuration. */
extern const struct str conf_run_example;

/* Parses a text as the file "t". */
void conf_run_start(struct conf_run *run, struct str text);
void conf_run_end(struct conf_run *run);

/* All errors as they are printed; the text lives as long as the run. */
const char *conf_run_errors(struct conf_run *run);

/* The tree as conf_dump() writes it. */
struct str conf_run_dump(struct conf_run *run);

/* Whether two trees say the same, wherever they were read from. */
bool conf_run_same(const struct conf_node *a, const struct conf_node *b);

#endif
