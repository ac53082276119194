/* env_test.c: references to the environment, and what is none. */
#include "run.h"

#include <criterion/criterion.h>
#include <stdlib.h>

struct example {
    const char *text; /* of one scalar, double-quoted in YAML */
    const char *want; /* its value, or its error */
};

static void set_variables(void)
{
    setenv("TERN_TEST_A", "alpha", 1);
    setenv("TERN_TEST_EMPTY", "", 1);
    setenv("TERN_TEST_NESTED", "${TERN_TEST_A}", 1);
    setenv("TERN_TEST_BAD", "a\xff", 1);
    unsetenv("TERN_TEST_NONE");
}

static const struct example rejects[] = {
    {"${TERN_TEST_NONE}", "the environment variable TERN_TEST_NONE is not set"},
    {"${TERN_TEST_BAD}", "the environment variable TERN_TEST_BAD is not UTF-8"},
    {"a${", "`${` without `}`"},
    {"${TERN_TEST_A", "`${` without `}`"},
    {"${}", "`${}` does not name an environment variable"},
    {"${1A}", "`${1A}` does not name an environment variable"},
    {"${A B}", "`${A B}` does not name an environment variable"},
    {"${TERN_TEST_A:+x}", "`${TERN_TEST_A:+x}` does not name an environment variable"},
    {"${:-x}", "`${:-x}` does not name an environment variable"},
};

Test(env, rejects, .init = set_variables)
{
    for (size_t i = 0; i < sizeof rejects / sizeof *rejects; i++) {
        char text[100], want[150];
        snprintf(text, sizeof text, "\"%s\"", rejects[i].text);
        snprintf(want, sizeof want, "t:1:1: error: %s\n", rejects[i].want);
        struct conf_run run;
        conf_run_start(&run, str_of(text));
        cr_expect_eq(run.status, 0, "the rest of the file is still read");
        cr_expect(run.root->broken);
        cr_expect_str_eq(conf_run_errors(&run), want);
        conf_run_end(&run);
    }
}

static const struct example values[] = {
    {"${TERN_TEST_A}", "alpha"},
    {"<${TERN_TEST_A}${TERN_TEST_A}>", "<alphaalpha>"},
    {"${TERN_TEST_EMPTY}", ""},
    {"${TERN_TEST_A:-x}", "alpha"},
    {"${TERN_TEST_EMPTY:-x}", "x"},
    {"${TERN_TEST_NONE:-x:-y}", "x:-y"},
    {"${TERN_TEST_NONE:-}", ""},
    {"${TERN_TEST_NESTED}", "${TERN_TEST_A}"},
    {"$${TERN_TEST_A}", "${TERN_TEST_A}"},
    {"$$${TERN_TEST_A}", "$${TERN_TEST_A}"},
    {"$5 $$ $HOME ^x$", "$5 $$ $HOME ^x$"},
};

Test(env, values, .init = set_variables)
{
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        char text[100];
        snprintf(text, sizeof text, "\"%s\"", values[i].text);
        struct conf_run run;
        conf_run_start(&run, str_of(text));
        cr_assert_eq(run.status, 0);
        cr_expect_not(conf_failed(&run.reader), "%s", conf_run_errors(&run));
        cr_expect_str_eq(run.root->text.p, values[i].want);
        conf_run_end(&run);
    }
}

Test(env, an_empty_variable_is_no_value_unless_quoted, .init = set_variables)
{
    struct conf_run run;
    conf_run_start(&run, STR("a: ${TERN_TEST_EMPTY}\nb: '${TERN_TEST_EMPTY}'"));
    cr_assert_eq(run.status, 0);
    cr_expect(conf_is_null(run.root->first));
    cr_expect_not(conf_is_null(run.root->last));
    conf_run_end(&run);
}
