/* verb.h: what can be asked of a running tern.
 *
 * The one table of verbs. ternctl's command line, its help and its completion are made from it, and the server checks
 * each request against it. What a verb does is a row of the server's actions; how its answer is shown, one of ternctl's
 * printers.
 */
#ifndef TERN_CTL_VERB_H
#define TERN_CTL_VERB_H

#include "base/out.h"

struct thread_key;

struct verb {
    const char *name;
    const char *argument;     /* as usage shows it, in brackets if it may be left out; NULL: there is none */
    const char *const *words; /* what it may be, then NULL; NULL: anything ... */
    bool (*check)(struct str argument, struct out *why); /* ... that this finds good, or else says why not */
    const struct thread_key *keys; /* for completion: of the KEY=VALUE that it is made of; NULL: it is not */
    bool waits;                    /* the answer may take minutes */
    bool repeats;                  /* is asked again and again, until somebody has seen enough */
    bool offline;                  /* needs no server, if there is a configuration to ask instead */
    bool looks;                    /* it changes nothing: a worker may ask for it, too */
    const char *summary;           /* one line, for lists */
    const char *help;              /* a paragraph: lines that end in newlines */
};

/* All of them; the last one has no name. */
extern const struct verb verbs[];

/* The verb of that name, or NULL. */
const struct verb *verb_find(struct str name);

/* Finds the verb, and checks that it goes with the argument, which is empty when there is none. NULL: that is no
 * request, and why has been written to `why`. */
const struct verb *verb_check(struct str name, struct str argument, struct out *why);

#endif
