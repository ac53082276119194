/* policy_conf.c: reads what a site or a route asks of the policies. */
#include <errno.h>

#include "http/site.h"

const struct http_policy *const *http_policies;

struct conf_table http_known_keys(struct conf_key keys[static HTTP_NAMES_MAX], bool handlers)
{
    size_t count = 0;
    for (const struct http_handler *const *h = http_handlers; handlers && *h && count < HTTP_NAMES_MAX; h++)
        keys[count++] = (struct conf_key){.name = (*h)->name.p, .kind = CONF_CUSTOM};
    for (const struct http_policy *const *p = http_policies; p && *p; p++)
        for (size_t i = 0; i < (*p)->table->count && count < HTTP_NAMES_MAX; i++)
            keys[count++] = (struct conf_key){.name = (*p)->table->keys[i].name, .kind = CONF_CUSTOM};
    return (struct conf_table){.what = handlers ? "a route" : "a site", .keys = keys, .count = count};
}

static bool is_asked_for(const struct conf_node *node, const struct http_policy *policy)
{
    for (size_t i = 0; i < policy->table->count; i++)
        if (conf_find(node, str_of(policy->table->keys[i].name)))
            return true;
    return false;
}

static const void *find_settings(const struct http_policies *policies, const struct http_policy *policy)
{
    for (size_t i = 0; policies && i < policies->n; i++)
        if (policies->v[i].policy == policy)
            return policies->v[i].settings;
    return NULL;
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
        const void *settings = find_settings(outer, *p);
        int error = is_asked_for(node, *p) ? read_settings(r, node, *p, settings, &settings) : 0;
        first = first ? first : error;
        if (settings && !error)
            policies->v[policies->n++] = (struct http_applied){*p, settings};
    }
    return first;
}
