/* harness_response.c: see harness_response.h. */
#include "harness_response.h"

#include "harness.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static struct str head_rest(const struct response *r)
{
    struct str rest = r->head;
    str_cut(&rest, '\n');
    return rest;
}

static bool take_field(struct str *rest, struct str *name, struct str *value)
{
    struct str line = str_trim(str_cut(rest, '\n'));
    if (line.n && line.p[line.n - 1] == '\r')
        line.n--;
    *name = str_cut(&line, ':');
    *value = str_trim(line);
    return name->n > 0;
}

struct str response_field(const struct response *r, const char *name)
{
    struct str rest = head_rest(r), each, value;
    while (take_field(&rest, &each, &value))
        if (str_eq_nocase(each, str_of(name)))
            return value;
    return (struct str){NULL, 0};
}

size_t response_fields(const struct response *r, const char *name)
{
    struct str rest = head_rest(r), each, value;
    size_t count = 0;
    while (take_field(&rest, &each, &value))
        count += str_eq_nocase(each, str_of(name));
    return count;
}

bool response_has(const struct response *r, const char *name, const char *value)
{
    struct str found = response_field(r, name);
    return found.p && str_eq(found, str_of(value));
}

static bool is_field_line(struct str line)
{
    size_t colon = str_find(line, ':');
    if (colon == 0 || colon == line.n)
        return false;
    for (size_t i = 0; i < line.n; i++)
        if ((unsigned char)line.p[i] < ' ' && line.p[i] != '\t')
            return false;
    return line.p[0] != ' ' && line.p[0] != '\t' && line.p[colon - 1] != ' ';
}

/* The head is "HTTP/1.x NNN text" and lines of name and value, each ended by CRLF. */
static void check_head(struct str head)
{
    struct str rest = head, line = str_cut(&rest, '\n');
    bool good = line.n >= 14 && str_starts(line, STR("HTTP/1.")) && line.p[8] == ' ' && line.p[12] == ' ' &&
                str_ends(line, STR("\r"));
    while (good && rest.n) {
        line = str_cut(&rest, '\n');
        good = line.n && line.p[line.n - 1] == '\r';
        line.n -= good;
        if (good && line.n)
            good = is_field_line(line);
    }
    cr_assert(good, "this is no head of a response: " STR_FMT, STR_ARG(head));
}

static void read_chunked(struct client *c, struct response *r)
{
    struct str line;
    char *body = NULL;
    size_t size, n = 0;
    while ((line = client_take_through(c, STR("\r\n"))).n > 0 && (size = strtoul(line.p, NULL, 16)) > 0) {
        struct str chunk = client_peek(c, size + 2);
        if (chunk.n < size + 2)
            break;
        cr_assert(str_ends(chunk, STR("\r\n")), "a chunk of %zu bytes does not end in CRLF", size);
        body = realloc(body, n + size);
        cr_assert_not_null(body, "out of memory");
        memcpy(body + n, client_take(c, size + 2).p, size);
        n += size;
    }
    r->complete = str_starts(line, STR("0")) && str_eq(client_take_through(c, STR("\r\n")), STR("\r\n"));
    r->body = arena_copy(harness_memory(), (struct str){body, n});
    free(body);
}

static void read_body(struct client *c, struct response *r)
{
    struct str length = response_field(r, "Content-Length");
    if (response_field(r, "Transfer-Encoding").p) {
        read_chunked(c, r);
    } else if (length.p) {
        uint64_t n;
        cr_assert_eq(str_to_u64(length, &n), 0, "bad Content-Length: " STR_FMT, STR_ARG(r->head));
        size_t come = client_peek(c, n).n;
        r->body = client_take(c, come);
        r->complete = come == n;
    } else {
        r->body = client_drain(c);
        r->complete = !c->reset;
    }
}

struct response response_read_head(struct client *c)
{
    struct response r = {.head = client_take_through(c, STR("\r\n\r\n"))};
    if (r.head.n == 0) {
        cr_assert_eq(c->n, 0, "the connection ended within a head: " STR_FMT, (int)c->n, c->bytes);
        return r;
    }
    check_head(r.head);
    r.status = atoi(r.head.p + 9);
    r.complete = true;
    return r;
}

struct response response_read(struct client *c)
{
    struct response r = response_read_head(c);
    if (r.status >= 200 && r.status != 204 && r.status != 304)
        read_body(c, &r);
    return r;
}

struct response ask(struct client *c, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    client_vprintf(c, format, arguments);
    va_end(arguments);
    return response_read(c);
}

struct response get(struct client *c, const char *target)
{
    return ask(c, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", target);
}

struct response fetch(int port, const char *target)
{
    struct client *c = client_open(port);
    struct response r = get(c, target);
    client_close(c);
    return r;
}

struct response fetch_raw(int port, const char *bytes)
{
    struct client *c = client_open(port);
    struct response r = ask(c, "%s", bytes);
    client_close(c);
    return r;
}
