/* policy_conf.c: reads what a site or a route asks of the policies. */
#include <errno.h>

#include "http/site.h"

const struct http_policy *const *http_policies;

static bool policy_key(size_t i, bool of_route, struct conf_key *key)
{
    for (const struct http_policy *const *p = http_policies; p && *p; p++) {
        if (of_route && (*p)->of_site)
            continue;
        if (i < (*p)->table->count) {
            *key = (*p)->table->keys[i];
            return true;
        }
        i -= (*p)->table->count;
    }
    return false;
}

bool http_site_policy_key(size_t i, struct conf_key *key)
{
    return policy_key(i, false, key);
}

bool http_route_policy_key(size_t i, struct conf_key *key)
{
    return policy_key(i, true, key);
}

static bool is_asked_for(const struct conf_node *node, const struct http_policy *policy)
{
    for (size_t i = 0; i < policy->table->count; i++)
        if (conf_find(node, str_of(policy->table->keys[i].name)))
            return true;
    return false;
}

/* What holds where a route does not ask for the policy: what its site says, or nothing. */
static struct http_applied find_applied(const struct http_policies *policies, const struct http_policy *policy)
{
    for (size_t i = 0; policies && i < policies->n; i++)
        if (policies->v[i].policy == policy)
            return policies->v[i];
    return (struct http_applied){.policy = policy};
}

static int read_settings(struct conf_reader *r, struct conf_node *node, const struct http_policy *policy,
                         const void *outer, const void **settings)
{
    void *own = arena_zalloc(r->arena, policy->size);
    if (!own)
        return -ENOMEM;
    *settings = own;
    int error = conf_read_keys(r, node, policy->table, own);
    if (!error && policy->prepare)
        error = policy->prepare(r, node, outer, own);
    return error;
}

int http_policies_read(struct conf_reader *r, struct conf_node *node, const struct http_policies *outer,
                       struct http_policies *policies)
{
    size_t count = 0;
    int first = 0;
    for (const struct http_policy *const *p = http_policies; p && *p; p++)
        count++;
    policies->v = arena_alloc(r->arena, count * sizeof *policies->v);
    if (!policies->v)
        return -ENOMEM;
    for (const struct http_policy *const *p = http_policies; p && *p; p++) {
        struct http_applied applied = find_applied(outer, *p);
        bool asked = !(outer && (*p)->of_site) && is_asked_for(node, *p); /* a route's key of that name is another's */
        int error = asked ? read_settings(r, node, *p, applied.settings, &applied.settings) : 0;
        applied.at = asked ? node : applied.at;
        first = first ? first : error;
        if (applied.settings && !error)
            policies->v[policies->n++] = applied;
    }
    return first;
}
