/* option.h: the command line of ternctl. */
#ifndef TERN_CTL_OPTION_H
#define TERN_CTL_OPTION_H

#include "base/clock.h"
#include "base/out.h"
#include "ctl/protocol.h"
#include "ctl/verb.h"

/* A row of the table that the command line is read by, and that help and completion are made from. */
struct option_row {
    const char *name;  /* the long one */
    char letter;       /* the short one, or '\0' */
    const char *value; /* as usage shows it; NULL: it takes none */
    const char *help;  /* one line */
};

/* All of them; the last one has no name. */
extern const struct option_row option_rows[];

struct options {
    const char *socket;
    const char *config;     /* to be asked instead of a server; NULL: none */
    const char *completion; /* the shell to print it for; NULL: none */
    nsec timeout;           /* 0: wait for ever; -1: as the verb has it */
    bool json, help, version;
    const struct verb *verb;     /* NULL: none */
    char line[CTL_LINE_MAX + 1]; /* the request, with its newline; when help is wanted, empty */
};

/* Reads the command line. 0; or -EINVAL, and why has been written to `why`; if it is a verb's, that is known then. */
int options_read(struct options *options, int argc, char **argv, struct out *why) __attribute__((warn_unused_result));

#endif
