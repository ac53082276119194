/* answer.c: see answer.h. */
#include "answer.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct answer *answer_of(struct exchange *x)
{
    return (struct answer *)((char *)x - offsetof(struct answer, x));
}

static int head(struct exchange *x, const struct http_head *head)
{
    struct answer *a = answer_of(x);
    cr_assert_eq(a->status, 0, "two heads");
    a->status = head->status;
    a->fields = arena_copy(&x->arena, head->fields);
    a->length = head->length;
    return 0;
}

static int content(struct exchange *x, struct str bytes)
{
    struct answer *a = answer_of(x);
    cr_assert_neq(a->status, 0, "content without a head");
    cr_assert_gt(bytes.n, 0);
    if (++a->pieces >= a->fail_from && a->fail_from)
        return -ECONNRESET;
    if (a->n + bytes.n > a->size)
        a->content = realloc(a->content, a->size = 2 * (a->n + bytes.n));
    cr_assert_not_null(a->content);
    memcpy(a->content + a->n, bytes.p, bytes.n);
    a->n += bytes.n;
    return 0;
}

static int file(struct exchange *x, int fd, off_t at, size_t n, const struct file_stamp *stamp)
{
    struct answer *a = answer_of(x);
    char *bytes = malloc(n);
    (void)stamp;
    cr_assert_not_null(bytes);
    ssize_t got = pread(fd, bytes, n, at);
    int error = got == (ssize_t)n ? content(x, (struct str){bytes, n}) : -EIO;
    free(bytes);
    a->files++;
    if (a->sent)
        a->sent();
    return error;
}

static int flush(struct exchange *x)
{
    struct answer *a = answer_of(x);
    a->flushes++;
    a->flushed = a->n;
    return a->fail_from && a->pieces >= a->fail_from ? -ECONNRESET : 0;
}

static ssize_t read_body(struct exchange *x, void *to, size_t n)
{
    struct answer *a = answer_of(x);
    n = n < a->piece ? n : a->piece;
    n = n < a->body.n ? n : a->body.n;
    if (n == 0)
        return a->body_error;
    memcpy(to, a->body.p, n);
    a->body = str_skip(a->body, n);
    return (ssize_t)n;
}

static int end(struct exchange *x)
{
    cr_assert_not(answer_of(x)->ended, "two ends");
    answer_of(x)->ended = true;
    return 0;
}

static const struct exchange_ops ops = {head, content, file, flush, end, read_body};

void answer_begin(struct answer *a, enum method method, const char *path, const char *query, const char *accept)
{
    *a = (struct answer){.x = {.ops = &ops}, .accept = {STR("Accept"), str_of(accept)}};
    arena_init(&a->x.arena, NULL, 0);
    a->x.request.method = method;
    a->x.request.uri.path = str_of(path);
    a->x.request.uri.query = str_of(query);
    a->x.request.fields = &a->accept;
    a->x.request.field_count = accept != NULL;
}

void answer_end(struct answer *a)
{
    arena_clear(&a->x.arena);
    free(a->content);
    a->content = NULL;
}

struct str answer_content(const struct answer *a)
{
    return (struct str){a->content, a->n};
}

size_t answer_times(const struct answer *a, const char *part)
{
    size_t count = 0;
    for (struct str rest = answer_content(a); rest.n; count++) {
        const char *at = memmem(rest.p, rest.n, part, strlen(part));
        if (!at)
            break;
        rest = str_range(at + 1, rest.p + rest.n);
    }
    return count;
}

bool answer_has(const struct answer *a, const char *part)
{
    return answer_times(a, part) > 0;
}

bool answer_has_field(const struct answer *a, const char *line)
{
    for (struct str rest = a->fields; rest.n;) {
        struct str field = str_cut(&rest, '\n');
        field.n -= str_ends(field, STR("\r"));
        if (str_eq(field, str_of(line)))
            return true;
    }
    return false;
}
