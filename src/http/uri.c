/* uri.c: see uri.h. */
#include "http/uri.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/types.h>

/* Where a byte may stand for itself. */
enum {
    SEGMENT = 1, /* between the slashes of a request's path */
    QUERY = 2,   /* in a request's query */
    PCHAR = 4,   /* between the slashes of a path that we write (RFC 3986, 3.3) */
    NAME = 8,    /* in a host that is a name or an IPv4 address (RFC 3986, 3.2.2) */
    READ = SEGMENT | QUERY,
    ALL = READ | PCHAR | NAME,
};

/* What a request may contain is wider than RFC 3986: browsers send the rest of the visible bytes as they are. */
static const unsigned char classes[256] = {
    ['!'] = ALL,         ['"'] = READ,         ['$'] = ALL,          ['&' ... '.'] = ALL, ['/'] = QUERY,
    ['0' ... '9'] = ALL, [':'] = READ | PCHAR, [';'] = ALL,          ['<'] = READ,        ['='] = ALL,
    ['>'] = READ,        ['?'] = QUERY,        ['@'] = READ | PCHAR, ['A' ... 'Z'] = ALL, ['['] = READ,
    ['\\'] = QUERY,      [']'] = READ,         ['^'] = READ,         ['_'] = ALL,         ['`'] = READ,
    ['a' ... 'z'] = ALL, ['{' ... '}'] = READ, ['~'] = ALL,
};

static bool is(char c, unsigned char class)
{
    return classes[(unsigned char)c] & class;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = char_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte that "%XX" at `at` stands for, or -EBADMSG. */
static int decode_triplet(const char *at, const char *end)
{
    if (end - at < 3)
        return -EBADMSG;
    int high = hex_value(at[1]), low = hex_value(at[2]);
    return high < 0 || low < 0 ? -EBADMSG : high << 4 | low;
}

/* Whether s consists of bytes of this class and of triplets. */
static bool consists_of(struct str s, unsigned char class)
{
    const char *at = s.p, *end = s.p + s.n;
    while (at < end) {
        if (is(*at, class))
            at++;
        else if (*at == '%' && decode_triplet(at, end) >= 0)
            at += 3;
        else
            return false;
    }
    return true;
}

static bool port_valid(struct str port)
{
    uint64_t number;
    return port.n == 0 || (str_to_u64(port, &number) == 0 && number <= UINT16_MAX);
}

/* host is "[address]" and perhaps a port. */
static bool ip_literal_valid(struct str host)
{
    char address[INET6_ADDRSTRLEN];
    struct in6_addr binary;
    size_t close = str_find(host, ']');
    if (close == host.n || close > sizeof address)
        return false;
    struct str rest = str_skip(host, close + 1);
    memcpy(address, host.p + 1, close - 1);
    address[close - 1] = '\0';
    if (memchr(address, '\0', close - 1) || inet_pton(AF_INET6, address, &binary) != 1)
        return false;
    return rest.n == 0 || (rest.p[0] == ':' && port_valid(str_skip(rest, 1)));
}

bool http_host_valid(struct str host)
{
    if (str_starts(host, STR("[")))
        return ip_literal_valid(host);
    struct str name = str_cut(&host, ':');
    return name.n > 0 && consists_of(name, NAME) && port_valid(host);
}

bool http_authority_valid(struct str authority)
{
    return http_host_valid(authority) && authority.p[authority.n - 1] >= '0' && authority.p[authority.n - 1] <= '9' &&
           str_find(str_skip(authority, authority.p[0] == '[' ? str_find(authority, ']') : 0), ':') < authority.n;
}

/* Takes the scheme and the authority off the front of an absolute-form. */
static int split_absolute(struct str *target, struct http_uri *uri)
{
    struct str scheme = str_cut(target, ':');
    uri->secure = str_eq_nocase(scheme, STR("https"));
    if ((!uri->secure && !str_eq_nocase(scheme, STR("http"))) || !str_starts(*target, STR("//")))
        return -EBADMSG;
    *target = str_skip(*target, 2);
    size_t n = 0;
    while (n < target->n && target->p[n] != '/' && target->p[n] != '?')
        n++;
    uri->host = (struct str){target->p, n};
    *target = str_skip(*target, n);
    return http_host_valid(uri->host) ? 0 : -EBADMSG;
}

/* Whether normalising changes what follows this '/': another one, "." or "..". */
static bool is_rewritten(const char *slash, const char *end)
{
    const char *first = slash + 1, *at = first;
    if (at < end && *at == '/')
        return true;
    while (at < end && *at == '.')
        at++;
    return at != first && at - first <= 2 && (at == end || *at == '/' || *at == '?');
}

/* Skips the segments that are their own normal form; stops at the end, at '?', or at what needs a closer look. */
static const char *skip_plain(const char *at, const char *end)
{
    while (at < end && *at == '/' && !is_rewritten(at, end)) {
        at++;
        while (at < end && is(*at, SEGMENT))
            at++;
    }
    return at;
}

/* Whether a path has an encoded slash in it. */
static bool is_opaque(struct str path)
{
    for (size_t i = str_find(path, '%'); i + 2 < path.n; i++)
        if (path.p[i] == '%' && path.p[i + 1] == '2' && char_lower(path.p[i + 2]) == 'f')
            return true;
    return false;
}

/* Writes what a path means to `to`, which has room for its own size. In an opaque one, slashes and percent signs stay
 * encoded, so that it means one thing only. Returns the new size, or -EBADMSG. */
static ssize_t decode(struct str path, bool opaque, char *to)
{
    const char *at = path.p, *end = path.p + path.n;
    char *start = to;
    while (at < end) {
        int byte = (unsigned char)*at;
        if (byte != '%') {
            if (byte != '/' && !is(*at, SEGMENT))
                return -EBADMSG;
            *to++ = *at++;
            continue;
        }
        byte = decode_triplet(at, end);
        if (byte <= 0)
            return -EBADMSG; /* malformed, or %00 */
        struct str kept = byte == '/' ? STR("%2F") : STR("%25");
        if (opaque && (byte == '/' || byte == '%'))
            to = (char *)memcpy(to, kept.p, kept.n) + kept.n;
        else
            *to++ = (char)byte;
        at += kept.n;
    }
    return to - start;
}

static char *last_slash(char *start, char *end)
{
    while (end > start)
        if (*--end == '/')
            break;
    return end;
}

/* Removes dot segments and empty ones in place; the path starts with '/'. Returns its new size. */
static size_t normalise(char *path, size_t size)
{
    char *to = path;
    struct str rest = str_skip((struct str){path, size}, 1);
    for (bool more = true; more;) {
        struct str segment = str_cut(&rest, '/');
        more = segment.p + segment.n < path + size;
        bool up = str_eq(segment, STR(".."));
        bool named = segment.n > 0 && !up && !str_eq(segment, STR("."));
        if (up)
            to = last_slash(path, to);
        if (named || !more)
            *to++ = '/'; /* "/a/.." is a folder, and ends as one */
        if (named)
            to = (char *)memmove(to, segment.p, segment.n) + segment.n;
    }
    return (size_t)(to - path);
}

/* The path by decoding and normalising, in the arena. */
static int rewrite(struct arena *arena, struct http_uri *uri)
{
    char *copy = arena_alloc(arena, uri->path.n);
    if (!copy)
        return -ENOMEM;
    uri->opaque = is_opaque(uri->path);
    ssize_t size = decode(uri->path, uri->opaque, copy);
    if (size < 0)
        return (int)size;
    uri->path = (struct str){copy, normalise(copy, (size_t)size)};
    return 0;
}

int http_uri_parse(struct arena *arena, struct str target, struct http_uri *uri)
{
    *uri = (struct http_uri){.secure = false};
    if (!str_starts(target, STR("/"))) {
        int error = split_absolute(&target, uri);
        if (error)
            return error;
    }
    const char *end = target.p + target.n;
    const char *stop = skip_plain(target.p, end);
    bool plain = stop == end || *stop == '?';
    uri->path = (struct str){target.p, plain ? (size_t)(stop - target.p) : str_find(target, '?')};
    if (uri->path.n < target.n) {
        uri->query = str_skip(target, uri->path.n + 1);
        if (!consists_of(uri->query, QUERY))
            return -EBADMSG;
    }
    if (uri->path.n == 0)
        uri->path = STR("/"); /* of an absolute-form (RFC 9112, 3.2.2) */
    return plain ? 0 : rewrite(arena, uri);
}

bool http_path_is_normal(struct str path)
{
    struct str rest = str_skip(path, 1);
    if (!str_starts(path, STR("/")))
        return false;
    for (bool more = rest.n > 0; more;) {
        struct str segment = str_cut(&rest, '/');
        more = rest.n > 0;
        if (segment.n == 0 || str_eq(segment, STR(".")) || str_eq(segment, STR("..")))
            return false;
        for (size_t i = str_find(segment, '%'); i < segment.n; i++)
            if (segment.p[i] == '%' && decode_triplet(segment.p + i, segment.p + segment.n) >= 0)
                return false;
    }
    return true;
}

static void put_triplet(struct out *o, unsigned char byte)
{
    static const char digits[] = "0123456789ABCDEF";
    out_bytes(o, (char[]){'%', digits[byte >> 4], digits[byte & 15]}, 3);
}

/* `also`: a byte that stands for itself beside those of a path. */
static void encode(struct out *o, struct str s, const char *also)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char byte = (unsigned char)s.p[i];
        if (byte == '/' || is(s.p[i], PCHAR) || (byte && strchr(also, byte)))
            out_char(o, s.p[i]);
        else
            put_triplet(o, byte);
    }
}

static struct str with_one_slash(struct str path)
{
    while (str_starts(path, STR("//")))
        path = str_skip(path, 1);
    return path;
}

void http_uri_encode(struct out *o, struct str path)
{
    encode(o, with_one_slash(path), "");
}

void http_uri_encode_opaque(struct out *o, struct str path)
{
    encode(o, with_one_slash(path), "%");
}

void http_uri_encode_query(struct out *o, struct str query)
{
    if (!query.p)
        return;
    out_char(o, '?');
    http_uri_encode_bare_query(o, query);
}

void http_uri_encode_bare_query(struct out *o, struct str query)
{
    encode(o, query, "?%");
}

void http_uri_encode_value(struct out *o, struct str value)
{
    static const char delimiters[] = "!$&'()*+,;=:@"; /* of a pchar, but with a meaning of their own */
    for (size_t i = 0; i < value.n; i++)
        if (is(value.p[i], PCHAR) && !strchr(delimiters, value.p[i]))
            out_char(o, value.p[i]);
        else
            put_triplet(o, (unsigned char)value.p[i]);
}
