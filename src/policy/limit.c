/* limit.c: `limit`: how often requests are answered, by all workers together; the others get 429 (RFC 6585, 4).
 *
 *     limit: {requests: 100/s, burst: 50, by: client}
 *
 * Clients are told apart by cidr_client_of(). The routes of a site that has a limit share it; a route with a
 * limit of its own counts for itself.
 *
 * The counters are made while the configuration is read, so that all workers that are forked with it have the same
 * ones, and end with it.
 */
#include <errno.h>

#include "base/hash.h"
#include "base/list.h"
#include "net/cidr.h"
#include "policy/bucket.h"
#include "policy/registry.h"

enum {
    REQUESTS_MAX = 1000000, /* in one unit of time */
    CLIENTS = 1 << 16,      /* whose due times are kept: 1 MiB */
};

enum limit_by { BY_CLIENT, BY_SERVER };

struct limit {
    bool on;
    int by; /* enum limit_by */
    int64_t requests;
    nsec unit; /* requests come in one */
    struct bucket_rate rate;
    struct bucket_table table; /* shared by all workers */
    struct hash keyed;         /* used for its hash alone */
};

/* ---- configuration ---- */

struct rate_unit {
    struct str suffix;
    nsec time;
};

static const struct rate_unit units[] = {
    {STR_INIT("/s"), NSEC_SEC},
    {STR_INIT("/m"), 60 * NSEC_SEC},
    {STR_INIT("/h"), 3600 * NSEC_SEC},
};

/* "100/s". 0, -EINVAL or -ERANGE. */
static int parse_requests(struct str text, struct limit *limit)
{
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        uint64_t requests;
        if (!str_ends(text, units[i].suffix))
            continue;
        text.n -= units[i].suffix.n;
        limit->unit = units[i].time;
        int error = str_to_u64(text, &requests);
        if (error)
            return error;
        limit->requests = (int64_t)requests;
        return requests == 0 || requests > REQUESTS_MAX ? -ERANGE : 0;
    }
    return -EINVAL;
}

static const struct conf_key requests_key = {.kind = CONF_TEXT, .takes = "a rate", .pattern = "^0*[1-9][0-9]*/[smh]$"};

static int read_requests(struct conf_reader *r, struct conf_node *node, void *field)
{
    struct limit *limit = container_of(field, struct limit, requests);
    struct str text;
    int error = conf_read_value(r, node, &requests_key, &text);
    if (error)
        return error;
    error = parse_requests(text, limit);
    if (error == -ERANGE)
        conf_error(r, node, "`" STR_FMT "` is out of range (1 to %d)", STR_ARG(text), REQUESTS_MAX);
    else if (error)
        conf_error(r, node, "`" STR_FMT "` is not a rate; write 100/s, 600/m or 1000/h", STR_ARG(text));
    return error ? -EINVAL : 0;
}

static const char *const by_words[] = {[BY_CLIENT] = "client", [BY_SERVER] = "server", NULL};

static const struct conf_key limit_keys[] = {
    {"requests", CONF_CUSTOM, offsetof(struct limit, requests), .required = true, .read = read_requests,
     .single = &requests_key, .doc = "how many are answered in a second, minute or hour: 100/s, 600/m, 1000/h"},
    {"burst", CONF_INT, offsetof(struct limit, rate.burst), .min = 1, .max = REQUESTS_MAX,
     .doc = "how many may come at once; without it as many as the number of `requests`"},
    {"by", CONF_ENUM, offsetof(struct limit, by), .fallback = "client", .words = by_words,
     .doc =
         "whose requests are counted together: those of each client, by address, of IPv6 by /64; or all of the server"},
};

static const struct conf_table limit_table = CONF_TABLE("limit", limit_keys);

static int read_limit(struct conf_reader *r, struct conf_node *node, void *field)
{
    struct limit *limit = field;
    if (node->kind == CONF_SCALAR && str_eq(node->text, STR("off")))
        return 0;
    if (node->kind != CONF_MAPPING) {
        conf_error(r, node, "takes `off`, or a mapping such as {requests: 100/s}");
        return -EINVAL;
    }
    limit->on = true;
    return conf_read_map(r, node, &limit_table, limit);
}

static const struct conf_key keys[] = {
    {"limit", CONF_CUSTOM, 0, .read = read_limit, .single = &conf_off, .table = &limit_table,
     .doc = "how often requests are answered, by all workers together: {requests: 100/s, burst: 50, by: client}"},
};

static const struct conf_table table = CONF_TABLE("limit", keys);

/* ---- the counters ---- */

static void free_counters(void *settings)
{
    struct limit *limit = settings;
    bucket_table_free(&limit->table);
    hash_free(&limit->keyed);
}

static int make_counters(struct arena *arena, struct limit *limit)
{
    int error = hash_init(&limit->keyed, 0);
    if (error)
        return error;
    error = bucket_table_make(&limit->table, limit->by == BY_CLIENT ? CLIENTS : 1);
    if (error)
        goto free_hash;
    error = arena_defer(arena, free_counters, limit);
    if (error)
        goto free_table;
    return 0;
free_table:
    bucket_table_free(&limit->table);
free_hash:
    hash_free(&limit->keyed);
    return error;
}

static int prepare(struct conf_reader *r, struct conf_node *node, const void *outer, void *settings)
{
    (void)node, (void)outer;
    struct limit *limit = settings;
    if (!limit->on)
        return 0;
    if (!limit->rate.burst)
        limit->rate.burst = limit->requests;
    /* Rounded up, so that it is never more than what was asked for. */
    limit->rate.interval = (limit->unit + limit->requests - 1) / limit->requests;
    return make_counters(r->arena, limit);
}

/* ---- requests ---- */

/* One key for all that count as one. The hash can't be foreseen by a peer, and is the same in all workers. */
static uint64_t key_of(const struct limit *limit, const struct peer *peer)
{
    cidr_ip client = limit->by == BY_CLIENT ? cidr_client_of(peer) : 0;
    return hash_of(&limit->keyed, (struct str){(const char *)&client, sizeof client});
}

static int refuse(struct exchange *x, nsec wait)
{
    int64_t seconds = (wait + NSEC_SEC - 1) / NSEC_SEC;
    struct str field = arena_printf(&x->arena, "Retry-After: %lld\r\n", (long long)seconds);
    return field.p ? http_send_status(x, 429, field) : -ENOMEM;
}

static int admit(struct exchange *x, const void *settings)
{
    const struct limit *limit = settings;
    if (!limit->on)
        return 0;
    nsec wait = bucket_take(&limit->table, key_of(limit, x->peer), &limit->rate, clock_monotonic());
    return wait ? refuse(x, wait) : 0;
}

const struct http_policy policy_limit = {
    .table = &table,
    .size = sizeof(struct limit),
    .prepare = prepare,
    .admit = admit,
};
