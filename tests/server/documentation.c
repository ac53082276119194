/* documentation.c: see documentation.h. */
#include "documentation.h"

#include "base/out.h"
#include "harness.h"
#include "harness_command.h"
#include "harness_file.h"
#include "harness_pki.h"

#include <criterion/criterion.h>
#include <libgen.h>
#include <stdlib.h>

const char *const documents[] = {"README.md",
                                 "docs/blocking.md",
                                 "docs/configuration.md",
                                 "docs/modules.md",
                                 "docs/observing.md",
                                 "docs/operation.md",
                                 NULL};

#define LISTEN "listen: 127.0.0.1:8080\n"
#define SECURE_LISTEN "listen: {address: 127.0.0.1:8080, tls: {}}\n" /* of what has a certificate of its own */
#define ROUTE "{path: /, echo: {}}"
#define HASH "$2y$04$abcdefghijklmnopqrstuuinwY/tkBVrn3xrxQI/TgnMHhkvl85RW"

struct str document_read(const char *name)
{
    char *path = realpath(name, NULL);
    cr_assert_not_null(path, "%s: %m; the tests run in the root of the tree", name);
    struct str text = file_read(path);
    free(path);
    return text;
}

/* What stands around a part of a configuration, by how it begins. The last one fits everything. */
struct surroundings {
    struct str start;
    const char *before;
    int indent;
};

static const struct surroundings surroundings[] = {
    {STR_INIT("- path:"), LISTEN "sites:\n  - routes:\n", 6},
    {STR_INIT("- exact:"), LISTEN "sites:\n  - routes:\n", 6},
    {STR_INIT("- hosts: intern.example.org\n"), SECURE_LISTEN "sites:\n", 2},
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

/* Places that an administrator would have are made in the test's directory, by what makes a path there. */
struct place {
    struct str path;
    void (*make)(const char *path);
};

/* What the name says: NAME.rsa.pem, NAME.rsa.key, NAME.der. */
static void make_tls(const char *path)
{
    const char *name = strstr(path, ".rsa.") ? "rsa" : "ecdsa", *kind = strrchr(path, '.') + 1;
    if (strcmp(kind, "der") == 0)
        pki_ocsp(name, harness_text("%s.der", name), false);
    file_write(path, pki_read(name, kind));
}

static void make_users(const char *path)
{
    file_write(path, STR("bob:" HASH "\n"));
}

/* Those that have been built beside the server: copies, since workers may not be let into the tree. */
static void copy_modules(const char *path)
{
    (void)path;
    char *server = strdup(command_tern());
    file_directory("srv/modules");
    struct command copy = {
        .arguments = {"cp", "-rT", harness_text("%s/modules", dirname(server)), file_path("srv/modules")}};
    cr_assert_eq(command_run(&copy).status, 0, "no modules beside %s", command_tern());
    free(server);
}

static const struct place places[] = {
    {STR_INIT("/srv/modules"), copy_modules},
    {STR_INIT("/srv/"), file_directory},
    {STR_INIT("/etc/tern/tls/"), make_tls},
    {STR_INIT("/etc/tern/"), make_users},
};

static const struct place *place_of(struct str text)
{
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (str_starts(text, places[i].path))
            return &places[i];
    return NULL;
}

/* Copies a line, with those places moved to where they have been made. */
static void put_line(struct out *o, struct str line)
{
    while (line.n) {
        const struct place *place = place_of(line);
        if (place) {
            place->make(harness_text("%.*s", (int)strcspn(line.p, " ,]}\"\n") - 1, line.p + 1));
            out_put(o, str_of(harness_directory()));
        }
        out_char(o, line.p[0]);
        line = str_skip(line, 1);
    }
    out_char(o, '\n');
}

const char *example_configuration(const struct example *example)
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

bool example_next(struct str *rest, const char *language, struct example *example)
{
    struct str begins = str_of(harness_text("```%s", language));
    bool inside = false;
    while (rest->n) {
        struct str line = str_cut(rest, '\n');
        example->line++;
        if (!inside && str_eq(line, begins)) {
            inside = true;
            example->text = (struct str){rest->p, 0};
            example->complete = false;
        } else if (inside && str_eq(line, STR("```"))) {
            return true;
        } else if (inside) {
            example->text.n = (size_t)(rest->p - example->text.p);
            example->complete |= str_starts(line, STR("listen:")) || str_starts(line, STR("const struct tern_module"));
        }
    }
    return false;
}
