/* The checking client itself, on a stand-in for a server that does whatever it is told to. What it counts is what the
 * tests of reload, upgrade and death believe. */
#include "harness.h"
#include "harness_command.h"
#include "harness_file.h"
#include "harness_server.h"
#include "load.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <signal.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

TestSuite(load, .init = harness_begin, .fini = harness_end);

#define GOOD "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
#define LAST "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello"

static const struct load_target hello = {.path = "/hello", .body = STR_INIT("hello")};

/* What the stand-in does with each connection. */
struct script {
    const char *answers[2]; /* to the first and second request; after the last one it closes */
    bool reset;             /* by a reset */
};

/* False: the client has gone. */
static bool read_request(int fd)
{
    char bytes[4096];
    size_t n = 0;
    while (n < 4 || memcmp(bytes + n - 4, "\r\n\r\n", 4) != 0)
        if (n == sizeof bytes || read(fd, bytes + n++, 1) != 1)
            return false;
    return true;
}

static void play(int fd, const struct script *script)
{
    struct linger linger = {.l_onoff = script->reset};
    for (size_t i = 0; i < 2 && script->answers[i] && read_request(fd); i++)
        if (write(fd, script->answers[i], strlen(script->answers[i])) < 0)
            break;
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    close(fd);
}

static pid_t stand_in(const struct script *script)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)harness_port(0))};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    cr_assert(bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 64) == 0, "%m");
    pid_t pid = fork();
    if (pid == 0)
        for (;;)
            play(accept(fd, NULL, NULL), script);
    close(fd);
    return pid;
}

static struct load_counts bear(unsigned kept, unsigned fresh, uint64_t most)
{
    return load_stop(load_start(&(struct load_setup){
        .port = harness_port(0), .kept = kept, .fresh = fresh, .most = most, .targets = &hello, .count = 1}));
}

#define COUNTER(name) offsetof(struct load_counts, name)

static uint64_t counter_of(const struct load_counts *counts, size_t offset)
{
    uint64_t value;
    memcpy(&value, (const char *)counts + offset, sizeof value);
    return value;
}

Test(load, what_goes_wrong_is_counted)
{
    static const struct {
        struct script script;
        size_t counter;
    } table[] = {
        {{{""}, false}, COUNTER(dropped)},
        {{{""}, true}, COUNTER(dropped)},
        {{{GOOD, ""}, false}, COUNTER(raced)},
        {{{GOOD, ""}, true}, COUNTER(raced)},
        {{{GOOD, "HTTP/1.1 200 OK\r\nContent-Le"}, false}, COUNTER(cut)},
        {{{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell"}, false}, COUNTER(cut)},
        {{{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell"}, true}, COUNTER(cut)},
        {{{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhallo"}, false}, COUNTER(wrong)},
        {{{"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhell"}, false}, COUNTER(wrong)},
        {{{GOOD GOOD}, false}, COUNTER(wrong)},
        {{{LAST "x"}, false}, COUNTER(wrong)},
        {{{"HTTP/1.1 200 OK\r\n\r\nhello"}, false}, COUNTER(wrong)},
        {{{"hello, world\r\n\r\n"}, false}, COUNTER(wrong)},
        {{{"HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nhello"}, false}, COUNTER(wrong)},
        {{{"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 5\r\n\r\nsorry"}, false}, COUNTER(failed)},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        pid_t pid = stand_in(&table[i].script);
        struct load_counts counts = bear(1, 0, 4);
        cr_assert_gt(counter_of(&counts, table[i].counter), 0, "row %zu: %s", i, load_text(&counts));
        cr_assert_geq(counts.requests, 4, "row %zu: %s", i, load_text(&counts));
        kill(pid, SIGKILL);
        command_wait(pid);
    }
}

Test(load, what_is_refused_is_counted)
{
    struct load_counts kept = bear(1, 0, 3), fresh = bear(0, 1000, 3);
    cr_assert_eq(kept.refused, 3, "%s", load_text(&kept));
    cr_assert_eq(fresh.refused, 3, "%s", load_text(&fresh));
}

Test(load, an_announced_end_is_no_failure)
{
    stand_in(&(struct script){.answers = {GOOD, LAST}});
    struct load_counts counts = bear(1, 0, 10);
    cr_assert(counts.answers == 10 && counts.closes == 5 && counts.connections == 5, "%s", load_text(&counts));
    cr_assert_eq(load_failures(&counts), 0, "%s", load_text(&counts));
}

Test(load, a_server_that_is_right_loses_nothing)
{
    struct str large = file_pattern(300000), upload = file_pattern(50000);
    const struct load_target targets[] = {
        hello, {"/files/large", STR_INIT(""), large}, {.path = "/echo", .upload = upload, .body = upload}};
    file_write("www/large", large);
    server_start("listen: 127.0.0.1:@PORT@\n"
                 "workers: 2\n"
                 "sites:\n"
                 "  - routes:\n"
                 "      - {exact: /hello, respond: {body: hello}}\n"
                 "      - {exact: /echo, echo: {}}\n"
                 "      - {path: /files/, files: {root: @DIR@/www}}\n");
    struct load *load = load_start(&(struct load_setup){
        .port = harness_port(0), .kept = 10, .pause_ms = 2, .fresh = 200, .targets = targets, .count = 3});
    assert_load_goes_on(load, 500);
    struct load_counts counts = load_stop(load);
    cr_assert_eq(counts.answers, counts.requests, "%s", load_text(&counts));
    cr_assert_eq(load_failures(&counts), 0, "%s", load_text(&counts));
    cr_assert_eq(counts.closes + counts.partings, 0, "%s", load_text(&counts));
}
