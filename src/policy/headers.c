/* headers.c: `headers`: fields that every response of a site or route carries.
 *
 *     headers: {X-Frame-Options: DENY, Strict-Transport-Security: "max-age=31536000"}
 *
 * A route's own are added to those of its site; of one name, the route's counts. What a handler says by the same name
 * is taken out, but for Vary: that is a list of what it went by. The fields are written once, while the configuration
 * is read.
 */
#include <errno.h>

#include "http/token.h"
#include "policy/registry.h"

struct headers {
    const struct conf_node *node;
    struct str fields; /* as they go out */
};

/* What the protocol or a handler writes itself, and what may stand in a response only once (RFC 9110, 5.3). */
static const struct str reserved[] = {
    STR_INIT("Accept-Ranges"),  STR_INIT("Allow"),         STR_INIT("Connection"),        STR_INIT("Content-Encoding"),
    STR_INIT("Content-Length"), STR_INIT("Content-Range"), STR_INIT("Content-Type"),      STR_INIT("Date"),
    STR_INIT("ETag"),           STR_INIT("Keep-Alive"),    STR_INIT("Last-Modified"),     STR_INIT("Location"),
    STR_INIT("Server"),         STR_INIT("Trailer"),       STR_INIT("Transfer-Encoding"), STR_INIT("Upgrade"),
};

static bool is_reserved(struct str name)
{
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        if (str_eq_nocase(reserved[i], name))
            return true;
    return false;
}

static const char *what_is_wrong(struct str name, struct str value)
{
    if (!http_is_token(name))
        return "not a field name";
    if (is_reserved(name))
        return "a field that the server writes itself";
    return http_is_field_value(value) ? NULL : "a value with a control character, or white space at its ends";
}

/* Exactly the same name twice is not even YAML. */
static bool is_repeated(const struct conf_node *map, const struct conf_node *field)
{
    conf_each (other, map) {
        if (other == field)
            break;
        if (str_eq_nocase(other->key, field->key))
            return true;
    }
    return false;
}

static const struct conf_key entry = {.name = "field names", .kind = CONF_TEXT, .takes = "a value"};

static int check_field(struct conf_reader *r, const struct conf_node *map, struct conf_node *field)
{
    struct str value;
    int error = conf_read_value(r, field, &entry, &value);
    const char *wrong = error ? NULL : what_is_wrong(field->key, value);
    if (!error && !wrong && is_repeated(map, field))
        wrong = "the same field a second time; upper and lower case make no difference";
    if (wrong)
        conf_error_key(r, field, "%s", wrong);
    return wrong ? -EINVAL : error;
}

static int read_headers(struct conf_reader *r, struct conf_node *node, void *field)
{
    int first = 0;
    if (node->kind != CONF_MAPPING) {
        conf_error(r, node, "takes a mapping of names to values, not %s", conf_kind_name(node));
        return -EINVAL;
    }
    conf_each (item, node) {
        int error = check_field(r, node, item);
        first = first ? first : error;
    }
    *(const struct conf_node **)field = node;
    return first;
}

static const struct conf_key keys[] = {
    {"headers", CONF_CUSTOM, offsetof(struct headers, node), .read = read_headers, .entry = &entry,
     .pattern = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$",
     .doc = "fields that every response carries, by name; a route's are added to its site's"},
};

static const struct conf_table table = CONF_TABLE("headers", keys);

static bool has_field(const struct conf_node *map, struct str name)
{
    conf_each (field, map)
        if (str_eq_nocase(field->key, name))
            return true;
    return false;
}

static int add_fields(struct arena *arena, struct str *all, const struct conf_node *map, const struct conf_node *but)
{
    conf_each (field, map) {
        if (but && has_field(but, field->key))
            continue;
        *all = arena_printf(arena, STR_FMT STR_FMT ": " STR_FMT "\r\n", STR_ARG(*all), STR_ARG(field->key),
                            STR_ARG(field->text));
        if (!all->p)
            return -ENOMEM;
    }
    return 0;
}

static int prepare(struct conf_reader *r, struct conf_node *node, const void *outer, void *settings)
{
    (void)node;
    struct headers *headers = settings;
    const struct headers *site = outer;
    int error = site ? add_fields(r->arena, &headers->fields, site->node, headers->node) : 0;
    return error ? error : add_fields(r->arena, &headers->fields, headers->node, NULL);
}

/* The fields of a head but those that take the place of others. */
static void put_others(struct out *o, const struct http_head *head, const struct headers *headers)
{
    const struct http_head own = {.fields = headers->fields};
    for (struct str rest = head->fields; rest.n;) {
        struct str line = str_cut(&rest, '\n'), value = line, name = str_cut(&value, ':');
        if (str_eq_nocase(name, STR("Vary")) || !http_head_field(&own, name).p)
            out_put(o, str_range(line.p, rest.p));
    }
}

static int dress(struct exchange *x, const void *settings, struct http_head *head)
{
    const struct headers *headers = settings;
    size_t size = head->fields.n + headers->fields.n;
    char *all = arena_alloc(&x->arena, size);
    if (!all)
        return -ENOMEM;
    struct out o = out_on(all, size);
    put_others(&o, head, headers);
    out_put(&o, headers->fields);
    head->fields = out_str(&o);
    return 0;
}

const struct http_policy policy_headers = {
    .table = &table,
    .size = sizeof(struct headers),
    .prepare = prepare,
    .dress = dress,
};
