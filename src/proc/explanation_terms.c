/* explanation_terms.c: on which terms a request is answered: policies, the handler's settings, limits. They are told as
 * the tree has them, which is the effective configuration. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "conf/dump.h"
#include "http/site.h"
#include "proc/explanation.h"

/* ---- settings ---- */

static int put_value(struct json *j, const struct conf_node *node)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    if (!f)
        return -ENOMEM;
    int error = conf_dump_line(f, node);
    if (fclose(f) || error)
        error = -ENOMEM;
    else
        json_text(j, "value", (struct str){text, size});
    free(text);
    return error;
}

static int put_setting(struct json *j, const struct conf_node *node)
{
    json_open(j, NULL, '{');
    json_text(j, "name", node->key);
    int error = put_value(j, node);
    explanation_put_place(j, node);
    json_close(j, '}');
    return error;
}

/* All members of a mapping. */
static int put_settings(struct json *j, const char *key, const struct conf_node *map)
{
    int error = 0;
    json_open(j, key, '[');
    for (const struct conf_node *node = map ? map->first : NULL; node && !error; node = node->next)
        error = put_setting(j, node);
    json_close(j, ']');
    return error;
}

/* ---- policies ---- */

static bool is_off(const struct conf_node *node)
{
    return node->kind == CONF_SCALAR && str_eq(node->text, STR("off"));
}

/* A network in `allow` would be longer than all of them. */
bool explanation_closes(const struct conf_node *at)
{
    struct conf_node *deny = conf_find(at, STR("deny"));
    bool all = false;
    if (!deny || conf_find(at, STR("allow")))
        return false;
    conf_each_item (network, deny)
        all |= str_eq(network->text, STR("all"));
    return all;
}

/* A key of a policy. */
static int put_policy(struct json *j, const struct explanation *e, const struct http_policy *policy,
                      const struct conf_node *node)
{
    json_open(j, NULL, '{');
    json_text(j, "name", node->key);
    int error = put_value(j, node);
    json_text(j, "of", node->parent == e->x.site->at ? STR("site") : STR("route"));
    json_bool(j, "answers", policy->admit && !is_off(node));
    if (str_eq(node->key, STR("deny")) && explanation_closes(node->parent))
        json_bool(j, "always", true);
    explanation_put_place(j, node);
    json_close(j, '}');
    return error;
}

/* What a site or route says of it. */
static int put_keys(struct json *j, const struct explanation *e, const struct http_policy *policy,
                    const struct conf_node *at)
{
    int error = 0;
    for (size_t i = 0; i < policy->table->count && !error; i++) {
        const struct conf_node *node = conf_find(at, str_of(policy->table->keys[i].name));
        if (node)
            error = put_policy(j, e, policy, node);
    }
    return error;
}

static int put_applied(struct json *j, const struct explanation *e, const struct http_applied *applied)
{
    const struct conf_node *site = e->x.site->at;
    int error = applied->policy->adds && applied->at != site ? put_keys(j, e, applied->policy, site) : 0;
    return error ? error : put_keys(j, e, applied->policy, applied->at);
}

static int put_policies(struct json *j, const struct explanation *e)
{
    const struct http_policies *policies = &e->x.route->policies;
    int error = 0;
    json_open(j, "policies", '[');
    for (size_t i = 0; i < policies->n && !error; i++)
        error = put_applied(j, e, &policies->v[i]);
    json_close(j, ']');
    return error;
}

/* ---- the whole ---- */

static int put_handler(struct json *j, const struct http_route *route)
{
    if (!route->at)
        return 0;
    json_open(j, "handler", '{');
    json_text(j, "name", route->handler->name);
    explanation_put_place(j, route->at);
    int error = put_settings(j, "settings", route->at);
    json_close(j, '}');
    return error;
}

/* By the most specific one that says so. */
static int put_slow(struct json *j, const struct explanation *e)
{
    const struct http_route *route = e->x.route;
    const struct {
        const char *of;
        const struct conf_node *at;
    } places[] = {{"route", route && route->at ? route->at->parent : NULL},
                  {"site", e->x.site ? e->x.site->at : NULL},
                  {"log", conf_find(e->config->tree, STR("log"))}};
    const struct conf_node *slow = NULL;
    size_t i = 0;
    for (; i < sizeof places / sizeof *places && !slow; i++)
        slow = places[i].at ? conf_find(places[i].at, STR("slow")) : NULL;
    if (!slow)
        return 0;
    json_open(j, "slow", '{');
    int error = put_value(j, slow);
    json_text(j, "of", str_of(places[i - 1].of));
    explanation_put_place(j, slow);
    json_close(j, '}');
    return error;
}

int explanation_put_terms(struct json *j, const struct explanation *e)
{
    static const char *const maps[] = {"limits", "timeouts"};
    int error = e->x.route ? put_policies(j, e) : 0;
    if (!error && e->x.route)
        error = put_handler(j, e->x.route);
    if (!error && e->x.route)
        error = put_slow(j, e);
    for (size_t i = 0; i < 2 && !error; i++)
        error = put_settings(j, maps[i], conf_find(e->config->tree, str_of(maps[i])));
    return error;
}
