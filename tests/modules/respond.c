/* respond.c: responses of every kind: the rest of the path says which. Numbers and names come from the query. */
#include "acts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static long long number(struct tern_request *r, const char *name, long long fallback)
{
    const char *text = tern_query(r, name);
    return text ? atoll(text) : fallback;
}

/* n bytes, each of which tells its place, in pieces of so many. */
static int write_pattern(struct tern_request *r, long long n, long long piece)
{
    static const char digits[] = "0123456789abcdef";
    char *bytes = malloc((size_t)piece + 1);
    int error = bytes ? 0 : -ENOMEM;
    for (long long at = 0; at < n && !error; at += piece) {
        long long now = n - at < piece ? n - at : piece;
        for (long long i = 0; i < now; i++)
            bytes[i] = digits[(at + i) % 16];
        error = tern_write(r, bytes, (size_t)now);
    }
    free(bytes);
    return error;
}

static int give_text(struct tern_request *r)
{
    int error = tern_printf(r, "%s %d %c\n", "text", 42, 'x');
    return error ? error : tern_printf(r, "%0300d\n", 7);
}

static int give_nothing(struct tern_request *r)
{
    (void)r;
    return 0;
}

static int give_bytes(struct tern_request *r)
{
    return write_pattern(r, number(r, "n", 0), number(r, "piece", 1000));
}

/* `promised` bytes, of which n come. */
static int keep_promise(struct tern_request *r)
{
    int error = tern_promise(r, number(r, "promised", 0));
    if (!error && number(r, "flush", 0))
        error = tern_flush(r);
    return error ? error : write_pattern(r, number(r, "n", 0), number(r, "piece", 1000));
}

static int give_file(struct tern_request *r)
{
    return tern_file(r, tern_query(r, "path"));
}

/* With text around it; and what can't be opened leaves the rest as it is. */
static int give_file_between(struct tern_request *r)
{
    int error = tern_printf(r, "before ");
    if (!error)
        error = tern_file(r, tern_query(r, "path"));
    if (error == -ENOENT || error == -EISDIR || error == -EINVAL)
        error = tern_printf(r, "(%s)", strerror(-error));
    return error ? error : tern_printf(r, " after");
}

static int give_halves(struct tern_request *r)
{
    char token;
    int error = tern_printf(r, "first half, ");
    if (!error)
        error = tern_flush(r);
    if (!error)
        error = tern_chan_recv(gate, &token, TERN_NEVER);
    return error && error != -EPIPE ? error : tern_printf(r, "second half\n");
}

static int release(struct tern_request *r)
{
    int error = tern_chan_send(gate, "", TERN_NEVER);
    return error ? error : tern_printf(r, "released\n");
}

static int give_status(struct tern_request *r)
{
    int error = tern_status(r, (int)number(r, "status", 200));
    return error ? error : tern_printf(r, "content\n");
}

static int fail(struct tern_request *r)
{
    int error = tern_header(r, "X-Kept", "yes");
    if (!error)
        error = tern_header(r, "Content-Type", "image/png");
    if (!error)
        error = tern_printf(r, "dropped");
    return error ? error : tern_fail(r, (int)number(r, "status", 404));
}

/* The error of that name, before or behind the head. */
static int give_error(struct tern_request *r)
{
    static const struct {
        const char *name;
        int result;
    } errors[] = {{"refused", -ECONNREFUSED}, {"reset", -ECONNRESET}, {"pipe", -EPIPE},         {"host", -EHOSTUNREACH},
                  {"net", -ENETUNREACH},      {"proto", -EPROTO},     {"key", -EKEYREJECTED},   {"again", -EAGAIN},
                  {"memory", -ENOMEM},        {"files", -EMFILE},     {"busy", -EBUSY},         {"time", -ETIMEDOUT},
                  {"access", -EACCES},        {"none", -ENOENT},      {"directory", -EISDIR},   {"remote", -EREMOTEIO},
                  {"size", -EMSGSIZE},        {"bad", -EBADMSG},      {"canceled", -ECANCELED}, {"one", 1},
                  {"most", INT32_MAX},        {"odd", -100000}};
    const char *name = tern_query(r, "name");
    int error = tern_printf(r, "begun");
    if (!error && number(r, "flush", 0))
        error = tern_flush(r);
    if (!error && number(r, "end", 0))
        error = tern_end(r);
    for (size_t i = 0; i < sizeof errors / sizeof *errors && !error && name; i++)
        if (strcmp(errors[i].name, name) == 0)
            return errors[i].result;
    return error;
}

/* What each attempt came to, as the content. */
static int try_fields(struct tern_request *r)
{
    static const struct {
        const char *name, *value;
    } fields[] = {{"X-Fine", "yes"},
                  {"x fine", "no"},
                  {"", "no"},
                  {"X-Colon:", "no"},
                  {"X-Line", "a\r\nX-Smuggled: yes"},
                  {"X-Feed", "a\nb"},
                  {"X-Control", "a\x01"
                                "b"},
                  {"X-Tab", "a\tb"},
                  {"X-Blank", "  around  "},
                  {"X-Empty", ""},
                  {"Content-Length", "7"},
                  {"transfer-encoding", "chunked"},
                  {"Connection", "close"},
                  {"Keep-Alive", "timeout=5"},
                  {"Upgrade", "h2c"},
                  {"Trailer", "X"},
                  {"TE", "trailers"},
                  {"Date", "now"},
                  {"Server", "other"},
                  {"Content-Type", "text/x-first"},
                  {"content-type", "text/x-last"},
                  {"X-Twice", "1"},
                  {"X-Twice", "2"}};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        int result = tern_header(r, fields[i].name, "%s", fields[i].value);
        int error = tern_printf(r, "%s=%d\n", fields[i].name, result == -EINVAL ? 1 : result);
        if (error)
            return error;
    }
    return 0;
}

/* What is refused when it is too late, which is only for the log to know. */
static int go_on_after_the_end(struct tern_request *r)
{
    int error = tern_printf(r, "whole");
    if (!error)
        error = tern_end(r);
    bool late = tern_write(r, "x", 1) == -EALREADY && tern_flush(r) == -EALREADY && tern_status(r, 201) == -EALREADY &&
                tern_header(r, "X", "y") == -EALREADY && tern_promise(r, 1) == -EALREADY &&
                tern_fail(r, 500) == -EALREADY && tern_file(r, "/proc/self/exe") == -EALREADY &&
                tern_events(r) == -EALREADY && tern_end(r) == 0;
    tern_log(r, TERN_NOTICE, "after the end: %s", late ? "refused" : "accepted");
    return error;
}

static int check_arguments(struct tern_request *r)
{
    bool refused = tern_status(r, 199) == -EINVAL && tern_status(r, 600) == -EINVAL && tern_status(r, 101) == -EINVAL &&
                   tern_promise(r, -1) == -EINVAL && tern_fail(r, 200) == -EINVAL && tern_fail(r, 600) == -EINVAL;
    return tern_printf(r, "%s\n", refused ? "refused" : "accepted");
}

/* Until the client is gone; bounded, if it should not be noticed. */
static int write_on(struct tern_request *r)
{
    static const char block[64 * 1024];
    int error = 0, blocks = 0;
    for (; !error && blocks < 4096; blocks++)
        error = tern_write(r, block, sizeof block);
    tern_log(r, TERN_NOTICE, "wrote until: %s", error ? strerror(-error) : "the end");
    return error;
}

/* Waits, and is told when the client has left. */
static int write_now_and_then(struct tern_request *r)
{
    int error = 0;
    for (int i = 0; !error && i < 6000; i++) {
        error = tern_printf(r, "tick\n");
        if (!error)
            error = tern_flush(r);
        if (!error)
            error = tern_sleep(10 * TERN_MS);
    }
    tern_log(r, TERN_NOTICE, "ticked until: %s", error ? strerror(-error) : "the end");
    return error;
}

static void note_end(void *arg)
{
    tern_log(NULL, TERN_NOTICE, "deferred: %s", (const char *)arg);
}

static int defer(struct tern_request *r)
{
    int error = tern_defer(r, note_end, (void *)"first");
    if (!error)
        error = tern_defer(r, note_end, (void *)"second");
    return error ? error : tern_printf(r, "deferred\n");
}

static int serve(struct tern_request *r, void *state)
{
    static const struct act acts[] = {{"text", give_text},
                                      {"nothing", give_nothing},
                                      {"bytes", give_bytes},
                                      {"promise", keep_promise},
                                      {"file", give_file},
                                      {"between", give_file_between},
                                      {"halves", give_halves},
                                      {"release", release},
                                      {"status", give_status},
                                      {"fail", fail},
                                      {"error", give_error},
                                      {"fields", try_fields},
                                      {"end", go_on_after_the_end},
                                      {"arguments", check_arguments},
                                      {"flood", write_on},
                                      {"ticks", write_now_and_then},
                                      {"defer", defer},
                                      {NULL, NULL}};
    (void)state;
    return act_serve(r, acts);
}

static const struct tern_handler handlers[] = {{.name = "respond", .serve = serve}, {.name = NULL}};

const struct tern_module tern_module = {.abi = TERN_ABI,
                                        .name = "respond",
                                        .handlers = handlers,
                                        .start = gate_start,
                                        .stop = gate_stop,
                                        .retire = gate_retire};
