/* harness_command.h: a program that is started, waited for and read. */
#ifndef TERN_TESTS_SERVER_HARNESS_COMMAND_H
#define TERN_TESTS_SERVER_HARNESS_COMMAND_H

#include "base/str.h"

#include <sys/resource.h>
#include <sys/types.h>

enum { COMMAND_ARGUMENTS = 16, COMMAND_NOBODY = 65534 /* user and group */ };

struct command {
    const char *arguments[COMMAND_ARGUMENTS]; /* [0] is the program, looked up in PATH; NULL ends them */
    const char *out, *err;                    /* files for its output, in the test's directory; NULL: /dev/null */
    rlim_t descriptors;                       /* RLIMIT_NOFILE, soft and hard; 0: as ours */
    bool unprivileged;                        /* as user and group nobody when we are root */
    int ends_by;                              /* the signal for harness_ends_by(); 0: it may be killed */
};

struct result {
    int status;          /* exit status, or 128 + the signal's number */
    struct str out, err; /* each ends in a NUL that is not counted */
};

/* Starts it with no standard input; it is killed, or gets its own signal, when this process ends. */
pid_t command_start(const struct command *command);

/* Waits for its end and gives its status. Fails the test (and kills it) when that takes too long. */
int command_wait(pid_t pid);

/* Runs it to its end and collects its output. */
struct result command_run(const struct command *command);

/* tern's path: $TERN, or build/tern. */
const char *command_tern(void);

/* Runs tern with these arguments (the last one NULL), each expanded by harness_expand(). */
struct result command_run_tern(const char *const *arguments);

/* The same, written out: run_tern("-t", "-c", path). */
#define run_tern(...) command_run_tern((const char *const[]){__VA_ARGS__, NULL})

/* Lines in a text; one without its newline counts too. */
size_t command_lines(struct str text);

#endif
