/* expires.c: `expires`: how long caches may keep a response, by its media type (RFC 9111, 5.2.2.1 and 5.3).
 *
 *     expires: {"text/css": 7d, "*": 1h}
 *
 * The most specific entry counts: a type, then all of its kind (image/ and a star), then `*`. Who has said so already,
 * by a Cache-Control or an Expires, is left alone, be it the handler or `headers`.
 */
#include <errno.h>
#include <time.h>

#include "http/date.h"
#include "http/token.h"
#include "policy/registry.h"

struct lifetime {
    struct str type; /* "text/css", "image/" for all of a kind, "" for everything */
    nsec time;
};

struct expires {
    struct lifetime *v;
    size_t n;
};

static bool has_star(struct str s)
{
    return str_find(s, '*') < s.n;
}

/* "text/css" stands for itself, "text/" and a star for what starts with "text/", a star or two for everything. */
static int parse_pattern(struct str text, struct str *pattern)
{
    struct str subtype = text, kind = str_cut(&subtype, '/');
    bool all = str_eq(text, STR("*")) || str_eq(text, STR("*/*")), all_of_kind = str_eq(subtype, STR("*"));
    *pattern = (struct str){text.p, all ? 0 : text.n - all_of_kind};
    bool type = http_is_token(kind) && http_is_token(subtype) && !has_star(kind) && (all_of_kind || !has_star(subtype));
    return all || type ? 0 : -EINVAL;
}

static bool is_listed(const struct expires *expires, struct str type)
{
    for (size_t i = 0; i < expires->n; i++)
        if (str_eq_nocase(expires->v[i].type, type))
            return true;
    return false;
}

static const struct conf_key entry = {.name = "media types", .kind = CONF_TIME, .max = 365 * 86400 * NSEC_SEC};

static int read_lifetime(struct conf_reader *r, struct conf_node *node, struct expires *expires)
{
    struct lifetime lifetime;
    if (parse_pattern(node->key, &lifetime.type) < 0) {
        conf_error_key(r, node, "not a media type, such as text/css, image/* or *");
        return -EINVAL;
    }
    if (is_listed(expires, lifetime.type)) {
        conf_error_key(r, node, "the same type a second time");
        return -EINVAL;
    }
    int error = conf_read_value(r, node, &entry, &lifetime.time);
    expires->v[expires->n++] = lifetime;
    return error;
}

static int read_expires(struct conf_reader *r, struct conf_node *node, void *field)
{
    struct expires *expires = field;
    int first = 0;
    if (node->kind != CONF_MAPPING) {
        conf_error(r, node, "takes a mapping of media types to durations, not %s", conf_kind_name(node));
        return -EINVAL;
    }
    size_t count = 0;
    conf_each (item, node)
        count++;
    expires->v = arena_zalloc(r->arena, count * sizeof *expires->v);
    if (!expires->v)
        return -ENOMEM;
    conf_each (item, node) {
        int error = read_lifetime(r, item, expires);
        first = first ? first : error;
    }
    return first;
}

static const struct conf_key keys[] = {
    {"expires", CONF_CUSTOM, 0, .read = read_expires, .entry = &entry, .pattern = "^([^/ ]+/[^/ ]+|\\*)$",
     .doc = "how long caches may keep a response, by media type: {\"text/css\": 7d, \"image/*\": 30d, \"*\": 1h}"},
};

static const struct conf_table table = CONF_TABLE("expires", keys);

static bool matches(struct str pattern, struct str type)
{
    bool kind = pattern.n == 0 || pattern.p[pattern.n - 1] == '/';
    if (kind && type.n > pattern.n)
        type.n = pattern.n;
    return str_eq_nocase(pattern, type);
}

/* A longer pattern is a more specific one. */
static const struct lifetime *find(const struct expires *expires, struct str type)
{
    const struct lifetime *best = NULL;
    for (size_t i = 0; i < expires->n; i++) {
        const struct lifetime *lifetime = &expires->v[i];
        if ((!best || lifetime->type.n > best->type.n) && matches(lifetime->type, type))
            best = lifetime;
    }
    return best;
}

static bool is_kept(int status)
{
    return status == 200 || status == 203 || status == 206 || status == 304;
}

static bool is_told(const struct http_head *head)
{
    return http_head_field(head, STR("Cache-Control")).p || http_head_field(head, STR("Expires")).p;
}

static int dress(struct exchange *x, const void *settings, struct http_head *head)
{
    struct str type = http_head_field(head, STR("Content-Type"));
    const struct lifetime *lifetime = find(settings, str_trim(str_cut(&type, ';')));
    bool fetched = x->request.method == METHOD_GET || x->request.method == METHOD_HEAD;
    if (!fetched || !lifetime || !is_kept(head->status) || is_told(head))
        return 0;
    int64_t seconds = lifetime->time / NSEC_SEC;
    char date[HTTP_DATE_SIZE];
    http_date_write(date, time(NULL) + seconds);
    return http_head_add(x, head, "Cache-Control: max-age=%lld\r\nExpires: %.*s\r\n", (long long)seconds,
                         HTTP_DATE_SIZE, date);
}

const struct http_policy policy_expires = {
    .table = &table,
    .size = sizeof(struct expires),
    .dress = dress,
};
