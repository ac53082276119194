/* stall_report.c: see stall_report.h. */
#include "green/stall_report.h"

#include <stdio.h>

#include "base/out.h"
#include "log/log.h"

enum { STARVED = 4 /* it had less than a fourth of the time */, SUBJECT = 1024, LIMIT = 10 };
#define LIMIT_TIME (10 * NSEC_SEC)

void stall_report_cause(struct stall *stall, const struct trace_state *state, nsec time, nsec cpu)
{
    static const char *const causes[] = {
        [TRACE_UNKNOWN] = "unknown", [TRACE_RUNS] = "CPU", [TRACE_CALL] = "system call ", [TRACE_FAULT] = "page fault"};
    struct out o = out_on(stall->cause, sizeof stall->cause - 1);
    out_put(&o, str_of(causes[state->doing]));
    *o.at = '\0';
    if (state->doing == TRACE_CALL)
        trace_call_name(state->call, o.at, (size_t)(o.end - o.at));
    else if (state->doing == TRACE_RUNS && cpu < time / STARVED)
        snprintf(o.at, (size_t)(o.end - o.at), ", which it had for %lld of %lld ms only", (long long)(cpu / NSEC_MS),
                 (long long)(time / NSEC_MS));
}

/* Who it is: by what it serves, if it does, else by what it is. */
static const char *subject(const struct stall *stall, char *text)
{
    struct out o = out_on(text, SUBJECT - 1);
    if (stall->request[0]) {
        out_put(&o, str_of(stall->request));
    } else if (stall->thread) {
        out_text(&o, "green thread '");
        out_put(&o, str_of(stall->name));
        out_char(&o, '\'');
    } else {
        out_text(&o, "the event loop");
    }
    if (stall->handler[0]) {
        out_text(&o, " (");
        out_put(&o, str_of(stall->handler));
        out_put(&o, stall->route[0] ? STR(", route ") : STR(""));
        out_put(&o, str_of(stall->route));
        out_char(&o, ')');
    }
    *o.at = '\0';
    return text;
}

/* Modules have a way to wait for what blocks. */
static const char *advice(const struct stall *stall)
{
    bool blocked = str_starts(str_of(stall->cause), STR("system call ")),
         module = str_starts(str_of(stall->handler), STR("module "));
    return blocked && module ? "; use tern_blocking()" : "";
}

void stall_report_begin(const struct stall *stall)
{
    char text[SUBJECT];
    log_warn("stall: %s has not yielded for %lld ms: %s%s", subject(stall, text), (long long)(stall->lasted / NSEC_MS),
             stall->cause, advice(stall));
}

void stall_report_trace(const struct stall *stall)
{
    static nsec begun;
    static unsigned told;
    nsec now = clock_monotonic();
    if (told == 0 || now - begun >= LIMIT_TIME) {
        begun = now;
        told = 0;
    }
    if (++told > LIMIT)
        return;
    for (struct str rest = str_of(stall->trace); rest.n;) {
        struct str line = str_cut(&rest, '\n');
        log_warn("stall:   " STR_FMT, STR_ARG(line));
    }
}

void stall_report_end(const struct stall *stall)
{
    char text[SUBJECT];
    log_notice("stall: %s has yielded after %lld ms", subject(stall, text), (long long)(stall->lasted / NSEC_MS));
}
