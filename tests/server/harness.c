/* harness.c: see harness.h.
 *
 * Ports come from a range that belongs to this process id, below the range the kernel gives to clients: two tests that
 * run at the same time never try the same one. (To bind to port 0 and let go would not do: with SO_REUSEPORT a second
 * server of the same user on that port is not refused, and both tests would get answers from both.)
 */
#include "harness.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <ftw.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    FIRST_PORT = 10000,
    PORTS_A_PROCESS = 16,
    PORT_RANGES = 1400, /* the last one ends at 32399 */
    NAP_USEC = 2000,
    CHILDREN_MAX = 64
};

static struct {
    struct arena memory;
    char directory[64];
    int ports[HARNESS_PORTS]; /* 0: not asked for yet */
    int next_port;
    struct {
        pid_t pid;
        int signal;
    } tidy[HARNESS_TIDY]; /* those that end by a signal of their own; pid 0: a free place */
} harness;

void harness_begin(void)
{
    arena_init(&harness.memory, NULL, 0);
    umask(022);
    snprintf(harness.directory, sizeof harness.directory, "/tmp/tern-test-XXXXXX");
    cr_assert_not_null(mkdtemp(harness.directory), "cannot make %s: %m", harness.directory);
    cr_assert_eq(chmod(harness.directory, 0755), 0);
    harness.next_port = FIRST_PORT + PORTS_A_PROCESS * (getpid() % PORT_RANGES);
    /* Workers whose master was killed become our children, so that none escapes. */
    cr_assert_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
}

void harness_ends_by(pid_t pid, int signal)
{
    size_t i = 0;
    while (i < HARNESS_TIDY && harness.tidy[i].pid)
        i++;
    cr_assert_lt(i, HARNESS_TIDY, "more than %d processes that end by a signal", HARNESS_TIDY);
    harness.tidy[i].pid = pid;
    harness.tidy[i].signal = signal;
}

/* One that the test has waited for is no child of ours any more, and its id may be another's. */
static bool is_running(pid_t pid)
{
    return waitpid(pid, NULL, WNOHANG) == 0;
}

static void end_tidily(void)
{
    for (size_t i = 0; i < HARNESS_TIDY; i++) {
        pid_t pid = harness.tidy[i].pid;
        if (pid && is_running(pid)) {
            kill(pid, harness.tidy[i].signal);
            (void)until(!is_running(pid));
        }
        harness.tidy[i].pid = 0;
    }
}

static void kill_children(void)
{
    pid_t children[CHILDREN_MAX];
    size_t count;
    while ((count = harness_children(getpid(), children, CHILDREN_MAX)) > 0) {
        for (size_t i = 0; i < count; i++)
            kill(children[i], SIGKILL);
        for (size_t i = 0; i < count; i++)
            waitpid(children[i], NULL, 0);
    }
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

void harness_end(void)
{
    end_tidily();
    kill_children();
    nftw(harness.directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    arena_clear(&harness.memory);
}

void harness_skip(const char *reason)
{
    harness_end();
    cr_skip_test("%s", reason);
}

bool harness_is_sanitized(void)
{
#ifdef __has_feature
    return __has_feature(address_sanitizer);
#elif defined __SANITIZE_ADDRESS__
    return true;
#else
    return false;
#endif
}

struct arena *harness_memory(void)
{
    return &harness.memory;
}

void *harness_alloc(size_t n)
{
    void *p = arena_alloc(&harness.memory, n);
    cr_assert_not_null(p, "out of memory");
    return p;
}

const char *harness_text(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text;
    int n = vasprintf(&text, format, arguments);
    va_end(arguments);
    cr_assert_geq(n, 0, "out of memory");
    struct str copy = arena_copy(&harness.memory, (struct str){text, (size_t)n});
    free(text);
    cr_assert_not_null(copy.p, "out of memory");
    return copy.p;
}

const char *harness_directory(void)
{
    return harness.directory;
}

static bool port_is_free(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_geq(fd, 0, "socket: %m");
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    bool free_now = bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return free_now;
}

int harness_port(unsigned i)
{
    cr_assert_lt(i, HARNESS_PORTS);
    while (!harness.ports[i]) {
        int port = harness.next_port++;
        cr_assert_lt(port % PORTS_A_PROCESS, PORTS_A_PROCESS - 1, "no free port near %d", port);
        if (port_is_free(port))
            harness.ports[i] = port;
    }
    return harness.ports[i];
}

struct variable {
    const char *name;
    const char *value;
};

static const struct variable *variable_at(const struct variable *variables, const char *text)
{
    for (; variables->name; variables++)
        if (strncmp(text, variables->name, strlen(variables->name)) == 0)
            return variables;
    return NULL;
}

const char *harness_expand(const char *text)
{
    const struct variable variables[] = {{"@DIR@", harness.directory},
                                         {"@PORT@", harness_text("%d", harness_port(0))},
                                         {"@PORT1@", harness_text("%d", harness_port(1))},
                                         {"@PORT2@", harness_text("%d", harness_port(2))},
                                         {"@PORT3@", harness_text("%d", harness_port(3))},
                                         {NULL, NULL}};
    const char *done = "";
    while (*text) {
        const struct variable *variable = variable_at(variables, text);
        size_t plain = variable ? 0 : 1 + strcspn(text + 1, "@");
        done = harness_text("%s%.*s%s", done, (int)plain, text, variable ? variable->value : "");
        text += variable ? strlen(variable->name) : plain;
    }
    return done;
}

size_t harness_children(pid_t pid, pid_t *children, size_t room)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", pid, pid);
    FILE *file = fopen(path, "re");
    size_t count = 0;
    if (!file)
        return 0;
    while (count < room && fscanf(file, "%d", &children[count]) == 1)
        count++;
    fclose(file);
    return count;
}

char harness_state(pid_t pid)
{
    char path[64], state = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
        state = 0;
    fclose(file);
    return state;
}

bool harness_nap(nsec deadline)
{
    if (clock_monotonic() >= deadline)
        return false;
    usleep(NAP_USEC);
    return true;
}
