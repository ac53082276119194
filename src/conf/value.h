/* value.h: one directive, and the value it takes.
 *
 * A scalar has no type of its own: the directive's kind says how its text is read, so `port: 80` and `name: 80` are
 * both what they look like, and so are they in quotes.
 */
#ifndef TERN_CONF_VALUE_H
#define TERN_CONF_VALUE_H

#include "base/clock.h"
#include "conf/report.h"

struct conf_table;

/* What is in the file -> the type of the field. */
enum conf_kind {
    CONF_BOOL,  /* on off, true false, yes no, and On and ON like these -> bool */
    CONF_INT,   /* decimal digits, behind a minus if `min` is below 0, or a word -> int64_t; the words are -1, -2 ... */
    CONF_SIZE,  /* bytes, or with k m g -> uint64_t */
    CONF_TIME,  /* seconds, or with ms s m h d w y -> nsec */
    CONF_TEXT,  /* any text -> struct str, NUL-terminated */
    CONF_PATH,  /* of a file, or one of the words: no empty text, and no word such as `off` that is meant otherwise */
    CONF_ENUM,  /* one of the words -> int, its index */
    CONF_TEXTS, /* a list of texts, `min` of them or more, or a lone one -> struct conf_texts */
    CONF_MAP,   /* a mapping -> the structure that `table` describes */
    CONF_CUSTOM, /* what `read` takes -> what it makes of it */
};

/* How often a value of a CUSTOM key may stand there. */
enum conf_many {
    CONF_ONE,
    CONF_ONE_OR_LIST,
    CONF_LIST,
};

struct conf_texts {
    struct str *v; /* NUL-terminated each */
    size_t n;
};

struct conf_key {
    const char *name;
    enum conf_kind kind;
    size_t offset;                  /* of the field in the target */
    const char *fallback;           /* the default as YAML; NULL: none, the field is left as it is */
    bool required;                  /* must be in the file */
    bool secret;                    /* masked in dumps and messages */
    const char *choice;             /* of all keys of a mapping with this word one must be there, and no second */
    int64_t min, max;               /* of INT, SIZE and TIME, both inclusive; max 0: none but the type's */
    const char *const *words;       /* of ENUM and INT, and those of a TEXT or PATH that mean something; ends in NULL */
    const struct conf_table *table; /* of MAP */
    const char *doc;                /* one line for the user */

    /* Of CUSTOM: makes of the value whatever `field` is; value->key is the name. 0, -EINVAL (reported) or -ENOMEM.
     * NULL: whatever it is, it is left to be read by somebody else. */
    int (*read)(struct conf_reader *r, struct conf_node *value, void *field);

    /* What a CUSTOM key takes, for who describes the configuration (describe.h): any of these that is there, and the
     * mapping of `table`. Where `read` reads a part by a key or a table, it is the same one. */
    const struct conf_key *single; /* a single value, of any kind */
    const struct conf_key *entry;  /* a mapping of names that are the user's; its own name says what they are */
    enum conf_many many;           /* in a list, `min` of them or more */

    /* For the same purpose, of any key. */
    const char *takes;   /* what a value is, where the kind says too little: "a directory" */
    const char *pattern; /* what every TEXT matches, or every name of an `entry`: a regular expression of ECMA-262 */
};

/* The single value `off`, where everything else is a mapping. */
extern const struct conf_key conf_off;

/* Reads a value of any kind but MAP and CUSTOM; of the key, only what the kind needs is looked at. */
int conf_read_value(struct conf_reader *r, struct conf_node *value, const struct conf_key *key, void *field)
    __attribute__((warn_unused_result));

/* Writes the range of an INT, SIZE or TIME: "1k to 1m", "1 or more". */
void conf_put_range(struct out *o, const struct conf_key *key);

#endif
