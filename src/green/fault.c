/* fault.c: the last words of a process that crashes, or that is told to give up.
 *
 * A stack that grows into its guard faults; the handler, on a stack of its own, says whose it was and what that
 * thread was doing, then lets the signal end the process as it would have: the master sees it and starts another.
 * SIGABRT and SIGALRM are for a process that hangs: before that line it lists all its green threads.
 *
 * Only async-signal-safe calls are made, but what they look at may have been in the middle of a change, and the log
 * may be a pipe that nobody reads. A step that faults, or takes too long, comes back to the handler, which goes on with
 * the next one: whatever happens, the process ends, and by the signal that came first.
 */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/out.h"
#include "green/core.h"
#include "green/stack.h"
#include "log/log.h"

enum {
    HANDLER_STACK =
        64 * 1024, /* for as many frames of signals as there are steps; the largest processors' take 12 KiB */
    PATIENCE = 2,  /* seconds for a step */
    LISTED = 200,  /* threads */
    SHOWN = 200,   /* bytes of a name or a description */
    LINE_SIZE = 512,
};

/* What the running thread does wrong comes first; then what others tell a process that hangs. */
static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGALRM};
enum { FAULTS = 4, SIGNALS = sizeof signals / sizeof *signals };

static bool ours[SIGNALS]; /* others have a handler already: a sanitizer's for faults, or a fuzzer's for its alarm */
static char *handler_stack;
static pid_t process;
static pid_t loop_thread; /* the OS thread that runs the green ones; others belong to the blocking pool */

static struct {
    volatile sig_atomic_t number; /* the signal that came first; 0: none yet */
    const void *address;          /* of a memory fault */
    const struct green *thread;   /* that ran; NULL: none */
} crash;

/* What a peer sent goes to a log: bytes that could forge a line there become dots. */
static void put_printable(struct out *o, struct str s)
{
    for (size_t i = 0; i < s.n && i < SHOWN; i++)
        out_char(o, s.p[i] >= 0x20 && s.p[i] < 0x7f ? s.p[i] : '.');
}

static void put_what(struct out *o, const struct green *thread)
{
    if (thread->what.n == 0)
        return;
    out_text(o, " in: ");
    put_printable(o, thread->what);
}

static struct out begin_line(char *line)
{
    struct out o = out_on(line, LINE_SIZE);
    out_text(&o, "tern[");
    out_u64(&o, (uint64_t)getpid());
    out_text(&o, "]: ");
    return o;
}

static void end_line(struct out *o)
{
    out_char(o, '\n');
    int log = log_fd();
    ssize_t written = write(log >= 0 ? log : STDERR_FILENO, o->start, out_len(o));
    (void)written; /* nobody is left to be told that it failed */
}

/* ---- the list ---- */

static void list_thread(void *block, void *arg)
{
    static const char *const states[] = {
        [GREEN_READY] = "ready", [GREEN_WAITING] = "waiting", [GREEN_RUNNING] = "running"};
    const struct green *thread = block;
    unsigned *count = arg;
    if (thread->state >= sizeof states / sizeof *states || !states[thread->state] || ++*count > LISTED)
        return;
    char line[LINE_SIZE];
    struct out o = begin_line(line);
    out_text(&o, "green thread '");
    put_printable(&o, str_of(thread->name));
    out_text(&o, "' is ");
    out_put(&o, str_of(states[thread->state]));
    if (thread->state != GREEN_RUNNING) {
        out_text(&o, " with ");
        out_u64(&o, thread->sp ? (uint64_t)((const char *)thread - (const char *)thread->sp) : 0);
        out_text(&o, " bytes of stack");
    }
    put_what(&o, thread);
    end_line(&o);
}

static void list_threads(void)
{
    unsigned count = 0;
    if (crash.number != SIGABRT && crash.number != SIGALRM)
        return;
    stack_each(list_thread, &count);
    if (count <= LISTED)
        return;
    char line[LINE_SIZE];
    struct out o = begin_line(line);
    out_text(&o, "and ");
    out_u64(&o, count - LISTED);
    out_text(&o, " more green threads");
    end_line(&o);
}

/* ---- the crash ---- */

static void put_crash(struct out *o)
{
    const struct green *thread = crash.thread;
    if (!thread) {
        out_text(o, "signal ");
        out_u64(o, (uint64_t)crash.number);
        out_put(o, crash.number == SIGABRT ? STR(" while no green thread ran") : STR(" outside any green thread"));
        return;
    }
    out_text(o, "green thread '");
    put_printable(o, str_of(thread->name));
    if (stack_in_guard(crash.address)) {
        out_text(o, "' overflowed its stack of ");
        out_u64(o, stack_room(thread));
        out_text(o, " bytes");
    } else {
        out_text(o, "' was stopped by signal ");
        out_u64(o, (uint64_t)crash.number);
    }
    put_what(o, thread);
}

static void say_crash(void)
{
    char line[LINE_SIZE];
    struct out o = begin_line(line);
    out_text(&o, "crash: ");
    put_crash(&o);
    end_line(&o);
}

static void end_process(void)
{
    signal(crash.number, SIG_DFL);
    raise(crash.number);
}

static void (*const steps[])(void) = {list_threads, say_crash, end_process};
static atomic_uint next_step;

static void on_fault(int number, siginfo_t *info, void *context)
{
    (void)context;
    if (!crash.number) {
        crash.number = number;
        crash.address = number == SIGSEGV || number == SIGBUS ? info->si_addr : NULL;
        crash.thread = gettid() == loop_thread ? green_self() : NULL;
    }
    for (unsigned step; (step = atomic_fetch_add(&next_step, 1)) < sizeof steps / sizeof *steps;) {
        alarm(PATIENCE);
        steps[step]();
    }
}

/* ---- an end that nobody planned ---- */

/* Code that is not ours may call exit(), and all that is being served goes with it. */
static void on_exit_of_thread(void)
{
    const struct green *thread = green_self();
    if (!thread || getpid() != process || gettid() != loop_thread)
        return;
    char line[LINE_SIZE];
    struct out o = begin_line(line);
    out_text(&o, "green thread '");
    put_printable(&o, str_of(thread->name));
    out_text(&o, "' ends the process");
    put_what(&o, thread);
    end_line(&o);
}

/* ---- start and end ---- */

static bool is_handled(int number)
{
    struct sigaction action;
    return sigaction(number, NULL, &action) == 0 && action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN;
}

int green_fault_init(void)
{
    handler_stack = malloc(HANDLER_STACK);
    if (!handler_stack)
        return -ENOMEM;
    loop_thread = gettid();
    if (process != getpid())
        (void)atexit(on_exit_of_thread); /* without memory for it, the end is not told, and no more */
    process = getpid();
    stack_t stack = {.ss_sp = handler_stack, .ss_size = HANDLER_STACK};
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    sigaltstack(&stack, NULL);
    for (size_t i = 0; i < SIGNALS; i++) {
        ours[i] = !is_handled(signals[i]);
        if (ours[i])
            sigaction(signals[i], &action, NULL);
    }
    return 0;
}

void green_fault_spare(sigset_t *set)
{
    for (size_t i = 0; i < FAULTS; i++)
        sigdelset(set, signals[i]);
}

void green_fault_free(void)
{
    for (size_t i = 0; i < SIGNALS; i++)
        if (ours[i])
            signal(signals[i], SIG_DFL);
    sigaltstack(&(stack_t){.ss_flags = SS_DISABLE}, NULL);
    free(handler_stack);
}
