/* cond.c: see cond.h. */
#include "http/cond.h"

#include <time.h>

#include "http/date.h"

static struct str without_weakness(struct str tag)
{
    return str_starts(tag, STR("W/")) ? str_skip(tag, 2) : tag;
}

/* Takes one entity tag, or anything else up to a comma, off the front of a list. A comma inside a tag's quotes belongs
 * to it. */
static struct str next_tag(struct str *list)
{
    struct str tag = str_trim(*list);
    size_t quote = str_starts(tag, STR("W/")) ? 2 : 0;
    size_t n = str_find(tag, ',');
    if (quote < tag.n && tag.p[quote] == '"') {
        size_t closing = quote + 1 + str_find(str_skip(tag, quote + 1), '"');
        if (closing < tag.n)
            n = closing + 1;
    }
    *list = str_skip(tag, n);
    *list = str_skip(*list, str_find(*list, ',') + 1);
    return str_trim((struct str){tag.p, n});
}

/* Weak comparison (8.8.3.2). */
static bool matches(struct str list, struct str etag)
{
    if (str_eq(str_trim(list), STR("*")))
        return true;
    while (list.n)
        if (str_eq(without_weakness(next_tag(&list)), without_weakness(etag)))
            return true;
    return false;
}

bool http_not_modified(const struct http_request *request, struct str etag, int64_t modified)
{
    bool listed = false, matched = false;
    for (size_t i = 0; i < request->field_count; i++) {
        const struct http_field *field = &request->fields[i];
        if (str_eq_nocase(field->name, STR("If-None-Match"))) {
            listed = true;
            matched |= matches(field->value, etag);
        }
    }
    struct str since = listed ? STR("") : http_field(request, STR("If-Modified-Since"));
    int64_t date;
    if (since.n == 0 || http_date_parse(since, time(NULL), &date) < 0)
        return matched;
    return modified <= date;
}
