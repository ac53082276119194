/* Logs that are rotated while the server works: each line is in the old file or in the new one, and whole. */
#include "harness.h"
#include "harness_command.h"
#include "harness_file.h"
#include "harness_response.h"
#include "harness_server.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONFIG                                                                                                         \
    "listen: 127.0.0.1:@PORT@\n"                                                                                       \
    "workers: 2\n"                                                                                                     \
    "log: {level: info, error: @DIR@/log/error.log, access: {path: @DIR@/log/access.log, format: '%>s %{target}r'}}\n" \
    "sites: [{routes: [{exact: /hello, respond: {status: 200, type: text/plain, body: hello}}]}]\n"

static void begin(void)
{
    harness_begin();
    file_directory("log");
}

TestSuite(log_rotate, .init = begin, .fini = harness_end);

static bool exists(const char *name)
{
    return access(file_path(name), F_OK) == 0;
}

static void rotate(const struct server *server, int round)
{
    static const char *const names[] = {"log/access.log", "log/error.log"};
    for (size_t i = 0; i < 2; i++)
        cr_assert_eq(rename(file_path(names[i]), file_path(harness_text("%s.%d", names[i], round))), 0);
    kill(server->pid, SIGUSR1);
    cr_assert(until(exists(names[0]) && strstr(file_read(names[1]).p, "logs reopened")), "round %d: %s", round,
              server_log(server).p);
}

static void count_lines(struct str log, unsigned *seen, int requests)
{
    while (log.n) {
        struct str line = str_cut(&log, '\n');
        int number, end = 0;
        const char *text = harness_text(STR_FMT, STR_ARG(line));
        cr_assert(sscanf(text, "200 /hello?%d%n", &number, &end) == 1 && text[end] == '\0' && number < requests,
                  "a broken line: %s", text);
        seen[number]++;
    }
}

Test(log_rotate, no_line_is_lost)
{
    enum { ROUNDS = 10, CLIENTS = 4, REQUESTS = 2000 };
    struct server server = server_start(CONFIG);
    struct client *clients[CLIENTS];
    unsigned seen[REQUESTS] = {0};
    for (int i = 0; i < CLIENTS; i++)
        clients[i] = client_open(server.port);
    for (int i = 0, round = 0; i < REQUESTS; i++) {
        assert_status(get(clients[i % CLIENTS], harness_text("/hello?%d", i)), 200);
        if (i % (REQUESTS / ROUNDS) == 0)
            rotate(&server, round++);
    }
    assert_stop(&server, 0);
    count_lines(file_read("log/access.log"), seen, REQUESTS);
    for (int round = 0; round < ROUNDS; round++)
        count_lines(file_read(harness_text("log/access.log.%d", round)), seen, REQUESTS);
    for (int i = 0; i < REQUESTS; i++)
        cr_assert_eq(seen[i], 1, "request %d has %u lines", i, seen[i]);
}

Test(log_rotate, the_new_files_are_like_the_old_ones)
{
    static const char *const names[] = {"log/access.log", "log/error.log"};
    struct server server = server_start(CONFIG);
    for (size_t i = 0; i < 2; i++) {
        cr_assert_eq(chmod(file_path(names[i]), i ? 0600 : 0644), 0);
        cr_assert(geteuid() != 0 || chown(file_path(names[i]), 1234, 4321) == 0);
    }
    rotate(&server, 0);
    for (size_t i = 0; i < 2; i++) {
        struct stat info;
        mode_t mode = i ? 0600 : 0644;
        cr_assert(until(stat(file_path(names[i]), &info) == 0 && (info.st_mode & 07777) == mode));
        cr_expect(geteuid() != 0 || (info.st_uid == 1234 && info.st_gid == 4321));
    }
    assert_stop(&server, 0);
}

/* A worker can't see the directory any more: its lines go on to the file that it has. */
Test(log_rotate, a_directory_that_has_vanished)
{
    struct server server = server_start(CONFIG);
    cr_assert_eq(rename(file_path("log"), file_path("moved")), 0);
    kill(server.pid, SIGUSR1);
    cr_assert(
        until(memmem(file_read("moved/error.log").p, file_read("moved/error.log").n, "access.log: No such file", 24)),
        "%s", file_read("moved/error.log").p);
    assert_status(fetch(server.port, "/hello?1"), 200);
    cr_assert(until(file_read("moved/access.log").n > 0));
    cr_assert_eq(rename(file_path("moved"), file_path("log")), 0);
    rotate(&server, 0);
    assert_status(fetch(server.port, "/hello?2"), 200);
    cr_assert(until(file_read("log/access.log").n > 0));
    assert_stop(&server, 0);
    cr_expect_str_eq(file_read("log/access.log.0").p, "200 /hello?1\n");
    cr_expect_str_eq(file_read("log/access.log").p, "200 /hello?2\n");
}
