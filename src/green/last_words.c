/* last_words.c: see last_words.h. */
#include "green/last_words.h"

#include <unistd.h>

#include "base/out.h"
#include "green/core.h"
#include "green/monitor.h"
#include "green/stack.h"
#include "log/log.h"

enum {
    LISTED = 200, /* threads */
    SHOWN = 200,  /* bytes of a name, a label or a description */
    LINE_SIZE = 1024,
};

/* What a peer sent goes to a log: bytes that could forge a line there become dots. */
static void put_printable(struct out *o, struct str s)
{
    for (size_t i = 0; i < s.n && i < SHOWN; i++)
        out_char(o, s.p[i] >= 0x20 && s.p[i] < 0x7f ? s.p[i] : '.');
}

static void put_what(struct out *o, const struct green *thread)
{
    char masked[SHOWN];
    struct out line = out_on(masked, sizeof masked);
    struct str what = thread->what;
    if (what.n == 0)
        return;
    if (what.n > sizeof masked)
        what.n = sizeof masked;
    str_mask_query(&line, what);
    out_text(o, " in: ");
    put_printable(o, out_str(&line));
}

static void put_label(struct out *o, const struct green_label *label)
{
    if (!label)
        return;
    out_text(o, " (");
    put_printable(o, label->handler);
    if (label->route.n) {
        out_text(o, ", route ");
        put_printable(o, label->route);
    }
    out_char(o, ')');
}

static void put_name(struct out *o, const struct green *thread)
{
    out_text(o, "green thread '");
    put_printable(o, str_of(thread->name));
    out_char(o, '\'');
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
    put_name(&o, thread);
    out_text(&o, " is ");
    out_put(&o, str_of(states[thread->state]));
    if (thread->state != GREEN_RUNNING) {
        out_text(&o, " with ");
        out_u64(&o, thread->sp ? (uint64_t)((const char *)thread - (const char *)thread->sp) : 0);
        out_text(&o, " bytes of stack");
    }
    put_what(&o, thread);
    end_line(&o);
}

void last_words_list(void)
{
    unsigned count = 0;
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

static void put_signal(struct out *o, const struct crash *crash)
{
    out_text(o, "signal ");
    out_u64(o, (uint64_t)crash->number);
    if (crash->faulted) {
        out_text(o, " at address 0x");
        out_hex(o, (uint64_t)(uintptr_t)crash->address);
    }
}

/* In a job of its, or itself. */
static void put_stop(struct out *o, const struct crash *crash)
{
    if (crash->pooled) {
        put_signal(o, crash);
        out_text(o, " on a thread of the pool, for ");
        put_name(o, crash->thread);
        return;
    }
    put_name(o, crash->thread);
    if (stack_in_guard(crash->address)) {
        out_text(o, " overflowed its stack of ");
        out_u64(o, stack_room(crash->thread));
        out_text(o, " bytes");
    } else {
        out_text(o, " was stopped by ");
        put_signal(o, crash);
    }
}

static void put_crash(struct out *o, const struct crash *crash)
{
    const struct green *thread = crash->thread;
    if (!thread) {
        put_signal(o, crash);
        out_put(o, crash->number == SIGABRT ? STR(" while no green thread ran") : STR(" outside any green thread"));
        return;
    }
    put_stop(o, crash);
    put_what(o, thread);
    put_label(o, thread->label);
}

void last_words_crash(const struct crash *crash)
{
    char line[LINE_SIZE];
    struct out o = begin_line(line);
    out_text(&o, "crash: ");
    put_crash(&o, crash);
    end_line(&o);
}

void last_words_trace(const struct crash *crash, nsec patience)
{
    for (struct str rest = str_of(green_monitor_trace_crash(&crash->registers, patience)); rest.n;) {
        char line[LINE_SIZE];
        struct out o = begin_line(line);
        out_text(&o, "crash:   ");
        out_put(&o, str_cut(&rest, '\n'));
        end_line(&o);
    }
}

/* ---- an end that nobody planned ---- */

void last_words_exit(const struct green *thread)
{
    char line[LINE_SIZE];
    struct out o = begin_line(line);
    put_name(&o, thread);
    out_text(&o, " ends the process");
    put_what(&o, thread);
    put_label(&o, thread->label);
    end_line(&o);
}
