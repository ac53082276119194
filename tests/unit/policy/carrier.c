/* carrier.c: see carrier.h. */
#include "carrier.h"

#include <criterion/criterion.h>
#include <errno.h>

struct carrier carrier;

static int head(struct exchange *x, const struct http_head *head)
{
    (void)x;
    carrier.head = *head;
    return 0;
}

static int content(struct exchange *x, struct str bytes)
{
    (void)x;
    if (carrier.refused && carrier.n + bytes.n > carrier.refused)
        return -EPIPE;
    cr_assert_leq(bytes.n, CARRIER_ROOM - carrier.n);
    cr_assert_gt(bytes.n, 0, "an empty chunk would be the last one");
    memcpy(carrier.content + carrier.n, bytes.p, bytes.n);
    carrier.n += bytes.n;
    carrier.pieces++;
    return 0;
}

static int file(struct exchange *x, int fd, off_t at, size_t n, const struct file_stamp *stamp)
{
    (void)x, (void)fd, (void)at, (void)stamp;
    carrier.file = true;
    carrier.n += n;
    return 0;
}

static int flush(struct exchange *x)
{
    (void)x;
    carrier.flushes++;
    return 0;
}

static int end(struct exchange *x)
{
    (void)x;
    carrier.ended = true;
    return 0;
}

static ssize_t read_nothing(struct exchange *x, void *to, size_t n)
{
    (void)x, (void)to;
    return (ssize_t)n;
}

static const struct exchange_ops ops = {head, content, file, flush, end, read_nothing};

void carrier_start(const struct http_policy *policy, const void *settings)
{
    struct exchange *x = &carrier.x;
    *x = (struct exchange){.ops = &ops, .server = &carrier.server, .route = &carrier.route};
    carrier.server.timeouts.write = 30 * NSEC_SEC;
    carrier.applied = (struct http_applied){.policy = policy, .settings = settings};
    carrier.route.policies = (struct http_policies){&carrier.applied, policy != NULL};
    x->request = (struct http_request){.method = METHOD_GET, .minor = 1, .fields = carrier.fields};
    arena_init(&x->arena, NULL, 0);
    carrier.head = (struct http_head){0};
    carrier.n = carrier.pieces = carrier.flushes = carrier.refused = 0;
    carrier.file = carrier.ended = false;
}

void carrier_end(void)
{
    arena_clear(&carrier.x.arena);
    cr_assert_eq(carrier.x.ops, &ops, "an exchange ends as it began");
}

void carrier_ask(struct str name, struct str value)
{
    struct http_request *request = &carrier.x.request;
    cr_assert_lt(request->field_count, CARRIER_FIELDS);
    request->fields[request->field_count++] = (struct http_field){name, value};
}
