/* documentation.h: what the tests that read the documentation share: its examples, made into whole configurations. */
#ifndef TERN_TESTS_SERVER_DOCUMENTATION_H
#define TERN_TESTS_SERVER_DOCUMENTATION_H

#include "base/str.h"

/* Those with examples, below the root of the tree, in which the tests run; ends in NULL. */
extern const char *const documents[];

struct str document_read(const char *name);

/* A block that is marked as of a language. */
struct example {
    const char *document;
    int line; /* where it begins */
    struct str text;
    bool complete; /* it has `listen`, or, in C, the module */
};

/* Takes the next one in this language off the text, "yaml" or "c". False: there is none. */
bool example_next(struct str *rest, const char *language, struct example *example);

/* The example in YAML with what has to stand around it. Directories and files that an administrator would have are made
 * in the test's directory, and named as they are there. */
const char *example_configuration(const struct example *example);

#endif
