/* error_page.c: see error_page.h. */
#include "http/error_page.h"

#include <errno.h>

#include "http/route.h"
#include "http/uri.h"

/* ---- configuration ---- */

struct status_class {
    struct str name;
    int first;
};

static const struct status_class classes[] = {{STR_INIT("4xx"), 400}, {STR_INIT("5xx"), 500}};

/* The statuses that a key stands for: one, or, as "4xx", a hundred; 0: it is no such key. */
static int parse_key(struct str key, int *first)
{
    uint64_t status;
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (str_eq(key, classes[i].name)) {
            *first = classes[i].first;
            return 100;
        }
    if (str_to_u64(key, &status) < 0 || status < HTTP_ERROR_FIRST || status > HTTP_ERROR_LAST)
        return 0;
    *first = (int)status;
    return 1;
}

const struct conf_key http_error_entry = {
    .name = "statuses", .kind = CONF_TEXT, .takes = "a path of the site", .pattern = "^/"};

static int read_page(struct conf_reader *r, struct conf_node *node, struct http_error_pages *pages)
{
    int first = HTTP_ERROR_FIRST, count = parse_key(node->key, &first);
    struct str path = {NULL, 0};
    int error = conf_read_value(r, node, &http_error_entry, &path);
    if (count == 0) {
        conf_error_key(r, node, "not a status that an error can have: 400 to 599, 4xx or 5xx");
        error = -EINVAL;
    } else if (!error && !http_path_is_normal(path)) {
        conf_error(r, node, "not a path of this site, such as /404.html");
        error = -EINVAL;
    }
    for (int i = first; i < first + count && !error; i++)
        if (count == 1 || !pages->path[i - HTTP_ERROR_FIRST].p) /* a status of its own counts more than its class */
            pages->path[i - HTTP_ERROR_FIRST] = path;
    return error;
}

int http_errors_read(struct conf_reader *r, struct conf_node *node, void *field)
{
    struct http_error_pages *pages = arena_zalloc(r->arena, sizeof *pages);
    int first = 0;
    if (!pages)
        return -ENOMEM;
    if (node->kind != CONF_MAPPING) {
        conf_error(r, node, "takes a mapping of statuses to paths, not %s", conf_kind_name(node));
        return -EINVAL;
    }
    conf_each (page, node) {
        int error = read_page(r, page, pages);
        first = first ? first : error;
    }
    *(struct http_error_pages **)field = pages;
    return first;
}

int http_errors_check(struct conf_reader *r, struct conf_node *node, const struct http_site *site)
{
    int result = 0;
    conf_each (page, node)
        if (page->text.p && http_route_find(site, page->text) == &site->missing) {
            conf_error(r, page, "no route of this site has this path");
            result = -EINVAL;
        }
    return result;
}

/* ---- answering ---- */

struct str http_error_page(const struct exchange *x, int status)
{
    if (!x->site || !x->site->errors || x->failure || status < HTTP_ERROR_FIRST || status > HTTP_ERROR_LAST)
        return (struct str){NULL, 0};
    return x->site->errors->path[status - HTTP_ERROR_FIRST];
}

/* What describes the page's content. Validators and the like would be taken for those of what was asked for. */
static const struct str kept[] = {
    STR_INIT("Content-Type"),
    STR_INIT("Content-Encoding"),
    STR_INIT("Content-Language"),
    STR_INIT("Vary"),
};

static bool is_kept(struct str line)
{
    struct str name = str_cut(&line, ':');
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        if (str_eq_nocase(kept[i], name))
            return true;
    return false;
}

int http_failure_head(struct exchange *x, struct http_head *head)
{
    struct str page = head->fields;
    int error = 0;
    head->status = x->failure->status;
    head->fields = x->failure->fields;
    while (page.n && !error) {
        struct str line = {page.p, str_find(page, '\n') + 1};
        page = str_skip(page, line.n);
        error = is_kept(line) ? http_head_put(x, head, line) : 0;
    }
    return error;
}

/* The page's handler sees a request for the page, and none of the peer's fields. */
int http_send_error_page(struct exchange *x, int status, struct str fields, struct str page)
{
    struct http_failure *failure = arena_alloc(&x->arena, sizeof *failure);
    const struct http_request request = x->request;
    const struct http_route *route = http_route_find(x->site, page);
    if (!failure)
        return -ENOMEM;
    *failure = (struct http_failure){status, fields};
    x->failure = failure;
    x->request.method = request.method == METHOD_HEAD ? METHOD_HEAD : METHOD_GET;
    x->request.uri = (struct http_uri){.path = page};
    x->request.field_count = 0;
    int error = route->handler->serve(x, route->settings);
    if (error < 0 && error != -ECANCELED && x->response.status == 0)
        error = http_send_status(x, 500, STR(""));
    x->request = request;
    x->failure = NULL;
    return error;
}
