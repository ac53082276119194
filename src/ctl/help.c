/* help.c: see help.h. */
#include "ctl/help.h"

#include "ctl/option.h"

enum { NAME_WIDTH = 20 };

static void print_row(FILE *f, const char *name, const char *value, const char *text)
{
    char left[64];
    snprintf(left, sizeof left, "%s%s%s", name, value ? " " : "", value ? value : "");
    fprintf(f, "  %-*s  %s\n", NAME_WIDTH, left, text);
}

static void print_option(FILE *f, const struct option_row *row)
{
    char name[32], letter[] = {'-', row->letter, ',', ' ', '\0'};
    snprintf(name, sizeof name, "%s--%s", row->letter ? letter : "", row->name);
    print_row(f, name, row->value, row->help);
}

void help_print(FILE *f)
{
    fputs("usage: ternctl [-S SOCKET] [--json] [--timeout TIME] VERB [ARGUMENT]\n"
          "Asks a running tern over its control socket.\n"
          "\nVerbs (ternctl VERB --help tells more):\n",
          f);
    for (const struct verb *verb = verbs; verb->name; verb++)
        print_row(f, verb->name, verb->argument, verb->summary);
    fputs("\nOptions:\n", f);
    for (const struct option_row *row = option_rows; row->name; row++)
        print_option(f, row);
    fputs("\nExit status: 0 fine, 1 failed, 2 usage, 4 refused: nothing has changed, 7 no server answers.\n", f);
}

void help_print_verb(FILE *f, const struct verb *verb)
{
    fprintf(f, "usage: ternctl [-S SOCKET] [--json] [--timeout TIME] %s%s%s\n\n%s", verb->name,
            verb->argument ? " " : "", verb->argument ? verb->argument : "", verb->help);
}
