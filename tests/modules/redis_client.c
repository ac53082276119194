/* redis_client.c: commands to Redis by hiredis as it is: its calls block.
 *
 *     settings: {host: localhost, port: 6379, timeout: 2s, commands: ["BLPOP gate 60", "SET key %b"]}
 *
 * All commands of a request go over one connection, in turn; the answer is the last one's. %b is the request's content.
 * A connection that is not in use is kept for the next request.
 */
#include "tern.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdlib.h>

enum { KEPT = 1000, CONTENT = 16 << 20 };

struct client {
    const char *host;
    int port;
    struct timeval timeout; /* of reads and writes; 0: none */
    const char *commands[8];
    redisContext *kept[KEPT];
    size_t count;
};

/* ---- settings ---- */

static void close_client(void *state)
{
    struct client *client = state;
    while (client->count)
        redisFree(client->kept[--client->count]);
    free(client);
}

static int open_client(struct tern_settings *settings, void **state)
{
    struct client *client = calloc(1, sizeof *client);
    if (!client)
        return -ENOMEM;
    tern_time timeout = tern_setting_time(settings, "timeout", 0, 3600 * TERN_SEC);
    client->host = tern_setting_text(settings, "host", "127.0.0.1");
    client->port = (int)tern_setting_int(settings, "port", 0, 1, UINT16_MAX);
    client->timeout = (struct timeval){.tv_sec = timeout / TERN_SEC, .tv_usec = timeout % TERN_SEC / 1000};
    for (size_t i = 0; i + 1 < sizeof client->commands / sizeof *client->commands; i++)
        client->commands[i] = tern_setting_item(settings, "commands", i);
    *state = client;
    return 0;
}

/* ---- connections ---- */

static int take(struct client *client, redisContext **redis)
{
    if (client->count) {
        *redis = client->kept[--client->count];
        return 0;
    }
    *redis = redisConnect(client->host, client->port);
    if (!*redis)
        return -ENOMEM;
    if (!(*redis)->err && client->timeout.tv_sec + client->timeout.tv_usec)
        redisSetTimeout(*redis, client->timeout);
    if (!(*redis)->err)
        return 0;
    tern_log(NULL, TERN_ERROR, "redis: %s", (*redis)->errstr);
    redisFree(*redis);
    return tern_cancelled() ? -ECANCELED : -ECONNREFUSED;
}

static void give(struct client *client, redisContext *redis)
{
    if (redis->err || client->count == KEPT)
        redisFree(redis);
    else
        client->kept[client->count++] = redis;
}

/* Right after a command that has failed. hiredis knows a timeout as the EAGAIN of a call that may wait. */
static int error_of(const redisContext *redis)
{
    if (redis->err != REDIS_ERR_IO)
        return -EPIPE;
    return errno == EAGAIN ? -ETIMEDOUT : -errno;
}

/* ---- requests ---- */

static int put_reply(struct tern_request *r, const redisReply *reply)
{
    switch (reply->type) {
    case REDIS_REPLY_INTEGER:
        return tern_printf(r, "%lld\n", reply->integer);
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
        return tern_write(r, reply->str, (size_t)reply->len);
    case REDIS_REPLY_NIL:
        return tern_printf(r, "nothing\n");
    case REDIS_REPLY_ARRAY:
        return tern_printf(r, "%zu elements\n", reply->elements);
    default:
        tern_log(r, TERN_ERROR, "redis: %s", reply->str);
        return tern_fail(r, 502);
    }
}

static int run_commands(const struct client *client, redisContext *redis, const char *content, size_t n,
                        redisReply **reply)
{
    for (size_t i = 0; client->commands[i]; i++) {
        if (*reply)
            freeReplyObject(*reply);
        *reply = redisCommand(redis, client->commands[i], content, n);
        if (!*reply)
            return error_of(redis);
    }
    return 0;
}

static int serve_client(struct tern_request *r, void *state)
{
    struct client *client = state;
    redisContext *redis;
    redisReply *reply = NULL;
    char *content;
    size_t n;
    int error = tern_read_all(r, CONTENT, &content, &n);
    if (!error)
        error = take(client, &redis);
    if (error)
        return error;
    error = run_commands(client, redis, content, n, &reply);
    give(client, redis);
    if (reply) {
        error = put_reply(r, reply);
        freeReplyObject(reply);
    }
    return error;
}

static const struct tern_handler handlers[] = {
    {.name = "redis", .serve = serve_client, .open = open_client, .close = close_client},
    {.name = NULL},
};

const struct tern_module tern_module = {.abi = TERN_ABI, .name = "redis_client", .handlers = handlers};
