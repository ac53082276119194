/* The error log: to a file, to syslog, to the journal, to a terminal's stderr; from all processes of a server. */
#include "harness.h"
#include "harness_command.h"
#include "harness_file.h"
#include "harness_response.h"
#include "harness_server.h"

#include <criterion/criterion.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

TestSuite(log_error, .init = harness_begin, .fini = harness_end);

#define CONFIG(log)                                                                                                    \
    "listen: 127.0.0.1:@PORT@\n"                                                                                       \
    "workers: 1\n"                                                                                                     \
    "log: {" log "}\n"                                                                                                 \
    "sites: [{routes: [{exact: /hello, respond: {status: 200, type: text/plain, body: hello}}]}]\n"

/* A worker says why it refuses this. */
#define REFUSED "GET /\x1b[2J\"\xc3 HTTP/1.1\r\nHost: x\r\n\r\n"

static bool matches(const char *text, const char *pattern)
{
    regex_t regex;
    cr_assert_eq(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
    bool found = regexec(&regex, text, 0, NULL, 0) == 0;
    regfree(&regex);
    return found;
}

static void assert_lines(struct str log, const char *pattern)
{
    cr_assert_gt(log.n, 0);
    while (log.n) {
        struct str line = str_cut(&log, '\n');
        cr_assert(matches(harness_text(STR_FMT, STR_ARG(line)), pattern), "%s: " STR_FMT, pattern, STR_ARG(line));
    }
}

#define STAMP "^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3} "

/* ---- files ---- */

Test(log_error, a_file_that_cannot_be_had)
{
    file_directory("www");
    file_write("tern.yaml", str_of(harness_expand(CONFIG("error: @DIR@/nowhere/error.log"))));
    struct result r = run_tern("-c", "@DIR@/tern.yaml");
    cr_expect_eq(r.status, 1);
    cr_expect(memmem(r.err.p, r.err.n, "nowhere/error.log: No such file or directory", 44), "%s", r.err.p);
}

Test(log_error, no_query_is_told)
{
    struct server server = server_start(CONFIG("level: info, error: @DIR@/error.log"));
    fetch_raw(server.port, "GET /a?key=secret HTTP/1.1\r\n\r\n");
    assert_stop(&server, 0);
    struct str log = file_read("error.log");
    cr_expect(matches(log.p, " info \\[[0-9]+\\] client 127\\.0\\.0\\.1: 400, .*: GET /a\\?\\.\\.\\. HTTP/1\\.1"), "%s",
              log.p);
    cr_expect(!strstr(log.p, "secret"), "%s", log.p);
}

Test(log_error, a_file)
{
    struct server server = server_start(CONFIG("level: info, error: @DIR@/error.log"));
    fetch_raw(server.port, REFUSED);
    assert_stop(&server, 0);
    struct str log = file_read("error.log");
    assert_lines(log, STAMP "(info|notice|warn) \\[[0-9]+\\] [ -~]+$");
    cr_expect(matches(log.p, " notice \\[[0-9]+\\] serving "), "%s", log.p);
    cr_expect(matches(log.p, " info \\[[0-9]+\\] client 127\\.0\\.0\\.1: 400, .*\\\\x1B\\[2J\"\\\\xC3"), "%s", log.p);
    cr_expect_eq(server_log(&server).n, 0, "stderr is another log: %s", server_log(&server).p);
}

Test(log_error, a_file_that_is_full_stops_nothing)
{
    struct server server = server_start(CONFIG("level: info, error: /dev/full"));
    for (int i = 0; i < 100; i++)
        assert_status(fetch_raw(server.port, REFUSED), 400);
    assert_stop(&server, 0);
}

/* ---- stderr ---- */

Test(log_error, stderr_has_times)
{
    struct server server = server_start(CONFIG("level: info"));
    fetch_raw(server.port, REFUSED);
    assert_stop(&server, 0);
    assert_lines(server_log(&server), STAMP "(info|notice|warn) \\[[0-9]+\\] [ -~]+$");
}

/* The journal adds time and process itself, and takes the priority off (sd-daemon(3)). */
Test(log_error, the_journal_has_priorities)
{
    struct stat info;
    file_write("tern.log", STR(""));
    cr_assert_eq(stat(file_path("tern.log"), &info), 0);
    setenv("JOURNAL_STREAM",
           harness_text("%llu:%llu", (unsigned long long)info.st_dev, (unsigned long long)info.st_ino), 1);
    struct server server = server_start(CONFIG("level: info"));
    fetch_raw(server.port, REFUSED);
    assert_stop(&server, 0);
    struct str log = server_log(&server);
    assert_lines(log, "^<[456]>[^0-9<][ -~]+$");
    cr_expect(matches(log.p, "<5>serving "), "%s", log.p);
    cr_expect(matches(log.p, "<6>client 127\\.0\\.0\\.1: 400, "), "%s", log.p);
}

Test(log_error, another_stream_than_the_journals_has_times)
{
    setenv("JOURNAL_STREAM", "8:1", 1);
    struct server server = server_start(CONFIG("level: info"));
    assert_stop(&server, 0);
    assert_lines(server_log(&server), STAMP);
}

/* ---- syslog ---- */

static int listen_as_syslog(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = file_path("syslog");
    struct timeval limit = {.tv_sec = HARNESS_LIMIT / NSEC_SEC};
    cr_assert_lt(strlen(path), sizeof address.sun_path);
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    cr_assert_eq(chmod(path, 0666), 0);
    cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
    return fd;
}

/* The next datagram that has this in it. */
static const char *receive(int fd, const char *what)
{
    static char text[4096];
    do {
        ssize_t n = recv(fd, text, sizeof text - 1, 0);
        cr_assert_gt(n, 0, "no \"%s\" comes", what);
        text[n] = '\0';
    } while (!strstr(text, what));
    return text;
}

#define SYSLOG(priority) "^<" #priority ">[A-Z][a-z]{2} [ 0-9][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2} tern\\[[0-9]+\\]: "

Test(log_error, a_syslog_that_is_not_there)
{
    file_directory("www");
    file_write("tern.yaml", str_of(harness_expand(CONFIG("error: 'syslog:@DIR@/syslog'"))));
    struct result r = run_tern("-c", "@DIR@/tern.yaml");
    cr_expect_eq(r.status, 1);
    cr_expect(memmem(r.err.p, r.err.n, "/syslog: No such file or directory", 34), "%s", r.err.p);
}

Test(log_error, syslog)
{
    int fd = listen_as_syslog();
    struct server server = server_start(CONFIG("level: info, error: 'syslog:@DIR@/syslog'"));
    cr_expect(matches(receive(fd, "serving"), SYSLOG(29) "serving "));
    fetch_raw(server.port, REFUSED);
    cr_expect(matches(receive(fd, "client"), SYSLOG(30) "client 127\\.0\\.0\\.1: 400, .*[^\n]$"));
    assert_stop(&server, 0);
    cr_expect_eq(server_log(&server).n, 0, "stderr is another log: %s", server_log(&server).p);
    close(fd);
}

/* When the connection ends, the reason is in the log; an answer comes sooner. */
static void be_refused(int port)
{
    struct client *c = client_open(port);
    assert_status(ask(c, "%s", REFUSED), 400);
    cr_assert(client_ends(c));
    client_close(c);
}

/* Its socket is gone and comes back as another one: lines are lost, and it is said how many. */
Test(log_error, a_syslog_that_is_restarted)
{
    int fd = listen_as_syslog();
    struct server server = server_start(CONFIG("level: info, error: 'syslog:@DIR@/syslog'"));
    receive(fd, "serving");
    close(fd);
    cr_assert_eq(remove(file_path("syslog")), 0);
    for (int i = 0; i < 10; i++)
        be_refused(server.port);
    fd = listen_as_syslog();
    be_refused(server.port);
    cr_expect(matches(receive(fd, "lines of this log lost"), SYSLOG(27) "lines of this log lost: 10$"));
    cr_expect(matches(receive(fd, "client"), SYSLOG(30) "client "));
    assert_stop(&server, 0);
    close(fd);
}
