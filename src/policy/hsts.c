/* hsts.c: `hsts`: browsers are to come by https alone, for so long (RFC 6797).
 *
 *     hsts: 1y
 *     hsts: {max_age: 2y, subdomains: on, preload: on}
 *
 * Strict-Transport-Security is said over TLS only: in the clear browsers must ignore it, and it must not be sent (7.2).
 * It stands in a response once (7.1): who has said it already, be it the handler or `headers`, is left alone.
 */
#include <errno.h>

#include "policy/registry.h"

#define YEAR (365 * 86400 * NSEC_SEC)

struct hsts {
    nsec max_age;
    bool on, subdomains, preload;
    struct str field; /* as it goes out */
};

static const char *const off[] = {"off", NULL};
static const struct conf_key single = {.kind = CONF_TIME, .max = 10 * YEAR, .words = off};

static const struct conf_key hsts_keys[] = {
    {"max_age", CONF_TIME, offsetof(struct hsts, max_age), .required = true, .max = 10 * YEAR,
     .doc = "how long browsers remember it, from each response on; 0: they are to forget it"},
    {"subdomains", CONF_BOOL, offsetof(struct hsts, subdomains), .fallback = "off",
     .doc = "for all names below the host, too"},
    {"preload", CONF_BOOL, offsetof(struct hsts, preload), .fallback = "off",
     .doc = "browsers may be delivered with it; wants `subdomains`, and a `max_age` of a year or more"},
};

static const struct conf_table hsts_table = CONF_TABLE("hsts", hsts_keys);

static int read_hsts(struct conf_reader *r, struct conf_node *node, void *field)
{
    struct hsts *hsts = field;
    bool word = node->kind == CONF_SCALAR;
    hsts->on = !word || !str_eq(node->text, STR("off"));
    if (!hsts->on)
        return 0;
    return word ? conf_read_value(r, node, &single, &hsts->max_age) : conf_read_map(r, node, &hsts_table, hsts);
}

static const struct conf_key keys[] = {
    {"hsts", CONF_CUSTOM, 0, .read = read_hsts, .single = &single, .table = &hsts_table,
     .doc = "how long browsers are to come by https alone, by Strict-Transport-Security over TLS: 1y"},
};

static const struct conf_table table = CONF_TABLE("hsts", keys);

/* What the lists that browsers are delivered with ask for (hstspreload.org). */
static bool is_preloadable(const struct hsts *hsts)
{
    return hsts->subdomains && hsts->max_age >= YEAR;
}

static int prepare(struct conf_reader *r, struct conf_node *node, const void *outer, void *settings)
{
    (void)outer;
    struct hsts *hsts = settings;
    if (hsts->preload && !is_preloadable(hsts)) {
        conf_error(r, conf_find(conf_find(node, STR("hsts")), STR("preload")),
                   "wants `subdomains: on`, and a `max_age` of 1y or more");
        return -EINVAL;
    }
    hsts->field =
        arena_printf(r->arena, "Strict-Transport-Security: max-age=%lld%s%s\r\n", (long long)(hsts->max_age / NSEC_SEC),
                     hsts->subdomains ? "; includeSubDomains" : "", hsts->preload ? "; preload" : "");
    return hsts->field.p ? 0 : -ENOMEM;
}

static int dress(struct exchange *x, const void *settings, struct http_head *head)
{
    const struct hsts *hsts = settings;
    if (!x->tls || !hsts->on || http_head_field(head, STR("Strict-Transport-Security")).p)
        return 0;
    return http_head_put(x, head, hsts->field);
}

const struct http_policy policy_hsts = {
    .table = &table,
    .size = sizeof(struct hsts),
    .prepare = prepare,
    .dress = dress,
};
