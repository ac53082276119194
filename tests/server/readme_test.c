/* The documentation fits the product: tern takes every example in YAML, and the defaults in the tables are tern's. */
#include "harness.h"
#include "harness_command.h"
#include "harness_file.h"

#include "base/out.h"

#include <criterion/criterion.h>
#include <stdlib.h>

TestSuite(readme, .init = harness_begin, .fini = harness_end);

static const char *const documents[] = {"README.md", "docs/configuration.md"};

#define LISTEN "listen: 127.0.0.1:8080\n"
#define ROUTE "{path: /, echo: {}}"
#define HASH "$2y$04$abcdefghijklmnopqrstuuinwY/tkBVrn3xrxQI/TgnMHhkvl85RW"

static struct str read_document(const char *name)
{
    char *path = realpath(name, NULL);
    cr_assert_not_null(path, "%s: %m; the tests run in the root of the tree", name);
    struct str text = file_read(path);
    free(path);
    return text;
}

/* ---- examples ---- */

struct example {
    const char *document;
    int line; /* where it begins */
    struct str text;
    bool complete;
};

/* What stands around a part of a configuration, by how it begins. The last one fits everything. */
struct surroundings {
    struct str start;
    const char *before;
    int indent;
};

static const struct surroundings surroundings[] = {
    {STR_INIT("- path:"), LISTEN "sites:\n  - routes:\n", 6},
    {STR_INIT("- exact:"), LISTEN "sites:\n  - routes:\n", 6},
    {STR_INIT("- "), LISTEN "sites:\n", 2},
    {STR_INIT("sites:"), LISTEN, 0},
    {STR_INIT(""), LISTEN "sites: [{routes: [" ROUTE "]}]\n", 0},
};

static const struct surroundings *surroundings_of(const struct example *example)
{
    static const struct surroundings none = {.before = ""};
    const struct surroundings *s = surroundings;
    if (example->complete)
        return &none;
    while (!str_starts(example->text, s->start))
        s++;
    return s;
}

/* Places that an administrator would have are made in the test's directory. */
struct place {
    struct str path;
    const char *content; /* of files there; NULL: they are directories */
};

static const struct place places[] = {
    {STR_INIT("/srv/"), NULL},
    {STR_INIT("/etc/tern/"), "bob:" HASH "\n"},
};

static const struct place *place_of(struct str text)
{
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (str_starts(text, places[i].path))
            return &places[i];
    return NULL;
}

static void make(const struct place *place, struct str text)
{
    const char *path = harness_text("%.*s", (int)strcspn(text.p, " ,]}\"\n"), text.p);
    if (place->content)
        file_write(file_path(path + 1), str_of(place->content));
    else
        file_directory(path + 1);
}

/* Copies a line, with those places moved to where they have been made. */
static void put_line(struct out *o, struct str line)
{
    while (line.n) {
        const struct place *place = place_of(line);
        if (place) {
            make(place, line);
            out_put(o, str_of(harness_directory()));
        }
        out_char(o, line.p[0]);
        line = str_skip(line, 1);
    }
    out_char(o, '\n');
}

static const char *configuration_of(const struct example *example)
{
    enum { ROOM = 64 * 1024 };
    const struct surroundings *s = surroundings_of(example);
    struct out o = out_on(harness_alloc(ROOM), ROOM);
    struct str rest = example->text;
    out_put(&o, str_of(s->before));
    while (rest.n) {
        out_put(&o, str_of(harness_text("%*s", s->indent, "")));
        put_line(&o, str_cut(&rest, '\n'));
    }
    out_char(&o, '\0');
    cr_assert_not(o.full);
    return o.start;
}

static void expect_fine(const struct example *example)
{
    const char *text = configuration_of(example);
    file_write("tern.yaml", str_of(text));
    struct result r = run_tern("-t", "-c", "@DIR@/tern.yaml");
    cr_expect_eq(r.status, 0, "the example at %s:%d is refused:\n%s\n%s", example->document, example->line, r.err.p,
                 text);
}

/* Takes the next block that is marked as YAML off the text. False: there is none. */
static bool next_example(struct str *rest, struct example *example)
{
    bool inside = false;
    while (rest->n) {
        struct str line = str_cut(rest, '\n');
        example->line++;
        if (!inside && str_eq(line, STR("```yaml"))) {
            inside = true;
            example->text = (struct str){rest->p, 0};
            example->complete = false;
        } else if (inside && str_eq(line, STR("```"))) {
            return true;
        } else if (inside) {
            example->text.n = (size_t)(rest->p - example->text.p);
            example->complete |= str_starts(line, STR("listen:"));
        }
    }
    return false;
}

Test(readme, every_example_is_taken)
{
    for (size_t i = 0; i < sizeof documents / sizeof *documents; i++) {
        struct str rest = read_document(documents[i]);
        struct example example = {.document = documents[i]};
        int complete = 0;
        while (next_example(&rest, &example)) {
            expect_fine(&example);
            complete += example.complete;
        }
        cr_expect_gt(complete, 0, "%s has no complete example", documents[i]);
    }
}

/* ---- defaults ---- */

/* As little as there may be of everything that has defaults. */
#define LEAST                                                                                                          \
    LISTEN "log: {access: {path: access.log}}\n"                                                                       \
           "sites:\n"                                                                                                  \
           "  - routes:\n"                                                                                             \
           "      - {path: /, files: {root: @DIR@/www}}\n"                                                             \
           "      - {path: /a, respond: {}, limit: {requests: 1/s}, compress: {}}\n"                                   \
           "      - {path: /b, redirect: {to: /}, auth: {users: {bob: " HASH "}}}\n"

/* Lines of a dump that say what was given. */
static bool is_given(struct str key)
{
    static const char *const given[] = {"listen", "path", "- path", "root", "requests", "to", "bob"};
    for (size_t i = 0; i < sizeof given / sizeof *given; i++)
        if (str_eq(key, str_of(given[i])))
            return true;
    return false;
}

Test(readme, the_defaults_are_those_of_the_tables)
{
    struct str tables = read_document("docs/configuration.md");
    file_directory("www");
    file_write("tern.yaml", str_of(harness_expand(LEAST)));
    struct result r = run_tern("-T", "-c", "@DIR@/tern.yaml");
    cr_assert_eq(r.status, 0, "%s", r.err.p);
    size_t defaults = 0;
    for (struct str rest = r.out; rest.n;) {
        struct str value = str_cut(&rest, '\n'), key = str_trim(str_cut(&value, ':'));
        value = str_trim(value);
        if (value.n == 0 || is_given(key))
            continue;
        const char *row = harness_text("\n| `" STR_FMT "` | " STR_FMT " |", STR_ARG(key), STR_ARG(value));
        cr_expect(memmem(tables.p, tables.n, row, strlen(row)), "no table says:%s", row);
        defaults++;
    }
    cr_assert_gt(defaults, 0);
}
