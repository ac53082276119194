/* route_test.c: configurations that are refused, and which route a host and a path find. */
#include "http/route.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "conf/yaml.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

struct settings {
    struct str name;
};

static const struct conf_key keys[] = {
    {"name", CONF_TEXT, offsetof(struct settings, name), .required = true, .doc = "told apart by"},
};
static const struct conf_table table = CONF_TABLE("test", keys);
static const struct http_handler handler = {.name = STR_INIT("to"), .table = &table, .size = sizeof(struct settings)};
static const struct http_handler other = {.name = STR_INIT("other"), .table = &table, .size = sizeof(struct settings)};
static const struct http_handler *const handlers[] = {&handler, &other, NULL};

static struct arena arena;
static struct conf_reader reader;
static struct http_sites sites;

/* What look-ups have cost so far. */
static size_t probes, bytes_probed;

struct hash_node *__real_hash_find(const struct hash *h, struct str key);
struct hash_node *__wrap_hash_find(const struct hash *h, struct str key);

struct hash_node *__wrap_hash_find(const struct hash *h, struct str key)
{
    probes++;
    bytes_probed += key.n;
    return __real_hash_find(h, key);
}

static void setup(void)
{
    arena_init(&arena, NULL, 0);
    http_handlers = handlers;
}

static void teardown(void)
{
    arena_clear(&arena);
}

TestSuite(route, .init = setup, .fini = teardown);

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

#define ROUTE "{path: /, to: {name: a}}"

static const struct refusal refused[] = {
    {"{}", "must be a list of sites"},
    {"[]", "must be a list of sites"},
    {"- routes: x", "must be a list of routes"},
    {"- routes: {path: /, to: {name: a}}", "must be a list of routes"},
    {"- hosts: a", "routes"},
    {"- {routes: [" ROUTE "], x: y}", "x"},
    {"- routes: [{to: {name: a}}]", "lacks a path, one of `exact`, `path`"},
    {"- routes: [{path: /, exact: /, to: {name: a}}]", "a second path beside `path`"},
    {"- routes: [{path: '', to: {name: a}}]", "not a path as it is looked up"},
    {"- routes: [{path: a/b, to: {name: a}}]", "not a path as it is looked up"},
    {"- routes: [{exact: '*', to: {name: a}}]", "not a path as it is looked up"},
    {"- routes: [{path: /}]", "lacks a handler, one of `to`, `other`"},
    {"- routes: [{path: /, to: {name: a}, other: {name: b}}]", "[0].routes[0].other: a second handler beside `to`"},
    {"- routes: [{path: /, too: x, to: {name: []}}]", "name: takes a single value"},
    {"- routes: [{to: {x: y}}]", "unknown key in test"},
    {"- routes: [{path: /, too: {name: a}}]", "too"},
    {"- routes: [{path: /, to: {}}]", "name"},
    {"- routes: [{path: /, to: {name: a, x: b}}]", "x"},
    {"- routes: [" ROUTE ", " ROUTE "]", "a second route for `/`"},
    {"- routes: [{exact: /a, to: {name: a}}, {path: /a, to: {name: a}}, {exact: /a, to: {name: a}}]",
     "a second route for `/a`"},
    {"- routes: [{exact: /a, to: {name: a}}, {path: /a, to: {name: a}}, {path: /a, to: {name: a}}]",
     "a second route for `/a`"},
    {"- routes: [" ROUTE "]\n- routes: [" ROUTE "]", "a second site without hosts"},
    {"- {hosts: a, routes: [" ROUTE "]}\n- {hosts: [b, A], routes: [" ROUTE "]}", "another site has this host"},
    {"- {hosts: ['*.a', '*.A'], routes: [" ROUTE "]}", "another site has this host"},
    {"- {hosts: '', routes: [" ROUTE "]}", "not a host name"},
    {"- {hosts: '*', routes: [" ROUTE "]}", "not a host name"},
    {"- {hosts: '*.', routes: [" ROUTE "]}", "not a host name"},
    {"- {hosts: '*a', routes: [" ROUTE "]}", "not a host name"},
    {"- {hosts: 'a.*', routes: [" ROUTE "]}", "not a host name"},
    {"- {hosts: '*.*.a', routes: [" ROUTE "]}", "not a host name"},
    {"- {hosts: 'a b', routes: [" ROUTE "]}", "not a host name"},
    {"- {hosts: 'http://a', routes: [" ROUTE "]}", "not a host name"},
    {"- {hosts: a/b, routes: [" ROUTE "]}", "not a host name"},
    {"- {errors: {404: /x}, routes: [{path: /a, to: {name: a}}]}", "[0].errors.404: no route of this site"},
    {"- {errors: {404: /a/b}, routes: [{exact: /a, to: {name: a}}, {path: /a/b/, to: {name: b}}]}",
     "[0].errors.404: no route of this site"},
    {"- {errors: {404: /a}, routes: [{path: /b, to: {name: b}}]}\n- routes: [{path: /a, to: {name: a}}]",
     "no route of this site"},
};

static bool reported(const char *message)
{
    for (size_t i = 0; i < reader.kept; i++)
        if (strstr(reader.errors[i].text.p, message))
            return true;
    return false;
}

Test(route, configurations_refused)
{
    for (size_t i = 0; i < COUNT(refused); i++) {
        cr_expect_lt(read_sites(refused[i].yaml), 0, "%s", refused[i].yaml);
        cr_expect(reported(refused[i].message), "%s: %s", refused[i].yaml,
                  reader.kept ? reader.errors[0].text.p : "no message");
    }
}

Test(route, a_host_that_is_too_long)
{
    char yaml[400];
    snprintf(yaml, sizeof yaml, "- {hosts: %0256d, routes: [" ROUTE "]}", 0);
    cr_expect_lt(read_sites(yaml), 0);
    snprintf(yaml, sizeof yaml, "- {hosts: %0255d, routes: [" ROUTE "]}", 0);
    cr_expect_eq(read_sites(yaml), 0);
}

struct look_up {
    const char *host, *path, *name; /* name NULL: none */
};

static void expect_found(const struct look_up *table_of, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct look_up *l = &table_of[i];
        const struct http_site *site = http_site_find(&sites, str_of(l->host));
        const struct http_route *route = site ? http_route_find(site, str_of(l->path)) : NULL;
        struct str name =
            route && route != &site->missing ? ((const struct settings *)route->settings)->name : STR("(none)");
        cr_expect(str_eq(name, str_of(l->name ? l->name : "(none)")), "%s %s: " STR_FMT, l->host, l->path,
                  STR_ARG(name));
    }
}

static const struct look_up paths[] = {
    {"", "/", "root"},         {"", "/x", "root"},       {"", "/x/", "root"},    {"", "/a", "a"},
    {"", "/a/", "a-slash"},    {"", "/a/x", "a-slash"},  {"", "/a/b", "a/b"},    {"", "/a/b/", "a/b"},
    {"", "/a/b/c/d", "a/b"},   {"", "/a/bc", "a-slash"}, {"", "/ab", "root"},    {"", "/A", "root"},
    {"", "/e", "exact e"},     {"", "/e/", "root"},      {"", "/e/x", "root"},   {"", "/both", "exact both"},
    {"", "/both/", "both"},    {"", "/both/x", "both"},  {"", "/slash", "root"}, {"", "/slash/", "slash"},
    {"", "/slash/x", "slash"},
};

static const char path_routes[] = "- routes:\n"
                                  "    - {path: /both, to: {name: both}}\n"
                                  "    - {exact: /both, other: {name: exact both}}\n"
                                  "    - {path: /a/b, to: {name: a/b}}\n"
                                  "    - {path: /, to: {name: root}}\n"
                                  "    - {path: /a, to: {name: a}}\n"
                                  "    - {path: /a/, to: {name: a-slash}}\n"
                                  "    - {exact: /e, to: {name: exact e}}\n"
                                  "    - {path: /slash/, to: {name: slash}}\n";

Test(route, exact_then_the_longest_prefix)
{
    cr_assert_eq(read_sites(path_routes), 0);
    expect_found(paths, COUNT(paths));
}

Test(route, without_a_root)
{
    static const struct look_up table_of[] = {
        {"", "/", NULL}, {"", "/a", "a"}, {"", "/a/b/c", "a"}, {"", "/b", NULL}, {"", "/e", "e"}, {"", "/e/", NULL},
    };
    cr_assert_eq(read_sites("- routes: [{path: /a, to: {name: a}}, {exact: /e, to: {name: e}}]"), 0);
    expect_found(table_of, COUNT(table_of));
}

Test(route, an_exact_root)
{
    static const struct look_up table_of[] = {{"", "/", "exact"}, {"", "/a", "path"}};
    cr_assert_eq(read_sites("- routes: [{exact: /, to: {name: exact}}, {path: /, to: {name: path}}]"), 0);
    expect_found(table_of, COUNT(table_of));
    cr_assert_eq(read_sites("- routes: [{path: /, to: {name: path}}, {exact: /, to: {name: exact}}]"), 0);
    expect_found(table_of, COUNT(table_of));
}

/* Lengths are told apart by their last six bits only. */
Test(route, prefixes_of_every_length)
{
    for (int length = 2; length < 200; length++) {
        char yaml[512], path[256], below[256], beside[256];
        memset(path, 'x', sizeof path);
        path[0] = '/';
        path[length] = '\0';
        snprintf(below, sizeof below, "%s/y", path);
        snprintf(beside, sizeof beside, "%sy", path);
        snprintf(yaml, sizeof yaml, "- routes: [{path: /, to: {name: root}}, {path: %s, to: {name: long}}]", path);
        cr_assert_eq(read_sites(yaml), 0);
        const struct look_up table_of[] = {
            {"", path, "long"},
            {"", below, "long"},
            {"", beside, "root"},
            {"", "/", "root"},
        };
        expect_found(table_of, COUNT(table_of));
    }
}

#define SEGMENTS "/a/b/c/d/e/f/g/h"

/* `count` times the text. */
static const char *repeated(const char *text, size_t count)
{
    static char path[1 << 16];
    size_t n = strlen(text);
    cr_assert_lt(count * n, sizeof path);
    for (size_t i = 0; i < count; i++)
        memcpy(path + i * n, text, n);
    path[count * n] = '\0';
    return path;
}

/* A path is as long as its client likes. Only as much of it counts as some route has. */
Test(route, a_path_much_longer_than_any_route)
{
    cr_assert_eq(read_sites("- routes: [{path: /a, to: {name: short}}, {path: " SEGMENTS ", to: {name: long}},\n"
                            "           {path: /x/, to: {name: slash}}, {path: /, to: {name: root}}]"),
                 0);
    const struct look_up table_of[] = {
        {"", repeated(SEGMENTS, 500), "long"}, {"", SEGMENTS, "long"},      {"", SEGMENTS "/", "long"},
        {"", SEGMENTS "/i", "long"},           {"", SEGMENTS "i", "short"}, {"", "/a/b/c/d/e/f/g", "short"},
    };
    expect_found(table_of, COUNT(table_of));
    expect_found(&(struct look_up){"", repeated("/a", 4000), "short"}, 1);
    expect_found(&(struct look_up){"", repeated("/x", 4000), "slash"}, 1);
    expect_found(&(struct look_up){"", repeated("/y", 4000), "root"}, 1);
}

/* Neither probes nor bytes to hash: one of them for each segment of a path of 8 KB would make its square. */
Test(route, what_a_long_path_costs)
{
    enum { LONGEST = sizeof SEGMENTS - 1, LENGTHS = 64 };
    static const char *const paths_of[] = {"/a", "/", "/ab", SEGMENTS};
    char yaml[LENGTHS * 64] = "- routes: [{path: " SEGMENTS ", to: {name: long}}";
    for (int n = 2; n < LONGEST; n++)
        sprintf(yaml + strlen(yaml), ", {path: /%0*d, to: {name: a}}", n - 1, 0);
    cr_assert_eq(read_sites(strcat(yaml, "]")), 0);
    for (size_t i = 0; i < COUNT(paths_of); i++) {
        struct str path = str_of(repeated(paths_of[i], 8192 / strlen(paths_of[i])));
        probes = bytes_probed = 0;
        cr_assert_not_null(http_route_find(sites.fallback, path));
        cr_expect_leq(probes, LONGEST, "%zu probes for %s...", probes, paths_of[i]);
        cr_expect_leq(bytes_probed, LONGEST * LONGEST, "%zu bytes for %s...", bytes_probed, paths_of[i]);
    }
}

static const char host_routes[] =
    "- {hosts: [Example.org, '[::1]'], routes: [{path: /, to: {name: exact}}]}\n"
    "- {hosts: '*.example.org', routes: [{path: /, to: {name: wildcard}}]}\n"
    "- {hosts: ['*.long.example.org', 192.0.2.1], routes: [{path: /, to: {name: longer}}]}\n"
    "- {hosts: a.b.example.org, routes: [{path: /only, to: {name: one}}]}\n";

static const struct look_up hosts[] = {
    {"example.org", "/", "exact"},
    {"EXAMPLE.ORG", "/", "exact"},
    {"[::1]", "/", "exact"},
    {"a.example.org", "/", "wildcard"},
    {"A.Example.Org", "/", "wildcard"},
    {"x.y.example.org", "/", "wildcard"},
    {"long.example.org", "/", "wildcard"},
    {"a.long.example.org", "/", "longer"},
    {"a.b.long.example.org", "/", "longer"},
    {"192.0.2.1", "/", "longer"},
    {"a.b.example.org", "/only", "one"},
    {"a.b.example.org", "/", NULL},
    {"a.bexample.org", "/", "(default)"},
    {"badexample.org", "/", "(default)"},
    {"example.org.evil", "/", "(default)"},
    {"org", "/", "(default)"},
    {"", "/", "(default)"},
    {".", "/", "(default)"},
    {"..", "/", "(default)"},
    {"*.example.org", "/", "wildcard"},
    /* with the dot of the root of all names */
    {"example.org.", "/", "exact"},
    {"EXAMPLE.ORG.", "/", "exact"},
    {"a.example.org.", "/", "wildcard"},
    {"a.long.example.org.", "/", "longer"},
    {"example.org..", "/", "(default)"},
    {".example.org.", "/", "wildcard"},
    {"org.", "/", "(default)"},
};

Test(route, sites_by_host)
{
    char yaml[1024];
    snprintf(yaml, sizeof yaml, "%s- routes: [{path: /, to: {name: (default)}}]", host_routes);
    cr_assert_eq(read_sites(yaml), 0);
    expect_found(hosts, COUNT(hosts));
    char name[400];
    snprintf(name, sizeof name, "%0300d.example.org", 0);
    expect_found(&(struct look_up){name, "/", "(default)"}, 1);
}

Test(route, without_a_default_site)
{
    static const struct look_up table_of[] = {{"example.org", "/", "exact"}, {"x", "/", NULL}, {"", "/", NULL}};
    cr_assert_eq(read_sites(host_routes), 0);
    expect_found(table_of, COUNT(table_of));
}

/* Against the rules of the header, followed to the letter. */
Test(route, random_routes)
{
    static const char *const names[] = {"/", "/a", "/a/", "/a/b", "/a/b/", "/b", "/ab", "/a/bb/a", "/b/", "/a/b/a"};
    srand(11);
    for (int round = 0; round < 300; round++) {
        char yaml[2048] = "- routes:\n";
        bool exact[COUNT(names)], prefix[COUNT(names)], any = false;
        for (size_t i = 0; i < COUNT(names); i++) {
            exact[i] = rand() % 3 == 0;
            prefix[i] = rand() % 3 == 0;
            any |= exact[i] || prefix[i];
            for (int kind = 0; kind < 2; kind++)
                if (kind ? exact[i] : prefix[i])
                    sprintf(yaml + strlen(yaml), "    - {%s: %s, to: {name: %s%s}}\n", kind ? "exact" : "path",
                            names[i], kind ? "=" : "", names[i]);
        }
        if (!any)
            continue;
        cr_assert_eq(read_sites(yaml), 0, "%s", yaml);
        for (size_t i = 0; i < COUNT(names); i++) {
            const char *best = NULL;
            char expected[32];
            for (size_t k = 0; k < COUNT(names); k++) {
                size_t n = strlen(names[k]);
                bool below = strncmp(names[i], names[k], n) == 0 &&
                             (names[i][n] == '\0' || names[i][n] == '/' || names[k][n - 1] == '/');
                if (prefix[k] && below && (!best || n > strlen(best)))
                    best = names[k];
            }
            snprintf(expected, sizeof expected, "=%s", names[i]);
            expect_found(&(struct look_up){"", names[i], exact[i] ? expected : best}, 1);
        }
    }
}
