/* cond.c: see cond.h. */
#include "http/cond.h"

#include "http/date.h"

enum condition { IF_MATCH, IF_UNMODIFIED_SINCE, IF_NONE_MATCH, IF_MODIFIED_SINCE, IF_RANGE, CONDITIONS };

static const struct str names[CONDITIONS] = {
    [IF_MATCH] = STR_INIT("If-Match"),           [IF_UNMODIFIED_SINCE] = STR_INIT("If-Unmodified-Since"),
    [IF_NONE_MATCH] = STR_INIT("If-None-Match"), [IF_MODIFIED_SINCE] = STR_INIT("If-Modified-Since"),
    [IF_RANGE] = STR_INIT("If-Range"),
};

/* What a request has of one field. */
struct lines {
    size_t count;
    struct str value; /* of the last line */
};

static bool is_conditional(struct str name)
{
    return name.n > 3 && name.p[2] == '-' && char_lower(name.p[0]) == 'i' && char_lower(name.p[1]) == 'f';
}

/* Most requests have no condition, and should not pay for those that do. */
static bool has_conditions(const struct http_request *request)
{
    for (size_t i = 0; i < request->field_count; i++)
        if (is_conditional(request->fields[i].name))
            return true;
    return false;
}

static void find_conditions(const struct http_request *request, struct lines found[static CONDITIONS])
{
    for (size_t i = 0; i < request->field_count; i++) {
        const struct http_field *field = &request->fields[i];
        if (!is_conditional(field->name))
            continue;
        for (size_t c = 0; c < CONDITIONS; c++)
            if (str_eq_nocase(field->name, names[c]))
                found[c] = (struct lines){found[c].count + 1, field->value};
    }
}

/* ---- entity tags (8.8.3) ---- */

typedef bool comparison(struct str a, struct str b);

static bool is_weak(struct str tag)
{
    return str_starts(tag, STR("W/"));
}

static struct str opaque(struct str tag)
{
    return is_weak(tag) ? str_skip(tag, 2) : tag;
}

static bool same_strongly(struct str a, struct str b)
{
    return !is_weak(a) && str_eq(a, b);
}

static bool same_weakly(struct str a, struct str b)
{
    return str_eq(opaque(a), opaque(b));
}

/* Takes an element off the front of a list. A comma within the quotes of a tag belongs to it; whatever else stands
 * between two commas is left as it is, and is no tag. */
static struct str next_element(struct str *list)
{
    struct str element = str_trim(*list);
    size_t tag = 0, quote = is_weak(element) ? 2 : 0;
    if (quote < element.n && element.p[quote] == '"')
        tag = quote + 1 + str_find(str_skip(element, quote + 1), '"');
    size_t n = tag + str_find(str_skip(element, tag), ',');
    *list = str_skip(element, n + 1);
    return str_trim((struct str){element.p, n});
}

static bool contains(struct str list, struct str etag, comparison *same)
{
    while (list.n)
        if (same(next_element(&list), etag))
            return true;
    return false;
}

/* Whether one of the lines of a field names the present version. "*" is any version, but not as one of a list. */
static bool names_current(const struct http_request *request, enum condition c, const struct lines *lines,
                          struct str etag, comparison *same)
{
    if (lines->count == 1)
        return str_eq(lines->value, STR("*")) || (etag.n && contains(lines->value, etag, same));
    for (size_t i = 0; i < request->field_count && etag.n; i++) {
        const struct http_field *field = &request->fields[i];
        if (str_eq_nocase(field->name, names[c]) && contains(field->value, etag, same))
            return true;
    }
    return false;
}

/* ---- decisions ---- */

/* Reads the date of a condition. False: there is none, or it is to be ignored (13.1.3, 13.1.4). */
static bool read_date(const struct lines *lines, int64_t modified, int64_t now, int64_t *date)
{
    return lines->count == 1 && modified != HTTP_MODIFIED_UNKNOWN && http_date_parse(lines->value, now, date) == 0;
}

/* Methods that neither select a representation nor change one (13.2.1). */
static bool ignores_conditions(enum method method)
{
    return method == METHOD_CONNECT || method == METHOD_OPTIONS || method == METHOD_TRACE;
}

/* If-Match, or else If-Unmodified-Since. */
static bool is_expected(const struct http_request *request, const struct lines *found, const struct http_validators *v,
                        int64_t now)
{
    int64_t date;
    if (found[IF_MATCH].count)
        return names_current(request, IF_MATCH, &found[IF_MATCH], v->etag, same_strongly);
    return !read_date(&found[IF_UNMODIFIED_SINCE], v->modified, now, &date) || v->modified <= date;
}

/* If-None-Match, or else If-Modified-Since. */
static bool is_known(const struct http_request *request, const struct lines *found, const struct http_validators *v,
                     int64_t now)
{
    int64_t date;
    if (found[IF_NONE_MATCH].count)
        return names_current(request, IF_NONE_MATCH, &found[IF_NONE_MATCH], v->etag, same_weakly);
    return read_date(&found[IF_MODIFIED_SINCE], v->modified, now, &date) && v->modified <= date;
}

int http_precondition(const struct http_request *request, const struct http_validators *validators, int64_t now)
{
    if (!has_conditions(request) || ignores_conditions(request->method))
        return 0;
    struct lines found[CONDITIONS] = {{0}};
    find_conditions(request, found);
    if (!is_expected(request, found, validators, now))
        return 412;
    bool reading = request->method == METHOD_GET || request->method == METHOD_HEAD;
    if (!reading && !found[IF_NONE_MATCH].count)
        return 0;
    if (!is_known(request, found, validators, now))
        return 0;
    return reading ? 304 : 412;
}

bool http_if_range(const struct http_request *request, const struct http_validators *validators, int64_t now)
{
    struct lines found[CONDITIONS] = {{0}};
    find_conditions(request, found);
    const struct lines *lines = &found[IF_RANGE];
    int64_t date;
    if (!lines->count)
        return true;
    if (str_starts(lines->value, STR("\"")))
        return lines->count == 1 && str_eq(lines->value, validators->etag);
    return read_date(lines, validators->modified, now, &date) && date == validators->modified && date < now;
}
