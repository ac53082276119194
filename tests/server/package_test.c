/* package_test.c: what the scripts of the Debian package do to the service. The tools they call only write it down. */
#include "harness.h"
#include "harness_command.h"
#include "harness_file.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(package, .init = harness_begin, .fini = harness_end);

/* Notes what it is called for; a file `active` is the state of the service. */
static const char tool[] = "#!/bin/sh\n"
                           "name=${0##*/}\n"
                           "case \"$name $*\" in\n"
                           "'systemctl --quiet is-active tern.service') test -e @DIR@/active; exit ;;\n"
                           "'deb-systemd-invoke start tern.service') touch @DIR@/active ;;\n"
                           "'deb-systemd-invoke stop '*) rm -f @DIR@/active ;;\n"
                           "'ternctl upgrade') ;;\n"
                           "*) exit 0 ;;\n"
                           "esac\n"
                           "echo \"$name $1\" >>@DIR@/calls\n";

static void make_tools(void)
{
    static const char *const names[] = {"systemctl",          "systemd-sysusers",   "systemd-tmpfiles",
                                        "deb-systemd-helper", "deb-systemd-invoke", "ternctl"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *name = harness_text("bin/%s", names[i]);
        file_write(name, str_of(harness_expand(tool)));
        cr_assert_eq(chmod(file_path(name), 0755), 0);
    }
    setenv("PATH", harness_text("%s:%s", file_path("bin"), getenv("PATH")), true);
    file_directory("run/systemd/system");
    file_directory("var/www/html");
}

/* A script of the package, as if the test's directory were the root of the system. */
static void run_script(const char *name, const char *action, const char *version)
{
    const char *line = harness_text("sed 's:/\\(run\\|var\\)/:@DIR@&:g' scripts/debian/%s >@DIR@/script && "
                                    "sh @DIR@/script \"$@\"",
                                    name);
    struct command command = {.arguments = {"sh", "-c", harness_expand(line), name, action, version}};
    struct result r = command_run(&command);
    cr_assert_eq(r.status, 0, "%s %s: %s", name, action, r.err.p);
}

/* What has been done to the service since the last look. */
static void expect_calls(const char *calls)
{
    struct str found = file_read("calls");
    cr_expect(str_eq(found, str_of(calls)), STR_FMT "instead of %s", STR_ARG(found), calls);
    file_write("calls", STR(""));
}

static void start_with(const char *state)
{
    make_tools();
    file_write("calls", STR(""));
    if (state)
        file_write("active", str_of(state));
}

Test(package, a_new_one_is_started)
{
    start_with(NULL);
    run_script("postinst", "configure", "");
    expect_calls("deb-systemd-invoke start\n");
}

Test(package, a_running_one_is_upgraded)
{
    start_with("");
    run_script("prerm", "upgrade", "0.2.0-1");
    expect_calls("");
    run_script("postinst", "configure", "0.1.0-1");
    expect_calls("ternctl upgrade\n");
}

Test(package, one_that_was_stopped_before_the_upgrade_stays_stopped)
{
    start_with(NULL);
    run_script("prerm", "upgrade", "0.2.0-1");
    run_script("postinst", "configure", "0.1.0-1");
    expect_calls("");
    run_script("prerm", "remove", NULL);
    run_script("postinst", "configure", "0.2.0-1");
    expect_calls("deb-systemd-invoke stop\ndeb-systemd-invoke start\n");
}

/* dpkg tells the version before, which it knows until a purge. */
Test(package, after_a_removal_it_is_started_again)
{
    start_with("");
    run_script("prerm", "remove", NULL);
    expect_calls("deb-systemd-invoke stop\n");
    run_script("postinst", "configure", "0.1.0-1");
    expect_calls("deb-systemd-invoke start\n");
}

Test(package, an_upgrade_that_was_given_up_leaves_no_mark)
{
    start_with(NULL);
    run_script("prerm", "upgrade", "0.2.0-1");
    run_script("postinst", "abort-upgrade", "0.2.0-1");
    expect_calls("");
    cr_expect_neq(access(file_path("run/tern.stopped"), F_OK), 0);
}
