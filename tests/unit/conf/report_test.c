/* report_test.c: order, bounds and what a message may contain. */
#include "run.h"

#include <criterion/criterion.h>

Test(report, errors_beyond_the_maximum_are_counted)
{
    struct conf_run run;
    conf_run_start(&run, STR("a: 1"));
    for (unsigned i = 0; i < CONF_ERRORS_MAX + 7; i++)
        conf_error_at(&run.reader, STR("t"), i + 1, 1, "x");
    cr_expect_eq(run.reader.failed, CONF_ERRORS_MAX + 7);
    cr_expect_eq(run.reader.kept, CONF_ERRORS_MAX);
    struct str errors = str_of(conf_run_errors(&run));
    cr_expect(str_starts(errors, STR("t:1:1: error: x\nt:2:1: error: x\n")));
    cr_expect(str_ends(errors, STR("t:50:1: error: x\nand 7 more\n")));
    conf_run_end(&run);
}

Test(report, file_order)
{
    struct conf_run run;
    conf_run_start(&run, STR("a: 1"));
    cr_expect_not(conf_failed(&run.reader));
    struct str b = STR("b"), a = STR("a");
    conf_error_at(&run.reader, b, 2, 5, "third");
    conf_error_at(&run.reader, a, 1, 1, "%s", "of the second file");
    conf_error_at(&run.reader, b, 2, 5, "fourth, of the same place");
    conf_error_at(&run.reader, b, 2, 1, "second");
    conf_error_at(&run.reader, b, 0, 0, "first, about the file");
    conf_error_at(&run.reader, b, 3, 1, "fifth");
    cr_expect(conf_failed(&run.reader));
    cr_expect_str_eq(conf_run_errors(&run), "b: error: first, about the file\n"
                                            "b:2:1: error: second\n"
                                            "b:2:5: error: third\n"
                                            "b:2:5: error: fourth, of the same place\n"
                                            "b:3:1: error: fifth\n"
                                            "a:1:1: error: of the second file\n");
    conf_run_end(&run);
}

Test(report, a_node_is_named_by_its_path)
{
    struct conf_run run;
    conf_run_start(&run, STR("a:\n  - x\n  - {b: [c]}\n"));
    conf_error(&run.reader, run.root, "root");
    const struct conf_node *b = run.root->first->last->first;
    conf_error(&run.reader, b->first, "item");
    conf_error_key(&run.reader, b, "key");
    cr_expect_str_eq(conf_run_errors(&run),
                     "t:1:1: error: root\nt:3:6: error: a[1].b: key\nt:3:10: error: a[1].b[0]: item\n");
    conf_run_end(&run);
}

Test(report, a_message_is_one_line_of_bounded_length)
{
    static char long_text[5000];
    memset(long_text, 'x', sizeof long_text - 1);
    struct conf_run run;
    conf_run_start(&run, STR("a: 1"));
    conf_error_at(&run.reader, STR("t"), 1, 1, "%s", "a\nb\x1b[31m\x7f\r");
    conf_error_at(&run.reader, STR("t"), 2, 1, "%s", long_text);
    cr_expect(str_eq(run.reader.errors[0].text, STR("a?b?[31m??")));
    cr_expect_lt(run.reader.errors[1].text.n, 1000);
    conf_run_end(&run);
}
