/* h1_parse.c: a head becomes a request.
 *
 * It is complete, and h1_scan() has accepted its bytes. The request line is taken apart here, by the letter of RFC
 * 9112; the fields are tokenised by http-parser, which this file alone sees: it starts behind a request line, and is
 * stopped at the end of the head. What governs framing (Host, Connection, Content-Length, Transfer-Encoding) is
 * computed from the fields, never from the parser's flags: see each rule below for its source.
 */
#include <errno.h>
#include <http_parser.h>
#include <stdio.h>

#include "http/h1.h"
#include "http/status.h"

/* What is known of a head while its fields are read. */
struct head {
    struct h1 *h;
    size_t room; /* of request.fields */
    int status;  /* with which the request is refused; 0: so far so good */
    unsigned hosts, lengths, codings;
    bool close, keep_alive;
    bool complete; /* the parser has seen the end of the head */
    struct str expect;
};

static int refuse(struct head *head, int status)
{
    if (!head->status)
        head->status = status;
    return -1; /* stops the parser */
}

static bool make_room(struct head *head)
{
    struct http_request *request = &head->h->x.request;
    struct http_field *fields = arena_alloc(&head->h->x.arena, 2 * head->room * sizeof *fields);
    if (!fields)
        return false;
    memcpy(fields, request->fields, request->field_count * sizeof *fields);
    request->fields = fields;
    head->room *= 2;
    return true;
}

static int on_header_field(http_parser *parser, const char *at, size_t n)
{
    struct head *head = parser->data;
    struct http_request *request = &head->h->x.request;
    struct str name = {at, n};
    if (str_find(name, ' ') < n) /* http-parser lets it pass; RFC 9112, 5.1: 400 */
        return refuse(head, 400);
    if (request->field_count == (size_t)head->h->x.server->limits.header_count)
        return refuse(head, 431);
    if (request->field_count == head->room && !make_room(head))
        return refuse(head, 503);
    request->fields[request->field_count++] = (struct http_field){.name = name};
    return 0;
}

static int on_header_value(http_parser *parser, const char *at, size_t n)
{
    struct head *head = parser->data;
    struct http_request *request = &head->h->x.request;
    request->fields[request->field_count - 1].value = str_trim((struct str){at, n});
    return 0;
}

static int on_headers_complete(http_parser *parser)
{
    struct head *head = parser->data;
    head->complete = true;
    return 2; /* stop behind the head, whatever it says of a body */
}

static const http_parser_settings settings = {
    .on_header_field = on_header_field,
    .on_header_value = on_header_value,
    .on_headers_complete = on_headers_complete,
};

/* ---- fields that govern the message ---- */

static void on_host(struct head *head, struct str value)
{
    head->hosts++;
    head->h->x.request.host = value;
    if (value.n && !http_host_valid(value))
        refuse(head, 400); /* RFC 9112, 3.2 */
}

static void on_connection(struct head *head, struct str value)
{
    while (value.n) {
        struct str option = str_trim(str_cut(&value, ','));
        head->close |= str_eq_nocase(option, STR("close"));
        head->keep_alive |= str_eq_nocase(option, STR("keep-alive"));
    }
}

/* RFC 9112, 6.3: repeated or listed lengths are refused, even equal ones: 6.3, 5 lets us choose. */
static void on_content_length(struct head *head, struct str value)
{
    uint64_t length;
    int error = str_to_u64(value, &length);
    if (head->lengths++ || error == -EINVAL)
        refuse(head, 400);
    else if (error || length > head->h->x.server->limits.body_size || length > INT64_MAX)
        refuse(head, 413);
    else
        head->h->x.request.length = (int64_t)length;
}

/* RFC 9112, 6.1: `chunked`, once, is all that a server need know. */
static void on_transfer_encoding(struct head *head, struct str value)
{
    if (head->codings++)
        refuse(head, 400);
    else if (!str_eq_nocase(value, STR("chunked")))
        refuse(head, 501);
    head->h->x.request.length = HTTP_LENGTH_UNKNOWN;
}

static void on_expect(struct head *head, struct str value)
{
    head->expect = value;
}

struct known_field {
    struct str name;
    void (*on_value)(struct head *head, struct str value);
};

/* By the length of the name: one comparison for a field that is one of these, none for most others. */
static const struct known_field known_fields[] = {
    [sizeof "Host" - 1] = {STR_INIT("Host"), on_host},
    [sizeof "Expect" - 1] = {STR_INIT("Expect"), on_expect},
    [sizeof "Connection" - 1] = {STR_INIT("Connection"), on_connection},
    [sizeof "Content-Length" - 1] = {STR_INIT("Content-Length"), on_content_length},
    [sizeof "Transfer-Encoding" - 1] = {STR_INIT("Transfer-Encoding"), on_transfer_encoding},
};

static void read_known_fields(struct head *head)
{
    const struct http_request *request = &head->h->x.request;
    for (size_t i = 0; i < request->field_count; i++) {
        const struct http_field *field = &request->fields[i];
        if (field->name.n >= sizeof known_fields / sizeof *known_fields)
            continue;
        const struct known_field *known = &known_fields[field->name.n];
        if (known->on_value && str_eq_nocase(known->name, field->name))
            known->on_value(head, field->value);
    }
}

/* ---- what follows from them ---- */

static void decide_framing(struct head *head)
{
    struct h1 *h = head->h;
    struct http_request *request = &h->x.request;
    if (head->codings && (head->lengths || request->minor == 0))
        refuse(head, 400); /* RFC 9112, 6.1: it smells of request smuggling */
    h->body = (struct h1_body){.framing = H1_NO_BODY, .ended = true};
    if (request->length == 0)
        return;
    bool chunked = request->length == HTTP_LENGTH_UNKNOWN;
    h->body =
        (struct h1_body){.framing = chunked ? H1_CHUNKED : H1_LENGTH, .left = chunked ? 0 : (uint64_t)request->length};
}

/* RFC 9110, 10.1.1 */
static void decide_expectation(struct head *head)
{
    if (head->expect.n == 0 || head->h->x.request.minor == 0)
        return;
    if (!str_eq_nocase(head->expect, STR("100-continue")))
        refuse(head, 417);
    head->h->body.expects = true;
}

/* The port is no part of a site's name. */
static struct str without_port(struct str host)
{
    struct str tail = host.n && host.p[0] == '[' ? str_skip(host, str_find(host, ']')) : host;
    return (struct str){host.p, host.n - tail.n + str_find(tail, ':')};
}

static void refuse_uri(struct head *head, int error)
{
    if (error)
        refuse(head, error == -ENOMEM ? 503 : 400);
}

static void decide_target(struct head *head)
{
    struct http_request *request = &head->h->x.request;
    if (head->hosts > 1 || (head->hosts == 0 && request->minor > 0))
        refuse(head, 400); /* RFC 9112, 3.2 */
    bool asterisk = str_eq(request->target, STR("*"));
    if (request->method == METHOD_CONNECT)
        refuse(head, 501); /* a tunnel is not what an origin server is for */
    else if (asterisk && request->method != METHOD_OPTIONS)
        refuse(head, 400);
    else if (asterisk)
        request->uri = (struct http_uri){.path = STR("*")};
    else
        refuse_uri(head, http_uri_parse(&head->h->x.arena, request->target, &request->uri));
    if (head->status)
        return; /* there may be no uri to look at */
    if (request->uri.host.p)
        request->host = request->uri.host; /* RFC 9112, 3.2.2 */
    request->host = without_port(request->host);
}

static void decide_persistence(struct head *head)
{
    head->h->keep_alive = head->h->x.request.minor > 0 ? !head->close : head->keep_alive && !head->close;
}

/* ---- the whole ---- */

enum { VERSION_SIZE = 8 }; /* "HTTP/1.1" */

/* The protocol's name and version: "HTTP/1." and a digit; a later minor version is spoken to as 1.1 (RFC 9112, 2.3). */
static int parse_version(struct str version, unsigned *minor)
{
    bool named = version.n == VERSION_SIZE && memcmp(version.p, "HTTP/", 5) == 0 && version.p[6] == '.';
    if (!named || version.p[5] < '0' || version.p[5] > '9' || version.p[7] < '0' || version.p[7] > '9')
        return 400;
    *minor = (unsigned)version.p[7] - '0';
    return version.p[5] == '1' ? 0 : 505;
}

static bool is_token(struct str s)
{
    static const char separators[] = "\"(),/:;<=>?@[\\]{}";
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ' || (unsigned char)s.p[i] >= 0x7f || strchr(separators, s.p[i]))
            return false;
    return s.n > 0;
}

/* RFC 9112, 3: method, target and version, between single spaces. The method ends at the first one and the version has
 * one length; what is between is the target, which http_uri_parse() refuses if it has a space of its own. */
static int parse_line(struct http_request *request, size_t longest_target)
{
    struct str rest = request->line;
    request->method_name = str_cut(&rest, ' ');
    size_t tail = rest.n < VERSION_SIZE + 1 ? rest.n : VERSION_SIZE + 1;
    request->target = (struct str){rest.p, rest.n - tail};
    rest = str_skip(rest, request->target.n);
    int status = str_starts(rest, STR(" ")) ? parse_version(str_skip(rest, 1), &request->minor) : 400;
    if (request->target.n > longest_target)
        return 414;
    if (status)
        return status;
    request->method = method_of(request->method_name);
    if (request->method == METHOD_UNKNOWN)
        return is_token(request->method_name) ? 501 : 400;
    return request->target.n ? 0 : 400;
}

/* A parser that has just read a request line, to be copied for each request. */
static http_parser behind_request_line(void)
{
    static http_parser parser;
    static bool made;
    if (!made) {
        static const char line[] = "GET / HTTP/1.1\r\n";
        static const http_parser_settings none;
        http_parser_set_max_header_size(UINT32_MAX); /* limits.header_size is the limit, and was held before */
        http_parser_init(&parser, HTTP_REQUEST);
        http_parser_execute(&parser, &none, line, sizeof line - 1);
        parser.lenient_http_headers = 1; /* its own check of Content-Length beside "Transfer-Encoding-X" is wrong */
        made = true;
    }
    return parser;
}

static void parse_fields(struct head *head, struct str fields)
{
    http_parser parser = behind_request_line();
    parser.data = head;
    size_t parsed = http_parser_execute(&parser, &settings, fields.p, fields.n);
    if (parsed != fields.n || !head->complete)
        refuse(head, 400);
}

int h1_parse(struct h1 *h, const char *bytes, size_t n)
{
    struct head head = {.h = h, .room = H1_FIELDS};
    struct http_request *request = &h->x.request;
    request->line = (struct str){bytes, n};
    request->line.n = str_find(request->line, '\r');
    request->fields = h->frame_fields;
    request->field_count = 0;
    request->host = STR("");
    request->length = 0;
    h->body = (struct h1_body){.ended = true};
    h->keep_alive = false;
    green_describe(request->line);
    int status = parse_line(request, h->x.server->limits.target_size);
    if (status)
        return status;
    parse_fields(&head, str_skip((struct str){bytes, n}, request->line.n + 2));
    if (head.status)
        return head.status;
    read_known_fields(&head);
    decide_target(&head);
    decide_framing(&head);
    decide_expectation(&head);
    decide_persistence(&head);
    if (head.status)
        h->keep_alive = false;
    return head.status;
}

const char *h1_library(void)
{
    static char text[32];
    unsigned long version = http_parser_version();
    snprintf(text, sizeof text, "http-parser %lu.%lu.%lu", version >> 16 & 255, version >> 8 & 255, version & 255);
    return text;
}
