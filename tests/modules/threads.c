/* threads.c: handlers that have more than one thread: green ones, and those of the pool. The rest of the path says what
 * they do; it is told when it went as it should, else where it did not. */
#include "acts.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { CHILDREN = 10 };

/* How many are in there now, and how many have left. */
static int inside, cancelled;

static void stop(void)
{
    tern_log(NULL, TERN_NOTICE, "threads: %d inside, %d cancelled", inside, cancelled);
    gate_stop();
}

/* A step that must go well; else the line is told. */
#define MUST(condition)                                                                                                \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            return tern_printf(r, "line %d\n", __LINE__);                                                              \
    } while (0)

static int done(struct tern_request *r)
{
    return tern_printf(r, "done\n");
}

/* ---- what threads do ---- */

static int give(void *arg)
{
    return *(int *)arg;
}

static int give_later(void *arg)
{
    int error = tern_sleep(TERN_MS);
    return error ? error : *(int *)arg;
}

static int wait_for_ever(void *arg)
{
    (void)arg;
    inside++;
    int error = tern_sleep(TERN_NEVER);
    inside--;
    cancelled += error == -ECANCELED;
    return error;
}

/* ---- scopes and futures ---- */

static int join(struct tern_request *r)
{
    int numbers[CHILDREN];
    struct tern_scope *scope = tern_scope_open(tern_scope_of(r));
    MUST(scope);
    for (int i = 0; i < CHILDREN; i++) {
        numbers[i] = i;
        MUST(tern_start(scope, NULL, give_later, &numbers[i]) == 0);
    }
    MUST(tern_scope_join(scope, TERN_NEVER) == 0);
    numbers[0] = -EBADF;
    MUST(tern_start(scope, NULL, give_later, &numbers[0]) == 0);
    MUST(tern_scope_join(scope, TERN_NEVER) == -EBADF);
    MUST(tern_start(scope, NULL, wait_for_ever, NULL) == 0);
    MUST(tern_scope_join(scope, tern_after(TERN_MS)) == -ETIMEDOUT);
    MUST(inside == 1);
    int before = cancelled;
    tern_scope_close(scope);
    MUST(inside == 0 && cancelled == before + 1);
    return done(r);
}

static int await(struct tern_request *r)
{
    struct tern_future *future;
    int number = 42, negative = -ETIMEDOUT, result = 0;
    struct tern_scope *own = tern_scope_of(r);
    MUST(tern_start(own, &future, give, &number) == 0);
    MUST(tern_await(future, &result, TERN_NEVER) == 0 && result == 42);
    MUST(tern_start(own, &future, give_later, &negative) == 0);
    MUST(tern_await(future, &result, TERN_NEVER) == 0 && result == -ETIMEDOUT);
    MUST(tern_start(own, &future, give, &number) == 0);
    MUST(tern_await(future, NULL, TERN_NEVER) == 0);
    MUST(tern_start(own, &future, wait_for_ever, NULL) == 0);
    MUST(tern_await(future, &result, tern_after(TERN_MS)) == -ETIMEDOUT);
    tern_cancel(future);
    tern_cancel(future);
    MUST(tern_await(future, &result, TERN_NEVER) == 0 && result == -ECANCELED);
    return done(r);
}

static int await_first(struct tern_request *r)
{
    struct tern_future *futures[CHILDREN];
    int number = 7, result = 0;
    for (int i = 0; i < CHILDREN; i++)
        MUST(tern_start(tern_scope_of(r), &futures[i], i == 6 ? give_later : wait_for_ever, &number) == 0);
    MUST(tern_await_first(futures, CHILDREN, TERN_NEVER) == 6);
    MUST(tern_await(futures[6], &result, tern_now()) == 0 && result == 7);
    futures[6] = futures[CHILDREN - 1];
    MUST(tern_await_first(futures, CHILDREN - 1, tern_after(TERN_MS)) == -ETIMEDOUT);
    tern_cancel(futures[2]);
    MUST(tern_await_first(futures, CHILDREN - 1, TERN_NEVER) == 2);
    MUST(tern_await(futures[2], &result, tern_now()) == 0 && result == -ECANCELED);
    MUST(inside == CHILDREN - 2);
    return done(r); /* the others end with the request */
}

static int idle(struct tern_request *r)
{
    return tern_printf(r, "%d inside\n", inside);
}

/* ---- channels and mutexes ---- */

struct pipe {
    struct tern_chan *from, *to;
};

/* Passes numbers on, each one larger than it was. */
static int increment(void *arg)
{
    const struct pipe *pipe = arg;
    int number, error;
    while (!(error = tern_chan_recv(pipe->from, &number, TERN_NEVER))) {
        number++;
        error = tern_chan_send(pipe->to, &number, TERN_NEVER);
        if (error)
            break;
    }
    tern_chan_close(pipe->to);
    return error == -EPIPE ? 0 : error;
}

/* Through several threads, one behind the other. */
static int pass_through(struct tern_request *r, struct tern_chan *const *chans, int numbers)
{
    struct pipe pipes[CHILDREN];
    struct tern_scope *scope = tern_scope_open(tern_scope_of(r));
    int received = 0, number;
    MUST(scope);
    for (int i = 0; i < CHILDREN; i++) {
        pipes[i] = (struct pipe){chans[i], chans[i + 1]};
        MUST(tern_start(scope, NULL, increment, &pipes[i]) == 0);
    }
    for (int sent = 0; sent < numbers; sent++) {
        MUST(tern_chan_send(chans[0], &sent, TERN_NEVER) == 0);
        MUST(tern_chan_recv(chans[CHILDREN], &number, TERN_NEVER) == 0);
        received += number == sent + CHILDREN;
    }
    tern_chan_close(chans[0]);
    MUST(tern_chan_recv(chans[CHILDREN], &number, TERN_NEVER) == -EPIPE);
    MUST(tern_scope_join(scope, TERN_NEVER) == 0);
    tern_scope_close(scope);
    MUST(received == numbers);
    return done(r);
}

static int channels(struct tern_request *r)
{
    struct tern_chan *chans[CHILDREN + 1];
    for (int i = 0; i <= CHILDREN; i++)
        MUST((chans[i] = tern_chan_open(sizeof(int), (size_t)i % 3)) != NULL);
    int error = pass_through(r, chans, 100);
    for (int i = 0; i <= CHILDREN; i++)
        tern_chan_free(chans[i]);
    return error;
}

static int select_one(struct tern_request *r)
{
    int in = 1, out = 2, result = 1;
    struct tern_chan *full = tern_chan_open(sizeof(int), 1), *empty = tern_chan_open(sizeof(int), 1);
    MUST(full && empty && tern_chan_send(full, &in, TERN_NEVER) == 0);
    struct tern_case cases[] = {{empty, &out, false}, {full, &in, true}, {full, &out, false}};
    MUST(tern_select(cases, 2, &result, tern_after(TERN_MS)) == -ETIMEDOUT);
    MUST(tern_select(cases, 3, &result, TERN_NEVER) == 2 && result == 0 && out == 1);
    MUST(tern_select(cases, 3, &result, TERN_NEVER) == 1 && result == 0);
    MUST(tern_select(cases, 0, &result, TERN_NEVER) == -EINVAL);
    MUST(tern_select(cases, TERN_CASES + 1, &result, TERN_NEVER) == -EINVAL);
    tern_chan_close(empty);
    MUST(tern_select(cases, 1, &result, TERN_NEVER) == 0 && result == -EPIPE);
    tern_chan_free(full);
    tern_chan_free(empty);
    return done(r);
}

struct account {
    struct tern_mutex mutex;
    int balance, most, inside;
};

/* Reads, waits, and writes: without the mutex most of it would be lost. */
static int pay_in(void *arg)
{
    struct account *account = arg;
    int error = tern_lock(&account->mutex, TERN_NEVER);
    if (error)
        return error;
    int balance = account->balance;
    account->inside++;
    account->most = account->inside > account->most ? account->inside : account->most;
    error = tern_yield();
    account->inside--;
    account->balance = balance + 1;
    int unlocked = tern_unlock(&account->mutex);
    return error ? error : unlocked;
}

static int mutex(struct tern_request *r)
{
    struct account account = {.balance = 0};
    struct tern_scope *scope = tern_scope_open(tern_scope_of(r));
    MUST(scope);
    for (int i = 0; i < CHILDREN; i++)
        MUST(tern_start(scope, NULL, pay_in, &account) == 0);
    MUST(tern_scope_join(scope, TERN_NEVER) == 0);
    tern_scope_close(scope);
    MUST(account.balance == CHILDREN && account.most == 1);
    MUST(tern_unlock(&account.mutex) == -EPERM);
    MUST(tern_lock(&account.mutex, TERN_NEVER) == 0 && tern_lock(&account.mutex, TERN_NEVER) == -EDEADLK);
    MUST(tern_unlock(&account.mutex) == 0);
    return done(r);
}

/* ---- the pool ---- */

static int pipes[2];

/* In a thread, where it may block: until somebody writes. */
static int read_pipe(void *arg)
{
    char byte;
    (void)arg;
    return read(pipes[0], &byte, 1) == 1 ? byte : -EIO;
}

static int block(struct tern_request *r)
{
    if (pipes[0] == 0 && pipe(pipes) < 0)
        return -errno;
    inside++;
    int result = tern_blocking(read_pipe, NULL, TERN_NEVER);
    inside--;
    return result < 0 ? result : tern_printf(r, "read %c\n", result);
}

static int unblock(struct tern_request *r)
{
    return write(pipes[1], "x", 1) == 1 ? done(r) : -EIO;
}

static int block_later(struct tern_request *r)
{
    struct tern_future *future;
    int number = 5, result = 0;
    MUST(tern_start_blocking(tern_scope_of(r), &future, give, &number, TERN_NEVER) == 0);
    MUST(tern_await(future, &result, TERN_NEVER) == 0 && result == 5);
    MUST(tern_blocking(give, &number, TERN_NEVER) == 5);
    return done(r);
}

/* ---- many, and how they end ---- */

/* Stays until /open has been called for it, or it is cancelled. */
static int gather(struct tern_request *r)
{
    char token;
    inside++;
    int error = tern_chan_recv(gate, &token, TERN_NEVER);
    inside--;
    cancelled += error == -ECANCELED;
    return error ? error : done(r);
}

/* Lets all out who are inside. */
static int open_gate(struct tern_request *r)
{
    int count = 0;
    while (inside > 0 && tern_chan_send(gate, "", tern_now()) == 0)
        count++;
    return tern_printf(r, "%d let out\n", count);
}

/* Until its client is gone, which only who writes is told, or it is cancelled. */
static int stay(struct tern_request *r)
{
    int error = tern_printf(r, "staying\n");
    inside++;
    while (!error) {
        error = tern_flush(r);
        if (!error)
            error = tern_sleep(5 * TERN_MS);
        if (!error)
            error = tern_printf(r, ".");
    }
    inside--;
    cancelled += error == -ECANCELED;
    return error;
}

/* With children, which wait in the request's scope. */
static int stay_with_children(struct tern_request *r)
{
    for (int i = 0; i < CHILDREN; i++)
        MUST(tern_start(tern_scope_of(r), NULL, wait_for_ever, NULL) == 0);
    return stay(r);
}

/* As many threads as there may be; they end with the request. */
static int exhaust(struct tern_request *r)
{
    int count = 0, error;
    while ((error = tern_start(tern_scope_of(r), NULL, wait_for_ever, NULL)) == 0 && count < 100000)
        count++;
    return tern_printf(r, "%d started, then %s\n", count, strerror(-error));
}

static int serve(struct tern_request *r, void *state)
{
    static const struct act acts[] = {{"join", join},         {"await", await},
                                      {"first", await_first}, {"idle", idle},
                                      {"channels", channels}, {"select", select_one},
                                      {"mutex", mutex},       {"block", block},
                                      {"unblock", unblock},   {"later", block_later},
                                      {"gather", gather},     {"open", open_gate},
                                      {"stay", stay},         {"family", stay_with_children},
                                      {"exhaust", exhaust},   {NULL, NULL}};
    (void)state;
    return act_serve(r, acts);
}

static const struct tern_handler handlers[] = {{.name = "threads", .serve = serve}, {.name = NULL}};

const struct tern_module tern_module = {
    .abi = TERN_ABI,
    .name = "threads",
    .handlers = handlers,
    .start = gate_start,
    .stop = stop,
    .retire = gate_retire,
};
