/* policy_conf_test.c: policies that a configuration asks for: where they may stand, and what a route takes from its
 * site. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#include "conf/yaml.h"
#include "http/route.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

struct colour {
    struct str text;
    const struct colour *outer;
};

/* Reports what it does not like, "bad"; remembers what was there before. */
static int prepare(struct conf_reader *r, struct conf_node *node, const void *outer, void *settings)
{
    struct colour *colour = settings;
    colour->outer = outer;
    if (!str_eq(colour->text, STR("bad")))
        return 0;
    conf_error(r, node, "a bad colour");
    return -EINVAL;
}

static const struct conf_key colour_keys[] = {
    {"colour", CONF_TEXT, offsetof(struct colour, text), .fallback = "grey"},
};
static const struct conf_table colour_table = CONF_TABLE("colour", colour_keys);
static const struct http_policy colour = {.table = &colour_table, .size = sizeof(struct colour), .prepare = prepare};

struct size {
    int64_t width, height;
};

static const struct conf_key size_keys[] = {
    {"width", CONF_INT, offsetof(struct size, width), .fallback = "1", .min = 1},
    {"height", CONF_INT, offsetof(struct size, height), .fallback = "2", .min = 1},
};
static const struct conf_table size_table = CONF_TABLE("size", size_keys);
static const struct http_policy size = {.table = &size_table, .size = sizeof(struct size)};

/* A key of sites alone, which is a handler's name in routes. */
static const struct conf_key away_keys[] = {{.name = "away", .kind = CONF_TEXT}, {.name = "far", .kind = CONF_TEXT}};
static const struct conf_table away_table = CONF_TABLE("away", away_keys);
static const struct http_policy away = {.table = &away_table, .size = sizeof(struct str), .of_site = true};

static const struct http_policy *const policies[] = {&away, &colour, &size, NULL};

static const struct conf_table no_keys = {.what = "to"};
static const struct http_handler handler = {.name = STR_INIT("to"), .table = &no_keys, .size = 1};
static const struct http_handler another = {.name = STR_INIT("away"), .table = &no_keys, .size = 1};
static const struct http_handler *const handlers[] = {&handler, &another, NULL};

static struct arena arena;
static struct conf_reader reader;
static struct http_sites sites;

static void setup(void)
{
    arena_init(&arena, NULL, 0);
    http_handlers = handlers;
    http_policies = policies;
}

static void teardown(void)
{
    arena_clear(&arena);
}

TestSuite(policy_conf, .init = setup, .fini = teardown);

static int read_sites(const char *yaml)
{
    struct conf_node *root;
    arena_clear(&arena);
    sites = (struct http_sites){.fallback = NULL};
    conf_reader_init(&reader, &arena);
    cr_assert_eq(conf_parse(&reader, STR("t"), str_of(yaml), &root), 0, "%s", yaml);
    return http_sites_read(&reader, root, &sites);
}

struct refusal {
    const char *yaml, *message;
};

static const struct refusal refused[] = {
    {"- {width: x, routes: [{path: /, to: {}}]}", "width: `x` is not a number"},
    {"- {colour: [red], routes: [{path: /, to: {}}]}", "colour: takes a single value"},
    {"- {colour: bad, routes: [{path: /, to: {}}]}", "a bad colour"},
    {"- {colour: , routes: [{path: /, to: {}}]}", "colour: has no value"},
    {"- {colur: red, routes: [{path: /, to: {}}]}", "colur: unknown key in a site; did you mean `colour`?"},
    {"- routes: [{path: /, to: {}, width: x}]", "width: `x` is not a number"},
    {"- routes: [{path: /, to: {}, colour: bad}]", "a bad colour"},
    {"- routes: [{path: /, to: {}, widht: 1}]", "widht: unknown key in a route; did you mean `width`?"},
    {"- routes: [{path: /, to: {colour: red}}]", "colour: unknown key in to"},
    {"- {to: {}, routes: [{path: /, to: {}}]}", "to: unknown key in a site"},
    {"- {routes: [{path: /, to: {}, far: x}]}", "far: unknown key in a route"},
    {"- {far: x, routes: [{path: /, to: {}, far: x}]}", "far: unknown key in a route"},
    {"- {away: x, routes: [{path: /, away: x}]}", "away: takes a mapping, not a value"},
    {"- {away: {}, routes: [{path: /, away: {}}]}", "away: takes a single value, not a mapping"},
    {"- {routes: [{path: /, to: {}, colour: bad}], width: 0}", "width: 0 is out of range"},
    /* a site's mistake is no reason to be silent about its routes', and the other way round */
    {"- {colour: bad, routes: [{path: /, to: {}, width: x}]}", "width: `x` is not a number"},
    {"- {colour: bad, routes: [{path: /, to: {}, width: x}]}", "a bad colour"},
    {"- {colour: [], routes: [{path: /, to: {}, colour: bad}]}", "a bad colour"},
};

static bool reported(const char *message)
{
    for (size_t i = 0; i < reader.kept; i++)
        if (strstr(reader.errors[i].text.p, message))
            return true;
    return false;
}

Test(policy_conf, refused)
{
    for (size_t i = 0; i < COUNT(refused); i++) {
        cr_expect_lt(read_sites(refused[i].yaml), 0, "%s", refused[i].yaml);
        cr_expect(reported(refused[i].message), "%s: %s", refused[i].yaml,
                  reader.kept ? reader.errors[0].text.p : "no message");
    }
}

/* Each mistake is told once, whoever looks at the value. */
Test(policy_conf, without_a_value)
{
    static const char *const yaml[] = {
        "- {colour: , routes: [{path: /, to: {}}]}",
        "- {routes: [{path: /, to: {}, colour: ~}]}",
        "- {routes: [{path: /, to: }]}",
    };
    for (size_t i = 0; i < COUNT(yaml); i++) {
        cr_expect_lt(read_sites(yaml[i]), 0, "%s", yaml[i]);
        cr_expect(reported("has no value"), "%s", yaml[i]);
        cr_expect_eq(reader.failed, 1, "%s: %zu messages", yaml[i], reader.failed);
    }
}

/* What applies to a path, in the order of the registry: "colour=red size=1x2 ". */
static const char *applied(const char *path)
{
    static char text[128];
    const struct http_policies *p = &http_route_find(sites.fallback, str_of(path))->policies;
    text[0] = '\0';
    for (size_t i = 0; i < p->n; i++) {
        size_t n = strlen(text);
        const struct colour *c = p->v[i].settings;
        const struct size *s = p->v[i].settings;
        if (p->v[i].policy == &away)
            snprintf(text + n, sizeof text - n, "away=" STR_FMT " ", STR_ARG(*(const struct str *)p->v[i].settings));
        else if (p->v[i].policy == &colour)
            snprintf(text + n, sizeof text - n, "colour=" STR_FMT "%s ", STR_ARG(c->text), c->outer ? "+" : "");
        else
            snprintf(text + n, sizeof text - n, "size=%dx%d ", (int)s->width, (int)s->height);
    }
    return text;
}

struct inheritance {
    const char *site, *route, *of_route, *of_site;
};

/* A route with none of a policy's keys takes the site's settings of it; with one of them, none of the site's. */
static const struct inheritance inheritances[] = {
    {"", "", "", ""},
    {"", ", colour: red", "colour=red ", ""},
    {"", ", height: 7", "size=1x7 ", ""},
    {"colour: blue, ", "", "colour=blue ", "colour=blue "},
    {"colour: blue, ", ", colour: red", "colour=red+ ", "colour=blue "},
    {"colour: blue, ", ", width: 3", "colour=blue size=3x2 ", "colour=blue "},
    {"height: 9, colour: blue, ", ", width: 3", "colour=blue size=3x2 ", "colour=blue size=1x9 "},
    {"width: 5, height: 9, ", ", colour: red", "colour=red size=5x9 ", "size=5x9 "},
};

Test(policy_conf, what_a_route_takes_from_its_site)
{
    for (size_t i = 0; i < COUNT(inheritances); i++) {
        const struct inheritance *in = &inheritances[i];
        char yaml[256];
        snprintf(yaml, sizeof yaml, "- {%sroutes: [{path: /, to: {}%s}, {path: /plain, to: {}}]}", in->site, in->route);
        cr_assert_eq(read_sites(yaml), 0, "%s", yaml);
        cr_expect_str_eq(applied("/"), in->of_route, "%s", yaml);
        cr_expect_str_eq(applied("/plain"), in->of_site, "%s", yaml);
        snprintf(yaml, sizeof yaml, "- {routes: [{path: /a, to: {}%s}]%s%.*s}", in->route, in->site[0] ? ", " : "",
                 (int)(strlen(in->site) ? strlen(in->site) - 2 : 0), in->site);
        cr_assert_eq(read_sites(yaml), 0, "%s", yaml);
        cr_expect_str_eq(applied("/a"), in->of_route, "%s: the site's keys behind its routes", yaml);
        cr_expect_str_eq(applied("/lost"), in->of_site, "%s: a path without a route", yaml);
    }
}

/* What stands in a site alone holds for all routes, and for what has none; a handler may have its name. */
Test(policy_conf, of_a_site_alone)
{
    cr_assert_eq(read_sites("- {away: x, routes: [{path: /a, away: {}}, {path: /b, to: {}, colour: red}]}"), 0);
    cr_expect_str_eq(applied("/a"), "away=x ");
    cr_expect_str_eq(applied("/b"), "away=x colour=red ");
    cr_expect_str_eq(applied("/lost"), "away=x ");
    cr_expect_eq(http_route_find(sites.fallback, STR("/a"))->handler, &another);
    cr_assert_eq(read_sites("- {routes: [{path: /a, away: {}}]}"), 0);
    cr_expect_str_eq(applied("/a"), "");
}

Test(policy_conf, without_policies)
{
    http_policies = NULL;
    cr_expect_eq(read_sites("- routes: [{path: /, to: {}}]"), 0);
    cr_expect_str_eq(applied("/"), "");
    cr_expect_lt(read_sites("- {colour: red, routes: [{path: /, to: {}}]}"), 0);
    cr_expect(reported("colour: unknown key in a site"));
}

/* However many there are, and each with as many keys as it likes. */
Test(policy_conf, many_policies)
{
    enum { MANY = 100 };
    static char names[MANY][8], yaml[2000];
    static struct conf_key keys[MANY];
    static struct conf_table tables[MANY];
    static struct http_policy each[MANY];
    static const struct http_policy *registry[MANY + 1];
    char *at = yaml + sprintf(yaml, "- {routes: [{path: /, to: {}");
    for (size_t i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i], "key%zu", i);
        keys[i] = (struct conf_key){.name = names[i], .kind = CONF_INT};
        tables[i] = (struct conf_table){.what = "many", .keys = &keys[i], .count = 1};
        each[i] = (struct http_policy){.table = &tables[i], .size = sizeof(int64_t)};
        registry[i] = &each[i];
        at += sprintf(at, ", key%zu: %zu", i, i);
    }
    sprintf(at, "}]}");
    http_policies = registry;
    cr_expect_eq(read_sites(yaml), 0, "%s", reader.kept ? reader.errors[0].text.p : "");
    cr_expect_eq(sites.fallback->root->policies.n, MANY);
}
