/* config_test.c: a configuration that is loaded, whether it is used or refused, leaves nothing behind. */
#include "../base/descriptors.h"
#include "../conf/folder.h"
#include "green/sanitize.h"
#include "proc/config.h"

#include <criterion/criterion.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    WARM_UP = 8,                               /* loads after which libraries have made what they keep */
    LOADS = SANITIZE_OWNS_SIGNALS ? 50 : 1000, /* a sanitizer is slow, and sees a leak the first time */
    REFUSALS = SANITIZE_OWNS_SIGNALS ? 20 : 200,
    LEAK = 24, /* less than the smallest piece of memory takes; malloc keeps a few of them at hand */
};

#define HASH "$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"

static const char main_file[] = "include: [sites.d/*.yaml]\n"
                                "user: nobody\n"
                                "group: nogroup\n"
                                "workers: 2\n"
                                "pin: off\n"
                                "threads: 2\n"
                                "stack: 128k\n"
                                "mime_types: types\n"
                                "listen: ['127.0.0.1:8080', {address: '[::1]:8081', backlog: 64}, 'unix:web.sock']\n"
                                "limits: {connections: 1000, header_size: 32k, body_size: 1m}\n"
                                "timeouts: {header: 10s, idle: 75s, shutdown: 30s}\n"
                                "log: {level: info, error: error.log, access: {path: access.log, buffer: 128k}}\n"
                                "sites: []\n";

static const char site_file[] = "sites:\n"
                                "  - hosts: [example.org, '*.example.org']\n"
                                "    allow: [127.0.0.0/8, '::1']\n"
                                "    deny: 10.0.0.0/8\n"
                                "    auth: {realm: Staff, users: {alice: '" HASH "'}, file: users}\n"
                                "    limit: {requests: 100/s, burst: 200}\n"
                                "    headers: {X-Frame-Options: DENY}\n"
                                "    expires: {text/html: 1h, text/css: 1d}\n"
                                "    compress: {types: [text/html, text/css], min_size: 2k}\n"
                                "    errors: {404: /missing.html, 5xx: /broken.html}\n"
                                "    routes:\n"
                                "      - {exact: /ok, respond: {status: 200, type: text/plain, body: ok}}\n"
                                "      - {path: /old/, redirect: {to: /new/, status: 301}}\n"
                                "      - {path: /, files: {root: www, listing: on, try: [$path.html, index.html]}}\n"
                                "      - {path: /api/, limit: {requests: 10/m, by: server}, auth: off, echo: {}}\n"
                                "  - routes: [{path: /, files: {root: www}}]\n";

static FILE *nowhere;

static void write_files(void)
{
    folder_enter();
    folder_write("main.yaml", main_file);
    folder_write("sites.d/1.yaml", site_file);
    folder_write("types", "text/html html htm\ntext/css css\n");
    folder_write("users", "bob:" HASH "\n");
    folder_write("www/index.html", "hello");
    cr_assert_eq(chmod("www", 0755), 0); /* for workers, who are not root */
    nowhere = fopen("/dev/null", "w");
    cr_assert_not_null(nowhere);
}

static void remove_files(void)
{
    fclose(nowhere);
    folder_leave();
}

TestSuite(config, .init = write_files, .fini = remove_files);

static const struct config_options options = {.file = "main.yaml"};

static void load(bool usable)
{
    struct config *config = config_load(&options, usable ? stderr : nowhere);
    cr_assert_eq(config != NULL, usable);
    if (config)
        config_free(config);
}

/* What a process holds of the system's. */
struct holdings {
    size_t descriptors, mappings, heap;
};

static size_t count_mappings(void)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    size_t count = 0;
    cr_assert_not_null(maps);
    for (int c; (c = fgetc(maps)) != EOF;)
        count += c == '\n';
    fclose(maps);
    return count;
}

/* A sanitizer has a heap of its own, which maps memory as it likes and tells what leaks at the end. */
static struct holdings take_stock(void)
{
    struct holdings h = {.descriptors = open_descriptors(), .mappings = count_mappings()};
    h.heap = mallinfo2().uordblks;
    return h;
}

static void expect_nothing_kept(bool usable, size_t times)
{
    for (size_t i = 0; i < WARM_UP; i++)
        load(usable);
    struct holdings before = take_stock();
    for (size_t i = 0; i < times; i++)
        load(usable);
    struct holdings after = take_stock();
    cr_expect_eq(after.descriptors, before.descriptors, "%zu descriptors, then %zu", before.descriptors,
                 after.descriptors);
    cr_expect_lt(after.mappings, before.mappings + times / 4, "%zu mappings, then %zu", before.mappings,
                 after.mappings);
    cr_expect_lt(after.heap, before.heap + times * LEAK, "%zu bytes, then %zu", before.heap, after.heap);
}

/* The text with one piece of it replaced. */
static void write_changed(const char *name, const char *text, const char *piece, const char *by)
{
    char changed[4096];
    const char *at = strstr(text, piece);
    cr_assert_not_null(at, "no `%s` in %s", piece, name);
    int n = snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - text), text, by, at + strlen(piece));
    cr_assert_lt((size_t)n, sizeof changed);
    folder_write(name, changed);
}

static const struct {
    const char *piece, *by;
} mistakes[] = {
    /* of the main file */
    {"include: [sites.d/*.yaml]", "include: [sites.d/*.yaml, none.yaml]"},
    {"user: nobody", "user: no-such-user"},
    {"group: nogroup", "group: [a]"},
    {"workers: 2", "workers: 0"},
    {"stack: 128k", "stack: 1k"},
    {"mime_types: types", "mime_types: none"},
    {"mime_types: types", "mime_types: users"},
    {"8080'", "99999'"},
    {"8081'", "x'"},
    {"header_size: 32k", "header_sise: 32k"},
    {"idle: 75s", "idle: long"},
    {"level: info", "level: loud"},
    {"buffer: 128k", "buffer: 1"},
    {"sites: []\n", "sites: [\n"},
    /* of the included one */
    {"example.org,", "'exa mple',"},
    {"127.0.0.0/8", "127.0.0.1/8"},
    {"deny: 10.0.0.0/8", "deny: nobody"},
    {"alice: '$2y", "alice: '$0y"},
    {"file: users", "file: none"},
    {"file: users", "file: types"},
    {"requests: 100/s", "requests: 100"},
    {"burst: 200", "burst: none"},
    {"X-Frame-Options", "'X Frame'"},
    {"text/css: 1d", "text/css: soon"},
    {"min_size: 2k", "max_size: 2k"},
    {"404: /missing.html", "404: missing"},
    {"status: 200", "status: 99"},
    {"to: /new/", "two: /new/"},
    {"root: www", "root: none"},
    {"[$path.html", "[../$path"},
    {"by: server", "by: chance"},
    {"echo: {}", "ecco: {}"},
    {"echo: {}", "echo: {}, respond: {}"},
    {"path: /api/", "path: api"},
    {"  - routes: [{path: /, files: {root: www}}]", "  - routes: [{path: /, files: {root: www}}, {path: /}]"},
};

Test(config, what_was_loaded_is_freed)
{
    expect_nothing_kept(true, LOADS);
}

Test(config, what_was_refused_is_freed)
{
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        bool in_main = strstr(main_file, mistakes[i].piece);
        folder_write("main.yaml", main_file);
        folder_write("sites.d/1.yaml", site_file);
        load(true);
        write_changed(in_main ? "main.yaml" : "sites.d/1.yaml", in_main ? main_file : site_file, mistakes[i].piece,
                      mistakes[i].by);
        expect_nothing_kept(false, REFUSALS);
    }
}
