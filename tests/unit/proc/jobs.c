/* jobs.c: see jobs.h. */
#include "jobs.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "net/rights.h"

struct jobs_board *jobs_board;

/* ---- the jobs ---- */

static ssize_t reverse(const void *in, size_t n, void *out, size_t room)
{
    for (size_t i = 0; i < n && i < room; i++)
        ((char *)out)[i] = ((const char *)in)[n - 1 - i];
    return (ssize_t)n;
}

static ssize_t count(const void *in, size_t n, void *out, size_t room)
{
    (void)in, (void)n, (void)out, (void)room;
    jobs_board->counted++;
    return 0;
}

static ssize_t hold(const void *in, size_t n, void *out, size_t room)
{
    (void)in, (void)n, (void)out, (void)room;
    jobs_board->holding = true;
    while (!jobs_board->go)
        usleep(1000);
    jobs_board->holding = jobs_board->go = false;
    return 0;
}

static ssize_t tell_pid(const void *in, size_t n, void *out, size_t room)
{
    pid_t pid = getpid();
    (void)in, (void)n, (void)room;
    memcpy(out, &pid, sizeof pid);
    return sizeof pid;
}

static ssize_t refuse(const void *in, size_t n, void *out, size_t room)
{
    (void)in, (void)n, (void)out, (void)room;
    return -EACCES;
}

static ssize_t boast(const void *in, size_t n, void *out, size_t room)
{
    (void)in, (void)n, (void)out;
    return (ssize_t)room + 1;
}

static ssize_t babble(const void *in, size_t n, void *out, size_t room)
{
    (void)in, (void)n, (void)out, (void)room;
    return -123456;
}

static ssize_t fill(const void *in, size_t n, void *out, size_t room)
{
    (void)in, (void)n;
    memset(out, 'x', room);
    return (ssize_t)room;
}

/* Whatever a sanitizer would make of it. */
static ssize_t crash(const void *in, size_t n, void *out, size_t room)
{
    (void)in, (void)n, (void)out, (void)room;
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    signal(SIGSEGV, SIG_DFL);
    raise(SIGSEGV);
    return 0;
}

static ssize_t leave(const void *in, size_t n, void *out, size_t room)
{
    (void)in, (void)n, (void)out, (void)room;
    _exit(3);
}

static ssize_t hang(const void *in, size_t n, void *out, size_t room)
{
    (void)in, (void)n, (void)out, (void)room;
    jobs_board->hanging = true;
    for (volatile bool forever = true; forever;)
        ;
    return 0;
}

static const struct tern_job jobs[] = {
    {"reverse", reverse}, {"count", count}, {"hold", hold},   {"pid", tell_pid}, {"refuse", refuse}, {"boast", boast},
    {"babble", babble},   {"fill", fill},   {"crash", crash}, {"leave", leave},  {"hang", hang},
};

static const struct tern_job *find(const char *name)
{
    for (size_t i = 0; i < sizeof jobs / sizeof *jobs; i++)
        if (strcmp(jobs[i].name, name) == 0)
            return &jobs[i];
    return NULL;
}

static int load(void *modules, char *why, size_t size)
{
    snprintf(why, size, "%s", modules ? (const char *)modules : "");
    return modules ? -ENOENT : 0;
}

const struct compute_source jobs_source = {.load = load, .find = find};

/* ---- who asks for them ---- */

void jobs_open(void)
{
    jobs_board = mmap(NULL, sizeof *jobs_board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(jobs_board, MAP_FAILED);
}

int jobs_send(int queue, const char *name, struct str in, size_t room, nsec deadline)
{
    struct compute_message message = {.in = (uint32_t)in.n, .room = (uint32_t)room, .deadline = deadline};
    int ends[2], memory = compute_memory_open(in.n, room);
    cr_assert_geq(memory, 0);
    cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
    cr_assert_eq(pwrite(memory, in.p, in.n, 0), (ssize_t)in.n);
    snprintf(message.name, sizeof message.name, "%s", name);
    cr_assert_eq(rights_send(queue, &message, sizeof message, (const int[]){memory, ends[1]}, COMPUTE_FDS), 0);
    close(memory);
    close(ends[1]);
    return ends[0];
}

int64_t jobs_answer(int pipe)
{
    struct compute_answer answer;
    ssize_t got = read(pipe, &answer, sizeof answer);
    close(pipe);
    return got == sizeof answer ? answer.result : -EPIPE;
}

int64_t jobs_run(int queue, const char *name)
{
    return jobs_answer(jobs_send(queue, name, STR("in"), sizeof(pid_t), NSEC_NEVER));
}
