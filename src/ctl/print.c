/* print.c: see print.h. */
#include "ctl/print.h"

#include <errno.h>

#include "ctl/printers.h"
#include "ctl/text.h"

static int print_reload(FILE *f, const struct answer *answer)
{
    fprintf(f, "generation %llu serves, with ", (unsigned long long)answer_u64(answer, "generation"));
    text_count(f, answer_u64(answer, "workers"), "worker");
    fputc('\n', f);
    return 0;
}

static int print_upgrade(FILE *f, const struct answer *answer)
{
    text_member(f, answer, "version");
    fprintf(f, " serves, as process %llu\n", (unsigned long long)answer_u64(answer, "pid"));
    return 0;
}

static int print_reopen(FILE *f, const struct answer *answer)
{
    text_count(f, answer_u64(answer, "logs"), "log");
    fputs(" opened anew\n", f);
    return 0;
}

static int print_level(FILE *f, const struct answer *answer)
{
    text_member(f, answer, "level");
    fputc('\n', f);
    return 0;
}

static int print_version(FILE *f, const struct answer *answer)
{
    fputs("tern ", f);
    text_member(f, answer, "version");
    fprintf(f, " [%llu]\n", (unsigned long long)answer_u64(answer, "pid"));
    return 0;
}

static const struct printer {
    const char *verb;
    int (*print)(FILE *f, const struct answer *answer);
} printers[] = {
    {"status", print_status}, {"threads", print_threads}, {"stack", print_stack},     {"kill", print_kill},
    {"stalls", print_stalls}, {"reload", print_reload},   {"upgrade", print_upgrade}, {"reopen", print_reopen},
    {"drain", print_drain},   {"log", print_level},       {"version", print_version}, {"explain", print_explain},
};

int print_answer(FILE *f, const struct verb *verb, const struct answer *answer)
{
    for (size_t i = 0; i < sizeof printers / sizeof *printers; i++)
        if (strcmp(printers[i].verb, verb->name) == 0)
            return printers[i].print(f, answer);
    return -ENOENT;
}

void print_refusal(FILE *f, const struct answer *answer)
{
    for (size_t i = 0; i < answer_count(answer, "messages"); i++) {
        text_put(f, answer_text_item(answer, "messages", i));
        fputc('\n', f);
    }
    fputs("ternctl: ", f);
    text_member(f, answer, "error");
    fputc('\n', f);
}
