/* headers.c: `headers`: fields that every response of a site or route carries.
 *
 *     headers: {X-Frame-Options: DENY, X-Client: "$tls_subject"}
 *
 * A route's own are added to those of its site; of one name, the route's counts. What a handler says by the same name
 * is taken out, but for Vary: that is a list of what it went by. The fields are written once, while the configuration
 * is read; those with variables (http/variable.h) for each response, behind the others, and of these the ones that
 * come out empty are left out.
 */
#include <errno.h>

#include "http/token.h"
#include "http/variable.h"
#include "policy/registry.h"

struct varying {
    struct str name;
    const struct http_text *value;
    struct varying *next;
};

struct headers {
    const struct conf_node *node;
    struct str fields; /* as they go out */
    struct varying *first, **end;
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

static int add_fixed(struct arena *arena, struct headers *headers, struct str name, struct str value)
{
    headers->fields = arena_printf(arena, STR_FMT STR_FMT ": " STR_FMT "\r\n", STR_ARG(headers->fields), STR_ARG(name),
                                   STR_ARG(value));
    return headers->fields.p ? 0 : -ENOMEM;
}

static int add_varying(struct arena *arena, struct headers *headers, struct str name, const struct http_text *value)
{
    struct varying *varying = arena_alloc(arena, sizeof *varying);
    if (!varying)
        return -ENOMEM;
    *varying = (struct varying){name, value, NULL};
    *headers->end = varying;
    headers->end = &varying->next;
    return 0;
}

static int add_field(struct conf_reader *r, struct headers *headers, const struct conf_node *field)
{
    const struct http_text *text;
    struct str value;
    int error = http_text_compile(r, field, field->text, &text);
    if (error)
        return error;
    return http_text_is_fixed(text, &value) ? add_fixed(r->arena, headers, field->key, value)
                                            : add_varying(r->arena, headers, field->key, text);
}

static int add_fields(struct conf_reader *r, struct headers *headers, const struct conf_node *map,
                      const struct conf_node *but)
{
    int first = 0;
    conf_each (field, map) {
        int error = but && has_field(but, field->key) ? 0 : add_field(r, headers, field);
        first = first ? first : error;
    }
    return first;
}

static int prepare(struct conf_reader *r, struct conf_node *node, const void *outer, void *settings)
{
    (void)node;
    struct headers *headers = settings;
    const struct headers *site = outer;
    headers->end = &headers->first;
    int error = site ? add_fields(r, headers, site->node, headers->node) : 0;
    return error ? error : add_fields(r, headers, headers->node, NULL);
}

/* The fields of a head but those that take the place of others. */
static void put_others(struct out *o, const struct http_head *head, const struct http_head *own)
{
    for (struct str rest = head->fields; rest.n;) {
        struct str line = str_cut(&rest, '\n'), value = line, name = str_cut(&value, ':');
        if (str_eq_nocase(name, STR("Vary")) || !http_head_field(own, name).p)
            out_put(o, str_range(line.p, rest.p));
    }
}

static int write_varying(struct exchange *x, const struct headers *headers, struct http_head *own)
{
    int error = 0;
    for (const struct varying *varying = headers->first; varying && !error; varying = varying->next) {
        struct str value;
        error = http_text_write(x, varying->value, HTTP_TEXT_FIELD, &value);
        if (!error && str_trim(value).n)
            error =
                http_head_add(x, own, STR_FMT ": " STR_FMT "\r\n", STR_ARG(varying->name), STR_ARG(str_trim(value)));
    }
    return error;
}

static int dress(struct exchange *x, const void *settings, struct http_head *head)
{
    const struct headers *headers = settings;
    struct http_head own = {.fields = headers->fields};
    int error = write_varying(x, headers, &own);
    if (error)
        return error;
    size_t size = head->fields.n + own.fields.n;
    char *all = arena_alloc(&x->arena, size);
    if (!all)
        return -ENOMEM;
    struct out o = out_on(all, size);
    put_others(&o, head, &own);
    out_put(&o, own.fields);
    head->fields = out_str(&o);
    return 0;
}

const struct http_policy policy_headers = {
    .table = &table,
    .size = sizeof(struct headers),
    .adds = true,
    .prepare = prepare,
    .dress = dress,
};
