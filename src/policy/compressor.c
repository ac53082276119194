/* compressor.c: see compressor.h. */
#include "policy/compressor.h"

#include <errno.h>
#include <unistd.h>

#include "base/list.h"
#include "green/pool_share.h"
#include "http/server.h"
#include "net/stream.h"

enum {
    RESULT = 16 * 1024,     /* bytes of it that are passed on at once */
    SMALL = 16 * 1024,      /* the largest piece that is compressed on the loop ... */
    LOOP_SHARE = 32 * 1024, /* ... as long as there are no more of them in one pass of it */
    JOB_SHARE = 256 * 1024, /* bytes of content that one job takes */
};

#define POOL_PAUSE (2 * NSEC_MS) /* before another look at a pool that is full */

/* A pass of the loop, by its clock, and what has been compressed in it. */
struct pass {
    nsec time;
    size_t bytes;
};

struct compressor {
    struct exchange_ops ops;         /* of the exchange, meanwhile */
    const struct exchange_ops *next; /* where the result goes */
    struct exchange *x;
    struct encoder *encoder;
    size_t held; /* bytes of content that the encoder may not have worked on yet */
    struct pass pass;
    struct out result; /* not passed on yet */
    char bytes[RESULT];
};

/* Of this worker. */
static struct {
    size_t compressors;
    struct green_sem turns; /* to have a job on the pool */
    struct pass pass;
} worker;

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

/* As encoder_run(), for the loop and for the pool. What came before the last result has been worked on. */
static int feed(struct compressor *c, struct str *content, enum encoder_op op)
{
    size_t offered = content->n, before = out_len(&c->result);
    int more = encoder_run(c->encoder, content, op, &c->result);
    size_t taken = offered - content->n;
    bool came_out = out_len(&c->result) > before;
    c->held = came_out && taken ? taken : c->held + taken;
    return more;
}

/* ---- on the loop ---- */

static int run(struct compressor *c, struct str content, enum encoder_op op)
{
    for (;;) {
        int more = feed(c, &content, op);
        if (more <= 0)
            return more;
        int error = pass_on(c);
        if (error)
            return error;
    }
}

/* What has been compressed in the present pass. */
static size_t *in_pass(struct pass *pass)
{
    if (pass->time != green_now())
        *pass = (struct pass){green_now(), 0};
    return &pass->bytes;
}

/* Whether the loop has time for n more bytes. */
static bool fits_in_pass(struct compressor *c, size_t n)
{
    size_t *all = in_pass(&worker.pass), *own = in_pass(&c->pass);
    if (n > SMALL || n > LOOP_SHARE - *all)
        return false;
    *all += n;
    *own += n;
    return true;
}

/* An encoder does at the end, or when it is flushed, what it has put off until then. What this pass has counted is not
 * counted twice. */
static bool rest_fits_in_pass(struct compressor *c)
{
    size_t counted = *in_pass(&c->pass);
    return c->held <= SMALL && fits_in_pass(c, c->held > counted ? c->held - counted : 0);
}

/* ---- on the pool ---- */

/* Content from memory, or from a file. */
struct job {
    struct compressor *compressor;
    struct str content;
    int fd;
    off_t at;
    size_t n;
    const struct file_stamp *stamp;
    enum encoder_op op; /* of the rest */
    int status;         /* feed()'s, or what reading came to */
};

static void compress_memory(void *arg)
{
    struct job *job = arg;
    struct str share = {job->content.p, job->content.n < JOB_SHARE ? job->content.n : JOB_SHARE};
    size_t n = share.n;
    job->status = feed(job->compressor, &share, ENCODER_TAKE);
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
    job->status = feed(job->compressor, &rest, ENCODER_TAKE);
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

static void compress_rest(void *arg)
{
    struct job *job = arg;
    job->status = feed(job->compressor, &job->content, job->op);
}

bool compressor_try_turn(void)
{
    struct green_sem *turns = pool_turns(&worker.turns);
    return turns->count && green_sem_wait(turns, NSEC_NEVER) == 0; /* without a wait */
}

void compressor_end_turn(void)
{
    green_sem_post(&worker.turns);
}

/* Runs a job when it is its turn, and when the pool has room for it. */
static int offload(void (*fn)(void *job), struct job *job)
{
    int error = green_sem_wait(pool_turns(&worker.turns), NSEC_NEVER);
    if (error)
        return error;
    nsec deadline = nsec_add(green_now(), job->compressor->x->server->timeouts.write);
    do
        error = green_offload(fn, job, NSEC_NEVER);
    while (error == -EAGAIN && green_now() < deadline && (error = green_sleep(POOL_PAUSE)) == 0);
    compressor_end_turn();
    return error ? error : job->status;
}

/* Runs it again until nothing is left of it, and passes on what comes out. */
static int run_jobs(void (*fn)(void *job), struct job *job)
{
    int error = 0;
    for (int more = 1; !error && (more || job->content.n || job->n);) {
        more = offload(fn, job);
        error = more > 0 ? pass_on(job->compressor) : more;
    }
    return error;
}

/* ---- the operations ---- */

static int head(struct exchange *x, const struct http_head *head)
{
    return compressor_of(x)->next->head(x, head);
}

static int content(struct exchange *x, struct str bytes)
{
    struct compressor *c = compressor_of(x);
    if (fits_in_pass(c, bytes.n))
        return run(c, bytes, ENCODER_TAKE);
    return run_jobs(compress_memory, &(struct job){.compressor = c, .content = bytes});
}

static int file(struct exchange *x, int fd, off_t at, size_t n, const struct file_stamp *stamp)
{
    struct job job = {.compressor = compressor_of(x), .fd = fd, .at = at, .n = n, .stamp = stamp};
    return run_jobs(compress_file, &job);
}

/* Brings out what the encoder has kept back. */
static int finish(struct compressor *c, enum encoder_op op)
{
    int error =
        rest_fits_in_pass(c) ? run(c, STR(""), op) : run_jobs(compress_rest, &(struct job){.compressor = c, .op = op});
    c->held = 0;
    return error ? error : pass_on(c);
}

static int flush(struct exchange *x)
{
    struct compressor *c = compressor_of(x);
    int error = finish(c, ENCODER_FLUSH);
    return error ? error : c->next->flush(x);
}

static int end(struct exchange *x)
{
    struct compressor *c = compressor_of(x);
    int error = finish(c, ENCODER_END);
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
    .flush = flush,
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
    c->held = 0;
    c->pass = (struct pass){0, 0};
    c->result = out_on(c->bytes, sizeof c->bytes);
    x->ops = &c->ops;
    worker.compressors++;
    return 0;
}
