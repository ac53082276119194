/* option_test.c: command lines that are refused, and what others mean. */
#include "ctl/option.h"

#include <criterion/criterion.h>

enum { ARGUMENTS = 8 };

struct line {
    char *arguments[ARGUMENTS]; /* behind the name of the program; NULL ends them */
    const char *text;
};

static int read_line(struct options *options, const struct line *line, struct out *why)
{
    char *argv[ARGUMENTS + 2] = {"ternctl"};
    int argc = 1;
    for (; line->arguments[argc - 1]; argc++)
        argv[argc] = line->arguments[argc - 1];
    return options_read(options, argc, argv, why);
}

static char longest[CTL_LINE_MAX];

static const struct line rejects[] = {
    {{NULL}, "a verb is missing"},
    {{"--json"}, "a verb is missing"},
    {{"-x"}, "-x is no option"},
    {{"status", "-x"}, "-x is no option"},
    {{"--jason", "status"}, "--jason is no option"},
    {{"--json=yes", "status"}, "--json=yes takes no value"},
    {{"--help=reload"}, "--help=reload takes no value"},
    {{"-S"}, "-S lacks its value"},
    {{"status", "--socket"}, "--socket lacks its value"},
    {{"--timeout", "soon", "status"}, "soon is no time, such as 30s"},
    {{"--timeout=-1", "status"}, "-1 is no time, such as 30s"},
    {{"--timeout=", "status"}, " is no time, such as 30s"},
    {{"--completion", "csh"}, "csh is not bash, the one shell that tern knows"},
    {{"statsu"}, "`statsu` is no verb; did you mean `status`?"},
    {{""}, "`` is no verb"},
    {{"--help", "elephant"}, "elephant is no verb"},
    {{"status", "now"}, "`status` takes no argument"},
    {{"status", "reload"}, "`status` takes no argument"},
    {{"log", "loud"}, "`loud` is not one of debug, info, notice, warn, error"},
    {{"log", "info", "warn"}, "`info warn` is not one of debug, info, notice, warn, error"},
    {{"log", "info\nreload"}, "info\nreload has a blank or a control character in it"},
    {{"log info"}, "log info has a blank or a control character in it"},
    {{"log", "\x7f"}, "\x7f has a blank or a control character in it"},
    {{"log", longest}, "the request is too long"},
    {{"explain"}, "`explain` needs [METHOD] URL"},
    {{"explain", "/a b"}, "/a b has a blank or a control character in it"},
    {{"threads", "handler=a\tb"}, "handler=a\tb has a blank or a control character in it"},
    {{"threads state=ready"}, "threads state=ready has a blank or a control character in it"},
    {{"-c"}, "-c lacks its value"},
    {{"-c", "tern.yaml"}, "a verb is missing"},
    {{"-c", "tern.yaml", "status"}, "status does not go with -c"},
    {{"top", "-c", "tern.yaml"}, "top does not go with -c"},
};

Test(option, rejects)
{
    memset(longest, 'x', sizeof longest - 1);
    for (size_t i = 0; i < sizeof rejects / sizeof *rejects; i++) {
        struct options options;
        char text[512];
        struct out why = out_on(text, sizeof text);
        cr_expect_lt(read_line(&options, &rejects[i], &why), 0, "row %zu", i);
        cr_expect(str_eq(out_str(&why), str_of(rejects[i].text)), "%s: " STR_FMT, rejects[i].text,
                  STR_ARG(out_str(&why)));
    }
}

static struct options read_good(const struct line *line)
{
    struct options options;
    char text[512];
    struct out why = out_on(text, sizeof text);
    cr_assert_eq(read_line(&options, line, &why), 0, STR_FMT, STR_ARG(out_str(&why)));
    return options;
}

static const struct line requests[] = {
    {{"status"}, "status\n"},        {{"log"}, "log\n"},
    {{"log", "warn"}, "log warn\n"}, {{"--json", "log", "--timeout", "1s", "warn", "-Sx"}, "log warn\n"},
    {{"--", "reload"}, "reload\n"},  {{"threads", "handler=module a", "limit=1"}, "threads handler=module a limit=1\n"},
};

/* So that its help can be pointed to. */
Test(option, of_a_request_that_is_wrong_the_verb_is_known)
{
    static const struct {
        struct line line;
        const char *verb;
    } table[] = {{{{"stack"}, NULL}, "stack"},   {{{"log", "loud"}, NULL}, "log"},
                 {{{"log", "\n"}, NULL}, "log"}, {{{"top", "-c", "x"}, NULL}, "top"},
                 {{{"statsu"}, NULL}, NULL},     {{{"status", "-x"}, NULL}, NULL}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct options options;
        char text[512];
        struct out why = out_on(text, sizeof text);
        cr_expect_lt(read_line(&options, &table[i].line, &why), 0);
        cr_expect_eq(options.verb, table[i].verb ? verb_find(str_of(table[i].verb)) : NULL, "%zu", i);
    }
}

Test(option, requests)
{
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        struct options options = read_good(&requests[i]);
        cr_expect_str_eq(options.line, requests[i].text);
        cr_assert_not_null(options.verb);
        cr_expect(str_starts(str_of(options.line), str_of(options.verb->name)));
    }
}

Test(option, what_is_not_said)
{
    struct options options = read_good(&(struct line){{"status"}, NULL});
    cr_expect_str_eq(options.socket, CTL_SOCKET);
    cr_expect_eq(options.timeout, -1);
    cr_expect_not(options.json || options.help || options.version || options.completion);
}

Test(option, what_is_said)
{
    struct options options = read_good(&(struct line){{"-S", "a", "--json", "--timeout", "2m", "status"}, NULL});
    cr_expect_str_eq(options.socket, "a");
    cr_expect_eq(options.timeout, 120 * NSEC_SEC);
    cr_expect(options.json);
    options = read_good(&(struct line){{"--socket=b", "--timeout=0", "reload"}, NULL});
    cr_expect_str_eq(options.socket, "b");
    cr_expect_eq(options.timeout, 0);
}

Test(option, questions_about_ternctl_need_no_verb)
{
    cr_expect(read_good(&(struct line){{"-h"}, NULL}).help);
    cr_expect(read_good(&(struct line){{"--version"}, NULL}).version);
    cr_expect_str_eq(read_good(&(struct line){{"--completion", "bash"}, NULL}).completion, "bash");
    struct options options = read_good(&(struct line){{"log", "loud", "--help"}, NULL});
    cr_expect(options.help);
    cr_expect_str_eq(options.verb->name, "log");
}

Test(option, every_row_is_whole)
{
    for (const struct option_row *row = option_rows; row->name; row++) {
        cr_expect(row->help && !strchr(row->help, '\n'), "%s", row->name);
        for (const struct option_row *other = option_rows; other < row; other++)
            cr_expect(strcmp(row->name, other->name) != 0 && (!row->letter || row->letter != other->letter), "%s",
                      row->name);
    }
}
