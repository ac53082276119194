/* tern.h: handlers for tern, in straight-line code.
 *
 * A module is a shared object that answers requests. A handler is written as if every call blocked; each wait suspends
 * the green thread that the request runs on, and the worker goes on with others:
 *
 *     static int hello(struct tern_request *r, void *state)
 *     {
 *         return tern_printf(r, "hello, %s\n", tern_get(r, TERN_PEER));
 *     }
 *
 *     static const struct tern_handler handlers[] = {{.name = "hello", .serve = hello}, {0}};
 *
 *     const struct tern_module tern_module = {TERN_ABI, .name = "hello", .handlers = handlers};
 *
 * It is built with `cc -shared -fPIC -fstack-clash-protection -o hello.so hello.c`, and asked for by `module: {file:
 * hello.so, handler: hello}`.
 *
 * The three models, each for what it is good at:
 *
 *   green threads   handlers, tern_start(): thousands a worker; waits are cheap, and between two nothing else runs
 *   threads         tern_blocking(): a few a worker, for what blocks and can't be told otherwise: files, odd libraries
 *   processes       tern_compute(): `compute: N` of them, for what burns CPU; a crash costs one answer
 *
 * Ordinary calls that block (read, recv, poll, connect, sleep, getaddrinfo ...) suspend the green thread as well,
 * whether a module makes them or a library that it uses. tern-module(3) tells which, and what can't be helped.
 *
 * Results are >= 0, or -errno. What any call that waits may return, beside what it says itself:
 *
 *   -ETIMEDOUT   its deadline has passed
 *   -EPERM       it was called outside of a green thread, which is logged
 *   -ECANCELED   the green thread has been cancelled: this wait and every later one ends so; clean up and return
 *
 * A handler that gets an error returns it: what is answered then is told at tern_handler. Never rely on errno across
 * a wait, and hold no lock of pthreads across one. All functions are for green threads, unless they say otherwise.
 */
#ifndef TERN_H
#define TERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of everything in this file. A server loads modules of its own version only. */
#define TERN_ABI 1

#define TERN_CHECKED __attribute__((warn_unused_result))
#define TERN_PRINTF(format_at, values_at) __attribute__((format(printf, format_at, values_at)))

struct tern_request;  /* a request and its response; until its handler returns */
struct tern_settings; /* a mapping of the configuration; until open() returns */

/* ---- what a module is ---- */

/* Answers requests. */
struct tern_handler {
    const char *name; /* by which the configuration asks for it */

    /* Answers a request. The result: 0; what is missing of the end of the response is added then. Or the error that
     * kept it from answering: before the head was sent it is answered with a status, without the fields that it has
     * added: 404 for what is not there (-ENOENT ...), 403 for -EACCES, 502 for an upstream that can't be reached
     * (-ECONNREFUSED, -EPIPE ...), 504 for -ETIMEDOUT, 503 for -EAGAIN, -EBUSY, -ENOMEM, -EMFILE, what fits for an
     * error of tern_read() (413, 408, 400), else 500; after it, the connection is cut. That is so, too, for -ECANCELED
     * and for what a call that sends has said. */
    int (*serve)(struct tern_request *r, void *state);

    /* Once for each route, in each worker, and in a process of its own that checks a configuration: reads the route's
     * settings, and makes what serve() will get as `state`. 0, or -errno: the configuration is refused, for what
     * tern_setting_wrong() has said. It must not wait. May be NULL: there are no settings then. */
    int (*open)(struct tern_settings *settings, void **state);

    /* Takes that back when a worker ends. May be NULL. */
    void (*close)(void *state);
};

/* A job for tern_compute(). It runs in a process of its own, and may block, burn or crash as it likes. */
struct tern_job {
    const char *name; /* unique among all modules; at most 63 bytes */

    /* Makes `out`, at most `room` bytes, of `in`. Their number, or -errno, which is handed to the caller. A NUL follows
     * the input; both are aligned for any type. */
    ssize_t (*run)(const void *in, size_t n, void *out, size_t room);
};

/* Each module defines this one, under this name. */
struct tern_module {
    uint32_t abi;                        /* TERN_ABI */
    const char *name;                    /* for the log */
    const struct tern_handler *handlers; /* ends with a name of NULL */
    const struct tern_job *jobs;         /* the same; may be NULL */

    /* Once in each worker, before the first request and after the last; they may wait. A start that fails, with
     * -errno, keeps the worker from starting. May be NULL. */
    int (*start)(void);
    void (*stop)(void);

    /* When the worker has been told to end, for who has handlers that would go on for long. It must not wait. May be
     * NULL. */
    void (*retire)(void);
};

extern const struct tern_module tern_module __attribute__((visibility("default")));

/* ---- time ---- */

/* Nanoseconds: durations, and points in time of the monotonic clock. */
typedef int64_t tern_time;

#define TERN_MS ((tern_time)1000000)
#define TERN_SEC (1000 * TERN_MS)
#define TERN_NEVER INT64_MAX /* a deadline that does not pass */

/* The clock as of the last time the worker looked: free, and at most one burst of work old. */
tern_time tern_now(void);

/* The point in time a duration from now: a deadline. */
tern_time tern_after(tern_time duration);

/* Waits. 0 or -ECANCELED. */
int tern_sleep(tern_time duration) TERN_CHECKED;

/* Lets every other thread that can run have its turn: for loops that compute. 0 or -ECANCELED. */
int tern_yield(void) TERN_CHECKED;

/* Whether this green thread has been cancelled. */
bool tern_cancelled(void);

/* Whether the worker is to end, so that a handler which would go on for long should end, too. */
bool tern_stopping(void);

/* ---- the request ---- */

enum tern_part {
    TERN_METHOD,      /* GET */
    TERN_TARGET,      /* as it was sent: /a%20b?c=d */
    TERN_PATH,        /* decoded and normalised: /a b */
    TERN_REST,        /* of the path, what follows the route's `path` */
    TERN_QUERY,       /* as it was sent: c=d */
    TERN_SCHEME,      /* http or https */
    TERN_HOST,        /* without a port */
    TERN_PEER,        /* the address of the client: 192.0.2.7, 2001:db8::7 or unix: */
    TERN_USER,        /* as authenticated */
    TERN_TLS_VERSION, /* TLSv1.3 */
    TERN_TLS_NAME,    /* that the client asked for (SNI) */
    TERN_TLS_SUBJECT, /* of the client's certificate, which was verified (RFC 4514) */
};

/* A part of the request, good until its handler returns. Empty when there is none (or no memory); never NULL. */
const char *tern_get(struct tern_request *r, enum tern_part part) __attribute__((returns_nonnull));

/* The value of a field, by its name without regard to case; of several, the first. NULL: there is none. */
const char *tern_field(struct tern_request *r, const char *name);

/* The fields in the order in which they came, from 0 on. False: there are no more. */
bool tern_field_at(struct tern_request *r, size_t i, const char **name, const char **value);

/* A value of the query, decoded as a form's are (+ and %XX); of several, the first. What is no %XX stays as it is, and
 * so does %00. NULL: there is none of that name. */
const char *tern_query(struct tern_request *r, const char *name);

/* The same of any text in the form of a query, such as the content of a form (application/x-www-form-urlencoded). */
const char *tern_form(struct tern_request *r, const char *text, const char *name);

/* Bytes of content; -1: it is not known beforehand. */
int64_t tern_length(const struct tern_request *r);

/* Reads content: at most n bytes; 0: that was all. -EMSGSIZE: it is more than limits.body_size; -ETIMEDOUT: the client
 * fell silent (timeouts.body, limits.body_rate); -EBADMSG: it is malformed; -ECONNRESET: the client is gone;
 * -EBUSY: another thread is reading. */
ssize_t tern_read(struct tern_request *r, void *to, size_t n) TERN_CHECKED;

/* Reads all of it into the request's memory; a NUL follows, which is not counted. As tern_read(); -EMSGSIZE: it is more
 * than `most` bytes; -ENOMEM. */
int tern_read_all(struct tern_request *r, size_t most, char **bytes, size_t *n) TERN_CHECKED;

/* ---- the response ---- */

/* A response is a status, fields, and content. What is written gathers; when the handler returns and all of it is still
 * there, it goes out in one piece with its length, else the head goes out with the first piece that is full or
 * flushed. From then on status and fields are -EALREADY. The server writes Date, Server, Content-Length and all that
 * frames the content; to HEAD, 204 and 304 it sends none, and handlers need not know.
 *
 * Calls that send return 0, or: -ETIMEDOUT: the client took nothing for timeouts.write; -EPIPE, -ECONNRESET: it is
 * gone; -EBUSY: another thread is sending; -ECANCELED; -ENOMEM. Threads that have a response in common take turns, with
 * a mutex, or leave it to one of them. */

/* From 200 to 599; without it, 200. 0, -EINVAL or -EALREADY. */
int tern_status(struct tern_request *r, int status);

/* Adds a field. -EINVAL: not a name, a control character in the value, or a field that is the server's; -EALREADY;
 * -ENOMEM. Without a Content-Type it is text/plain; charset=utf-8. */
int tern_header(struct tern_request *r, const char *name, const char *format, ...) TERN_PRINTF(3, 4);

/* Promises how much content there will be, so that it need not be sent in chunks. More than that is dropped, less cuts
 * the connection. 0, -EINVAL or -EALREADY. */
int tern_promise(struct tern_request *r, int64_t length);

/* Adds content. -EALREADY: the response has ended. */
int tern_write(struct tern_request *r, const void *bytes, size_t n) TERN_CHECKED;
int tern_printf(struct tern_request *r, const char *format, ...) TERN_PRINTF(2, 3) TERN_CHECKED;

/* Adds what a file holds, without copying it where that can be; the disk is waited for on the pool. If nothing has been
 * written or promised, its size is promised. -ENOENT, -EACCES ...: it can't be opened, and nothing was sent; -EISDIR,
 * -EINVAL: it is not a file; -EAGAIN: too many wait for the pool; -ESTALE, -EIO: it changed while it was sent. */
int tern_file(struct tern_request *r, const char *path) TERN_CHECKED;

/* Sends what has gathered, the head before it. */
int tern_flush(struct tern_request *r) TERN_CHECKED;

/* Ends the response; a handler may go on, but not with that. It is done for handlers that return 0. */
int tern_end(struct tern_request *r) TERN_CHECKED;

/* Answers with the page that the site has for a status, else with a line of text: 404, 503 ... What has gathered is
 * dropped. -EINVAL: it is none from 400 to 599; -EALREADY: the head has gone. */
int tern_fail(struct tern_request *r, int status) TERN_CHECKED;

/* ---- server-sent events (WHATWG HTML, 9.2) ---- */

/* Starts a stream of events: its head goes out. As tern_flush(); -EALREADY: something else has been sent; -EPIPE: the
 * head was all that was asked for (HEAD), and the response has ended. */
int tern_events(struct tern_request *r) TERN_CHECKED;

/* Sends an event at once. `name` and `id` may be NULL; `data` may have several lines. Without data it is a comment,
 * which only keeps the connection alive: send one every 15 s or so, that is how a client that has left is noticed.
 * -EINVAL: `id` or `name` has a line end. */
int tern_event(struct tern_request *r, const char *id, const char *name, const char *data) TERN_CHECKED;

/* ---- memory ---- */

/* Memory that ends with the request: n bytes aligned for any type, undefined; a copy of a text; a text as printf makes
 * it. NULL: there is no more. */
void *tern_alloc(struct tern_request *r, size_t n) __attribute__((malloc, alloc_size(2))) TERN_CHECKED;
char *tern_copy(struct tern_request *r, const char *text) TERN_CHECKED;
char *tern_format(struct tern_request *r, const char *format, ...) TERN_PRINTF(2, 3) TERN_CHECKED;

/* Calls fn(arg) when the request ends, whatever its end; the last one first. fn must not wait. 0 or -ENOMEM: then it
 * has NOT been called. */
int tern_defer(struct tern_request *r, void (*fn)(void *arg), void *arg) TERN_CHECKED;

/* ---- settings: what a route says under `settings` ---- */

/* In open() only; what they return stays as long as the worker lives. What is wrong is reported with its place in the
 * file, and the configuration is refused when open() has returned, whatever that says; so is a key that nobody asked
 * for. A missing key is the fallback; where that is NULL, or out of range, the key is required. */
const char *tern_setting_text(struct tern_settings *s, const char *key, const char *fallback);
int64_t tern_setting_int(struct tern_settings *s, const char *key, int64_t fallback, int64_t least, int64_t most);
uint64_t tern_setting_size(struct tern_settings *s, const char *key, uint64_t fallback, uint64_t most);
tern_time tern_setting_time(struct tern_settings *s, const char *key, tern_time fallback, tern_time most);
bool tern_setting_bool(struct tern_settings *s, const char *key, bool fallback);

/* Item i of a list, from 0 on; a lone text is a list of one. NULL: there are no more, or there is no such key. */
const char *tern_setting_item(struct tern_settings *s, const char *key, size_t i);

/* A mapping inside; NULL: there is none. */
struct tern_settings *tern_setting_map(struct tern_settings *s, const char *key);

/* Reports what is wrong with a value, or, if `key` is NULL or not there, with all settings. -EINVAL. */
int tern_setting_wrong(struct tern_settings *s, const char *key, const char *format, ...) TERN_PRINTF(3, 4);

/* ---- logs ---- */

enum tern_level { TERN_DEBUG, TERN_INFO, TERN_NOTICE, TERN_WARN, TERN_ERROR };

/* A line of the error log, with the client and the request in it; `r` may be NULL: without. It never waits, and may be
 * called from any thread and process of the server. */
void tern_log(const struct tern_request *r, enum tern_level level, const char *format, ...) TERN_PRINTF(3, 4);

/* ---- more green threads ---- */

/* A scope owns the threads that are started in it, and none outlives it. Each request has one, which ends when its
 * handler has returned: what still runs then is cancelled, and waited for. So its threads may use the request's memory,
 * but not the handler's variables. NULL stands for the worker's own: its threads are cancelled when the worker ends. */
struct tern_scope;

/* What a thread will have come to. */
struct tern_future;

/* What a thread runs: its result is the future's; a negative one is -errno. */
typedef int tern_fn(void *arg);

/* The scope of a request. */
struct tern_scope *tern_scope_of(struct tern_request *r) __attribute__((returns_nonnull));

/* A scope inside another one (NULL: the worker's), which ends by tern_scope_close(), or else together with that. NULL:
 * no memory. */
struct tern_scope *tern_scope_open(struct tern_scope *parent) TERN_CHECKED;

/* Waits until all threads of a scope have ended: the first negative result of theirs, or 0. On -ETIMEDOUT and
 * -ECANCELED they go on. For the scope's own thread, that which opened it. */
int tern_scope_join(struct tern_scope *scope, tern_time deadline) TERN_CHECKED;

/* Cancels all threads of a scope, and those that they start in it from then on, waits for their end, and frees it with
 * its futures. Nobody may be awaiting one of these. */
void tern_scope_close(struct tern_scope *scope);

/* Starts fn(arg) on a green thread of its own. `future` may be NULL, when nobody will ask. 0, -EAGAIN: there are as
 * many threads as there may be (limits.green_threads); -ENOMEM. */
int tern_start(struct tern_scope *scope, struct tern_future **future, tern_fn *fn, void *arg) TERN_CHECKED;

/* Waits for a result, and frees the future. -ETIMEDOUT, -ECANCELED, -EBUSY (somebody else waits for it): it stays. To
 * tell these from a result, which may be the same number, `result` gets that one; may be NULL. 0: it has ended. */
int tern_await(struct tern_future *future, int *result, tern_time deadline) TERN_CHECKED;

/* Waits until any of n futures has a result, and returns its index; tern_await() then takes that without a wait. As
 * tern_await(); -EINVAL: n is 0. */
int tern_await_first(struct tern_future *const *futures, size_t n, tern_time deadline) TERN_CHECKED;

/* Makes the present wait of its thread and all later ones end with -ECANCELED. The future stays. */
void tern_cancel(struct tern_future *future);

/* ---- between green threads ---- */

/* Between two waits nothing else runs: a mutex is for what must hold ACROSS a wait. Fair. {0} is one that is free. */
struct tern_mutex {
    void *reserved[4];
};

/* 0, -EDEADLK: this thread has it already; -EPERM: another one, or nobody, has it. */
int tern_lock(struct tern_mutex *mutex, tern_time deadline) TERN_CHECKED;
int tern_unlock(struct tern_mutex *mutex);

/* Messages of one size, from green thread to green thread, in the order in which they were sent. In open() a channel
 * may be used where that need not wait. */
struct tern_chan;

/* A channel that holds `room` messages; 0: sender and receiver meet. NULL: no memory. */
struct tern_chan *tern_chan_open(size_t message_size, size_t room) TERN_CHECKED;

/* No more messages: who waits, and who sends later, gets -EPIPE; what is in it is still received. */
void tern_chan_close(struct tern_chan *chan);

/* Frees it; nobody may wait for it. */
void tern_chan_free(struct tern_chan *chan);

/* Sends or receives one message: 0; -EPIPE: closed. Otherwise nothing was sent or received. */
int tern_chan_send(struct tern_chan *chan, const void *message, tern_time deadline) TERN_CHECKED;
int tern_chan_recv(struct tern_chan *chan, void *message, tern_time deadline) TERN_CHECKED;

/* One of several operations. */
struct tern_case {
    struct tern_chan *chan;
    void *message; /* sent from here, or received into */
    bool send;
};

enum { TERN_CASES = 16 }; /* at most, of one tern_select() */

/* Does exactly one of n operations, the first of those that can be done at once, else the first that can, and returns
 * its index; *result is 0, or -EPIPE: that channel is closed. -EINVAL: n is out of range. */
int tern_select(const struct tern_case *cases, int n, int *result, tern_time deadline) TERN_CHECKED;

/* ---- threads ---- */

/* Runs fn(arg) on the pool (`threads: N`), where it may block; it must not call anything of this file but tern_log().
 * Its result; or -EAGAIN: too many wait for the pool already; -ETIMEDOUT, -ECANCELED: it has NOT run: these end only
 * the wait for a thread. What has begun is waited for. */
int tern_blocking(tern_fn *fn, void *arg, tern_time deadline) TERN_CHECKED;

/* The same in a thread of its own, to be awaited later. `arg` must stay until then, or until the scope ends. */
int tern_start_blocking(struct tern_scope *scope, struct tern_future **future, tern_fn *fn, void *arg,
                        tern_time deadline) TERN_CHECKED;

/* ---- processes ---- */

/* Runs a job in a compute process: n bytes of `in` go there, and at most `room` of `out` come back. The job's result;
 * or -ETIMEDOUT: it is killed, if it runs; -EPIPE: its process died; -ENOSYS: no module has a job of that name;
 * -ENOTSUP: `compute` is 0; -EMSGSIZE: more than 64 MiB; -ENOMEM, -EMFILE; -ECANCELED. */
ssize_t tern_compute(const char *job, const void *in, size_t n, void *out, size_t room,
                     tern_time deadline) TERN_CHECKED;

/* The same in a thread of its own: the result is the future's, and all that it points to must stay until then. */
int tern_start_compute(struct tern_scope *scope, struct tern_future **future, const char *job, const void *in, size_t n,
                       void *out, size_t room, tern_time deadline) TERN_CHECKED;

/* ---- outbound streams ---- */

/* A connection to somebody else. */
struct tern_stream;

struct tern_remote {
    const char *host;     /* a name, which is resolved on the pool and kept for a while, or an address; or unix:PATH */
    uint16_t port;        /* not for unix: */
    bool tls;             /* secured: TLS 1.2 or later, and the certificate must be the host's */
    const char *ca;       /* a file of authorities; NULL: the system's */
    bool any_peer;        /* whatever its certificate says: for tests */
    const char *protocol; /* that is asked for (ALPN), such as "http/1.1"; NULL: none */
};

/* Connects: 0; or -EHOSTUNREACH: no such host, or no way to it; -EREMOTEIO: its name can't be resolved now; -EINVAL:
 * it is no name; -ECONNREFUSED ...; -EKEYREJECTED: its certificate is not good enough; -EPROTO: it does not speak TLS
 * as it should; -EBUSY, -EAGAIN, -EMFILE, -ENOMEM: too much is going on here. Authorities that can't be read make no
 * certificate good. */
int tern_connect(const struct tern_remote *remote, struct tern_stream **stream, tern_time deadline) TERN_CHECKED;

/* The same in a thread of its own. */
int tern_start_connect(struct tern_scope *scope, struct tern_future **future, const struct tern_remote *remote,
                       struct tern_stream **stream, tern_time deadline) TERN_CHECKED;

/* Waits for at least one byte: how many; 0: the end. Or -ECONNRESET, -EPROTO ... One thread at a time. */
ssize_t tern_stream_read(struct tern_stream *s, void *to, size_t n, tern_time deadline) TERN_CHECKED;

/* Writes all of it: 0, -EPIPE, -ECONNRESET ... One thread at a time. After an error, -ETIMEDOUT and -ECANCELED too,
 * nobody knows how much has gone: every later write, and tern_stream_end(), returns the same. */
int tern_stream_write(struct tern_stream *s, const void *bytes, size_t n, tern_time deadline) TERN_CHECKED;

/* No more will be written: the other side reads an end. 0 or -errno. */
int tern_stream_end(struct tern_stream *s, tern_time deadline) TERN_CHECKED;

/* Closes it; nobody may be using it. NULL is none. */
void tern_stream_close(struct tern_stream *s);

#ifdef __cplusplus
}
#endif

#endif
