/* listing.c: see listing.h. */
#include "handler/listing.h"

#include <errno.h>

#include "handler/listing_share.h"
#include "http/quality.h"
#include "log/log.h"

#define PATIENCE (10 * NSEC_SEC)

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

/* ---- the answer ---- */

/* Why there is none for now, though nothing is wrong with the directory. */
static const struct {
    int error;
    const char *why;
} refusals[] = {
    {-EBUSY, "too many listings wait for their turn"},
    {-ETIMEDOUT, "it waited ten seconds for its turn"},
    {-ENOBUFS, "the large listings that are being sent take all the memory that they may"},
    {-EAGAIN, "the queue of the blocking pool is full"},
};

static int refuse(struct exchange *x, int error)
{
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        if (refusals[i].error == error) {
            log_limited(LOG_LEVEL_WARN, "listing: 503 for " STR_FMT ": %s", STR_ARG(x->request.uri.path),
                        refusals[i].why);
            return http_send_status(x, 503, STR("Retry-After: 10\r\n"));
        }
    return error;
}

int listing_send(struct exchange *x, const struct file_root *root, struct str path, bool hidden)
{
    const struct http_uri *uri = &x->request.uri;
    struct listing_query query = {root, path, uri->path, hidden, order_of(uri->query), format_of(&x->request)};
    struct listing *listing;
    int error = listing_acquire(&query, nsec_add(green_now(), PATIENCE), &listing);
    if (error)
        return refuse(x, error);
    error = http_send(x, 200, query.format->fields, listing_text(listing));
    listing_release(listing);
    return error;
}
