/* harness_command.c: see harness_command.h. */
#include "harness_command.h"

#include "harness.h"
#include "harness_file.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CANNOT_START = 127 };

static bool redirect(const char *path, int flags, int to)
{
    int fd = open(path, flags, 0644);
    return fd >= 0 && dup2(fd, to) == to && (fd == to || close(fd) == 0);
}

static bool limit_descriptors(rlim_t most)
{
    struct rlimit limit = {.rlim_cur = most, .rlim_max = most};
    return most == 0 || setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

static bool drop_privileges(bool wanted)
{
    return !wanted || geteuid() != 0 || (setgid(COMMAND_NOBODY) == 0 && setuid(COMMAND_NOBODY) == 0);
}

/* In the child, between fork and exec: system calls only. */
static void become(const struct command *command, const char *out, const char *err, pid_t parent)
{
    enum { WRITE = O_WRONLY | O_CREAT | O_TRUNC };
    bool ready = redirect("/dev/null", O_RDONLY, 0) && redirect(out, WRITE, 1) && redirect(err, WRITE, 2) &&
                 limit_descriptors(command->descriptors) && drop_privileges(command->unprivileged) &&
                 prctl(PR_SET_PDEATHSIG, command->ends_by ? command->ends_by : SIGKILL) == 0 && getppid() == parent;
    if (ready)
        execvp(command->arguments[0], (char *const *)command->arguments);
    _exit(CANNOT_START);
}

pid_t command_start(const struct command *command)
{
    const char *out = command->out ? file_path(command->out) : "/dev/null";
    const char *err = command->err ? file_path(command->err) : "/dev/null";
    pid_t parent = getpid(), pid = fork();
    cr_assert_geq(pid, 0, "fork: %m");
    if (pid == 0)
        become(command, out, err, parent);
    if (command->ends_by)
        harness_ends_by(pid, command->ends_by);
    return pid;
}

int command_wait(pid_t pid)
{
    int status = 0;
    pid_t ended = 0;
    if (!until((ended = waitpid(pid, &status, WNOHANG)) != 0)) {
        kill(pid, SIGKILL);
        cr_assert_fail("process %d did not end", pid);
    }
    cr_assert_eq(ended, pid, "waitpid: %m");
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

struct result command_run(const struct command *command)
{
    struct command copy = *command;
    copy.out = "command.out";
    copy.err = "command.err";
    int status = command_wait(command_start(&copy));
    cr_assert_neq(status, CANNOT_START, "cannot start %s", command->arguments[0]);
    return (struct result){.status = status, .out = file_read(copy.out), .err = file_read(copy.err)};
}

const char *command_tern(void)
{
    const char *path = getenv("TERN");
    return path ? path : "build/tern";
}

struct result command_run_tern(const char *const *arguments)
{
    struct command command = {.arguments = {command_tern()}};
    for (size_t i = 0; arguments[i]; i++) {
        cr_assert_lt(i + 2, COMMAND_ARGUMENTS);
        command.arguments[i + 1] = harness_expand(arguments[i]);
    }
    return command_run(&command);
}

size_t command_lines(struct str text)
{
    size_t lines = 0;
    for (; text.n; lines++)
        str_cut(&text, '\n');
    return lines;
}
