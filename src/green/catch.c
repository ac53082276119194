/* catch.c: see catch.h. */
#include "green/catch.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/out.h"
#include "green/core.h"
#include "green/semaphore.h"
#include "trace/memory.h"

enum { SIGNAL = SIGURG /* which means nothing to who has no handler for it */, LOOKS = 3 };

static struct {
    pid_t process, loop_thread;
    struct sigaction before;
    struct trace_capture *_Atomic wanted; /* by the monitor; NULL: it has ceased to wait */
    _Atomic(uint64_t) turn;               /* in which it was filled in */
    sem_t filled;
} catcher;

/* ---- who ---- */

/* A text of another thread, ended by NUL; what could forge a line, or is no ASCII, becomes a dot. */
static void copy_text(char *to, size_t size, const char *from, size_t n)
{
    size_t got = trace_peek(to, from, n < size ? n : size - 1);
    for (size_t i = 0; i < got; i++)
        if (to[i] < 0x20 || to[i] >= 0x7f)
            to[i] = '.';
    to[got] = '\0';
}

static void copy_name(char *to, size_t size, const char *name)
{
    size_t got = trace_peek(to, name, size - 1);
    to[got] = '\0';
}

static void copy_label(struct stall *stall, const struct green_label *at)
{
    struct green_label label;
    if (!at || trace_peek(&label, at, sizeof label) < sizeof label)
        return;
    copy_text(stall->handler, sizeof stall->handler, label.handler.p, label.handler.n);
    copy_text(stall->route, sizeof stall->route, label.route.p, label.route.n);
}

static void copy_request(struct stall *stall, struct str what)
{
    char line[STALL_TEXT];
    copy_text(line, sizeof line, what.p, what.n);
    struct out o = out_on(stall->request, sizeof stall->request - 1);
    str_mask_query(&o, str_of(line));
    *o.at = '\0';
}

static bool is_turn(uint64_t turn)
{
    return atomic_load(&green_pulse.turns) == turn;
}

/* Whether a block says the same of its thread as a moment ago. */
static bool same_thread(const struct green *a, const struct green *b)
{
    return a->number == b->number && a->name == b->name && a->label == b->label && a->what.p == b->what.p &&
           a->what.n == b->what.n;
}

static bool describe(struct stall *stall, const struct green *thread)
{
    struct green before, after;
    stall->thread = 0;
    stall->name[0] = stall->handler[0] = stall->route[0] = stall->request[0] = '\0';
    if (!thread)
        return true;
    if (trace_peek(&before, thread, sizeof before) < sizeof before)
        return false;
    stall->thread = before.number;
    copy_name(stall->name, sizeof stall->name, before.name);
    copy_label(stall, before.label);
    copy_request(stall, before.what);
    return trace_peek(&after, thread, sizeof after) == sizeof after && same_thread(&before, &after);
}

bool catch_who(struct stall *stall, uint64_t turn)
{
    bool known = false;
    for (int i = 0; i < LOOKS && !known && is_turn(turn); i++)
        known = describe(stall, green_pulse_running());
    return known && is_turn(turn);
}

/* ---- where ---- */

static void on_signal(int number, siginfo_t *info, void *context)
{
    (void)number, (void)info;
    struct trace_capture *capture = gettid() == catcher.loop_thread ? atomic_exchange(&catcher.wanted, NULL) : NULL;
    if (!capture)
        return;
    int before = errno;
    trace_interrupted(&capture->registers, context);
    trace_copy_stack(capture);
    atomic_store(&catcher.turn, atomic_load(&green_pulse.turns));
    sem_post(&catcher.filled);
    errno = before;
}

/* One that comes too late finds nothing wanted; one that has begun meanwhile is waited for. */
static bool interrupt(struct trace_capture *capture, uint64_t turn, nsec patience)
{
    atomic_store(&catcher.wanted, capture);
    if (tgkill(catcher.process, catcher.loop_thread, SIGNAL) < 0) {
        atomic_store(&catcher.wanted, NULL);
        return false;
    }
    if (!semaphore_take(&catcher.filled, patience)) {
        if (atomic_exchange(&catcher.wanted, NULL))
            return false;
        while (sem_wait(&catcher.filled) < 0 && errno == EINTR)
            ;
    }
    return atomic_load(&catcher.turn) == turn;
}

/* The kernel tells two registers only. */
static bool look_at_blocked(struct trace_capture *capture, uint64_t turn, const struct trace_state *state, int fd)
{
    capture->registers = (struct trace_registers){.pc = state->pc};
    trace_set(&capture->registers, TRACE_SP, state->sp);
    trace_copy_stack(capture);
    struct trace_state now = trace_read_state(fd);
    return now.doing == state->doing && now.sp == state->sp && now.pc == state->pc && is_turn(turn);
}

bool catch_where(struct trace_capture *capture, uint64_t turn, const struct trace_state *state, int fd, nsec patience)
{
    switch (state->doing) {
    case TRACE_RUNS:
        return interrupt(capture, turn, patience);
    case TRACE_CALL:
    case TRACE_FAULT:
        return look_at_blocked(capture, turn, state, fd);
    default:
        return false;
    }
}

/* ---- start and end ---- */

int catch_init(void)
{
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
    catcher.process = getpid();
    catcher.loop_thread = gettid();
    catcher.wanted = NULL;
    sem_init(&catcher.filled, 0, 0);
    if (sigaction(SIGNAL, &action, &catcher.before) == 0)
        return 0;
    int error = -errno;
    sem_destroy(&catcher.filled);
    return error;
}

void catch_free(void)
{
    sigaction(SIGNAL, &catcher.before, NULL);
    sem_destroy(&catcher.filled);
}
