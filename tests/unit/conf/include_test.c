/* include_test.c: which files are merged, how, and what cannot be. */
#include "conf/include.h"
#include "folder.h"
#include "run.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(include, .init = folder_enter, .fini = folder_leave);

static void expect_errors(const char *path, int status, const char *messages)
{
    struct conf_run run;
    conf_run_start(&run, STR(""));
    cr_expect_eq(conf_load(&run.reader, path, &run.root), status);
    cr_expect_str_eq(conf_run_errors(&run), messages);
    conf_run_end(&run);
}

static void expect_dump(const char *path, const char *dump)
{
    struct conf_run run;
    conf_run_start(&run, STR(""));
    cr_assert_eq(conf_load(&run.reader, path, &run.root), 0, "%s", conf_run_errors(&run));
    cr_expect_not(conf_failed(&run.reader), "%s", conf_run_errors(&run));
    cr_expect_str_eq(conf_run_dump(&run).p, dump);
    conf_run_end(&run);
}

Test(include, takes_names)
{
    folder_write("main.yaml", "include: [~, [x], '${TERN_TEST_UNSET}', none.yaml]\na: 1\na: 2\n");
    expect_errors("main.yaml", -EINVAL,
                  "main.yaml:1:11: error: include[0]: has no value\n"
                  "main.yaml:1:14: error: include[1]: takes a single value, not a list\n"
                  "main.yaml:1:19: error: include[2]: the environment variable TERN_TEST_UNSET is not set\n"
                  "main.yaml:3:1: error: a: is set twice, first on line 2\n");
}

Test(include, every_file_that_cannot_be_parsed_is_reported)
{
    folder_write("main.yaml", "include: [d/*.yaml, none.yaml]\na: 1\n");
    folder_write("d/1.yaml", "a: [\n");
    folder_write("d/2.yaml", "a: 'x\n");
    folder_write("d/3.yaml", "b: 1\n");
    expect_errors(
        "main.yaml", -EINVAL,
        "d/1.yaml:2:1: error: did not find expected node content; a value that starts with * & [ { or : stands in "
        "quotes\n"
        "d/2.yaml:2:1: error: found unexpected end of stream, while scanning a quoted scalar that starts on "
        "line 1\n"
        "main.yaml:1:21: error: include[1]: none.yaml cannot be read: No such file or directory\n");
}

/* The line that names the file is told, for there may be many; and nothing of that size, or endless, is read. */
Test(include, what_is_no_file_to_read)
{
    static const struct {
        const char *include, *error;
    } rows[] = {
        {"none", "main.yaml:2:10: error: include: none cannot be read: No such file or directory\n"},
        {"[ok, none]", "main.yaml:2:15: error: include[1]: none cannot be read: No such file or directory\n"},
        {"folder", "main.yaml:2:10: error: include: folder cannot be read: it is a directory\n"},
        {"[f*]", "main.yaml:2:11: error: include[0]: fifo cannot be read: it is not a regular file\n"
                 "main.yaml:2:11: error: include[0]: folder cannot be read: it is a directory\n"},
        {"/dev/zero", "main.yaml:2:10: error: include: /dev/zero cannot be read: it is not a regular file\n"},
        {"large", "main.yaml:2:10: error: include: large cannot be read: it is larger than 16 MiB\n"},
    };
    cr_assert_eq(mkdir("folder", 0700), 0);
    cr_assert_eq(mkfifo("fifo", 0600), 0);
    folder_write("ok", "b: 1\n");
    folder_write("large", "");
    cr_assert_eq(truncate("large", 100 << 20), 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[128];
        snprintf(text, sizeof text, "a: 1\ninclude: %s\n", rows[i].include);
        folder_write("main.yaml", text);
        expect_errors("main.yaml", -EINVAL, rows[i].error);
    }
}

Test(include, what_cannot_be_merged)
{
    folder_write("main.yaml", "include: d/*\nlisten: 80\nlimits: {size: 1}\nsites: []\n");
    folder_write("d/1", "listen: [81]\nlimits: {size: [2]}\nsites: {}\n");
    folder_write("d/2", "- x\n");
    folder_write("d/3", "include: x\n");
    expect_errors("main.yaml", 0,
                  "d/1:1:9: error: listen: is a list, but a value in main.yaml:2\n"
                  "d/1:2:16: error: limits.size: is a list, but a value in main.yaml:3\n"
                  "d/1:3:8: error: sites: is a mapping, but a list in main.yaml:4\n"
                  "d/2:1:1: error: is a list, not a mapping\n"
                  "d/3:1:1: error: include: an included file includes no others\n");
}

Test(include, a_folder_that_cannot_be_read)
{
    cr_assert_eq(symlink("loop", "loop"), 0);
    folder_write("main.yaml", "include: loop/*.yaml\n");
    expect_errors("main.yaml", -EINVAL, "main.yaml:1:10: error: include: cannot read a folder of loop/*.yaml\n");
}

Test(include, a_main_file_that_is_no_mapping_is_left_to_the_schema)
{
    folder_write("main.yaml", "- include\n");
    expect_dump("main.yaml", "- include\n");
}

Test(include, merges_in_the_order_of_the_names)
{
    folder_write("main.yaml", "a: 1\ninclude: d/*.yaml\nlist: [1]\nmap: {x: 1, y: 1}\nz: 1\n");
    folder_write("d/2.yaml", "list: [3]\nmap: {y: 3}\n");
    folder_write("d/1.yaml", "list: [2]\nmap: {y: 2, new: {deep: 2}}\na: 2\nb: 2\n");
    folder_write("d/3.txt", "a: not matched\n");
    folder_write("d/4.yaml", "");
    expect_dump("main.yaml",
                "a: 2\nlist:\n  - 1\n  - 2\n  - 3\nmap:\n  x: 1\n  y: 3\n  new:\n    deep: 2\nz: 1\nb: 2\n");
}

Test(include, names_are_relative_to_the_main_file)
{
    char here[128], text[256];
    cr_assert_not_null(getcwd(here, sizeof here));
    snprintf(text, sizeof text, "include: [one, %s/two, none/*]\n", here);
    folder_write("d/main.yaml", text);
    folder_write("d/one", "a: 1\n");
    folder_write("two", "b: 2\n");
    expect_dump("d/main.yaml", "a: 1\nb: 2\n");
}

/* What is a pattern is said by who writes `include`, and not by the folder that the configuration is in. */
Test(include, a_folder_is_no_pattern)
{
    static const char *const folders[] = {"g[1]", "a*", "b?", "c\\d", "[", "e f"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        char path[64];
        snprintf(path, sizeof path, "%s/main.yaml", folders[i]);
        folder_write(path, "include: [one.yaml, 't*']\n");
        snprintf(path, sizeof path, "%s/one.yaml", folders[i]);
        folder_write(path, "a: 1\n");
        snprintf(path, sizeof path, "%s/two", folders[i]);
        folder_write(path, "b: 2\n");
        snprintf(path, sizeof path, "%s/main.yaml", folders[i]);
        expect_dump(path, "a: 1\nb: 2\n");
    }
}

/* Only wildcards may match nothing. */
Test(include, a_name_that_is_not_there)
{
    static const struct {
        const char *name, *shown;
    } rows[] = {{"none", "none"}, {"'d/[x'", "d/[x"}, {"'n\\*ne'", "n\\*ne"}, {"'/none/x'", "/none/x"}};
    folder_write("nine", "");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[128], error[160];
        snprintf(text, sizeof text, "include: %s\n", rows[i].name);
        snprintf(error, sizeof error, "main.yaml:1:10: error: include: %s cannot be read: No such file or directory\n",
                 rows[i].shown);
        folder_write("main.yaml", text);
        expect_errors("main.yaml", -EINVAL, error);
    }
    folder_write("main.yaml", "include: ['none*', 'n?', '[x]', 'none/*']\na: 1\n");
    expect_dump("main.yaml", "a: 1\n");
    folder_write("main.yaml", "include: []\n");
    expect_errors("main.yaml", -EINVAL, "main.yaml:1:10: error: include: is an empty list\n");
}

Test(include, a_key_with_nothing_below_it_adds_nothing)
{
    folder_write("main.yaml", "include: d/*\nlist: [1]\nmap: {x: 1}\nlater:\ntext: a\n");
    folder_write("d/1", "list:\nmap: ~\n");
    folder_write("d/2", "later:\n  - {y: 1}\n");
    folder_write("d/3", "later: [2]\nlist: null\nmap: {z: 2}\n");
    expect_dump("main.yaml", "list:\n  - 1\nmap:\n  x: 1\n  z: 2\nlater:\n  - y: 1\n  - 2\ntext: a\n");
    folder_write("d/1", "list: ''\nmap: x\n");
    expect_errors("main.yaml", 0,
                  "d/1:1:7: error: list: is a value, but a list in main.yaml:2\n"
                  "d/1:2:6: error: map: is a value, but a mapping in main.yaml:3\n");
}

/* What has taken a place is found there. */
Test(include, what_stands_below_an_empty_key_knows_where_it_is)
{
    folder_write("main.yaml", "include: d\nlist:\n");
    folder_write("d", "list: [{a: 1}]\n");
    struct conf_run run;
    conf_run_start(&run, STR(""));
    cr_assert_eq(conf_load(&run.reader, "main.yaml", &run.root), 0);
    conf_error(&run.reader, conf_find(run.root->first->first, STR("a")), "here");
    cr_expect_str_eq(conf_run_errors(&run), "d:1:12: error: list[0].a: here\n");
    conf_run_end(&run);
}

Test(include, a_replaced_value_knows_its_new_place)
{
    folder_write("main.yaml", "include: d\nm: {a: 1, b: 2}\n");
    folder_write("d", "m:\n  a: 3\n");
    struct conf_run run;
    conf_run_start(&run, STR(""));
    cr_assert_eq(conf_load(&run.reader, "main.yaml", &run.root), 0);
    conf_error(&run.reader, conf_find(run.root->first, STR("a")), "here");
    cr_expect_str_eq(conf_run_errors(&run), "d:2:6: error: m.a: here\n");
    conf_run_end(&run);
}
