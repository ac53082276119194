/* respond.c: `respond`: one fixed answer to every request. */
#include <errno.h>

#include "handler/registry.h"
#include "http/status.h"

struct respond {
    int64_t status;
    struct str type, body;
    struct str fields; /* made once */
};

static const struct conf_key keys[] = {
    {"status", CONF_INT, offsetof(struct respond, status), .fallback = "200", .min = 200, .max = 599,
     .doc = "status of the answer"},
    {"type", CONF_TEXT, offsetof(struct respond, type), .fallback = "text/plain; charset=utf-8",
     .takes = "a media type", .doc = "Content-Type of the answer"},
    {"body", CONF_TEXT, offsetof(struct respond, body), .fallback = "''",
     .doc = "content of the answer; 204, 205 and 304 have none"},
};

static const struct conf_table table = CONF_TABLE("respond", keys);

/* A line break in a field would start another one. */
static bool has_control(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
            return true;
    return false;
}

static int prepare(struct conf_reader *r, const struct conf_node *node, const struct http_route *route, void *settings)
{
    (void)route;
    struct respond *respond = settings;
    bool empty = http_status_bodiless((int)respond->status) || respond->status == 205; /* RFC 9110, 15.3.6 */
    if (empty && respond->body.n) {
        conf_error(r, conf_find(node, STR("body")), "a response of this status has no content");
        return -EINVAL;
    }
    if (has_control(respond->type)) {
        conf_error(r, conf_find(node, STR("type")), "a control character in a field");
        return -EINVAL;
    }
    respond->fields = arena_printf(r->arena, "Content-Type: " STR_FMT "\r\n", STR_ARG(respond->type));
    return respond->fields.p ? 0 : -ENOMEM;
}

static int serve(struct exchange *x, const void *settings)
{
    const struct respond *respond = settings;
    return http_send(x, (int)respond->status, respond->fields, respond->body);
}

const struct http_handler handler_respond = {
    .name = STR_INIT("respond"),
    .doc = "one fixed answer: {type: text/plain, body: \"ok\\n\"}",
    .table = &table,
    .size = sizeof(struct respond),
    .prepare = prepare,
    .serve = serve,
};
