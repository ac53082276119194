/* What a request costs in system calls, counted by strace while keep-alive requests are served. */
#include "harness.h"
#include "harness_command.h"
#include "harness_file.h"
#include "harness_response.h"
#include "harness_server.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

/* The monitor of stalls makes its calls by the clock, beside those of requests. */
#define CONFIG                                                                                                         \
    "listen: 127.0.0.1:@PORT@\n"                                                                                       \
    "workers: 1\n"                                                                                                     \
    "timeouts: {stall: 0}\n"                                                                                           \
    "sites:\n"                                                                                                         \
    "  - routes:\n"                                                                                                    \
    "      - {exact: /hello, respond: {status: 200, type: text/plain, body: hello}}\n"                                 \
    "      - {path: /, files: {root: @DIR@/www, cache: 1h}}\n"

enum {
    CONNECTIONS = 8,
    REQUESTS = 400, /* on all connections together */
    ONCE = 4        /* calls allowed besides: the listener's, a timer's */
};

static bool is_traced(pid_t pid)
{
    FILE *file = fopen(harness_text("/proc/%d/status", pid), "re");
    char line[128];
    pid_t tracer = 0;
    while (file && fgets(line, sizeof line, file) && sscanf(line, "TracerPid: %d", &tracer) != 1)
        ;
    if (file)
        fclose(file);
    return tracer != 0;
}

static pid_t start_strace(pid_t worker)
{
    struct command command = {.arguments = {"strace", "-f", "-c", "-U", "calls,name", "-o", file_path("calls"), "-p",
                                            harness_text("%d", worker)},
                              .err = "strace.err"};
    pid_t strace = command_start(&command);
    cr_assert(until(is_traced(worker) || harness_state(strace) == 'Z'));
    if (harness_state(strace) == 'Z')
        harness_skip("strace can't attach here");
    return strace;
}

static struct str stop_strace(pid_t strace)
{
    kill(strace, SIGINT);
    command_wait(strace);
    return file_read("calls");
}

/* How often any of the named calls was made; the names are separated by blanks. */
static unsigned count_calls(struct str table, const char *names)
{
    unsigned sum = 0;
    while (table.n) {
        struct str line = str_cut(&table, '\n'), all = str_of(names);
        unsigned calls;
        char name[64];
        if (sscanf(harness_text(STR_FMT, STR_ARG(line)), "%u %63s", &calls, name) != 2)
            continue;
        while (all.n)
            sum += str_eq(str_cut(&all, ' '), str_of(name)) ? calls : 0;
    }
    return sum;
}

static void serve_requests(int port, const char *target, struct client **clients)
{
    for (int i = 0; i < CONNECTIONS; i++)
        clients[i] = client_open(port);
    for (int i = 0; i < REQUESTS; i++)
        assert_status(get(clients[i % CONNECTIONS], target), 200);
}

static void assert_cheap(const char *target)
{
    static const struct {
        const char *names;
        unsigned most;
    } bounds[] = {
        {"recvfrom recvmsg recvmmsg read readv", REQUESTS + CONNECTIONS + ONCE},
        {"sendto sendmsg sendmmsg write writev sendfile", REQUESTS + CONNECTIONS + ONCE},
        {"epoll_ctl", 2 * CONNECTIONS + ONCE},
        {"accept accept4", 2 * CONNECTIONS},
        {"clock_gettime gettimeofday time", 0},
        {"setsockopt getsockopt fcntl ioctl", CONNECTIONS},
        {"open openat openat2 stat fstat lstat newfstatat statx", 0},
        {"madvise mmap munmap mprotect brk", CONNECTIONS + ONCE},
        {"futex", ONCE},
        {"rt_sigprocmask", ONCE},
    };
    file_write("www/file", STR("Hello, world\n"));
    struct server server = server_start(CONFIG);
    struct client *warming_up[CONNECTIONS], *counted[CONNECTIONS];
    pid_t worker;
    server_workers(&server, &worker, 1);
    serve_requests(server.port, target, warming_up);
    pid_t strace = start_strace(worker);
    serve_requests(server.port, target, counted);
    struct str calls = stop_strace(strace);
    cr_assert_gt(count_calls(calls, "epoll_wait epoll_pwait epoll_pwait2"), 0, "nothing was counted: %s", calls.p);
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++)
        cr_assert_leq(count_calls(calls, bounds[i].names), bounds[i].most, "%s: more than %u\n%s", bounds[i].names,
                      bounds[i].most, calls.p);
}

TestSuite(syscalls, .init = harness_begin, .fini = harness_end);

Test(syscalls, of_a_fixed_answer)
{
    assert_cheap("/hello");
}

Test(syscalls, of_a_small_file)
{
    assert_cheap("/file");
}
