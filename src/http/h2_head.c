/* h2_head.c: the fields of a request become a struct http_request (RFC 9113, 8.2 and 8.3).
 *
 * nghttp2 has seen to it that they are well-formed: which pseudo-header fields there are, and where, that names are in
 * lower case, that none is about the connection, and that content is as long as Content-Length says. What they mean is
 * judged here, by the rules that HTTP/1 goes by.
 */
#include <errno.h>

#include "http/h2.h"

enum { FIELD_OVERHEAD = 32 }; /* that MAX_HEADER_LIST_SIZE counts for each field (RFC 9113, 6.5.2) */

/* A copy for the life of the exchange, if what it is to be a copy of does not stay as long. */
static struct str keep(struct h2_stream *s, struct str bytes, bool stays)
{
    if (stays)
        return bytes;
    char *copy = arena_alloc(&s->x.arena, bytes.n);
    if (copy)
        memcpy(copy, bytes.p, bytes.n);
    return (struct str){copy, copy ? bytes.n : 0};
}

static struct str *pseudo_field(struct h2_head *head, struct str name)
{
    static const struct {
        struct str name;
        size_t offset;
    } fields[] = {
        {STR_INIT(":method"), offsetof(struct h2_head, method)},
        {STR_INIT(":path"), offsetof(struct h2_head, path)},
        {STR_INIT(":scheme"), offsetof(struct h2_head, scheme)},
        {STR_INIT(":authority"), offsetof(struct h2_head, authority)},
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (str_eq(fields[i].name, name))
            return (struct str *)(void *)((char *)head + fields[i].offset);
    return NULL;
}

/* ---- fields that mean something here ---- */

static void on_content_length(struct h2_stream *s, struct str value)
{
    http_judge_length(&s->x, value, &s->head.verdict);
}

static void on_cookie(struct h2_stream *s, struct str value)
{
    (void)value;
    s->head.crumbs++;
}

static void on_expect(struct h2_stream *s, struct str value)
{
    http_judge_expect(value, &s->body.expects, &s->head.verdict);
}

static void on_host(struct h2_stream *s, struct str value)
{
    s->head.host = value;
}

static void on_priority(struct h2_stream *s, struct str value)
{
    (void)value; /* nghttp2 looks at it */
    s->h2->knows_priority = true;
}

static void read_known_field(struct h2_stream *s, const struct http_field *field)
{
    static const struct {
        struct str name;
        void (*on_value)(struct h2_stream *s, struct str value);
    } known[] = {
        {STR_INIT("cookie"), on_cookie},     {STR_INIT("content-length"), on_content_length},
        {STR_INIT("priority"), on_priority}, {STR_INIT("expect"), on_expect},
        {STR_INIT("host"), on_host},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (str_eq(known[i].name, field->name))
            known[i].on_value(s, field->value);
}

static void add_field(struct h2_stream *s, struct http_field field)
{
    struct http_request *request = &s->x.request;
    if (request->field_count == s->head.room && !http_fields_grow(&s->x, &s->head.room)) {
        http_refuse(&s->head.verdict, 503, "no memory");
        return;
    }
    request->fields[request->field_count++] = field;
    read_known_field(s, &field);
    size_t crumbs = s->head.crumbs ? s->head.crumbs - 1 : 0; /* they are one field, in pieces (8.2.3) */
    if (request->field_count - crumbs > (size_t)s->x.server->limits.header_count)
        http_refuse(&s->head.verdict, 431, "more fields than limits.header_count");
}

void h2_head_field(struct h2_stream *s, struct http_field field, bool name_stays, bool value_stays)
{
    struct h2_head *head = &s->head;
    head->size += field.name.n + field.value.n + FIELD_OVERHEAD;
    if (head->size > s->x.server->limits.header_size)
        http_refuse(&head->verdict, 431, "header fields beyond limits.header_size");
    if (head->verdict.status)
        return; /* nothing more is kept of it */
    struct str *pseudo = str_starts(field.name, STR(":")) ? pseudo_field(head, field.name) : NULL;
    struct str name = pseudo ? field.name : keep(s, field.name, name_stays), value = keep(s, field.value, value_stays);
    if (!name.p || !value.p)
        http_refuse(&head->verdict, 503, "no memory");
    else if (pseudo)
        *pseudo = value;
    else
        add_field(s, (struct http_field){name, value});
}

/* ---- what follows from them ---- */

static void compose_line(struct h2_stream *s)
{
    const struct h2_head *head = &s->head;
    struct http_request *request = &s->x.request;
    struct str target = head->path.p ? head->path : head->authority; /* CONNECT has the latter alone (8.5) */
    size_t size = head->method.n + target.n + sizeof "  HTTP/2.0" - 1;
    char *line = arena_alloc(&s->x.arena, size);
    if (!line) {
        http_refuse(&s->head.verdict, 503, "no memory");
        return;
    }
    struct out o = out_on(line, size);
    out_put(&o, head->method);
    out_char(&o, ' ');
    out_put(&o, target);
    out_text(&o, " HTTP/2.0");
    request->line = out_str(&o);
    request->method_name = (struct str){line, head->method.n};
    request->target = (struct str){line + head->method.n + 1, target.n};
}

static void decide_target(struct h2_stream *s)
{
    struct h2_head *head = &s->head;
    bool secure = str_eq_nocase(head->scheme, STR("https"));
    if (s->x.request.target.n > s->x.server->limits.target_size)
        http_refuse(&head->verdict, 414, "a target beyond limits.target_size");
    http_judge_method(&s->x.request, &head->verdict);
    if (!head->verdict.status)
        http_judge_target(&s->x, &head->verdict);
    if (!head->verdict.status && s->x.request.uri.host.p)
        http_refuse(&head->verdict, 400, "a :path that is a whole URI");
    if (!secure && !str_eq_nocase(head->scheme, STR("http")))
        http_refuse(&head->verdict, 400, "a scheme other than http and https");
    http_judge_scheme(&s->x, secure, &head->verdict);
}

/* RFC 9113, 8.3.1: where both are there, they must not differ. */
static void decide_host(struct h2_stream *s)
{
    struct h2_head *head = &s->head;
    struct str host = head->authority.p ? head->authority : head->host;
    if (head->authority.p && head->host.p && !str_eq_nocase(head->authority, head->host))
        http_refuse(&head->verdict, 400, "a Host other than :authority");
    if (!http_host_valid(host))
        http_refuse(&head->verdict, 400, "a malformed :authority or Host");
    if (!head->host.p && !head->verdict.status) /* for whoever looks for it by that name */
        add_field(s, (struct http_field){STR("host"), host});
    s->x.request.host = http_host_name(host);
}

/* RFC 9113, 8.2.3: the crumbs become one field, where the first of them is. */
static void join_cookies(struct h2_stream *s)
{
    struct http_request *request = &s->x.request;
    char *joined = arena_alloc(&s->x.arena, s->head.size); /* which has more than "; " for each of them */
    if (!joined) {
        http_refuse(&s->head.verdict, 503, "no memory");
        return;
    }
    struct out o = out_on(joined, s->head.size);
    struct http_field *first = NULL;
    size_t kept = 0;
    for (size_t i = 0; i < request->field_count; i++) {
        struct http_field *field = &request->fields[i];
        bool crumb = str_eq(field->name, STR("cookie"));
        if (crumb && first)
            out_text(&o, "; ");
        if (crumb)
            out_put(&o, field->value);
        if (crumb && first)
            continue;
        request->fields[kept] = *field;
        first = crumb ? &request->fields[kept] : first;
        kept++;
    }
    request->field_count = kept;
    if (first)
        first->value = out_str(&o);
}

/* Without Content-Length, content may come all the same. */
static void decide_length(struct h2_stream *s, bool ended)
{
    struct http_request *request = &s->x.request;
    s->body.ended = ended;
    if (ended)
        request->length = 0;
    if (ended || request->length == 0)
        s->body.expects = false;
}

void h2_head_end(struct h2_stream *s, bool ended)
{
    struct h2_head *head = &s->head;
    head->complete = true;
    compose_line(s);
    if (!head->verdict.status)
        decide_target(s);
    if (!head->verdict.status)
        decide_host(s);
    if (!head->verdict.status && head->crumbs > 1)
        join_cookies(s);
    decide_length(s, ended);
}

/* RFC 9218, 4: a dictionary (RFC 8941), of which two members mean something; what is not one is nothing. */
void h2_parse_priority(struct str value, unsigned *urgency, bool *incremental)
{
    while (value.n) {
        struct str member = str_trim(str_cut(&value, ','));
        if (member.n == 3 && str_starts(member, STR("u=")) && member.p[2] >= '0' && member.p[2] <= '7')
            *urgency = (unsigned)(member.p[2] - '0');
        else if (str_eq(member, STR("i")) || str_eq(member, STR("i=?1")))
            *incremental = true;
        else if (str_eq(member, STR("i=?0")))
            *incremental = false;
    }
}
