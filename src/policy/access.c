/* access.c: `allow` and `deny`: whose requests are answered, by the network they come from.
 *
 *     allow: [10.0.0.0/8, 2001:db8::/32, unix]
 *     deny: 10.9.0.0/16
 *
 * Of all networks that a peer is in, the one with the longest prefix decides; `deny` does when both lists have it. Who
 * is in none may come in, unless there is an `allow`. `all` is everybody, `unix` whoever comes through a unix socket.
 *
 * A route's lists are asked beside those of its site, and both must let a peer in: a route never opens what its site
 * closes.
 */
#include <errno.h>

#include "net/cidr.h"
#include "policy/registry.h"

enum { ALLOW = 1, DENY }; /* the greater one counts for the same network */

/* How unix sockets are named by a list. */
enum unix_peers { UNIX_NOT, UNIX_BY_ALL, UNIX_BY_NAME };

struct networks {
    bool given; /* the list is there */
    struct cidr *v;
    size_t n;
    enum unix_peers unix_peers;
};

struct access {
    struct networks allow, deny;
    struct cidr_map map;
    unsigned unix_value;
    const struct access *outer; /* the site's, for a route; or NULL */
};

/* Adds what one entry stands for: at most two networks. */
static int add_network(struct networks *list, struct str text)
{
    if (str_eq(text, STR("unix"))) {
        list->unix_peers = UNIX_BY_NAME;
        return 0;
    }
    if (!str_eq(text, STR("all")))
        return cidr_parse(text, &list->v[list->n++]);
    list->v[list->n++] = (struct cidr){0, 0};
    list->v[list->n++] = CIDR_IPV4;
    if (list->unix_peers == UNIX_NOT)
        list->unix_peers = UNIX_BY_ALL;
    return 0;
}

static void refuse(struct conf_reader *r, const struct conf_node *node, const struct cidr *cidr, int error)
{
    char text[64];
    struct out meant = out_on(text, sizeof text);
    if (error == -EDOM) {
        cidr_print(cidr, &meant);
        conf_error(r, node, "`" STR_FMT "` has bits beyond its prefix; did you mean " STR_FMT "?", STR_ARG(node->text),
                   STR_ARG(out_str(&meant)));
    } else if (error == -ERANGE) {
        conf_error(r, node, "`" STR_FMT "` has a longer prefix than an address has bits", STR_ARG(node->text));
    } else {
        conf_error(r, node, "`" STR_FMT "` is not a network; write 10.0.0.0/8, 2001:db8::/32, an address, all or unix",
                   STR_ARG(node->text));
    }
}

#define IPV4 "[0-9]+(\\.[0-9]+){3}(/([12]?[0-9]|3[0-2]))?"
#define IPV6 "[0-9a-fA-F]*:[0-9a-fA-F]*:[0-9a-fA-F:.]*(/([1-9]?[0-9]|1[01][0-9]|12[0-8]))?"

static const struct conf_key network = {
    .kind = CONF_TEXT, .takes = "a network", .pattern = "^(all|unix|" IPV4 "|" IPV6 ")$"};

static int read_network(struct conf_reader *r, struct conf_node *node, struct networks *list)
{
    struct str text;
    int error = conf_read_value(r, node, &network, &text);
    if (error)
        return error;
    error = add_network(list, text);
    if (error)
        refuse(r, node, &list->v[list->n - 1], error);
    return error ? -EINVAL : 0;
}

static int read_networks(struct conf_reader *r, struct conf_node *node, void *field)
{
    struct networks *list = field;
    int first = 0;
    list->given = true;
    list->v = arena_alloc(r->arena, 2 * conf_item_count(node) * sizeof *list->v);
    if (!list->v)
        return -ENOMEM;
    conf_each_item (item, node) {
        int error = read_network(r, item, list);
        first = first ? first : error;
    }
    return first;
}

static const struct conf_key keys[] = {
    {"allow", CONF_CUSTOM, offsetof(struct access, allow), .min = 1, .read = read_networks, .single = &network,
     .many = CONF_ONE_OR_LIST,
     .doc = "networks whose requests are answered, and no others: 10.0.0.0/8, 2001:db8::/32, an address, all, unix"},
    {"deny", CONF_CUSTOM, offsetof(struct access, deny), .read = read_networks, .single = &network,
     .many = CONF_ONE_OR_LIST,
     .doc = "networks whose requests are refused with 403; the longest prefix in `allow` and `deny` decides"},
};

static const struct conf_table table = CONF_TABLE("access", keys);

/* ---- what follows from both lists ---- */

static struct cidr_rule *add_rules(struct cidr_rule *to, const struct networks *list, unsigned char value)
{
    for (size_t i = 0; i < list->n; i++)
        *to++ = (struct cidr_rule){list->v[i], value};
    return to;
}

static int make_map(struct arena *arena, struct access *access)
{
    size_t n = access->allow.n + access->deny.n;
    struct cidr_rule *rules = arena_alloc(arena, n * sizeof *rules);
    if (!rules)
        return -ENOMEM;
    add_rules(add_rules(rules, &access->allow, ALLOW), &access->deny, DENY);
    return cidr_map_make(&access->map, arena, rules, n);
}

/* The name is more specific than `all`. */
static unsigned value_of_unix(const struct access *access)
{
    enum unix_peers allow = access->allow.unix_peers, deny = access->deny.unix_peers;
    if (deny && deny >= allow)
        return DENY;
    return allow ? ALLOW : 0;
}

static int prepare(struct conf_reader *r, struct conf_node *node, const void *outer, void *settings)
{
    struct access *access = settings;
    if (access->allow.given && access->allow.n == 0 && access->allow.unix_peers == UNIX_NOT) {
        conf_error(r, conf_find(node, STR("allow")), "lists nobody; `deny: all` says so");
        return -EINVAL;
    }
    access->outer = outer;
    access->unix_value = value_of_unix(access);
    return make_map(r->arena, access);
}

static bool may_come_in(const struct access *access, const struct peer *peer)
{
    unsigned value = peer->family == AF_UNIX ? access->unix_value : cidr_map_find(&access->map, cidr_ip_of(peer));
    return value ? value == ALLOW : !access->allow.given;
}

static int admit(struct exchange *x, const void *settings)
{
    for (const struct access *access = settings; access; access = access->outer)
        if (!may_come_in(access, x->peer))
            return http_send_status(x, 403, STR(""));
    return 0;
}

const struct http_policy policy_access = {
    .table = &table,
    .size = sizeof(struct access),
    .adds = true,
    .prepare = prepare,
    .admit = admit,
};
