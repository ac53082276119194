/* systemd_test.c: the units and the logrotate map that are shipped, before the tools that will read them. */
#include "harness.h"
#include "harness_command.h"
#include "harness_file.h"

#include <criterion/criterion.h>
#include <grp.h>
#include <libgen.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

TestSuite(systemd, .init = harness_begin, .fini = harness_end);

static struct result run(const char *const *arguments)
{
    struct command command = {0};
    for (size_t i = 0; arguments[i]; i++)
        command.arguments[i] = harness_expand(arguments[i]);
    return command_run(&command);
}

#define run(...) run((const char *const[]){__VA_ARGS__, NULL})

static void need(const char *tool)
{
    if (run("sh", "-c", harness_text("command -v %s", tool)).status != 0)
        harness_skip(harness_text("%s is not installed", tool));
}

/* The programs that units start have to be there: everything goes below the test's directory. */
static void install(void)
{
    char *built = strdup(command_tern());
    setenv("B", dirname(built), true);
    free(built);
    setenv("PREFIX", file_path("usr"), true);
    setenv("SYSCONFDIR", file_path("etc"), true);
    unsetenv("DESTDIR");
    struct result r = run("scripts/install");
    cr_assert_eq(r.status, 0, "%s", r.err.p);
}

#define SERVICE "@DIR@/usr/lib/systemd/system/tern.service"
#define SOCKET "@DIR@/usr/lib/systemd/system/tern.socket"

Test(systemd, verify_has_nothing_to_say)
{
    need("systemd-analyze");
    install();
    struct result r = run("systemd-analyze", "verify", "--man=no", SERVICE, SOCKET);
    cr_expect_eq(r.status, 0);
    cr_expect_eq(r.out.n + r.err.n, 0, "%s%s", r.out.p, r.err.p);
}

/* That the threshold is looked at is shown by one that nothing can meet. */
Test(systemd, the_service_is_exposed_to_little)
{
    need("systemd-analyze");
    install();
    struct result r = run("systemd-analyze", "security", "--offline=true", "--threshold=20", SERVICE);
    cr_expect_eq(r.status, 0, "%s%s", r.out.p, r.err.p);
    r = run("systemd-analyze", "security", "--offline=true", "--threshold=0", SERVICE);
    cr_expect_neq(r.status, 0);
}

/* As ourselves, in place of user tern, who need not be here. */
static struct result logrotate(const char *filter)
{
    const char *user = getpwuid(geteuid())->pw_name, *group = getgrgid(getegid())->gr_name;
    file_directory("logs");
    file_write("logs/access.log", STR("a line\n"));
    struct result r = run("sed", "-e", harness_text("s/tern adm/%s %s/", user, group), "-e",
                          "s|/var/log/tern|@DIR@/logs|", "-e", filter, "systemd/tern.logrotate");
    file_write("map", r.out);
    return run("logrotate", "--debug", "--force", "--state", "@DIR@/state", "@DIR@/map");
}

Test(systemd, logrotate_understands_its_map)
{
    need("logrotate");
    struct result r = logrotate("s/daily/dayly/");
    cr_expect_not_null(strstr(r.err.p, "error"), "a mistake goes unseen: %s", r.err.p);
    r = logrotate("");
    cr_expect_eq(r.status, 0);
    cr_expect_null(strstr(r.err.p, "error"), "%s", r.err.p);
    cr_expect_not_null(strstr(r.err.p, "access.log"), "%s", r.err.p);
    cr_expect_not_null(strstr(r.err.p, "ternctl reopen"), "%s", r.err.p);
}

/* The step that logrotate takes, with our own ternctl, at a socket in the test's directory. */
static int rotate(const char *ternctl)
{
    const char *step = harness_text("sed -n 's|/run/tern|@DIR@|; s|/usr/bin/ternctl|%s -S @DIR@/control.sock|; "
                                    "/ternctl.* reopen/p' systemd/tern.logrotate | sh -e",
                                    ternctl);
    return run("sh", "-c", step).status;
}

/* What a crash leaves behind. */
Test(systemd, a_socket_that_nobody_listens_on_is_no_trouble_for_logrotate)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    strncpy(address.sun_path, file_path("control.sock"), sizeof address.sun_path - 1);
    cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0, "%m");
    close(fd);
    cr_expect_eq(rotate(harness_text("%sctl", command_tern())), 0);
    file_write("failing/ternctl", STR("exit 1\n"));
    cr_expect_eq(rotate("sh @DIR@/failing/ternctl"), 1, "a failure goes unseen");
}
