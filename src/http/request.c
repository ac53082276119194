/* request.c: see request.h. */
#include "http/request.h"

#include <errno.h>

#include "http/server.h"
#include "http/token.h"

void http_judge_method(struct http_request *request, struct http_verdict *verdict)
{
    request->method = method_of(request->method_name);
    if (request->method == METHOD_UNKNOWN && http_is_token(request->method_name))
        http_refuse(verdict, 501, "an unknown method");
    else if (request->method == METHOD_UNKNOWN || request->target.n == 0)
        http_refuse(verdict, 400, "a malformed request line");
}

void http_judge_scheme(const struct exchange *x, bool secure, struct http_verdict *verdict)
{
    if (secure != (x->tls != NULL))
        http_refuse(verdict, 421,
                    secure ? "a target of the scheme https on a connection that is not secured"
                           : "a target of the scheme http on a connection that is secured");
}

static void parse_target(struct exchange *x, struct http_verdict *verdict)
{
    struct http_request *request = &x->request;
    int error = http_uri_parse(&x->arena, request->target, &request->uri);
    if (error)
        http_refuse(verdict, error == -ENOMEM ? 503 : 400, error == -ENOMEM ? "no memory" : "a malformed target");
    else if (request->uri.host.p)
        http_judge_scheme(x, request->uri.secure, verdict);
}

void http_judge_target(struct exchange *x, struct http_verdict *verdict)
{
    struct http_request *request = &x->request;
    bool asterisk = str_eq(request->target, STR("*"));
    if (request->method == METHOD_CONNECT && http_authority_valid(request->target))
        http_refuse(verdict, 501, "CONNECT: a tunnel is not what this server is for");
    else if (request->method == METHOD_CONNECT || (asterisk && request->method != METHOD_OPTIONS))
        http_refuse(verdict, 400, "a target that is not for this method");
    else if (asterisk)
        request->uri = (struct http_uri){.path = STR("*")};
    else
        parse_target(x, verdict);
}

void http_judge_length(struct exchange *x, struct str value, struct http_verdict *verdict)
{
    uint64_t length;
    int error = str_to_u64(value, &length);
    if (error == -EINVAL)
        http_refuse(verdict, 400, "a malformed Content-Length");
    else if (error || length > x->server->limits.body_size || length > INT64_MAX)
        http_refuse(verdict, 413, "a Content-Length beyond limits.body_size");
    else
        x->request.length = (int64_t)length;
}

void http_judge_expect(struct str value, bool *expects, struct http_verdict *verdict)
{
    while (value.n) {
        struct str expectation = str_trim(str_cut(&value, ','));
        if (str_eq_nocase(expectation, STR("100-continue")))
            *expects = true;
        else if (expectation.n)
            http_refuse(verdict, 417, "an expectation other than 100-continue");
    }
}

bool http_fields_grow(struct exchange *x, size_t *room)
{
    struct http_request *request = &x->request;
    struct http_field *fields = arena_alloc(&x->arena, 2 * *room * sizeof *fields);
    if (!fields)
        return false;
    memcpy(fields, request->fields, request->field_count * sizeof *fields);
    request->fields = fields;
    *room *= 2;
    return true;
}

struct str http_host_name(struct str host)
{
    struct str tail = host.n && host.p[0] == '[' ? str_skip(host, str_find(host, ']')) : host;
    return (struct str){host.p, host.n - tail.n + str_find(tail, ':')};
}
