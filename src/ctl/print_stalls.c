/* print_stalls.c: green threads that did not yield for too long. */
#include <time.h>

#include "ctl/printers.h"
#include "ctl/text.h"

static void print_time(FILE *f, uint64_t ms)
{
    char text[32];
    time_t seconds = (time_t)(ms / 1000);
    struct tm local;
    if (localtime_r(&seconds, &local) && strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &local))
        fprintf(f, "%s.%03u", text, (unsigned)(ms % 1000));
}

/* "2026-11-30 12:00:00.250  worker 0, thread 4711.52: 104ms, CPU" and whose fault it was. */
static void print_stall(FILE *f, const struct answer *stall)
{
    char room[TEXT_DURATION];
    struct str lasted = text_duration(room, (nsec)answer_u64(stall, "lasted_ms") * NSEC_MS),
               handler = answer_text(stall, "handler");
    print_time(f, answer_u64(stall, "at_ms"));
    fprintf(f, "  worker %llu, thread ", (unsigned long long)answer_u64(stall, "worker"));
    text_member(f, stall, "id");
    fprintf(f, ": %s" STR_FMT "%s, ", answer_bool(stall, "over") ? "" : "still, for ", STR_ARG(lasted),
            answer_bool(stall, "killed") ? " until its worker was ended" : "");
    text_member(f, stall, "cause");
    fputs("\n    ", f);
    text_member(f, stall, "request");
    fputs(answer_knows(stall, "request") ? " (" : "(", f);
    text_put(f, handler.n ? handler : answer_text(stall, "name"));
    if (answer_knows(stall, "route"))
        fputs(", route ", f);
    text_member(f, stall, "route");
    fputs(")\n", f);
    for (size_t i = 0; i < answer_count(stall, "trace"); i++) {
        fputs("    ", f);
        text_put(f, answer_text_item(stall, "trace", i));
        fputc('\n', f);
    }
}

int print_stalls(FILE *f, const struct answer *answer)
{
    size_t count = answer_count(answer, "stalls");
    if (count == 0)
        fputs("no green thread has stalled\n", f);
    for (size_t i = 0; i < count; i++)
        print_stall(f, answer_item(answer, "stalls", i));
    return 0;
}
