/* log_test.c: lines of modules in the error log: those that are not wanted, those that are too long, and the others. */
#include <stdio.h>

#include "log/log.h"
#include "visit.h"

TestSuite(module_log, .init = visit_log_begin, .fini = visit_log_end);

GreenTest(module_log, what_nobody_wants_to_know)
{
    log_threshold = LOG_LEVEL_WARN;
    struct tern_request *r = visit_begin(METHOD_GET);
    for (enum tern_level level = TERN_DEBUG; level < TERN_WARN; level++)
        tern_log(r, level, "a line");
    cr_expect_str_empty(visit_logged());
    visit_end();
}

GreenTest(module_log, a_line_that_is_too_long)
{
    struct tern_request *r = visit_begin(METHOD_GET);
    tern_log(r, TERN_ERROR, "%s", visit_text(5000));
    tern_log(NULL, TERN_ERROR, "%s", visit_text(5000));
    const char *text = visit_logged(), *end = strchr(text, '\n');
    cr_expect(end && end - text < 2048);
    cr_expect(end && strchr(end + 1, '\n'));
    visit_end();
}

GreenTest(module_log, lines)
{
    static const char *const names[] = {"debug", "info", "notice", "warn", "error"};
    struct tern_request *r = visit_begin(METHOD_GET);
    log_threshold = LOG_LEVEL_DEBUG;
    for (enum tern_level level = TERN_DEBUG; level <= TERN_ERROR; level++) {
        char expected[32];
        errno = EXDEV;
        tern_log(r, level, "%d of %s", 5, "them");
        cr_expect_eq(errno, EXDEV);
        const char *text = visit_logged();
        snprintf(expected, sizeof expected, "%s [", names[level]);
        cr_expect(str_starts(str_of(text), str_of(expected)), "%s", text);
        cr_expect(strstr(text, "] test: 5 of them: client 192.0.2.7: GET /app/page HTTP/1.1\n"), "%s", text);
    }
    tern_log(NULL, TERN_WARN, "nobody's");
    cr_expect(strstr(visit_logged(), "] module: nobody's\n"));
    visit_end();
}
