/* reach_test.c: directories that root can enter, and nobody else. */
#include "../conf/folder.h"
#include "../conf/run.h"
#include "proc/reach.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(reach, .init = folder_enter, .fini = folder_leave);

static int check(const char *text, const char *group, char *errors, size_t size)
{
    struct conf_run run;
    conf_run_start(&run, str_of(text));
    cr_assert_eq(run.status, 0, "%s", conf_run_errors(&run));
    int result = reach_check(&run.reader, run.root, STR("nobody"), str_of(group));
    snprintf(errors, size, "%s", conf_run_errors(&run));
    conf_run_end(&run);
    return result;
}

static const struct {
    mode_t mode;
    const char *group; /* of the workers */
    bool open;
} rows[] = {
    {0700, "nogroup", false}, {0744, "nogroup", false}, {0750, "nogroup", false}, {0000, "nogroup", false},
    {0750, "root", true},     {0710, "root", true},     {0701, "nogroup", true},  {0755, "nogroup", true},
};

Test(reach, who_may_enter)
{
    char errors[256];
    if (geteuid() != 0)
        cr_skip("only root can try as another user");
    cr_assert_eq(mkdir("www", 0700), 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cr_assert_eq(chmod("www", rows[i].mode), 0);
        int result = check("sites: [{routes: [{path: /, files: {root: www}}]}]", rows[i].group, errors, sizeof errors);
        cr_expect_eq(result, rows[i].open ? 0 : -EINVAL, "row %zu", i);
        cr_expect_str_eq(errors,
                         rows[i].open ? ""
                                      : "t:1:43: error: sites[0].routes[0].files.root: www: Permission denied, for "
                                        "the user that workers run as\n",
                         "row %zu", i);
    }
    chmod("www", 0700);
}

/* The folder that holds it is closed to all but us: workers get it open. */
Test(reach, the_way_to_a_root_is_no_matter)
{
    char errors[256];
    folder_write("closed/file", "");
    cr_assert_eq(mkdir("closed/www", 0755), 0);
    cr_expect_eq(check("sites: [{routes: [{files: {root: closed/www}}]}]", "nogroup", errors, sizeof errors), 0);
    cr_expect_str_eq(errors, "");
}

Test(reach, each_root_is_tried)
{
    char errors[1024];
    if (geteuid() != 0)
        cr_skip("only root can try as another user");
    cr_assert_eq(mkdir("closed", 0700) + mkdir("open", 0755), 0);
    cr_expect_eq(check("sites:\n"
                       "  - routes: [{files: {root: closed}}, {respond: {}}, {files: {root: open}}]\n"
                       "  - {}\n"
                       "  - routes: {files: {root: closed}}\n",
                       "nogroup", errors, sizeof errors),
                 -EINVAL);
    cr_expect_str_eq(errors,
                     "t:2:29: error: sites[0].routes[0].files.root: closed: Permission denied, for the user that "
                     "workers run as\n"
                     "t:4:28: error: sites[2].routes.files.root: closed: Permission denied, for the user that "
                     "workers run as\n");
}

/* More than there are descriptors, and than a pipe holds. */
Test(reach, thousands_of_roots)
{
    enum { ROOTS = 5000 };
    static char text[ROOTS * 32];
    char errors[256];
    struct out o = out_on(text, sizeof text - 1);
    out_text(&o, "sites: {routes: [");
    for (int i = 0; i < ROOTS; i++)
        out_text(&o, "{files: {root: www}}, ");
    out_text(&o, "]}");
    cr_assert_eq(mkdir("www", 0755), 0);
    cr_expect_eq(check(text, "nogroup", errors, sizeof errors), 0);
    cr_expect_str_eq(errors, "");
}

Test(reach, nothing_to_try_or_nobody_to_try_as)
{
    char errors[256];
    cr_assert_eq(mkdir("closed", 0700), 0);
    cr_expect_eq(check("{}", "nogroup", errors, sizeof errors), 0);
    cr_expect_eq(check("sites: [{routes: [{respond: {}}]}, x]", "nogroup", errors, sizeof errors), 0);
    cr_expect_eq(check("sites: {routes: {files: {root: closed}}}", "no-such-group", errors, sizeof errors), 0);
    cr_expect_str_eq(errors, "");
}
