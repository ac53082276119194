/* log_test.c: lines of modules in the error log: those that are not wanted, those that are too long, and the others. */
#include <stdio.h>

#include "../conf/folder.h"
#include "log/log.h"
#include "visit.h"

static void teardown(void)
{
    cr_assert_eq(log_open(STR("stderr"), LOG_LEVEL_NOTICE), 0);
    folder_leave();
}

TestSuite(module_log, .init = folder_enter, .fini = teardown);

/* What has been logged, of the first line what follows its date. */
static const char *logged(void)
{
    static char text[8192];
    FILE *f = fopen("error.log", "r");
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    return text[0] ? text + strlen("2000-01-01 00:00:00.000 ") : text;
}

GreenTest(module_log, what_nobody_wants_to_know)
{
    cr_assert_eq(log_open(STR("error.log"), LOG_LEVEL_WARN), 0);
    struct tern_request *r = visit_begin(METHOD_GET);
    for (enum tern_level level = TERN_DEBUG; level < TERN_WARN; level++)
        tern_log(r, level, "a line");
    cr_expect_str_empty(logged());
    visit_end();
}

GreenTest(module_log, a_line_that_is_too_long)
{
    cr_assert_eq(log_open(STR("error.log"), LOG_LEVEL_WARN), 0);
    struct tern_request *r = visit_begin(METHOD_GET);
    tern_log(r, TERN_ERROR, "%s", visit_text(5000));
    tern_log(NULL, TERN_ERROR, "%s", visit_text(5000));
    const char *text = logged(), *end = strchr(text, '\n');
    cr_expect(end && end - text < 2048);
    cr_expect(end && strchr(end + 1, '\n'));
    visit_end();
}

GreenTest(module_log, lines)
{
    static const char *const names[] = {"debug", "info", "notice", "warn", "error"};
    struct tern_request *r = visit_begin(METHOD_GET);
    for (enum tern_level level = TERN_DEBUG; level <= TERN_ERROR; level++) {
        char expected[32];
        remove("error.log");
        cr_assert_eq(log_open(STR("error.log"), LOG_LEVEL_DEBUG), 0);
        errno = EXDEV;
        tern_log(r, level, "%d of %s", 5, "them");
        cr_expect_eq(errno, EXDEV);
        const char *text = logged();
        snprintf(expected, sizeof expected, "%s [", names[level]);
        cr_expect(str_starts(str_of(text), str_of(expected)), "%s", text);
        cr_expect(strstr(text, "] test: 5 of them: client 192.0.2.7: GET /app/page HTTP/1.1\n"), "%s", text);
    }
    tern_log(NULL, TERN_WARN, "nobody's");
    cr_expect(strstr(logged(), "] module: nobody's\n"), "%s", logged());
    visit_end();
}
