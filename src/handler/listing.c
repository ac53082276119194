/* listing.c: see listing.h. */
#include "handler/listing.h"

#include <errno.h>

#include "green/offload.h"
#include "green/sync.h"
#include "handler/file_cache.h"
#include "handler/listing_page.h"
#include "http/quality.h"

enum { READ_AT_ONCE = 2 };
#define MEMORY_MAX ((size_t)64 << 20)

static struct {
    struct green_sem reads;
    bool ready;
    size_t memory; /* that the listings take which are being sent */
} listings;

/* ---- what is asked for ---- */

static void read_parameter(struct str parameter, struct listing_order *order)
{
    struct str key = str_cut(&parameter, '=');
    if (str_eq(key, STR("order")) && (str_eq(parameter, STR("asc")) || str_eq(parameter, STR("desc"))))
        order->descending = str_eq(parameter, STR("desc"));
    if (!str_eq(key, STR("sort")))
        return;
    for (size_t i = 0; i < sizeof listing_keys / sizeof *listing_keys; i++)
        if (str_eq(parameter, listing_keys[i]))
            order->key = (enum listing_key)i;
}

static struct listing_order order_of(struct str query)
{
    struct listing_order order = {LISTING_NAME, false};
    while (query.n)
        read_parameter(str_cut(&query, '&'), &order);
    return order;
}

static const struct listing_format *format_of(const struct http_request *request)
{
    unsigned html = http_quality_of_type(request, listing_html.type);
    return http_quality_of_type(request, listing_json.type) > html ? &listing_json : &listing_html;
}

/* ---- reading ---- */

static int run_job(struct listing_job *job)
{
    if (listings.memory >= MEMORY_MAX)
        return -ENOMEM;
    int error = green_offload(listing_job_run, job, NSEC_NEVER);
    if (!error && (job->error == -EMFILE || job->error == -ENFILE) && file_cache_shed())
        error = green_offload(listing_job_run, job, NSEC_NEVER);
    listings.memory += job->memory;
    return error ? error : job->error;
}

static int read_directory(struct listing_job *job)
{
    if (!listings.ready)
        green_sem_init(&listings.reads, READ_AT_ONCE);
    listings.ready = true;
    int error = green_sem_wait(&listings.reads, NSEC_NEVER);
    if (error)
        return error;
    error = run_job(job);
    green_sem_post(&listings.reads);
    return error;
}

static void release(void *arg)
{
    struct listing_job *job = arg;
    listings.memory -= job->memory;
    listing_job_clear(job);
}

int listing_send(struct exchange *x, const struct file_root *root, struct str path, bool hidden)
{
    struct listing_job *job = arena_zalloc(&x->arena, sizeof *job);
    struct listing_page page;
    if (!job)
        return -ENOMEM;
    *job = (struct listing_job){.root = root, .path = path, .hidden = hidden, .order = order_of(x->request.uri.query)};
    const struct listing_format *format = format_of(&x->request);
    int error = arena_defer(&x->arena, release, job);
    if (!error)
        error = read_directory(job);
    if (!error)
        error = listing_page_init(&page, x, job, format);
    if (error)
        return error;
    format->render(&page);
    return listing_page_end(&page);
}
