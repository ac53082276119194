/* run.c: see run.h. */
#include "run.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "conf/dump.h"
#include "conf/yaml.h"

static struct arena arena;
static struct conf_reader reader;
static struct conf_node *root;

void run_begin(void)
{
    arena_init(&arena, NULL, 0);
}

void run_end(void)
{
    arena_clear(&arena);
}

const void *run_read(const struct http_policy *policy, const char *yaml, const void *outer)
{
    void *settings = arena_zalloc(&arena, policy->size);
    cr_assert_not_null(settings);
    conf_reader_init(&reader, &arena);
    cr_assert_eq(conf_parse(&reader, STR("t"), str_of(yaml), &root), 0, "%s: %s", yaml, run_errors());
    int error = conf_read_map(&reader, root, policy->table, settings);
    if (!error && policy->prepare)
        error = policy->prepare(&reader, root, outer, settings);
    cr_expect_eq(error != 0, conf_failed(&reader), "%s: %d, and %zu messages", yaml, error, reader.failed);
    return error ? NULL : settings;
}

static const char *written(void (*write)(FILE *f))
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    cr_assert_not_null(f);
    write(f);
    fclose(f);
    const char *copy = arena_copy(&arena, (struct str){text, n}).p;
    free(text);
    return copy;
}

static void write_errors(FILE *f)
{
    conf_report(&reader, f);
}

static void write_dump(FILE *f)
{
    cr_assert_eq(conf_dump(f, root), 0);
}

const char *run_errors(void)
{
    return written(write_errors);
}

const char *run_dump(void)
{
    return written(write_dump);
}

const void *run_good(const struct http_policy *policy, const char *yaml, const void *outer)
{
    const void *settings = run_read(policy, yaml, outer);
    cr_assert_not_null(settings, "%s: %s", yaml, run_errors());
    return settings;
}

struct peer run_peer(const char *address)
{
    struct addr addr;
    struct peer peer;
    const char *format = strchr(address, ':') ? "[%s]:1" : strcmp(address, "unix") == 0 ? "%s:/a" : "%s:1";
    struct str text = arena_printf(&arena, format, address);
    cr_assert_eq(addr_parse(text, &addr), 0, "%s", address);
    peer_from(&peer, &addr.any);
    return peer;
}

static const char *fields_sent;

static int head(struct exchange *x, const struct http_head *sent)
{
    (void)x;
    fields_sent = arena_copy(&arena, sent->fields).p;
    return 0;
}

static int content(struct exchange *x, struct str bytes)
{
    (void)x, (void)bytes;
    return 0;
}

static int end(struct exchange *x)
{
    (void)x;
    return 0;
}

static const struct exchange_ops ops = {.head = head, .content = content, .end = end};

struct run_answer run_ask(const struct http_policy *policy, const void *settings, const char *address,
                          const char *authorization)
{
    struct peer peer = run_peer(address);
    struct http_field fields[2];
    size_t count = 0;
    for (struct str rest = str_of(authorization); authorization && (rest.n || count == 0); count++)
        fields[count] = (struct http_field){STR("authorization"), str_cut(&rest, '\n')};
    struct exchange x = {.ops = &ops, .peer = &peer};
    x.request = (struct http_request){.method = METHOD_GET, .fields = fields, .field_count = count};
    arena_init(&x.arena, NULL, 0);
    fields_sent = "";
    struct run_answer answer = {.error = policy->admit(&x, settings)};
    answer.status = x.response.status;
    answer.fields = fields_sent;
    answer.user = x.user.n ? arena_copy(&arena, x.user).p : "";
    arena_clear(&x.arena);
    return answer;
}
