/* manual.c: see manual.h. */
#include "conf/manual.h"

#include <errno.h>
#include <stdlib.h>

#include "base/arena.h"
#include "conf/describe.h"

enum { TEXT_ROOM = 2048, PLACES_MAX = 512 };

/* Where a table or a key (by its doc) is described. */
struct place {
    const void *what;
    const char *section;
    bool written; /* of a table */
};

struct manual {
    FILE *f;
    struct arena arena;
    struct place places[PLACES_MAX + 1]; /* the last one is for all that there is no place for */
    size_t count;
    int error;
};

/* ---- what is described where ---- */

/* In this section, unless it has been settled that it is in another one. */
static struct place *settle(struct manual *m, const void *what, const char *section)
{
    for (size_t i = 0; i < m->count; i++)
        if (m->places[i].what == what)
            return &m->places[i];
    struct place *place = &m->places[m->count];
    if (m->count == PLACES_MAX)
        m->error = -E2BIG;
    else
        m->count++;
    *place = (struct place){what, section, false};
    return place;
}

/* A table's section has the names that led to it first. */
static struct place *settle_below(struct manual *m, const char *section, const struct conf_key *key)
{
    struct str path = arena_printf(&m->arena, "%s%s%s", section, *section ? "." : "", key->name);
    if (!path.p)
        m->error = -ENOMEM;
    return settle(m, key->table, path.p ? path.p : section);
}

static const char *title_of(const char *section)
{
    return *section ? section : "The top level";
}

/* ---- text ---- */

/* What is in backquotes comes out bold. No line starts with what roff takes for a request. */
static void put_text(FILE *f, struct str text)
{
    bool bold = false;
    if (text.n && strchr(".'", text.p[0]))
        fputs("\\&", f);
    for (; text.n; text = str_skip(text, 1)) {
        if (text.p[0] == '`')
            fputs((bold = !bold) ? "\\fB" : "\\fR", f);
        else if (text.p[0] == '\\')
            fputs("\\e", f);
        else
            fputc(text.p[0], f);
    }
}

static void put_doc(FILE *f, const struct conf_key *key)
{
    char text[TEXT_ROOM];
    struct out o = out_on(text, sizeof text);
    conf_put_doc(&o, key);
    put_text(f, out_str(&o));
    fputc('\n', f);
}

static void put_takes(FILE *f, const struct conf_key *key)
{
    char text[TEXT_ROOM];
    struct out o = out_on(text, sizeof text);
    out_text(&o, "Takes ");
    conf_put_takes(&o, key);
    if (key->fallback && key->kind != CONF_MAP) {
        out_text(&o, "; the default is `");
        out_put(&o, str_of(key->fallback));
        out_char(&o, '`');
    }
    out_char(&o, '.');
    put_text(f, out_str(&o));
    fputs(key->required ? "\nIt must be there.\n" : "\n", f);
}

/* ---- sections ---- */

static bool has_keys(const struct conf_table *table)
{
    struct conf_walk walk = {.table = table};
    return conf_next(&walk);
}

static void put_key(struct manual *m, const char *section, const struct conf_key *key)
{
    fprintf(m->f, ".It Cm %s\n", key->name);
    put_doc(m->f, key);
    put_takes(m->f, key);
    if (key->table && has_keys(key->table))
        fprintf(m->f, "See\n.Sx %s .\n", settle_below(m, section, key)->section);
}

static void put_choice(FILE *f, const struct conf_table *table, const struct conf_key *first)
{
    const char *before = "";
    fprintf(f, "One %s must be there, and no second:\n", first->choice);
    for (struct conf_walk walk = {.table = table}; conf_next(&walk);)
        if (conf_same_choice(walk.key, first)) {
            fprintf(f, "%s.Cm %s", before, walk.key->name);
            before = " ,\n";
        }
    fputs(" .\n", f);
}

/* Keys that are described elsewhere already. */
static void put_others(struct manual *m, const char *section, const struct conf_table *table)
{
    const char *last = section;
    for (struct conf_walk walk = {.table = table}; conf_next(&walk);) {
        const char *other = settle(m, walk.key->doc, section)->section;
        if (other == section)
            continue;
        if (other == last)
            fputs(" ,\n", m->f);
        else
            fprintf(m->f, "%s.Pp\nAs in\n.Sx %s :\n", last == section ? "" : " .\n", title_of(other));
        fprintf(m->f, ".Cm %s", walk.key->name);
        last = other;
    }
    if (last != section)
        fputs(" .\n", m->f);
}

static void put_section(struct manual *m, const char *section, const struct conf_table *table);

static void put_sections_below(struct manual *m, const char *section, const struct conf_table *table)
{
    for (struct conf_walk walk = {.table = table}; conf_next(&walk);) {
        if (!walk.key->table || !has_keys(walk.key->table))
            continue;
        struct place *place = settle_below(m, section, walk.key);
        if (!place->written)
            put_section(m, place->section, walk.key->table);
        place->written = true;
    }
}

static void put_section(struct manual *m, const char *section, const struct conf_table *table)
{
    fprintf(m->f, ".Ss %s\n", title_of(section));
    for (struct conf_walk walk = {.table = table}; conf_next(&walk);)
        if (conf_opens_choice(table, walk.key))
            put_choice(m->f, table, walk.key);
    fputs(".Bl -tag -width Ds\n", m->f);
    for (struct conf_walk walk = {.table = table}; conf_next(&walk);)
        if (settle(m, walk.key->doc, section)->section == section)
            put_key(m, section, walk.key);
    fputs(".El\n", m->f);
    put_others(m, section, table);
    put_sections_below(m, section, table);
}

/* ---- the page ---- */

static int put_keys(FILE *f, const struct conf_table *table)
{
    struct manual m = {.f = f};
    arena_init(&m.arena, NULL, 0);
    put_section(&m, "", table);
    arena_clear(&m.arena);
    return m.error;
}

int conf_manual(FILE *f, FILE *page, const struct conf_table *table)
{
    char *line = NULL;
    size_t room = 0;
    bool found = false;
    int error = 0;
    while (!error && getline(&line, &room, page) >= 0) {
        bool here = strcmp(line, ".\\\" KEYS\n") == 0;
        if (here)
            error = put_keys(f, table);
        else
            fputs(line, f);
        found |= here;
    }
    free(line);
    if (ferror(f) || ferror(page))
        error = error ? error : -EIO;
    return error ? error : found ? 0 : -EINVAL;
}
