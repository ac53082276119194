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

static void expect_compiles(const struct example *example)
{
    struct command cc = {.arguments = {"cc", "-Wall", "-Werror", "-Isrc", "-shared", "-fPIC",
                                       "-fstack-clash-protection", "-o", file_path("module.so"),
                                       file_path("module.c")}};
    struct result r = command_run(&cc);
    cr_expect_eq(r.status, 0, "the module that ends at %s:%d:\n%s", example->document, example->line, r.err.p);
}

/* Each of its handlers is one of a route. */
static void expect_loads(const struct example *example)
{
    static const char row[] = "{.name = \"";
    struct str source = file_read("module.c");
    file_write("tern.yaml", STR("listen: 127.0.0.1:8080\nsites:\n  - routes:\n"));
    size_t count = 0;
    for (const char *at = source.p; (at = strstr(at, row)); count++) {
        at += sizeof row - 1;
        int n = (int)strcspn(at, "\"");
        file_append("tern.yaml", str_of(harness_text("      - {path: /%.*s, module: {file: %s, handler: %.*s}}\n", n,
                                                     at, file_path("module.so"), n, at)));
    }
    cr_expect_gt(count, 0, "the module that ends at %s:%d has no handler", example->document, example->line);
    struct result r = run_tern("-t", "-c", "@DIR@/tern.yaml");
    cr_expect_eq(r.status, 0, "the module that ends at %s:%d is refused:\n%s", example->document, example->line,
                 r.err.p);
}

/* What a document shows up to the definition of a module is one file. */
Test(readme, every_example_in_c_is_of_a_module)
{
    size_t modules = 0;
    for (size_t i = 0; documents[i]; i++) {
        struct str rest = document_read(documents[i]);
        struct example example = {.document = documents[i], .complete = true};
        file_write("module.c", STR(""));
        while (example_next(&rest, "c", &example)) {
            file_append("module.c", example.text);
            if (!example.complete)
                continue;
            expect_compiles(&example);
            expect_loads(&example);
            file_write("module.c", STR(""));
            modules++;
        }
        cr_expect(example.complete, "%s: the last example is of no module", documents[i]);
    }
    cr_expect_gt(modules, 3);
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
