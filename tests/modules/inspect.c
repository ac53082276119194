/* inspect.c: handlers that tell what they were asked, and read what was sent. */
#include "tern.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- what was asked ---- */

static int put_parts(struct tern_request *r)
{
    static const struct {
        const char *name;
        enum tern_part part;
    } parts[] = {{"method", TERN_METHOD},   {"target", TERN_TARGET}, {"path", TERN_PATH},
                 {"rest", TERN_REST},       {"query", TERN_QUERY},   {"scheme", TERN_SCHEME},
                 {"host", TERN_HOST},       {"peer", TERN_PEER},     {"user", TERN_USER},
                 {"tls", TERN_TLS_VERSION}, {"sni", TERN_TLS_NAME},  {"subject", TERN_TLS_SUBJECT}};
    int error = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts && !error; i++)
        error = tern_printf(r, "%s=%s\n", parts[i].name, tern_get(r, parts[i].part));
    return error ? error : tern_printf(r, "length=%" PRId64 "\n", tern_length(r));
}

static int serve_parts(struct tern_request *r, void *state)
{
    (void)state;
    return put_parts(r);
}

/* All of them in their order, then the one that the query asks for. */
static int serve_fields(struct tern_request *r, void *state)
{
    const char *name, *value;
    int error = 0;
    (void)state;
    for (size_t i = 0; !error && tern_field_at(r, i, &name, &value); i++)
        error = tern_printf(r, "%s: %s\n", name, value);
    const char *wanted = tern_query(r, "name");
    const char *found = wanted ? tern_field(r, wanted) : NULL;
    return error ? error : tern_printf(r, "%s\n", found ? found : "(none)");
}

/* The value of `q`. */
static int serve_query(struct tern_request *r, void *state)
{
    (void)state;
    const char *value = tern_query(r, "q");
    return tern_printf(r, "%s", value ? value : "(none)");
}

/* ---- what was sent ---- */

/* Back as it comes. */
static int serve_echo(struct tern_request *r, void *state)
{
    char bytes[1000];
    ssize_t got;
    (void)state;
    while ((got = tern_read(r, bytes, sizeof bytes)) > 0) {
        int error = tern_write(r, bytes, (size_t)got);
        if (error)
            return error;
    }
    return (int)got;
}

struct most {
    uint64_t bytes;
};

static int open_most(struct tern_settings *settings, void **state)
{
    struct most *most = calloc(1, sizeof *most);
    if (!most)
        return -ENOMEM;
    most->bytes = tern_setting_size(settings, "most", 1 << 20, INT64_MAX);
    *state = most;
    return 0;
}

/* Back in one piece. */
static int serve_all(struct tern_request *r, void *state)
{
    const struct most *most = state;
    char *bytes;
    size_t n;
    int error = tern_read_all(r, most->bytes, &bytes, &n);
    if (error)
        return error;
    if (bytes[n] != '\0')
        return tern_fail(r, 500);
    return tern_write(r, bytes, n);
}

/* An answer that does not look at what was sent. */
static int serve_unread(struct tern_request *r, void *state)
{
    (void)state;
    return tern_printf(r, "unread\n");
}

/* It begins to answer before it reads: an error in what is sent comes too late for a status. */
static int serve_late(struct tern_request *r, void *state)
{
    int error = tern_printf(r, "begun, ");
    if (!error)
        error = tern_flush(r);
    return error ? error : serve_echo(r, state);
}

/* It keeps an error to itself, and answers by its own means. */
static int serve_forgiving(struct tern_request *r, void *state)
{
    char bytes[1000];
    ssize_t got;
    (void)state;
    while ((got = tern_read(r, bytes, sizeof bytes)) > 0)
        ;
    tern_status(r, 202);
    return tern_printf(r, "read until: %s\n", got ? strerror((int)-got) : "the end");
}

static const struct tern_handler handlers[] = {
    {.name = "parts", .serve = serve_parts},
    {.name = "fields", .serve = serve_fields},
    {.name = "query", .serve = serve_query},
    {.name = "echo", .serve = serve_echo},
    {.name = "all", .serve = serve_all, .open = open_most, .close = free},
    {.name = "unread", .serve = serve_unread},
    {.name = "late", .serve = serve_late},
    {.name = "forgiving", .serve = serve_forgiving},
    {.name = NULL},
};

const struct tern_module tern_module = {.abi = TERN_ABI, .name = "inspect", .handlers = handlers};
