/* complete_test.c: what bash makes of the completion. */
#include "ctl/complete.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/option.h"

static char directory[] = "/tmp/tern-complete-XXXXXX", script[64];

static void setup(void)
{
    cr_assert_not_null(mkdtemp(directory));
    snprintf(script, sizeof script, "%s/ternctl", directory);
    FILE *f = fopen(script, "w");
    cr_assert_not_null(f);
    complete_print_bash(f);
    cr_assert_eq(fclose(f), 0);
    cr_assert_eq(chdir(directory), 0);
}

static void teardown(void)
{
    unlink(script);
    rmdir(directory);
}

TestSuite(complete, .init = setup, .fini = teardown);

/* What bash offers for the last of these words, with a blank behind each. */
static char *offered(const char *words)
{
    static char output[4096];
    char command[1024];
    snprintf(command, sizeof command,
             "bash --norc -c '. ./ternctl; COMP_WORDS=(ternctl %s); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _ternctl; "
             "((${#COMPREPLY[@]})) && printf \"%%s \" \"${COMPREPLY[@]}\"' 2>&1",
             words);
    FILE *f = popen(command, "r"); /* NOLINT(cert-env33-c): a shell is what is tested */
    cr_assert_not_null(f);
    output[fread(output, 1, sizeof output - 1, f)] = '\0';
    pclose(f);
    return output;
}

static const struct {
    const char *words, *offered;
} lines[] = {
    {"re", "reload reopen "},
    {"x", ""},
    {"threads \"\"", "state= wait= route= handler= age= limit= sort= "},
    {"threads state=ready li", "limit= "},
    {"threads so", "sort= "},
    {"threads state =", "ready waiting running cancelled "},
    {"threads age = 1s wait = c", "client condition channel "},
    {"threads sort = c", "cpu "},
    {"threads limit = 1", ""},
    {"stack 1", ""},
    {"drain \"\"", "show "},
    {"status \"\"", ""},
    {"status re", ""},
    {"log \"\"", "debug info notice warn error "},
    {"log w", "warn "},
    {"--json log n", "notice "},
    {"-S log \"\"",
     "status threads stack kill stalls reload upgrade reopen drain log explain top version "}, /* the socket */
    {"--socket = log \"\"", "status threads stack kill stalls reload upgrade reopen drain log explain top version "},
    {"--timeout 5s log d", "debug "},
    {"--t", "--timeout "},
    {"log --j", "--json "},
    {"--timeout \"\"", ""},
    {"--completion \"\"", "bash "},
    {"--completion =", "bash "},
    {"--completion = b", "bash "},
    {"-S ./ter", "./ternctl "},
    {"-c ./ter", "./ternctl "},
    {"--config = ./ter", "./ternctl "},
    {"top \"\"", "interval= count= "},
    {"--socket = ./ter", "./ternctl "},
};

Test(complete, lines)
{
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        cr_expect_str_eq(offered(lines[i].words), lines[i].offered, "%s: %s", lines[i].words, offered(lines[i].words));
}

Test(complete, all_verbs_and_options_are_offered)
{
    char expected[512] = "";
    for (const struct verb *verb = verbs; verb->name; verb++)
        strcat(strcat(expected, verb->name), " ");
    cr_expect_str_eq(offered("\"\""), expected);
    *expected = '\0';
    for (const struct option_row *row = option_rows; row->name; row++) {
        if (row->letter)
            snprintf(expected + strlen(expected), 8, "-%c ", row->letter);
        snprintf(expected + strlen(expected), 32, "--%s ", row->name);
    }
    cr_expect_str_eq(offered("-"), expected);
}

Test(complete, bash_loads_it_without_a_word)
{
    cr_expect_str_eq(offered("status"), "status ");
    FILE *f = popen("bash --norc -uec '. ./ternctl; complete -p ternctl' 2>&1", "r"); /* NOLINT(cert-env33-c) */
    char output[128];
    cr_assert_not_null(f);
    output[fread(output, 1, sizeof output - 1, f)] = '\0';
    cr_expect_eq(pclose(f), 0);
    cr_expect_str_eq(output, "complete -F _ternctl ternctl\n");
}
