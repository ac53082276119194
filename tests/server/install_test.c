/* install_test.c: what `make install` puts where, what it leaves alone, and what `make uninstall` leaves behind. */
#include "harness.h"
#include "harness_command.h"
#include "harness_file.h"

#include <criterion/criterion.h>
#include <libgen.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Everything below the test's directory, as if that were the root of the system. */
static struct result run_install(const char *option)
{
    return command_run(&(struct command){.arguments = {"scripts/install", option}});
}

static void setup(void)
{
    harness_begin();
    char *built = strdup(command_tern());
    setenv("B", dirname(built), true);
    setenv("PREFIX", file_path("usr"), true);
    setenv("SYSCONFDIR", file_path("etc"), true);
    unsetenv("DESTDIR");
    unsetenv("WWW");
    free(built);
}

TestSuite(install, .init = setup, .fini = harness_end);

static void install(void)
{
    struct result r = run_install(NULL);
    cr_assert_eq(r.status, 0, "%s", r.err.p);
}

static bool has(const char *name, mode_t mode)
{
    struct stat st;
    return stat(file_path(name), &st) == 0 && (st.st_mode & 07777) == mode;
}

Test(install, a_configuration_that_is_there_stays)
{
    file_write("etc/tern/tern.yaml", STR("mine"));
    file_write("etc/tern/mime.types", STR("mine, too"));
    file_write("etc/logrotate.d/tern", STR("mine as well"));
    install();
    cr_expect(str_eq(file_read("etc/tern/tern.yaml"), STR("mine")));
    cr_expect(str_eq(file_read("etc/tern/mime.types"), STR("mine, too")));
    cr_expect(str_eq(file_read("etc/logrotate.d/tern"), STR("mine as well")));
}

Test(install, what_it_does_not_know_is_refused)
{
    cr_expect_eq(run_install("--force").status, 2);
    cr_expect_not(has("usr/sbin/tern", 0755));
}

/* What no unit, no map of logrotate and no substitution by sed could carry. */
Test(install, places_that_texts_cannot_name_are_refused)
{
    static const char *const names[] = {"PREFIX", "SYSCONFDIR", "WWW"};
    static const char *const places[] = {"@DIR@/a b",  "@DIR@/a|b", "@DIR@/a&b", "@DIR@/a%b", "@DIR@/a\\b",
                                         "@DIR@/a\nb", "@DIR@/$a",  "@DIR@/a'b", "@DIR@/a;b", "opt/tern"};
    setenv("WWW", file_path("www"), true);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *before = strdup(getenv(names[i]));
        for (size_t j = 0; j < sizeof places / sizeof *places; j++) {
            setenv(names[i], harness_expand(places[j]), true);
            struct result r = run_install(NULL);
            cr_expect_eq(r.status, 2, "%s=%s", names[i], places[j]);
            cr_expect_not_null(strstr(r.err.p, names[i]), "%s: %s", names[i], r.err.p);
        }
        setenv(names[i], before, true);
        free(before);
    }
    cr_expect_not(has("usr/sbin/tern", 0755));
    install();
}

/* A part that cannot be read is no reason to go on as if it had been. */
Test(install, a_failure_in_a_pipe_is_a_failure)
{
    file_write("bin/sed", STR("#!/bin/sh\nexit 1\n"));
    cr_assert_eq(chmod(file_path("bin/sed"), 0755), 0);
    setenv("PATH", harness_text("%s:%s", file_path("bin"), getenv("PATH")), true);
    cr_expect_neq(run_install(NULL).status, 0);
}

Test(install, each_part_has_its_place)
{
    static const struct {
        const char *name;
        mode_t mode;
    } parts[] = {
        {"usr/sbin/tern", 0755},
        {"usr/bin/ternctl", 0755},
        {"usr/share/tern/www/index.html", 0644},
        {"usr/include/tern.h", 0644},
        {"usr/lib/tern/modules/hello.so", 0644},
        {"usr/share/doc/tern/examples/postgres.c", 0644},
        {"usr/share/man/man3/tern-module.3", 0644},
        {"usr/share/bash-completion/completions/ternctl", 0644},
        {"usr/lib/systemd/system/tern.service", 0644},
        {"usr/lib/systemd/system/tern.socket", 0644},
        {"usr/lib/sysusers.d/tern.conf", 0644},
        {"usr/lib/tmpfiles.d/tern.conf", 0644},
        {"etc/logrotate.d/tern", 0644},
        {"etc/tern/tern.yaml", 0644},
        {"etc/tern/mime.types", 0644},
        {"etc/tern/conf.d", 0755},
    };
    install();
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        cr_expect(has(parts[i].name, parts[i].mode), "%s", parts[i].name);
}

/* The configuration includes a folder, which is there, and serves a directory that is there. */
Test(install, what_is_installed_is_a_configuration_without_mistakes)
{
    install();
    struct result r = run_tern("-t", "-c", "@DIR@/etc/tern/tern.yaml");
    cr_expect_eq(r.status, 0, "%s", r.err.p);
}

Test(install, texts_name_the_places_where_things_are)
{
    install();
    struct str unit = file_read("usr/lib/systemd/system/tern.service");
    const char *start = harness_expand("ExecStart=@DIR@/usr/sbin/tern -c @DIR@/etc/tern/tern.yaml\n");
    const char *reload = harness_expand("ExecReload=@DIR@/usr/bin/ternctl reload\n");
    cr_expect_not_null(strstr(unit.p, start), "%s", unit.p);
    cr_expect_not_null(strstr(unit.p, reload), "%s", unit.p);
    cr_expect_not_null(strstr(file_read("etc/logrotate.d/tern").p, harness_expand("@DIR@/usr/bin/ternctl reopen")));
    struct str page = file_read("usr/share/man/man3/tern-module.3");
    cr_expect_not_null(strstr(page.p, harness_expand("@DIR@/usr/lib/tern/modules\n")));
    cr_expect_not_null(strstr(page.p, harness_expand("@DIR@/usr/include/tern.h\n")));
}

/* One place lies below another, and one looks like a place of a package: neither is moved twice, nor once a line. */
Test(install, all_places_of_a_line_are_moved_once)
{
    setenv("PREFIX", file_path("opt/usr"), true);
    setenv("SYSCONFDIR", file_path("opt/usr/etc"), true);
    setenv("WWW", file_path("opt/usr/share/tern/www"), true);
    install();
    struct str configuration = file_read("opt/usr/etc/tern/tern.yaml");
    const char *const parts[] = {
        "@DIR@/opt/usr/etc/tern/tls/example.org.pem, key: @DIR@/opt/usr/etc/tern/tls/example.org.key}\n",
        "files: {root: @DIR@/opt/usr/share/tern/www}\n"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        cr_expect_not_null(strstr(configuration.p, harness_expand(parts[i])), "%s: %s", parts[i], configuration.p);
    struct command grep = {.arguments = {"grep", "-rInE",
                                         "(^|[^a-z])(/usr/(sbin|bin|lib|include|share/doc|share)/tern|"
                                         "/etc/tern|/var/www/html)\\>",
                                         file_path("opt")}};
    struct result left = command_run(&grep);
    cr_expect_eq(left.status, 1, "%s", left.out.p);
}

/* What was built is loaded, and so is what is made of an example with the header that lies there. */
Test(install, modules_can_be_used_and_made)
{
    static const char *const files[] = {"hello.so", "@DIR@/mine.so"};
    install();
    struct command cc = {.arguments = {"cc", "-Wall", "-Werror", harness_expand("-I@DIR@/usr/include"), "-shared",
                                       "-fPIC", "-o", file_path("mine.so"),
                                       file_path("usr/share/doc/tern/examples/hello.c")}};
    struct result made = command_run(&cc);
    cr_assert_eq(made.status, 0, "%s", made.err.p);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        const char *text = harness_text("listen: 127.0.0.1:8080\n"
                                        "modules: @DIR@/usr/lib/tern/modules\n"
                                        "sites: [{routes: [{path: /, module: {file: %s, handler: hello}}]}]\n",
                                        files[i]);
        file_write("tern.yaml", str_of(harness_expand(text)));
        struct result r = run_tern("-t", "-c", "@DIR@/tern.yaml");
        cr_expect_eq(r.status, 0, "%s", r.err.p);
    }
}

/* The file that is read without -c, where media types are, and where modules are, are compiled in; what was compiled
 * for another place is compiled again. */
Test(install, the_program_looks_where_it_was_told_to_be_installed)
{
    static const char *const rows[][3] = {
        {"SYSCONFDIR=/opt/etc", "obj/src/main.o", "/opt/etc/tern/tern.yaml"},
        {"SYSCONFDIR=/opt/etc", "obj/src/proc/config.o", "/opt/etc/tern/mime.types"},
        {"SYSCONFDIR=/srv/etc", "obj/src/main.o", "/srv/etc/tern/tern.yaml"},
        {"PREFIX=/opt", "obj/src/proc/config.o", "/opt/lib/tern/modules"},
    };
    unsetenv("MAKEFLAGS");
    unsetenv("MAKELEVEL");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct command make = {.arguments = {"make", "-j1", harness_expand("B=@DIR@/build"), rows[i][0],
                                             harness_text("%s/%s", file_path("build"), rows[i][1])}};
        struct result r = command_run(&make);
        cr_assert_eq(r.status, 0, "%s", r.err.p);
        struct str object = file_read(harness_text("build/%s", rows[i][1]));
        cr_expect(memmem(object.p, object.n, rows[i][2], strlen(rows[i][2])), "%s is not in it", rows[i][2]);
    }
}

/* What can be seen without asking the programs: regular files that are left. */
Test(install, an_uninstallation_leaves_the_configuration_alone)
{
    install();
    file_append("etc/tern/tern.yaml", STR("# mine\n"));
    struct result r = run_install("--remove");
    cr_assert_eq(r.status, 0, "%s", r.err.p);
    const char *const search[] = {"find", file_path("."), "-type", "f", "-path", "*tern*", "-printf", "%P\n", NULL};
    struct command find = {0};
    memcpy(find.arguments, search, sizeof search);
    struct str left = command_run(&find).out;
    cr_expect_null(strstr(left.p, "usr/"), "%s", left.p);
    cr_expect_not_null(strstr(left.p, "etc/tern/tern.yaml\n"), "%s", left.p);
    cr_expect_not_null(strstr(left.p, "etc/logrotate.d/tern\n"), "%s", left.p);
}
