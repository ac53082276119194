/* fault.c: the last words of a process whose green thread crashed.
 *
 * A stack that grows into its guard faults; the handler, on a stack of its own, says whose it was and what that
 * thread was doing, then lets the signal end the process as it would have: the master sees it and starts another.
 * Only async-signal-safe calls are made.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/out.h"
#include "green/core.h"
#include "green/stack.h"

enum { HANDLER_STACK = 32 * 1024 };

static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
static char *handler_stack;
static pid_t loop_thread; /* the OS thread that runs the green ones; others belong to the blocking pool */

/* What a peer sent goes to a log: bytes that could forge a line there become dots. */
static void put_printable(struct out *o, struct str s)
{
    for (size_t i = 0; i < s.n && i < 200; i++)
        out_char(o, s.p[i] >= 0x20 && s.p[i] < 0x7f ? s.p[i] : '.');
}

static void say_what(struct out *o, int number, const void *address)
{
    const struct green *thread = gettid() == loop_thread ? green_self() : NULL;
    if (!thread) {
        out_text(o, "signal ");
        out_u64(o, (uint64_t)number);
        out_text(o, " outside any green thread");
        return;
    }
    out_text(o, "green thread '");
    put_printable(o, str_of(thread->name));
    if (stack_in_guard(address)) {
        out_text(o, "' overflowed its stack of ");
        out_u64(o, stack_room(thread));
        out_text(o, " bytes");
    } else {
        out_text(o, "' was stopped by signal ");
        out_u64(o, (uint64_t)number);
    }
    if (thread->what.n) {
        out_text(o, " in: ");
        put_printable(o, thread->what);
    }
}

static void on_fault(int number, siginfo_t *info, void *context)
{
    (void)context;
    char line[512];
    struct out o = out_on(line, sizeof line);
    out_text(&o, "tern[");
    out_u64(&o, (uint64_t)getpid());
    out_text(&o, "]: crash: ");
    say_what(&o, number, info->si_addr);
    out_char(&o, '\n');
    ssize_t written = write(STDERR_FILENO, line, out_len(&o));
    (void)written; /* nobody is left to be told that it failed */
    raise(number); /* SA_RESETHAND: now it ends the process */
}

int green_fault_init(void)
{
    handler_stack = malloc(HANDLER_STACK);
    if (!handler_stack)
        return -ENOMEM;
    loop_thread = gettid();
    stack_t stack = {.ss_sp = handler_stack, .ss_size = HANDLER_STACK};
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND};
    sigaltstack(&stack, NULL);
    for (size_t i = 0; i < sizeof signals / sizeof *signals && !SANITIZE_OWNS_SIGNALS; i++)
        sigaction(signals[i], &action, NULL);
    return 0;
}

void green_fault_spare(sigset_t *set)
{
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        sigdelset(set, signals[i]);
}

void green_fault_free(void)
{
    for (size_t i = 0; i < sizeof signals / sizeof *signals && !SANITIZE_OWNS_SIGNALS; i++)
        signal(signals[i], SIG_DFL);
    sigaltstack(&(stack_t){.ss_flags = SS_DISABLE}, NULL);
    free(handler_stack);
}
