/* times.c: see times.h. */
#include "http/times.h"

#include <stddef.h>

#include "log/access_format.h"

#define TENTH (NSEC_MS / 10)

static const struct account {
    struct str name;
    size_t offset; /* in struct access_times */
} accounts[] = {
    {STR_INIT("header"), offsetof(struct access_times, header)},
    {STR_INIT("queue"), offsetof(struct access_times, queue)},
    {STR_INIT("cpu"), offsetof(struct access_times, cpu)},
    {STR_INIT("pool"), offsetof(struct access_times, pool)},
    {STR_INIT("upstream"), offsetof(struct access_times, upstream)},
    {STR_INIT("client"), offsetof(struct access_times, client)},
};

enum { ACCOUNTS = sizeof accounts / sizeof *accounts };

static nsec amount(const struct access_times *times, const struct account *account)
{
    return *(const nsec *)(const void *)((const char *)times + account->offset);
}

void http_times_start(struct http_times *times, nsec since)
{
    times->before = green_spent_before();
    times->read = since ? since : times->before.at;
    times->before.queue -= times->before.at - times->read;
}

struct access_times http_times_until(const struct http_times *times, const struct green_spent *now)
{
    const struct green_spent *before = &times->before;
    struct access_times spent = {.total = now->at - times->begun};
    spent.header = times->read ? times->read - times->begun : spent.total;
    if (times->read && before->at == 0)
        spent.queue = now->at - times->read;
    if (before->at == 0)
        return spent;
    spent.queue = now->queue - before->queue;
    spent.cpu = now->running - before->running;
    spent.pool = now->pool - before->pool;
    spent.upstream = now->upstream - before->upstream;
    spent.client = now->client - before->client;
    return spent;
}

nsec http_times_other(const struct access_times *times)
{
    nsec other = times->total;
    for (size_t i = 0; i < ACCOUNTS; i++)
        other -= amount(times, &accounts[i]);
    return other > 0 ? other : 0;
}

void http_times_put(struct out *o, nsec duration)
{
    uint64_t tenths = duration > 0 ? (uint64_t)(duration / TENTH) : 0;
    out_u64(o, tenths / 10);
    out_char(o, '.');
    out_u64(o, tenths % 10);
}

void http_times_put_all(struct out *o, const struct access_times *times, struct str between)
{
    for (size_t i = 0; i < ACCOUNTS; i++) {
        if (i > 0)
            out_text(o, ", ");
        out_put(o, accounts[i].name);
        out_put(o, between);
        http_times_put(o, amount(times, &accounts[i]));
    }
}
