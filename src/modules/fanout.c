/* fanout.c: asks several upstreams at once, and answers with what has come until a deadline.
 *
 *     module:
 *       file: fanout.so
 *       handler: fanout
 *       settings: {to: ["http://a.example/x", "https://b.example/y"], within: 300ms}
 *
 * Each upstream is asked on a green thread of its own, in the scope of the request: those that are still on their way
 * when the handler returns are cancelled, and their connections closed.
 */
#include "tern.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { UPSTREAMS = 16, TEXT = 1024 };

struct upstream {
    char host[256], authority[264]; /* the latter with its port, where that is not the usual one */
    const char *path;
    struct tern_remote remote;
};

struct fanout {
    struct upstream upstreams[UPSTREAMS];
    size_t count;
    tern_time within;
};

/* What is asked of one of them, and what it answers. */
struct question {
    const struct upstream *upstream;
    tern_time deadline;
    char answer[TEXT]; /* its status line, or more */
};

/* ---- settings ---- */

/* http://host[:port][/path], or https. */
static bool parse(const char *url, struct upstream *u)
{
    char scheme[8], port[8] = "";
    int at = 0;
    if (sscanf(url, "%7[a-z]://%255[^/:]%n", scheme, u->host, &at) != 2)
        return false;
    if (url[at] == ':' && sscanf(url + at, ":%7[0-9]", port) == 1)
        at += 1 + (int)strlen(port);
    bool tls = strcmp(scheme, "https") == 0;
    u->path = url[at] == '/' ? url + at : "/";
    u->remote = (struct tern_remote){.host = u->host, .port = tls ? 443 : 80, .tls = tls};
    if (*port)
        u->remote.port = (uint16_t)atoi(port);
    snprintf(u->authority, sizeof u->authority, *port ? "%s:%s" : "%s", u->host, port);
    return (tls || strcmp(scheme, "http") == 0) && (url[at] == '/' || url[at] == '\0') && u->remote.port;
}

static int read_upstreams(struct tern_settings *settings, struct fanout *fanout)
{
    const char *url;
    for (size_t i = 0; (url = tern_setting_item(settings, "to", i)); i++) {
        if (i == UPSTREAMS)
            return tern_setting_wrong(settings, "to", "takes at most %d upstreams", UPSTREAMS);
        if (!parse(url, &fanout->upstreams[fanout->count++]))
            return tern_setting_wrong(settings, "to", "`%s` is no http:// or https:// URL", url);
    }
    return fanout->count ? 0 : tern_setting_wrong(settings, NULL, "lacks `to`");
}

static int open_fanout(struct tern_settings *settings, void **state)
{
    struct fanout *fanout = calloc(1, sizeof *fanout);
    if (!fanout)
        return -ENOMEM;
    fanout->within = tern_setting_time(settings, "within", TERN_SEC, 60 * TERN_SEC);
    int error = read_upstreams(settings, fanout);
    if (error)
        free(fanout);
    else
        *state = fanout;
    return error;
}

/* ---- requests ---- */

/* Reads until the text has its first line. */
static int read_line(struct tern_stream *s, struct question *q)
{
    size_t n = 0;
    while (!memchr(q->answer, '\n', n)) {
        if (n == sizeof q->answer)
            return -EMSGSIZE;
        ssize_t got = tern_stream_read(s, q->answer + n, sizeof q->answer - n, q->deadline);
        if (got <= 0)
            return got < 0 ? (int)got : -ECONNRESET;
        n += (size_t)got;
    }
    q->answer[strcspn(q->answer, "\r\n")] = '\0';
    return 0;
}

/* Runs on a green thread of its own. */
static int ask(void *arg)
{
    struct question *q = arg;
    char request[TEXT];
    struct tern_stream *s;
    int error = tern_connect(&q->upstream->remote, &s, q->deadline);
    if (error)
        return error;
    int n = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n",
                     q->upstream->path, q->upstream->authority);
    error = n < (int)sizeof request ? tern_stream_write(s, request, (size_t)n, q->deadline) : -EMSGSIZE;
    if (!error)
        error = read_line(s, q);
    tern_stream_close(s);
    return error;
}

/* The answers in the order in which they come. */
static int serve_fanout(struct tern_request *r, void *state)
{
    const struct fanout *fanout = state;
    struct tern_future *futures[UPSTREAMS];
    struct question *questions[UPSTREAMS];
    tern_time deadline = tern_after(fanout->within);
    for (size_t i = 0; i < fanout->count; i++) {
        questions[i] = tern_alloc(r, sizeof *questions[i]);
        if (!questions[i])
            return -ENOMEM;
        *questions[i] = (struct question){.upstream = &fanout->upstreams[i], .deadline = deadline};
        int error = tern_start(tern_scope_of(r), &futures[i], ask, questions[i]);
        if (error)
            return error;
    }
    for (size_t left = fanout->count; left; left--) {
        int result, first = tern_await_first(futures, left, TERN_NEVER); /* each of them minds the deadline itself */
        int error = first < 0 ? first : tern_await(futures[first], &result, TERN_NEVER);
        if (error)
            return error;
        error = tern_printf(r, "%s%s: %s\n", questions[first]->upstream->host, questions[first]->upstream->path,
                            result ? strerror(-result) : questions[first]->answer);
        if (error)
            return error;
        futures[first] = futures[left - 1];
        questions[first] = questions[left - 1];
    }
    return 0;
}

static const struct tern_handler handlers[] = {
    {.name = "fanout", .serve = serve_fanout, .open = open_fanout, .close = free},
    {.name = NULL},
};

const struct tern_module tern_module = {.abi = TERN_ABI, .name = "fanout", .handlers = handlers};
