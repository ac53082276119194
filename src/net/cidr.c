/* cidr.c: see cidr.h. */
#include "net/cidr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

enum { IP_BITS = 128 };

/* The bits of an address that a prefix leaves open. */
static cidr_ip host_bits(unsigned bits)
{
    return bits == 0 ? ~(cidr_ip)0 : ((cidr_ip)1 << (IP_BITS - bits)) - 1;
}

/* Big-endian bytes, as they are on the wire. */
static cidr_ip from_bytes(const unsigned char *bytes, size_t n)
{
    cidr_ip ip = 0;
    for (size_t i = 0; i < n; i++)
        ip = ip << 8 | bytes[i];
    return ip;
}

/* ---- text ---- */

/* A single address; inet_pton wants a NUL. */
static int parse_ip(struct str text, struct cidr *cidr)
{
    char copy[INET6_ADDRSTRLEN];
    unsigned char bytes[sizeof(struct in6_addr)];
    if (text.n >= sizeof copy || str_find(text, '\0') < text.n)
        return -EINVAL;
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    cidr->bits = IP_BITS;
    if (inet_pton(AF_INET, copy, bytes) == 1)
        cidr->ip = CIDR_IPV4.ip | from_bytes(bytes, sizeof(struct in_addr));
    else if (inet_pton(AF_INET6, copy, bytes) == 1)
        cidr->ip = from_bytes(bytes, sizeof bytes);
    else
        return -EINVAL;
    return 0;
}

/* The number behind the slash. */
static int parse_bits(struct str text, unsigned most, unsigned *bits)
{
    uint64_t value;
    if (text.n > 1 && text.p[0] == '0')
        return -EINVAL;
    int error = str_to_u64(text, &value);
    if (error)
        return error;
    *bits = (unsigned)value;
    return value > most ? -ERANGE : 0;
}

int cidr_parse(struct str text, struct cidr *cidr)
{
    struct str rest = text, ip = str_cut(&rest, '/');
    int error = parse_ip(ip, cidr);
    if (error || ip.n == text.n)
        return error;
    unsigned before = str_find(ip, ':') == ip.n ? CIDR_IPV4.bits : 0, bits;
    error = parse_bits(rest, IP_BITS - before, &bits);
    if (error)
        return error;
    cidr->bits = before + bits;
    cidr_ip beyond = cidr->ip & host_bits(cidr->bits);
    cidr->ip -= beyond;
    return beyond ? -EDOM : 0;
}

void cidr_print(const struct cidr *cidr, struct out *o)
{
    char text[INET6_ADDRSTRLEN];
    unsigned char bytes[sizeof(struct in6_addr)];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(cidr->ip >> (IP_BITS - 8 - 8 * i));
    bool ipv4 = cidr_is_ipv4(cidr->ip) && cidr->bits >= CIDR_IPV4.bits;
    if (ipv4)
        inet_ntop(AF_INET, bytes + CIDR_IPV4.bits / 8, text, sizeof text);
    else
        inet_ntop(AF_INET6, bytes, text, sizeof text);
    out_put(o, str_of(text));
    out_char(o, '/');
    out_u64(o, cidr->bits - (ipv4 ? CIDR_IPV4.bits : 0));
}

cidr_ip cidr_ip_of(const struct peer *peer)
{
    if (peer->family == AF_INET)
        return CIDR_IPV4.ip | from_bytes(peer->ip, sizeof(struct in_addr));
    return from_bytes(peer->ip, sizeof peer->ip);
}

cidr_ip cidr_client_of(const struct peer *peer)
{
    if (peer->family == AF_UNIX)
        return 1;
    cidr_ip ip = cidr_ip_of(peer);
    return cidr_is_ipv4(ip) ? ip : ip & ~(cidr_ip)0 << 64;
}

/* ---- the map ---- */

/* An outer network before those in it; of the same one, the value that counts last. */
static int compare(const void *left, const void *right)
{
    const struct cidr_rule *a = left, *b = right;
    if (a->cidr.ip != b->cidr.ip)
        return a->cidr.ip < b->cidr.ip ? -1 : 1;
    if (a->cidr.bits != b->cidr.bits)
        return a->cidr.bits < b->cidr.bits ? -1 : 1;
    return (int)a->value - (int)b->value;
}

/* What is being flattened: ranges so far, and the networks that the place reached is in, the innermost last. */
struct flattener {
    cidr_ip *from;
    unsigned char *values;
    size_t n;
    struct cidr_rule open[IP_BITS + 1]; /* each has a longer prefix than the one around it */
    size_t depth;
};

/* From `ip` on it is the value: a range of its own, unless it begins where the last one does or goes on with it. */
static void begin_range(struct flattener *f, cidr_ip ip, unsigned char value)
{
    if (f->n && f->from[f->n - 1] == ip)
        f->n--;
    if (f->n && f->values[f->n - 1] == value)
        return;
    f->from[f->n] = ip;
    f->values[f->n++] = value;
}

static cidr_ip last_of(const struct cidr *cidr)
{
    return cidr->ip | host_bits(cidr->bits);
}

/* Ends the networks that do not reach as far as `ip`: behind each, the one around it holds again. */
static void close_before(struct flattener *f, cidr_ip ip)
{
    while (f->depth && last_of(&f->open[f->depth - 1].cidr) < ip) {
        cidr_ip next = last_of(&f->open[--f->depth].cidr) + 1;
        begin_range(f, next, f->depth ? f->open[f->depth - 1].value : 0);
    }
}

static void open_rule(struct flattener *f, const struct cidr_rule *rule)
{
    close_before(f, rule->cidr.ip);
    if (f->depth && f->open[f->depth - 1].cidr.bits == rule->cidr.bits)
        f->depth--; /* the same network again */
    f->open[f->depth++] = *rule;
    begin_range(f, rule->cidr.ip, rule->value);
}

/* Networks that end with the last address need no end. */
static void flatten(struct flattener *f, const struct cidr_rule *rules, size_t n)
{
    begin_range(f, 0, 0);
    for (size_t i = 0; i < n; i++)
        open_rule(f, &rules[i]);
    close_before(f, ~(cidr_ip)0);
}

int cidr_map_make(struct cidr_map *map, struct arena *arena, const struct cidr_rule *rules, size_t n)
{
    size_t room = 2 * n + 3; /* each rule begins a range and ends one */
    struct cidr_rule *sorted = malloc((n + 1) * sizeof *sorted);
    struct flattener f = {
        .from = arena_alloc(arena, room * sizeof *f.from),
        .values = arena_alloc(arena, room),
    };
    int error = sorted && f.from && f.values ? 0 : -ENOMEM;
    if (!error) {
        for (size_t i = 0; i < n; i++)
            sorted[i] = rules[i];
        sorted[n] = (struct cidr_rule){CIDR_IPV4, 0}; /* closed to networks of IPv6 */
        qsort(sorted, n + 1, sizeof *sorted, compare);
        flatten(&f, sorted, n + 1);
        *map = (struct cidr_map){f.from, f.values, f.n};
    }
    free(sorted);
    return error;
}

unsigned cidr_map_find(const struct cidr_map *map, cidr_ip ip)
{
    size_t low = 0, n = map->n; /* the range is one of the n from `low` on */
    while (n > 1) {
        size_t half = n / 2;
        low += map->from[low + half] <= ip ? half : 0;
        n -= half;
    }
    return map->values[low];
}
