/* What is generated from the tables of directives and from tern.h, and what is written beside it, fits the product: the
 * manual pages and the schema for editors. */
#include "documentation.h"
#include "harness.h"
#include "harness_command.h"
#include "harness_file.h"

#include "base/out.h"
#include "conf/json_schema.h"
#include "conf/manual.h"
#include "http/variable.h"
#include "libc/calls.h"
#include "log/access_format.h"
#include "proc/config.h"

#include <criterion/criterion.h>
#include <glob.h>
#include <stdlib.h>

TestSuite(reference, .init = harness_begin, .fini = harness_end);

/* ---- what is generated ---- */

static int write_manual(FILE *f)
{
    FILE *page = fopen("docs/tern.yaml.5.in", "re");
    cr_assert_not_null(page, "docs/tern.yaml.5.in: %m");
    int error = conf_manual(f, page, config_table());
    fclose(page);
    return error;
}

static int write_schema(FILE *f)
{
    return conf_json_schema(f, "tern.yaml", config_table(), "include");
}

static int write_module_manual(FILE *f)
{
    struct command command = {.arguments = {"scripts/module-manual", "src/tern.h", "docs/tern-module.3.in"}};
    struct result r = command_run(&command);
    cr_expect_eq(r.status, 0, "%s", r.err.p);
    return fwrite(r.out.p, 1, r.out.n, f) == r.out.n ? 0 : -1;
}

static const struct {
    const char *name;
    int (*write)(FILE *f);
} generated[] = {{"docs/tern.yaml.5", write_manual},
                 {"conf/tern.schema.json", write_schema},
                 {"docs/tern-module.3", write_module_manual}};

Test(reference, generated_files_are_up_to_date)
{
    for (size_t i = 0; i < sizeof generated / sizeof *generated; i++) {
        char *text;
        size_t n;
        FILE *f = open_memstream(&text, &n);
        cr_assert_eq(generated[i].write(f), 0);
        fclose(f);
        cr_expect(str_eq(document_read(generated[i].name), (struct str){text, n}), "%s is out of date: make reference",
                  generated[i].name);
        free(text);
    }
}

/* Editors and readers are told of every key what it is for, and what it takes. */
static void expect_described(const struct conf_table *table, size_t *count)
{
    for (struct conf_walk walk = {.table = table}; conf_next(&walk); ++*count) {
        const struct conf_key *key = walk.key;
        cr_expect(key->doc && *key->doc, "%s of %s is for nobody knows what", key->name, table->what);
        cr_expect(key->kind != CONF_CUSTOM || key->single || key->table || key->entry,
                  "%s of %s takes nobody knows what", key->name, table->what);
        if (key->table)
            expect_described(key->table, count);
    }
}

Test(reference, every_key_is_described)
{
    size_t count = 0;
    expect_described(config_table(), &count);
    cr_expect_gt(count, 50);
}

/* ---- manual pages ---- */

Test(reference, manual_pages_are_well_formed)
{
    glob_t pages;
    cr_assert_eq(glob("docs/*.[1358]", 0, NULL, &pages), 0);
    for (size_t i = 0; i < pages.gl_pathc; i++) {
        struct command command = {.arguments = {"mandoc", "-T", "lint", "-W", "warning", pages.gl_pathv[i]},
                                  .out = "lint",
                                  .err = "lint.err"};
        struct result r = command_run(&command);
        if (r.status == 127)
            harness_skip("mandoc is not installed");
        cr_expect(r.status == 0 && r.out.n == 0, "%s: " STR_FMT, pages.gl_pathv[i], STR_ARG(r.out));
    }
    globfree(&pages);
}

Test(reference, the_manual_has_every_variable)
{
    char text[1000];
    struct out o = out_on(text, sizeof text);
    access_format_variables(&o);
    out_char(&o, ' ');
    http_text_variables(&o);
    struct str page = document_read("docs/tern.yaml.5"), rest = out_str(&o);
    cr_assert_not(o.full);
    cr_assert_gt(rest.n, 0);
    while (rest.n) {
        struct str variable = str_cut(&rest, ' ');
        cr_expect(memmem(page.p, page.n, variable.p, variable.n), "tern.yaml.5 lacks " STR_FMT, STR_ARG(variable));
    }
}

#define CALL_NAME(type, name, parameters, arguments) #name,

Test(reference, the_manual_has_every_call_that_suspends)
{
    static const char *const calls[] = {LIBC_CALLS(CALL_NAME)};
    struct str page = document_read("docs/tern-module.3");
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        const char *line = harness_text("\n.Xr %s ", calls[i]);
        cr_expect(memmem(page.p, page.n, line, strlen(line)), "tern-module.3 lacks %s", calls[i]);
    }
}

/* Options, each as " -x ". */
struct options {
    char text[500];
    struct out out;
};

static void add_option(struct options *options, struct str name)
{
    out_text(&options->out, " ");
    out_put(&options->out, name);
    out_text(&options->out, " ");
}

/* Those that start a line, one behind the other: "  -v, --version  print the version". */
static void read_help(struct options *options)
{
    struct result r = run_tern("-h");
    cr_assert_eq(r.status, 0);
    while (r.out.n) {
        struct str line = str_trim(str_cut(&r.out, '\n'));
        while (str_starts(line, STR("-"))) {
            struct str name = str_cut(&line, ' ');
            name.n -= str_ends(name, STR(","));
            add_option(options, name);
        }
    }
}

/* Those of items: ".It Fl v , -version", ".It Fl c Ar FILE". */
static void read_page(struct options *options)
{
    for (struct str page = document_read("docs/tern.8"); page.n;) {
        struct str line = str_cut(&page, '\n');
        if (!str_starts(line, STR(".It Fl ")))
            continue;
        line = str_skip(line, sizeof ".It Fl " - 1);
        for (struct str word = str_cut(&line, ' '); word.n && !str_eq(word, STR("Ar")); word = str_cut(&line, ' '))
            if (!str_eq(word, STR(",")))
                add_option(options, str_of(harness_text("-" STR_FMT, STR_ARG(word))));
    }
}

static void expect_all(const struct options *all, const struct options *among, const char *where)
{
    size_t count = 0;
    for (struct str rest = out_str(&all->out); rest.n;) {
        struct str name = str_cut(&rest, ' ');
        if (!name.n)
            continue;
        const char *word = harness_text(" " STR_FMT " ", STR_ARG(name));
        cr_expect(memmem(among->text, out_len(&among->out), word, strlen(word)), "%s lacks%s", where, word);
        count++;
    }
    cr_expect_gt(count, 5);
}

Test(reference, the_manual_and_the_help_have_the_same_options)
{
    struct options help, page;
    help.out = out_on(help.text, sizeof help.text);
    page.out = out_on(page.text, sizeof page.text);
    read_help(&help);
    read_page(&page);
    expect_all(&help, &page, "docs/tern.8");
    expect_all(&page, &help, "tern -h");
}
