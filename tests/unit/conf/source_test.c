/* source_test.c: what is no readable file is one clear line. */
#include "conf/source.h"
#include "folder.h"
#include "run.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(source, .init = folder_enter, .fini = folder_leave);

static void expect_error(const char *path, const char *message)
{
    struct conf_run run;
    conf_run_start(&run, STR(""));
    struct conf_node *root = NULL;
    cr_expect_eq(conf_parse_file(&run.reader, path, NULL, &root), -EINVAL);
    cr_expect_null(root);
    cr_expect_str_eq(conf_run_errors(&run), message);
    conf_run_end(&run);
}

Test(source, rejects)
{
    cr_assert_eq(mkdir("folder", 0700), 0);
    cr_assert_eq(mkfifo("fifo", 0600), 0);
    cr_assert_eq(symlink("loop", "loop"), 0);
    folder_write("large", "");
    cr_assert_eq(truncate("large", CONF_FILE_SIZE_MAX + 1), 0);
    folder_write("nul", "a: 1\n");
    cr_assert_eq(truncate("nul", 6), 0);
    expect_error("none", "none: error: cannot be read: No such file or directory\n");
    expect_error("", ": error: cannot be read: No such file or directory\n");
    expect_error("folder", "folder: error: cannot be read: it is a directory\n");
    expect_error("fifo", "fifo: error: cannot be read: it is not a regular file\n");
    expect_error("/dev/null", "/dev/null: error: cannot be read: it is not a regular file\n");
    expect_error("loop", "loop: error: cannot be read: Too many levels of symbolic links\n");
    expect_error("large", "large: error: cannot be read: it is larger than 16 MiB\n");
    expect_error("nul", "nul:2:1: error: control characters are not allowed\n");
}

Test(source, reads)
{
    folder_write("x.yaml", "a: 1\n");
    folder_write("empty.yaml", "");
    struct conf_run run;
    conf_run_start(&run, STR(""));
    cr_assert_eq(conf_parse_file(&run.reader, "x.yaml", NULL, &run.root), 0);
    cr_expect_str_eq(conf_run_dump(&run).p, "a: 1\n");
    cr_expect(str_eq(run.root->first->file, STR("x.yaml")));
    cr_assert_eq(conf_parse_file(&run.reader, "empty.yaml", NULL, &run.root), 0);
    cr_expect_str_eq(conf_run_dump(&run).p, "{}\n");
    conf_run_end(&run);
}
