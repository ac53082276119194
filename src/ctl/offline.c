/* offline.c: see offline.h. */
#include "ctl/offline.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* From the folder of ternctl: built, and installed. */
static const char *const places[] = {"tern", "../sbin/tern"};

/* Where tern is; "tern" itself: wherever PATH leads. */
static void find_program(char program[static PATH_MAX])
{
    char own[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", own, sizeof own);
    while (n > 0 && own[n - 1] != '/')
        n--;
    for (size_t i = 0; n > 0 && i < sizeof places / sizeof *places; i++) {
        int length = snprintf(program, PATH_MAX, "%.*s%s", (int)n, own, places[i]);
        if (length < PATH_MAX && access(program, X_OK) == 0)
            return;
    }
    snprintf(program, PATH_MAX, "tern");
}

/* Starts it with its standard output in a pipe. */
static int start(char *const arguments[], int to, pid_t *child)
{
    posix_spawn_file_actions_t actions;
    int error = posix_spawn_file_actions_init(&actions);
    if (error)
        return -error;
    error = posix_spawn_file_actions_adddup2(&actions, to, STDOUT_FILENO);
    if (!error)
        error = posix_spawnp(child, arguments[0], &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    return -error;
}

static int read_line(struct offline *offline, int from)
{
    size_t room = 0;
    FILE *f = fdopen(from, "r");
    if (!f)
        return -errno;
    ssize_t n = getline(&offline->text, &room, f);
    fclose(f);
    if (n > 0)
        offline->line = (struct str){offline->text, (size_t)n - (offline->text[n - 1] == '\n')};
    return 0;
}

static int await(pid_t child)
{
    int status;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return -errno;
    return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}

static int run(struct offline *offline, char *const arguments[])
{
    int ends[2];
    pid_t child = -1;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    int error = start(arguments, ends[1], &child);
    close(ends[1]);
    if (error) {
        close(ends[0]);
        return error;
    }
    error = read_line(offline, ends[0]);
    int status = await(child);
    return error ? error : status;
}

int offline_explain(struct offline *offline, const char *config, struct str question)
{
    char program[PATH_MAX], *text = strndup(question.p, question.n);
    *offline = (struct offline){.text = NULL};
    if (!text)
        return -ENOMEM;
    find_program(program);
    int result = run(offline, (char *[]){program, "-c", (char *)config, "--explain", text, NULL});
    free(text);
    return result;
}

void offline_free(struct offline *offline)
{
    free(offline->text);
}
