/* strict_outcome.c: see strict_outcome.h. */
#include "strict_outcome.h"

#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static bool is_interim(const struct response *r)
{
    return r->status < 200;
}

static bool has_no_content(const struct response *r, bool to_head)
{
    return to_head || is_interim(r) || r->status == 204 || r->status == 304;
}

/* ---- what every head has ---- */

/* RFC 9112, 4: "HTTP/1.1", a status of three digits, a reason. */
static bool status_line_is_good(struct str line)
{
    bool good = line.n >= 14 && str_starts(line, STR("HTTP/1.1 ")) && line.p[12] == ' ';
    for (size_t i = 9; good && i < 12; i++)
        good = line.p[i] >= '0' && line.p[i] <= '9';
    return good;
}

static bool field_is_good(struct str line)
{
    static const char others[] = "!#$%&'*+-.^_`|~";
    struct str name = {line.p, str_find(line, ':')};
    for (size_t i = 0; i < name.n; i++) {
        char c = char_lower(name.p[i]);
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && !strchr(others, c))
            return false;
    }
    return name.n > 0 && name.n < line.n;
}

/* Lines that end in CRLF, and no other byte that is not visible: none of them is the client's choice. */
static bool head_is_good(struct str head)
{
    struct str rest = head;
    for (bool first = true; rest.n > 2; first = false) {
        struct str line = str_cut(&rest, '\n');
        if (line.n == 0 || line.p[--line.n] != '\r')
            return false;
        for (size_t i = 0; i < line.n; i++)
            if (line.p[i] < ' ' || line.p[i] == 0x7f)
                return false;
        if (first ? !status_line_is_good(line) : !field_is_good(line))
            return false;
    }
    return str_eq(rest, STR("\r\n"));
}

static bool is_date(struct str text)
{
    struct tm time;
    const char *end = text.n == 29 ? strptime(text.p, "%a, %d %b %Y %H:%M:%S GMT", &time) : NULL;
    return end == text.p + 29;
}

static bool leads_to_another_host(struct str location)
{
    return str_starts(location, STR("//")) || str_starts(location, STR("/\\"));
}

static const char *problem_of_fields(const struct response *r, bool to_head)
{
    size_t lengths = response_fields(r, "Content-Length"), codings = response_fields(r, "Transfer-Encoding");
    if (is_interim(r) || r->status == 204)
        return lengths + codings ? "a length where there is no content (RFC 9110, 8.6)" : NULL;
    if (response_fields(r, "Date") != 1 || !is_date(response_field(r, "Date")))
        return "not one good Date (RFC 9110, 6.6.1)";
    if (lengths + codings > 1 || (lengths + codings == 0 && !has_no_content(r, to_head)))
        return "not one length (RFC 9112, 6.3)";
    if (r->status == 405 && response_fields(r, "Allow") != 1)
        return "405 without Allow (RFC 9110, 15.5.6)";
    if (response_fields(r, "Injected"))
        return "the client has written a field of the answer";
    return leads_to_another_host(response_field(r, "Location")) ? "Location leads to another host" : NULL;
}

/* ---- content ---- */

static const char *take_chunk(struct str *rest, struct str *chunk)
{
    struct str line = str_cut(rest, '\n');
    char *end;
    size_t size = line.n ? strtoul(line.p, &end, 16) : 0;
    if (line.n < 2 || end != line.p + line.n - 1 || *end != '\r' || rest->n < size + 2)
        return "a broken chunk";
    *chunk = (struct str){rest->p, size};
    *rest = str_skip(*rest, size);
    return str_eq(str_cut(rest, '\n'), STR("\r")) ? NULL : "a chunk without its end";
}

static const char *take_chunked(struct str *rest, struct str *content)
{
    char *bytes = harness_alloc(rest->n);
    struct str chunk;
    const char *problem;
    *content = (struct str){bytes, 0};
    while (!(problem = take_chunk(rest, &chunk)) && chunk.n) {
        memcpy(bytes + content->n, chunk.p, chunk.n);
        content->n += chunk.n;
    }
    return problem;
}

static const char *take_content(struct str *rest, struct response *r)
{
    struct str length = response_field(r, "Content-Length");
    uint64_t n;
    if (!length.p)
        return take_chunked(rest, &r->body);
    if (str_to_u64(length, &n) < 0)
        return "a bad Content-Length";
    if (n > rest->n)
        return "the content is cut";
    r->body = (struct str){rest->p, n};
    *rest = str_skip(*rest, n);
    return NULL;
}

/* ---- the sequence ---- */

static const char *take_answer(struct str *rest, struct response *r, bool to_head)
{
    const char *end = memmem(rest->p, rest->n, "\r\n\r\n", 4);
    *r = (struct response){.head = {rest->p, end ? (size_t)(end - rest->p) + 4 : 0}};
    if (!end || !head_is_good(r->head))
        return "this is no head of an answer";
    *rest = str_skip(*rest, r->head.n);
    r->status = atoi(r->head.p + 9);
    const char *problem = problem_of_fields(r, to_head);
    if (!problem && !has_no_content(r, to_head))
        problem = take_content(rest, r);
    return problem;
}

static bool is_of_probe(const struct response *r)
{
    return r->status == 200 && str_eq(r->body, STR(STRICT_PROBE_CONTENT));
}

static void note(struct strict_outcome *outcome, const char *format, int status)
{
    size_t n = strlen(outcome->text);
    snprintf(outcome->text + n, sizeof outcome->text - n, format, status);
}

struct strict_outcome strict_outcome_read(struct str answers, bool to_head)
{
    struct strict_outcome outcome = {.problem = NULL};
    bool announced = false, in_step = false;
    while (answers.n && !outcome.problem) {
        struct response r;
        outcome.problem = announced || in_step ? "more comes after the end" : NULL;
        if (!outcome.problem)
            outcome.problem = take_answer(&answers, &r, to_head && !outcome.answer.status);
        if (outcome.problem)
            break;
        in_step = is_of_probe(&r);
        announced = response_has(&r, "Connection", "close");
        outcome.last = r.status;
        note(&outcome, in_step ? "+" : *outcome.text ? " %d" : "%d", r.status);
        if (!outcome.answer.status && !is_interim(&r))
            outcome.answer = r;
    }
    if (!outcome.problem && !announced && !in_step)
        note(&outcome, "-", 0);
    return outcome;
}

bool strict_outcome_is(const struct strict_outcome *outcome, const char *expected)
{
    struct str rest = str_of(expected);
    while (rest.n)
        if (str_eq(str_cut(&rest, '|'), str_of(outcome->text)))
            return true;
    return false;
}

const char *strict_outcome_final(const struct strict_outcome *outcome)
{
    const char *text = outcome->text;
    while (*text == '1')
        text += strcspn(text, " ") + 1;
    return text;
}
