/* addr.c: see addr.h. */
#include "net/addr.h"

#include <arpa/inet.h>
#include <errno.h>

int port_parse(struct str text, uint16_t *port)
{
    uint64_t value;
    int error = str_to_u64(text, &value);
    if (error)
        return error;
    if (value == 0 || value > UINT16_MAX)
        return -ERANGE;
    *port = (uint16_t)value;
    return 0;
}

static int parse_port(struct str text, struct addr *addr)
{
    uint16_t port;
    int error = port_parse(text, &port);
    if (!error)
        addr_set_port(addr, port);
    return error;
}

static int parse_unix(struct str path, struct addr *addr)
{
    if (path.n == 0)
        return -EINVAL;
    if (path.n >= sizeof addr->un.sun_path)
        return -ENAMETOOLONG;
    *addr = (struct addr){.un.sun_family = AF_UNIX};
    memcpy(addr->un.sun_path, path.p, path.n);
    bool abstract = path.p[0] == '@';
    if (abstract)
        addr->un.sun_path[0] = '\0';
    addr->size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.n + !abstract);
    return 0;
}

/* inet_pton wants a NUL. */
static bool parse_ip(int family, struct str text, void *ip)
{
    char copy[INET6_ADDRSTRLEN];
    if (text.n >= sizeof copy || str_find(text, '\0') < text.n)
        return false;
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    return inet_pton(family, copy, ip) == 1;
}

int addr_from_ip(struct str text, uint16_t port, struct addr *addr)
{
    *addr = (struct addr){.size = sizeof addr->in, .in.sin_family = AF_INET};
    if (!parse_ip(AF_INET, text, &addr->in.sin_addr)) {
        *addr = (struct addr){.size = sizeof addr->in6, .in6.sin6_family = AF_INET6};
        if (!parse_ip(AF_INET6, text, &addr->in6.sin6_addr))
            return -EINVAL;
    }
    addr_set_port(addr, port);
    return 0;
}

void addr_set_port(struct addr *addr, uint16_t port)
{
    if (addr->any.sa_family == AF_INET)
        addr->in.sin_port = htons(port);
    else if (addr->any.sa_family == AF_INET6)
        addr->in6.sin6_port = htons(port);
}

static int parse_in6(struct str text, struct addr *addr)
{
    size_t close = str_find(text, ']');
    if (close + 1 >= text.n || text.p[close + 1] != ':')
        return -EINVAL;
    *addr = (struct addr){.size = sizeof addr->in6, .in6.sin6_family = AF_INET6};
    if (!parse_ip(AF_INET6, (struct str){text.p + 1, close - 1}, &addr->in6.sin6_addr))
        return -EINVAL;
    return parse_port(str_skip(text, close + 2), addr);
}

int addr_parse(struct str text, struct addr *addr)
{
    if (str_starts(text, STR("unix:")))
        return parse_unix(str_skip(text, 5), addr);
    if (str_starts(text, STR("[")))
        return parse_in6(text, addr);
    size_t colon = str_find(text, ':');
    if (colon == text.n)
        return -EINVAL;
    *addr = (struct addr){.size = sizeof addr->in, .in.sin_family = AF_INET};
    struct str ip = {text.p, colon};
    if (ip.n && !str_eq(ip, STR("*")) && !parse_ip(AF_INET, ip, &addr->in.sin_addr))
        return -EINVAL;
    return parse_port(str_skip(text, colon + 1), addr);
}

static void print_unix(const struct addr *addr, struct out *o)
{
    size_t n = addr->size - offsetof(struct sockaddr_un, sun_path);
    const char *path = addr->un.sun_path;
    out_text(o, "unix:");
    if (n && path[0] == '\0') {
        out_char(o, '@');
        out_bytes(o, path + 1, n - 1);
    } else {
        out_put(o, str_of(path));
    }
}

void addr_print(const struct addr *addr, struct out *o)
{
    char text[INET6_ADDRSTRLEN];
    if (addr_is_unix(addr)) {
        print_unix(addr, o);
        return;
    }
    bool in6 = addr->any.sa_family == AF_INET6;
    const void *ip = in6 ? (const void *)&addr->in6.sin6_addr : &addr->in.sin_addr;
    inet_ntop(addr->any.sa_family, ip, text, sizeof text);
    out_put(o, in6 ? STR("[") : STR(""));
    out_put(o, str_of(text));
    out_put(o, in6 ? STR("]:") : STR(":"));
    out_u64(o, ntohs(in6 ? addr->in6.sin6_port : addr->in.sin_port));
}

bool addr_same(const struct addr *a, const struct addr *b)
{
    return a->size == b->size && memcmp(&a->any, &b->any, a->size) == 0;
}

void peer_from(struct peer *peer, const struct sockaddr *address)
{
    *peer = (struct peer){.family = address->sa_family};
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const void *)address;
        peer->port = ntohs(in->sin_port);
        memcpy(peer->ip, &in->sin_addr, sizeof in->sin_addr);
    } else if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const void *)address;
        peer->port = ntohs(in6->sin6_port);
        memcpy(peer->ip, &in6->sin6_addr, sizeof in6->sin6_addr);
    }
}

/* Every line of an access log has one, and inet_ntop() would use printf. */
static struct str print_ipv4(const unsigned char *ip, char *text)
{
    struct out o = out_on(text, PEER_TEXT);
    for (int i = 0; i < 4; i++) {
        if (i)
            out_char(&o, '.');
        out_u64(&o, ip[i]);
    }
    out_char(&o, '\0');
    return (struct str){text, out_len(&o) - 1};
}

struct str peer_print(const struct peer *peer, char text[static PEER_TEXT])
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff}; /* ::ffff:0:0/96 */
    const unsigned char *ip = peer->ip;
    int family = peer->family;
    if (family == AF_INET6 && memcmp(ip, mapped, sizeof mapped) == 0) {
        family = AF_INET;
        ip += sizeof mapped;
    }
    if (family == AF_INET)
        return print_ipv4(ip, text);
    if (family != AF_INET6 || !inet_ntop(family, ip, text, PEER_TEXT))
        memcpy(text, "unix:", sizeof "unix:");
    return str_of(text);
}
