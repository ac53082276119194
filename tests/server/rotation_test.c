/* Rotation of the logs under load: every request that was answered has its line, in one of the files. */
#include "harness.h"
#include "harness_file.h"
#include "harness_response.h"
#include "service.h"

#include <criterion/criterion.h>
#include <glob.h>
#include <regex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ROTATIONS = 15 };

static void begin(void)
{
    harness_begin();
    file_directory("log");
}

TestSuite(rotation, .init = begin, .fini = harness_end);

/* The buffer is written out often, so that each file has its share. */
#define LOGS "log: {error: @DIR@/log/error.log, access: {path: @DIR@/log/access.log, flush: 100ms}}\n"

/* Lines of all files whose names start like this; each must be one of the combined format. */
static uint64_t count_lines(const char *name)
{
    static const char pattern[] = "^(127\\.0\\.0\\.1|unix:) - - \\[[^]]+\\] \"(GET|POST) /[a-z/]* HTTP/1\\.1\" 200 "
                                  "[0-9]+ \"-\" \"-\"$";
    regex_t combined;
    glob_t found;
    uint64_t lines = 0;
    cr_assert_eq(regcomp(&combined, pattern, REG_EXTENDED | REG_NOSUB), 0);
    cr_assert_eq(glob(harness_text("%s*", file_path(name)), 0, NULL, &found), 0, "there is no %s", name);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct str text = file_read(found.gl_pathv[i]);
        cr_assert(text.n == 0 || text.p[text.n - 1] == '\n', "%s ends in the middle of a line", found.gl_pathv[i]);
        for (; text.n; lines++) {
            struct str line = str_cut(&text, '\n');
            ((char *)(uintptr_t)line.p)[line.n] = '\0';
            cr_assert_eq(regexec(&combined, line.p, 0, NULL, 0), 0, "%s: %s", found.gl_pathv[i], line.p);
        }
    }
    globfree(&found);
    regfree(&combined);
    return lines;
}

/* Ends load and server, so that all lines are written, and compares. */
static void assert_lines(const struct server *server, struct load *load, uint64_t other_requests)
{
    struct load_counts counts = load_stop(load);
    cr_assert_eq(load_failures(&counts), 0, "%s", load_text(&counts));
    assert_stop(server, 0);
    uint64_t lines = count_lines("log/access.log");
    cr_assert_eq(lines, counts.answers + other_requests, "%llu lines for %llu requests", (unsigned long long)lines,
                 (unsigned long long)(counts.answers + other_requests));
}

static void rename_logs(int turn)
{
    static const char *const names[] = {"access", "error"};
    for (int i = 0; i < 2; i++) {
        const char *path = file_path(harness_text("log/%s.log", names[i]));
        cr_assert_eq(rename(path, harness_text("%s.%d", path, turn)), 0, "%s: %m", path);
    }
}

static bool is_there(const char *name)
{
    return access(file_path(name), F_OK) == 0;
}

Test(rotation, usr1_under_load_loses_no_line)
{
    struct server server = service_start(.more = LOGS);
    struct load *load = service_load(server.port, NULL);
    for (int i = 0; i < ROTATIONS; i++) {
        assert_load_goes_on(load, 100);
        rename_logs(i);
        kill(server.pid, SIGUSR1);
        cr_assert(until(is_there("log/access.log") && is_there("log/error.log")));
    }
    assert_lines(&server, load, 0);
}

/* When ternctl comes back, the old files are complete, and may be compressed or sent away. Workers that have given up
 * root could not open the new ones themselves. */
Test(rotation, after_ternctl_reopen_nothing_is_written_to_the_old_files)
{
    cr_assert_eq(chmod(file_path("log"), 0700), 0);
    struct server server = service_start(.more = geteuid() == 0 ? "user: nobody\ngroup: nogroup\n" LOGS : LOGS);
    struct load *load = service_load(server.port, NULL);
    off_t sizes[ROTATIONS];
    struct stat info;
    for (int i = 0; i < ROTATIONS; i++) {
        assert_load_goes_on(load, 100);
        rename_logs(i);
        assert_ctl(0, "reopen");
        cr_assert_eq(stat(file_path(harness_text("log/access.log.%d", i)), &info), 0);
        sizes[i] = info.st_size;
    }
    assert_lines(&server, load, 0);
    for (int i = 0; i < ROTATIONS; i++) {
        cr_assert_eq(stat(file_path(harness_text("log/access.log.%d", i)), &info), 0);
        cr_assert_eq(info.st_size, sizes[i], "file %d has grown afterwards", i);
    }
}

/* Each generation has its files; all of them are opened anew. */
Test(rotation, with_reloads_and_upgrades_in_between)
{
    struct server server = service_start(.more = LOGS);
    struct load *load = service_load(server.port, NULL);
    for (int i = 0; i < ROTATIONS; i++) {
        assert_load_goes_on(load, 50);
        rename_logs(i);
        kill(server.pid, i % 2 ? SIGHUP : SIGUSR1);
        kill(server.pid, i % 2 ? SIGUSR1 : SIGHUP);
        cr_assert(until(is_there("log/access.log") && is_there("log/error.log")));
        if (i % 5 == 4) {
            assert_ctl(0, "upgrade");
            assert_exit(&server, 0);
            server.pid = (pid_t)service_status("pid");
        }
    }
    assert_lines(&server, load, 0);
}

/* A file that cannot be opened leaves everybody with the old one, and whoever asked is told. */
Test(rotation, a_vanished_directory_loses_no_line)
{
    struct server server = service_start(.more = LOGS);
    struct load *load = service_load(server.port, NULL);
    cr_assert_eq(rename(file_path("log"), file_path("elsewhere")), 0);
    struct str told;
    assert_ctl_tells(&told, 1, "reopen");
    cr_assert(strstr(told.p, "access.log"), "%s", told.p);
    assert_load_goes_on(load, 100);
    cr_assert_eq(rename(file_path("elsewhere"), file_path("log")), 0);
    assert_ctl(0, "reopen");
    assert_lines(&server, load, 0);
}

/* ---- logrotate ---- */

/* The configuration that is shipped, for the files, the user and the socket of this test. */
static void adapt_configuration(void)
{
    const char *ctl = harness_text("%s -S %s", service_ctl_path(), service_control());
    const char *script = harness_text("sed -e 's|/var/log/tern/|%s/log/|g' -e 's|/usr/bin/ternctl|%s|g' "
                                      "-e 's|/run/tern/control.sock|%s|g' -e 's|tern adm|root root|g' "
                                      "systemd/tern.logrotate >%s/logrotate.conf",
                                      harness_directory(), ctl, service_control(), harness_directory());
    struct result r = command_run(&(struct command){.arguments = {"sh", "-c", script}});
    cr_assert_eq(r.status, 0, "%s", r.err.p);
}

Test(rotation, logrotate_as_it_is_shipped)
{
    if (geteuid() != 0 || access("/usr/sbin/logrotate", X_OK) != 0 || access("systemd/tern.logrotate", R_OK) != 0)
        harness_skip("needs root, logrotate, and the tree as the working directory");
    struct server server = service_start(.more = LOGS);
    struct load *load = service_load(server.port, NULL);
    adapt_configuration();
    for (int i = 0; i < 5; i++) {
        assert_load_goes_on(load, 100);
        struct command command = {.arguments = {"/usr/sbin/logrotate", "--force", "--verbose", "--state",
                                                file_path("logrotate.state"), file_path("logrotate.conf")}};
        struct result r = command_run(&command);
        cr_assert_eq(r.status, 0, "%s", r.err.p);
    }
    struct result r = command_run(&(struct command){
        .arguments = {"sh", "-c", harness_text("gunzip %s/log/access.log.*.gz", harness_directory())}});
    cr_assert_eq(r.status, 0, "%s", r.err.p);
    assert_lines(&server, load, 0);
}
