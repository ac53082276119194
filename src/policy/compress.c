/* compress.c: see compress.h. */
#include "policy/compress.h"

#include <errno.h>

#include "http/status.h"
#include "policy/compressor.h"
#include "policy/registry.h"
#include "policy/type_set.h"

struct compress {
    bool on;
    struct conf_texts names; /* of the types */
    struct type_set types;
    uint64_t min_size;
    int level; /* enum encoder_level */
};

/* ---- configuration ---- */

static const char *const levels[] = {
    [ENCODER_FAST] = "fast", [ENCODER_BALANCED] = "balanced", [ENCODER_SMALL] = "small", [ENCODER_LEVELS] = NULL};

/* What is text in disguise, or is known to shrink. */
#define TYPES                                                                                                          \
    "[text/*, '*/*+json', '*/*+xml', application/json, application/javascript, application/xml, application/wasm, "    \
    "application/x-ndjson, application/rtf, font/ttf, font/otf, image/bmp, image/vnd.microsoft.icon]"

static const struct conf_key keys[] = {
    {"types", CONF_TEXTS, offsetof(struct compress, names), .fallback = TYPES, .takes = "a media type",
     .pattern = "^[^/ ]+/[^/ ]+$", .doc = "what is compressed: application/json, text/*, */*+json"},
    {"min_size", CONF_SIZE, offsetof(struct compress, min_size), .fallback = "1k",
     .doc = "contents that are known to be smaller are sent as they are"},
    {"level", CONF_ENUM, offsetof(struct compress, level), .fallback = "balanced", .words = levels,
     .doc = "how much to spend: fast, balanced, or small; files up to 1 MiB are made at small, once, and kept"},
};

static const struct conf_table settings_table = CONF_TABLE("compress", keys);

static int add_types(struct conf_reader *r, struct conf_node *node, struct compress *compress)
{
    struct conf_node *types = conf_find(node, STR("types"));
    size_t i = 0;
    int first = type_set_init(&compress->types, r->arena);
    if (first)
        return first;
    conf_each_item (item, types) {
        int error = type_set_add(&compress->types, r->arena, compress->names.v[i++]);
        if (error == -EINVAL)
            conf_error(r, item, "not a media type, such as application/json, text/* or */*+json");
        first = first ? first : error;
    }
    return first;
}

static const struct conf_key toggle = {.kind = CONF_BOOL};

/* `on` is a mapping in which nothing is said. */
static int read_compress(struct conf_reader *r, struct conf_node *node, void *field)
{
    struct compress *compress = field;
    struct conf_node defaults = {.kind = CONF_MAPPING};
    int error = 0;
    compress->on = true;
    if (node->kind != CONF_MAPPING) {
        error = conf_read_value(r, node, &toggle, &compress->on);
        node = &defaults;
    }
    if (error || !compress->on)
        return error;
    error = conf_read_map(r, node, &settings_table, compress);
    return error ? error : add_types(r, node, compress);
}

static const struct conf_key key[] = {
    {"compress", CONF_CUSTOM, 0, .read = read_compress, .single = &toggle, .table = &settings_table,
     .doc = "content codings on the fly, brotli, zstd or gzip; {types: [text/*], min_size: 1k, level: balanced}"},
};

static const struct conf_table table = CONF_TABLE("compress", key);

/* ---- fields of a head ---- */

static bool next_field(struct str *rest, struct http_field *field)
{
    if (!rest->n)
        return false;
    struct str line = str_cut(rest, '\n');
    line.n -= str_ends(line, STR("\r"));
    field->name = str_cut(&line, ':');
    field->value = str_trim(line);
    return true;
}

/* Whether a field that is a list, on however many lines, has this member. */
static bool lists(const struct http_head *head, struct str name, struct str member)
{
    struct http_field field;
    for (struct str rest = head->fields; next_field(&rest, &field);)
        while (str_eq_nocase(field.name, name) && field.value.n)
            if (str_eq_nocase(str_trim(str_cut(&field.value, ',')), member))
                return true;
    return false;
}

/* How the fields of a head are to change. */
struct change {
    bool weak; /* the entity tag, and no ranges any more */
    bool vary; /* Vary is to get one more */
    enum coding coding;
};

#define VARIES_BY "Accept-Encoding"

static void put_field(struct out *o, const struct http_field *field, struct change *change)
{
    if (change->weak && str_eq_nocase(field->name, STR("Accept-Ranges")))
        return;
    out_put(o, field->name);
    out_text(o, ": ");
    if (change->weak && str_eq_nocase(field->name, STR("ETag")) && !str_starts(field->value, STR("W/")))
        out_text(o, "W/");
    out_put(o, field->value);
    if (change->vary && field->value.n && str_eq_nocase(field->name, STR("Vary"))) {
        out_text(o, ", " VARIES_BY);
        change->vary = false;
    }
    out_text(o, "\r\n");
}

static int rewrite(struct exchange *x, struct http_head *head, struct change change)
{
    /* A field may have been written without its blank. */
    size_t size = 2 * head->fields.n + sizeof "W/, " VARIES_BY "Vary: " VARIES_BY "\r\nContent-Encoding: zstd\r\n";
    char *text = arena_alloc(&x->arena, size);
    struct out o = out_on(text, size);
    struct http_field field;
    if (!text)
        return -ENOMEM;
    for (struct str rest = head->fields; next_field(&rest, &field);)
        put_field(&o, &field, &change);
    if (change.vary)
        out_text(&o, "Vary: " VARIES_BY "\r\n");
    if (change.coding != CODING_NONE) {
        out_text(&o, "Content-Encoding: ");
        out_put(&o, coding_name(change.coding));
        out_text(&o, "\r\n");
    }
    head->fields = out_str(&o);
    return 0;
}

/* ---- which coding ---- */

static enum coding coding_of(const struct http_request *request)
{
    if (request->minor == 0 || http_field(request, STR("Range")).p)
        return CODING_NONE;
    return coding_choose(request, CODING_ALL);
}

static bool is_encoded(const struct http_head *head)
{
    return http_head_field(head, STR("Content-Encoding")).p != NULL;
}

/* Whether the head tells the length of the content as it is, or as it would be with a 200, and how small that is. */
static bool is_small(const struct compress *compress, const struct http_head *head)
{
    bool told = head->status != 206 && head->length != HTTP_LENGTH_UNKNOWN && !is_encoded(head);
    return told && (uint64_t)head->length < compress->min_size;
}

/* Several ranges do not tell the type of the whole: it may be one of those. */
static bool has_type(const struct compress *compress, const struct http_head *head)
{
    struct str type = http_head_field(head, STR("Content-Type")), bare = type;
    bool parts = head->status == 206 && str_eq_nocase(str_trim(str_cut(&bare, ';')), STR("multipart/byteranges"));
    return parts || type_set_has(&compress->types, type);
}

/* Whether another request might get this content in another coding. */
static bool is_negotiated(const struct compress *compress, const struct http_head *head)
{
    bool empty = http_status_bodiless(head->status) && head->status != 304;
    return compress->on && !empty && has_type(compress, head) && !is_small(compress, head) &&
           !lists(head, STR("Cache-Control"), STR("no-transform"));
}

/* Chooses a coding, and sees to it that the content comes in it. CODING_NONE: it comes as the handler makes it. */
static enum coding apply(struct exchange *x, const struct compress *compress, struct http_head *head)
{
    bool part = head->status == 206 || http_head_field(head, STR("Content-Range")).p;
    enum coding coding = part || x->as_is || is_encoded(head) ? CODING_NONE : coding_of(&x->request);
    if (coding == CODING_NONE || x->response.no_content)
        return coding;
    int error = compressor_attach(x, coding, (enum encoder_level)compress->level, head->length);
    return error ? CODING_NONE : coding;
}

static int dress(struct exchange *x, const void *settings, struct http_head *head)
{
    const struct compress *compress = settings;
    if (!is_negotiated(compress, head))
        return 0;
    struct change change = {.coding = apply(x, compress, head)};
    change.weak = change.coding != CODING_NONE;
    change.vary = !lists(head, STR("Vary"), STR(VARIES_BY)) && !lists(head, STR("Vary"), STR("*"));
    if (change.weak)
        head->length = HTTP_LENGTH_UNKNOWN;
    if (head->status == 304) /* says only what a cache may do with what it has (RFC 9110, 15.4.5) */
        change.coding = CODING_NONE;
    return change.weak || change.vary ? rewrite(x, head, change) : 0;
}

const struct http_policy policy_compress = {
    .table = &table,
    .size = sizeof(struct compress),
    .dress = dress,
};

enum coding compress_wanted(const struct exchange *x, struct str type, uint64_t size)
{
    const struct http_policies *policies = &x->route->policies;
    for (size_t i = 0; i < policies->n; i++) {
        const struct compress *compress = policies->v[i].settings;
        if (policies->v[i].policy != &policy_compress || !compress->on || size < compress->min_size)
            continue;
        return type_set_has(&compress->types, type) ? coding_of(&x->request) : CODING_NONE;
    }
    return CODING_NONE;
}
