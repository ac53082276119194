/* harness_faults.c: see harness_faults.h. */
#include "harness_faults.h"

#include "harness.h"
#include "harness_file.h"
#include "harness_response.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    QUIET_USEC = 300 * 1000,
    QUIET_TURNS = 30, /* of a loop in that time; one that spins makes thousands */
};

static struct faults *faults;

/* Beside the tests' own binary. */
static const char *library(void)
{
    char path[PATH_MAX] = "";
    cr_assert_gt(readlink("/proc/self/exe", path, sizeof path - 1), 0);
    *strrchr(path, '/') = '\0';
    const char *found = harness_text("%s/faults.so", path);
    cr_assert_eq(access(found, R_OK), 0, "%s is not built", found);
    return found;
}

static void share_faults(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    cr_assert(fd >= 0 && ftruncate(fd, sizeof *faults) == 0, "cannot make %s: %m", path);
    faults = mmap(NULL, sizeof *faults, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    cr_assert_neq(faults, MAP_FAILED);
    close(fd);
}

/* Its first answer says that the worker has all it starts with. */
static void await_service(const struct server *server)
{
    struct client *c = client_open(server->port);
    struct response r = ask(c, "GET / HTTP/1.0\r\n\r\n");
    cr_assert_neq(r.status, 0);
    cr_assert(client_ends(c));
    client_close(c);
}

struct server faults_start(const char *config)
{
    share_faults(file_path("faults"));
    setenv(FAULTS_FILE, file_path("faults"), 1);
    setenv("LD_PRELOAD", library(), 1);
    struct server server = server_start(config);
    unsetenv("LD_PRELOAD");
    await_service(&server);
    faults_follow(&server);
    return server;
}

pid_t faults_follow(const struct server *server)
{
    pid_t worker;
    server_workers(server, &worker, 1);
    faults->process = worker;
    return worker;
}

void faults_order(enum fault_call call, int error, unsigned first, unsigned last, unsigned step)
{
    struct fault *fault = &faults->of[call];
    fault->first = 0;
    fault->made = fault->failed = 0;
    fault->last = last;
    fault->step = step;
    fault->error = error;
    fault->first = first;
}

void faults_shorten(enum fault_call call, size_t most)
{
    faults->of[call].most = most;
}

void faults_order_row(const struct fault_row *row)
{
    faults_order(row->call, row->error, row->error ? 1 : 0, FAULT_EVER, row->step);
    faults_shorten(row->call, row->most);
}

void faults_hold(enum fault_call call, bool held)
{
    faults->of[call].held = held;
}

void faults_end(void)
{
    for (int call = 0; call < FAULT_CALLS; call++) {
        faults->of[call].first = 0;
        faults->of[call].most = 0;
        faults->of[call].held = false;
    }
}

unsigned faults_made(enum fault_call call)
{
    return faults->of[call].made;
}

unsigned faults_met(enum fault_call call)
{
    return faults->of[call].failed;
}

void faults_shift_clock(int64_t seconds)
{
    faults->shift = seconds;
}

void faults_need_malloc(void)
{
    if (harness_is_sanitized())
        harness_skip("a sanitizer has an allocator of its own");
}

bool faults_spins(void)
{
    unsigned before = faults_made(FAULT_POLL);
    usleep(QUIET_USEC);
    return faults_made(FAULT_POLL) - before > QUIET_TURNS;
}
