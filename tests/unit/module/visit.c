/* visit.c: see visit.h. */
#include "visit.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../conf/folder.h"
#include "log/log.h"

struct visit visit;

struct tern_request *visit_begin(enum method method)
{
    visit = (struct visit){.peer = {.family = AF_INET, .ip = {192, 0, 2, 7}}};
    answer_begin(&visit.answer, method, "/app/page", "", NULL);
    struct exchange *x = &visit.answer.x;
    visit.answer.piece = SIZE_MAX;
    x->peer = &visit.peer;
    x->request.method_name = method_name(method);
    x->request.line = STR("GET /app/page HTTP/1.1");
    x->request.target = x->request.uri.path;
    module_request_init(&visit.r, x, "test", STR("/app"));
    return &visit.r;
}

int visit_finish(int result)
{
    return module_request_finish(&visit.r, result);
}

void visit_end(void)
{
    answer_end(&visit.answer);
}

void visit_expect(int status, const char *content)
{
    const struct answer *a = &visit.answer;
    struct str came = answer_content(a);
    cr_expect_eq(a->status, status, "status %d, not %d", a->status, status);
    cr_expect(str_eq(came, str_of(content)), "[" STR_FMT "], not [%s]", STR_ARG(came), content);
    cr_expect(a->ended, "status %d has no end", status);
}

const char *visit_field(const char *name)
{
    struct http_head head = {.fields = visit.answer.fields};
    return arena_copy(&visit.answer.x.arena, http_head_field(&head, str_of(name))).p;
}

const char *visit_text(size_t n)
{
    static char text[1 << 17];
    cr_assert_lt(n, sizeof text);
    for (size_t i = 0; i < n; i++)
        text[i] = (char)('!' + (i * 2654435761u >> 7) % 90);
    text[n] = '\0';
    return text;
}

void visit_log_begin(void)
{
    folder_enter();
    cr_assert_eq(log_open(STR("error.log"), LOG_LEVEL_NOTICE), 0);
}

void visit_log_end(void)
{
    cr_assert_eq(log_open(STR("stderr"), LOG_LEVEL_NOTICE), 0);
    folder_leave();
}

const char *visit_logged(void)
{
    static char text[1 << 14];
    FILE *f = fopen("error.log", "re");
    cr_assert_not_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    cr_assert_eq(truncate("error.log", 0), 0);
    return text[0] ? text + strlen("2000-01-01 00:00:00.000 ") : text;
}
