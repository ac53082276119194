/* h1_parse.c: a head becomes a request.
 *
 * It is complete, and h1_scan() has accepted its bytes. The request line is taken apart here, by the letter of RFC
 * 9112; the names of fields are tokenised by http-parser, which this file alone sees: it starts behind a request line,
 * and is stopped at the end of the head. What governs framing (Host, Connection, Content-Length, Transfer-Encoding) is
 * computed from the fields, never from the parser's flags: see each rule below for its source.
 */
#include <errno.h>
#include <http_parser.h>
#include <stdio.h>

#include "http/h1.h"
#include "http/request.h"
#include "http/status.h"
#include "http/token.h"

/* What is known of a head while its fields are read. */
struct head {
    struct h1 *h;
    size_t room; /* of request.fields */
    struct http_verdict verdict;
    unsigned hosts, lengths, codings;
    bool close, keep_alive;
    bool complete; /* the parser has seen the end of the head */
    bool expects;  /* 100 (Continue) */
    bool unknown_coding;
};

static int refuse(struct head *head, int status, const char *wrong)
{
    http_refuse(&head->verdict, status, wrong);
    return -1; /* stops the parser */
}

static int on_header_field(http_parser *parser, const char *at, size_t n)
{
    struct head *head = parser->data;
    struct http_request *request = &head->h->x.request;
    struct str name = {at, n};
    if (str_find(name, ' ') < n) /* http-parser lets it pass; RFC 9112, 5.1: 400 */
        return refuse(head, 400, "a space in the name of a field");
    if (request->field_count == (size_t)head->h->x.server->limits.header_count)
        return refuse(head, 431, "more fields than limits.header_count");
    if (request->field_count == head->room && !http_fields_grow(&head->h->x, &head->room))
        return refuse(head, 503, "no memory");
    request->fields[request->field_count++] = (struct http_field){.name = name};
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
    .on_headers_complete = on_headers_complete,
};

/* ---- fields that govern the message ---- */

static void on_host(struct head *head, struct str value)
{
    head->hosts++;
    head->h->x.request.host = value;
    if (value.n && !http_host_valid(value))
        refuse(head, 400, "a malformed Host"); /* RFC 9112, 3.2 */
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
    if (head->lengths++)
        refuse(head, 400, "a second Content-Length");
    http_judge_length(&head->h->x, value, &head->verdict);
}

/* RFC 9112, 6.1: `chunked`, once and last, is all that a server need know; it has no parameters (7.1). A list may have
 * empty elements (RFC 9110, 5.6.1). */
static void on_transfer_encoding(struct head *head, struct str value)
{
    bool chunked = false;
    if (head->codings++)
        refuse(head, 400, "a second Transfer-Encoding");
    while (value.n) {
        struct str coding = str_trim(str_cut(&value, ',')), rest = coding, name = str_trim(str_cut(&rest, ';'));
        if (coding.n == 0)
            continue;
        if (chunked || !http_is_token(name))
            refuse(head, 400, chunked ? "a coding after chunked" : "a malformed Transfer-Encoding");
        chunked = str_eq_nocase(coding, STR("chunked"));
        if (!chunked && str_eq_nocase(name, STR("chunked")))
            refuse(head, 400, "chunked with parameters");
        head->unknown_coding |= !chunked;
    }
    if (!chunked && !head->unknown_coding)
        refuse(head, 400, "an empty Transfer-Encoding");
    head->h->x.request.length = HTTP_LENGTH_UNKNOWN;
}

/* A server of HTTP/1.0 knows no expectation. */
static void on_expect(struct head *head, struct str value)
{
    if (head->h->x.request.minor > 0)
        http_judge_expect(value, &head->expects, &head->verdict);
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
    if (head->codings && (head->lengths || request->minor == 0)) /* RFC 9112, 6.1: it smells of request smuggling */
        refuse(head, 400,
               head->lengths ? "both Transfer-Encoding and Content-Length" : "Transfer-Encoding in HTTP/1.0");
    else if (head->unknown_coding)
        refuse(head, 501, "a Transfer-Encoding other than chunked");
    h->body = (struct h1_body){.framing = H1_NO_BODY, .ended = true};
    if (request->length == 0)
        return;
    bool chunked = request->length == HTTP_LENGTH_UNKNOWN;
    h->body =
        (struct h1_body){.framing = chunked ? H1_CHUNKED : H1_LENGTH, .left = chunked ? 0 : (uint64_t)request->length};
    h->body.expects = head->expects;
}

/* RFC 9112, 3.2 and 3.2.2 */
static void decide_host(struct head *head)
{
    struct http_request *request = &head->h->x.request;
    if (head->hosts > 1 || (head->hosts == 0 && request->minor > 0))
        refuse(head, 400, head->hosts ? "a second Host" : "no Host");
    if (!head->verdict.status && request->uri.host.p) /* else there may be no uri to look at */
        request->host = request->uri.host;
    request->host = http_host_name(request->host);
}

static void decide_persistence(struct head *head)
{
    head->h->keep_alive = head->h->x.request.minor > 0 ? !head->close : head->keep_alive && !head->close;
    head->h->unasked = head->h->keep_alive;
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

/* RFC 9112, 3: method, target and version, between single spaces. The method ends at the first one and the version has
 * one length; what is between is the target, which http_uri_parse() refuses if it has a space of its own. */
static void parse_line(struct head *head, struct http_request *request)
{
    struct str rest = request->line;
    request->method_name = str_cut(&rest, ' ');
    size_t tail = rest.n < VERSION_SIZE + 1 ? rest.n : VERSION_SIZE + 1;
    request->target = (struct str){rest.p, rest.n - tail};
    rest = str_skip(rest, request->target.n);
    int status = str_starts(rest, STR(" ")) ? parse_version(str_skip(rest, 1), &request->minor) : 400;
    if (request->target.n > head->h->x.server->limits.target_size)
        refuse(head, 414, "a target beyond limits.target_size");
    if (status)
        refuse(head, status, status == 505 ? "a version other than HTTP/1.x" : "a malformed request line");
    http_judge_method(request, &head->verdict);
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

/* One field: `line` starts with its name, and `fed` is where the parser has come to, in front of that. The parser gets
 * no values: h1_scan() has looked at their bytes, many at a time, and its own look at each of them was more than half
 * of what a browser's request cost; what they mean is not its business anyway. Only an empty length is more than it can
 * bear. Returns how far it has come; NULL: the request is refused. */
static const char *parse_field(struct head *head, http_parser *parser, const char *fed, struct str line)
{
    struct str name = {line.p, str_find(line, ':')}, value = str_trim(str_skip(line, name.n + 1));
    bool length = str_eq_nocase(name, STR("Content-Length"));
    const char *to = length ? value.p + value.n : name.p + name.n + 1;
    if (name.n == line.n)
        refuse(head, 400, "a field without a colon");
    else if (http_parser_execute(parser, &settings, fed, (size_t)(to - fed)) != (size_t)(to - fed))
        refuse(head, 400, length ? "a malformed Content-Length, or a second one" : "a malformed name of a field");
    if (head->verdict.status)
        return NULL;
    head->h->x.request.fields[head->h->x.request.field_count - 1].value = value;
    return line.p + line.n;
}

/* `fields` ends with the empty line. */
static void parse_fields(struct head *head, struct str fields)
{
    http_parser parser = behind_request_line();
    const char *fed = fields.p, *end = fields.p + fields.n;
    parser.data = head;
    while (fields.n > 2 && fed) {
        struct str line = {fields.p, str_find(fields, '\r')};
        fed = parse_field(head, &parser, fed, line);
        fields = str_skip(fields, line.n + 2);
    }
    size_t rest = fed ? (size_t)(end - fed) : 0;
    if (rest && (http_parser_execute(&parser, &settings, fed, rest) != rest || !head->complete))
        refuse(head, 400, "a malformed field");
}

/* Of the first line, what is read if the request is refused. */
static void begin(struct h1 *h, struct str line)
{
    struct http_request *request = &h->x.request;
    request->line = line;
    request->fields = h->frame_fields;
    request->field_count = 0;
    request->host = STR("");
    request->length = 0;
    h->body = (struct h1_body){.ended = true};
    h->keep_alive = false;
    green_describe(line);
}

static void decide(struct head *head)
{
    read_known_fields(head);
    http_judge_target(&head->h->x, &head->verdict);
    decide_host(head);
    decide_framing(head);
    decide_persistence(head);
}

int h1_parse(struct h1 *h, const char *bytes, size_t n)
{
    struct head head = {.h = h, .room = H1_FIELDS};
    size_t line = str_find((struct str){bytes, n}, '\r');
    begin(h, (struct str){bytes, line});
    parse_line(&head, &h->x.request);
    if (!head.verdict.status)
        parse_fields(&head, (struct str){bytes + line + 2, n - line - 2});
    if (!head.verdict.status)
        decide(&head);
    if (head.verdict.status)
        h->keep_alive = false;
    h->wrong = head.verdict.wrong;
    return head.verdict.status;
}

const char *h1_library(void)
{
    static char text[32];
    unsigned long version = http_parser_version();
    snprintf(text, sizeof text, "http-parser %lu.%lu.%lu", version >> 16 & 255, version >> 8 & 255, version & 255);
    return text;
}
