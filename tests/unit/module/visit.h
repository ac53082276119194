/* visit.h: what the tests of module/ share: a request that a module's handler is about to answer.
 *
 *     struct tern_request *r = visit_begin(METHOD_GET);
 *     ... functions of tern.h, as a handler calls them ...
 *     cr_expect_eq(visit_finish(0), 0);
 *     visit_expect(200, "what it has written");
 *     visit_end();
 *
 * It is a request for /app/page from 192.0.2.7, on a route with the path /app. There is one at a time.
 */
#ifndef TERN_TESTS_MODULE_VISIT_H
#define TERN_TESTS_MODULE_VISIT_H

#include "../green/run.h"
#include "../handler/answer.h"
#include "module/request.h"
#include "net/addr.h"

extern struct visit {
    struct answer answer;
    struct peer peer;
    struct tern_request r;
} visit;

struct tern_request *visit_begin(enum method method);
void visit_end(void);

/* The handler returns. */
int visit_finish(int result) GREEN_WAITS;

/* It is answered to its end, with that status and content. */
void visit_expect(int status, const char *content);

/* The value of a field of the answer, "" if there is none; good until visit_end(). */
const char *visit_field(const char *name);

/* n bytes of a text that is not the same anywhere; a NUL follows. */
const char *visit_text(size_t n);

/* Between these the error log goes to a file in a folder of the test's own; a suite names them as its .init and .fini.
 * */
void visit_log_begin(void);
void visit_log_end(void);

/* What has been logged since the last look; of the first line what follows its date. */
const char *visit_logged(void);

#endif
