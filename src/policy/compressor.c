/* compressor.c: see compressor.h. */
#include "policy/compressor.h"

#include <errno.h>
#include <unistd.h>

#include "base/list.h"
#include "green/offload.h"
#include "green/sync.h"
#include "http/server.h"
#include "net/stream.h"

enum {
    RESULT = 16 * 1024,     /* bytes of it that are passed on at once */
    SMALL = 16 * 1024,      /* the largest piece that is compressed on the loop ... */
    LOOP_SHARE = 32 * 1024, /* ... as long as there are no more of them in one pass of it */
    JOBS_MAX = 2,           /* on the pool at once */
    JOB_SHARE = 256 * 1024, /* bytes of content that one job takes */
};

#define POOL_PAUSE (2 * NSEC_MS) /* before another look at a pool that is full */

struct compressor {
    struct exchange_ops ops;         /* of the exchange, meanwhile */
    const struct exchange_ops *next; /* where the result goes */
    struct exchange *x;
    struct encoder *encoder;
    struct out result; /* not passed on yet */
    char bytes[RESULT];
};

/* Of this worker. */
static struct {
    size_t compressors;
    bool started;
    struct green_sem jobs;
    nsec pass; /* of the loop, by its clock, and what has been compressed in it */
    size_t in_pass;
} worker;

static void start_worker(void)
{
    if (!worker.started)
        green_sem_init(&worker.jobs, JOBS_MAX);
    worker.started = true;
}

static struct compressor *compressor_of(struct exchange *x)
{
    return container_of(x->ops, struct compressor, ops);
}

/* Sends what has come out so far. */
static int pass_on(struct compressor *c)
{
    struct str result = out_str(&c->result);
    c->result = out_on(c->bytes, sizeof c->bytes);
    return result.n ? c->next->content(c->x, result) : 0;
}

/* ---- on the loop ---- */

static int run(struct compressor *c, struct str content, enum encoder_op op)
{
    for (;;) {
        int more = encoder_run(c->encoder, &content, op, &c->result);
        if (more <= 0)
            return more;
        int error = pass_on(c);
        if (error)
            return error;
    }
}

/* Whether the loop has time for n more bytes. */
static bool fits_in_pass(size_t n)
{
    if (worker.pass != green_now()) {
        worker.pass = green_now();
        worker.in_pass = 0;
    }
    if (n > SMALL || n > LOOP_SHARE - worker.in_pass)
        return false;
    worker.in_pass += n;
    return true;
}

/* ---- on the pool ---- */

/* Content from memory, or from a file. */
struct job {
    struct encoder *encoder;
    struct out *result;
    struct str content;
    int fd;
    off_t at;
    size_t n;
    const struct file_stamp *stamp;
    int status; /* encoder_run()'s, or what reading came to */
};

static void compress_memory(void *arg)
{
    struct job *job = arg;
    struct str share = {job->content.p, job->content.n < JOB_SHARE ? job->content.n : JOB_SHARE};
    size_t n = share.n;
    job->status = encoder_run(job->encoder, &share, ENCODER_TAKE, job->result);
    job->content = str_skip(job->content, n - share.n);
}

/* Gives the encoder a piece of the file, and goes on behind what it has taken of it. Bytes taken, or -errno. */
static ssize_t compress_piece(struct job *job)
{
    char bytes[16 * 1024];
    ssize_t got = pread(job->fd, bytes, job->n < sizeof bytes ? job->n : sizeof bytes, job->at);
    if (got <= 0)
        return got < 0 ? -errno : -EIO;
    struct str rest = {bytes, (size_t)got};
    job->status = encoder_run(job->encoder, &rest, ENCODER_TAKE, job->result);
    size_t taken = (size_t)got - rest.n;
    job->at += (off_t)taken;
    job->n -= taken;
    return (ssize_t)taken;
}

/* What is read is looked at afterwards: a client must not get a mixture of two versions for one. */
static void compress_file(void *arg)
{
    struct job *job = arg;
    job->status = 0;
    for (size_t done = 0; done < JOB_SHARE && job->n && job->status == 0;) {
        ssize_t taken = compress_piece(job);
        if (taken < 0)
            job->status = (int)taken;
        else
            done += (size_t)taken;
    }
    if (job->status >= 0 && !file_still_is(job->fd, job->stamp))
        job->status = -ESTALE;
}

/* Runs a job when it is its turn, and when the pool has room for it. */
static int offload(struct compressor *c, void (*fn)(void *job), struct job *job)
{
    int error = green_sem_wait(&worker.jobs, NSEC_NEVER);
    if (error)
        return error;
    nsec deadline = nsec_add(green_now(), c->x->server->timeouts.write);
    do
        error = green_offload(fn, job, NSEC_NEVER);
    while (error == -EAGAIN && green_now() < deadline && (error = green_sleep(POOL_PAUSE)) == 0);
    green_sem_post(&worker.jobs);
    return error ? error : job->status;
}

/* ---- the operations ---- */

static int head(struct exchange *x, const struct http_head *head)
{
    return compressor_of(x)->next->head(x, head);
}

static int content(struct exchange *x, struct str bytes)
{
    struct compressor *c = compressor_of(x);
    if (fits_in_pass(bytes.n))
        return run(c, bytes, ENCODER_TAKE);
    struct job job = {.encoder = c->encoder, .result = &c->result, .content = bytes};
    while (job.content.n) {
        int more = offload(c, compress_memory, &job);
        int error = more > 0 ? pass_on(c) : more;
        if (error)
            return error;
    }
    return 0;
}

static int file(struct exchange *x, int fd, off_t at, size_t n, const struct file_stamp *stamp)
{
    struct compressor *c = compressor_of(x);
    struct job job = {.encoder = c->encoder, .result = &c->result, .fd = fd, .at = at, .n = n, .stamp = stamp};
    while (job.n) {
        int more = offload(c, compress_file, &job);
        int error = more > 0 ? pass_on(c) : more;
        if (error)
            return error;
    }
    return 0;
}

static int end(struct exchange *x)
{
    struct compressor *c = compressor_of(x);
    int error = run(c, STR(""), ENCODER_END);
    if (!error)
        error = pass_on(c);
    return error ? error : c->next->end(x);
}

static ssize_t read_content(struct exchange *x, void *to, size_t n)
{
    return compressor_of(x)->next->read(x, to, n);
}

/* ---- attaching ---- */

static const struct exchange_ops ops = {
    .head = head,
    .content = content,
    .file = file,
    .end = end,
    .read = read_content,
};

static void detach(void *arg)
{
    struct compressor *c = arg;
    c->x->ops = c->next;
    encoder_close(c->encoder);
    worker.compressors--;
}

int compressor_attach(struct exchange *x, enum coding coding, enum encoder_level level, int64_t size)
{
    if (worker.compressors == COMPRESSORS_MAX)
        return -EAGAIN;
    start_worker();
    struct compressor *c = arena_alloc(&x->arena, sizeof *c);
    struct encoder *encoder = NULL;
    int error = c ? encoder_open(&encoder, coding, level, size) : -ENOMEM;
    if (!error)
        error = arena_defer(&x->arena, detach, c);
    if (error) {
        encoder_close(encoder);
        return error;
    }
    c->ops = ops;
    c->next = x->ops;
    c->x = x;
    c->encoder = encoder;
    c->result = out_on(c->bytes, sizeof c->bytes);
    x->ops = &c->ops;
    worker.compressors++;
    return 0;
}

bool compressor_try_turn(void)
{
    start_worker();
    if (worker.jobs.count == 0)
        return false;
    worker.jobs.count--;
    return true;
}

void compressor_end_turn(void)
{
    green_sem_post(&worker.jobs);
}
