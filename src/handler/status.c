/* status.c: `status`: a page that shows what the workers do at the moment.
 *
 * It is made of files that are part of the program, and of one stream of events; it loads nothing else.
 */
#include <errno.h>

#include "handler/registry.h"
#include "handler/status_events.h"
#include "handler/status_file.h"
#include "http/redirect.h"

struct status {
    size_t prefix; /* bytes of the path that name no file */
};

static const struct conf_table table = {.what = "status"};

static int prepare(struct conf_reader *r, const struct conf_node *node, const struct http_route *route, void *settings)
{
    struct status *status = settings;
    status->prefix = route->path.n;
    status_files_init();
    if (!route->exact)
        return 0;
    conf_error(r, node, "the page has files below it: it needs a `path`, not an `exact` one");
    return -EINVAL;
}

static int serve(struct exchange *x, const void *settings)
{
    const struct status *status = settings;
    struct str path = x->request.uri.path, name = str_skip(path, status->prefix);
    if (!name.n && !str_ends(path, STR("/")))
        return http_redirect_to_slash(x);
    name = str_skip(name, str_starts(name, STR("/")));
    if (str_eq(name, STR("events")))
        return status_events_send(x);
    const struct status_file *file = status_file_find(name);
    return file ? status_file_send(x, file) : http_send_status(x, 404, STR(""));
}

const struct http_handler handler_status = {
    .name = STR_INIT("status"),
    .doc = "a page that shows what the workers and their green threads do: {}",
    .table = &table,
    .size = sizeof(struct status),
    .methods = 1ULL << METHOD_GET | 1ULL << METHOD_HEAD,
    .prepare = prepare,
    .serve = serve,
};
