/* fault.c: how a process ends that crashes, or that is told to give up.
 *
 * A stack that grows into its guard faults; the handler, on a stack of its own, says whose it was, what that thread was
 * doing, and where (last_words.c), then lets the signal end the process as it would have: the master sees it and starts
 * another. SIGABRT and SIGALRM are for a process that hangs: before that it lists all its green threads.
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

#include "green/core.h"
#include "green/last_words.h"

enum {
    HANDLER_STACK =
        64 * 1024, /* for as many frames of signals as there are steps; the largest processors' take 12 KiB */
    PATIENCE = 2,  /* seconds for a step */
};

/* What the running thread does wrong comes first; then what others tell a process that hangs. */
static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGALRM};
enum { FAULTS = 4, SIGNALS = sizeof signals / sizeof *signals };

static bool ours[SIGNALS]; /* others have a handler already: a sanitizer's for faults, or a fuzzer's for its alarm */
static char *handler_stack;
static pid_t process;
static pid_t loop_thread; /* the OS thread that runs the green ones; others belong to the blocking pool */

static struct crash crash;

/* ---- the crash ---- */

static void list_threads(void)
{
    if (crash.number == SIGABRT || crash.number == SIGALRM)
        last_words_list();
}

static void say_crash(void)
{
    last_words_crash(&crash);
}

static void say_trace(void)
{
    last_words_trace(&crash, PATIENCE * NSEC_SEC);
}

static void end_process(void)
{
    signal(crash.number, SIG_DFL);
    raise(crash.number);
}

static void (*const steps[])(void) = {list_threads, say_crash, say_trace, end_process};
static atomic_uint next_step;

static void note_crash(int number, const siginfo_t *info, const void *context)
{
    crash.number = number;
    crash.faulted = (number == SIGSEGV || number == SIGBUS) && info->si_code > 0;
    crash.address = crash.faulted ? info->si_addr : NULL;
    crash.pooled = gettid() != loop_thread;
    crash.thread = crash.pooled ? green_offload_client() : green_self();
    trace_interrupted(&crash.registers, context);
}

static void on_fault(int number, siginfo_t *info, void *context)
{
    if (!crash.number)
        note_crash(number, info, context);
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
    if (thread && getpid() == process && gettid() == loop_thread)
        last_words_exit(thread);
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
