/* The documentation fits the product: tern takes every example in YAML, a compiler every one in C, and the defaults in
 * the tables are tern's. */
#include "documentation.h"
#include "harness.h"
#include "harness_command.h"
#include "harness_file.h"
#include "harness_pki.h"

#include <criterion/criterion.h>

TestSuite(readme, .init = harness_begin, .fini = harness_end);

#define HASH "$2y$04$abcdefghijklmnopqrstuuinwY/tkBVrn3xrxQI/TgnMHhkvl85RW"

/* ---- examples ---- */

static void expect_fine(const struct example *example)
{
    const char *text = example_configuration(example);
    file_write("tern.yaml", str_of(text));
    struct result r = run_tern("-t", "-c", "@DIR@/tern.yaml");
    cr_expect_eq(r.status, 0, "the example at %s:%d is refused:\n%s\n%s", example->document, example->line, r.err.p,
                 text);
}

Test(readme, every_example_is_taken)
{
    for (size_t i = 0; documents[i]; i++) {
        struct str rest = document_read(documents[i]);
        struct example example = {.document = documents[i]};
        int complete = 0;
        while (example_next(&rest, "yaml", &example)) {
            expect_fine(&example);
            complete += example.complete;
        }
        cr_expect_gt(complete, 0, "%s has no complete example", documents[i]);
    }
}

/* What parts of a module need that are shown without their beginning. */
#define INCLUDES                                                                                                       \
    "#pragma GCC diagnostic ignored \"-Wunused-function\"\n"                                                           \
    "#include <errno.h>\n#include <stdio.h>\n#include <stdlib.h>\n#include <tern.h>\n"

static void expect_compiles(const struct example *example)
{
    struct str text = example->text;
    file_write("module.c", str_of(harness_text("%s" STR_FMT, example->complete ? "" : INCLUDES, STR_ARG(text))));
    struct command cc = {.arguments = {"cc", "-Wall", "-Werror", "-Isrc", "-shared", "-fPIC", "-o",
                                       file_path("module.so"), file_path("module.c")}};
    struct result r = command_run(&cc);
    cr_expect_eq(r.status, 0, "the example at %s:%d:\n%s", example->document, example->line, r.err.p);
}

/* One that is complete is loaded, too: the first handler has the name of the module. */
static void expect_loads(const struct example *example)
{
    struct str rest = example->text;
    const char *at = memmem(rest.p, rest.n, "module = {", sizeof "module = {" - 1);
    cr_assert_not_null(at, "the example at %s:%d defines no module", example->document, example->line);
    rest = str_skip(rest, (size_t)(at - rest.p));
    str_cut(&rest, '"');
    struct str name = str_cut(&rest, '"');
    file_write("tern.yaml", str_of(harness_text("listen: 127.0.0.1:8080\nsites: [{routes: [{path: /, module: "
                                                "{file: %s, handler: " STR_FMT "}}]}]\n",
                                                file_path("module.so"), STR_ARG(name))));
    struct result r = run_tern("-t", "-c", "@DIR@/tern.yaml");
    cr_expect_eq(r.status, 0, "the example at %s:%d is refused:\n%s", example->document, example->line, r.err.p);
}

Test(readme, every_example_in_c_compiles)
{
    size_t count = 0, complete = 0;
    for (size_t i = 0; documents[i]; i++) {
        struct str rest = document_read(documents[i]);
        for (struct example example = {.document = documents[i]}; example_next(&rest, "c", &example); count++) {
            expect_compiles(&example);
            if (example.complete)
                expect_loads(&example);
            complete += example.complete;
        }
    }
    cr_expect_gt(count, 5);
    cr_expect_gt(complete, 1);
}

/* ---- defaults ---- */

/* As little as there may be of everything that has defaults. */
#define LEAST                                                                                                          \
    "listen: [{address: \"127.0.0.1:8080\", tls: {certificate: @DIR@/pki/self.pem, key: @DIR@/pki/self.key}}]\n"       \
    "log: {access: {path: access.log}}\n"                                                                              \
    "sites:\n"                                                                                                         \
    "  - routes:\n"                                                                                                    \
    "      - {path: /, files: {root: @DIR@/www}}\n"                                                                    \
    "      - {path: /a, respond: {}, limit: {requests: 1/s}, compress: {}, hsts: {max_age: 1y}}\n"                     \
    "      - {path: /b, redirect: {to: /}, auth: {users: {bob: " HASH "}}}\n"

/* Lines of a dump that say what was given. */
static bool is_given(struct str key)
{
    static const char *const given[] = {"- address", "certificate", "key", "path",    "- path",
                                        "root",      "requests",    "to",  "max_age", "bob"};
    for (size_t i = 0; i < sizeof given / sizeof *given; i++)
        if (str_eq(key, str_of(given[i])))
            return true;
    return false;
}

Test(readme, the_defaults_are_those_of_the_tables)
{
    struct str tables = document_read("docs/configuration.md");
    file_directory("www");
    pki_make("self");
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
