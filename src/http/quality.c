/* quality.c: see quality.h. */
#include "http/quality.h"

#include <errno.h>

/* ---- a list ---- */

/* Where c first stands outside of quoted strings (5.6.4), or s.n. */
static size_t find_unquoted(struct str s, char c)
{
    bool quoted = false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"')
            quoted = !quoted;
        else if (s.p[i] == '\\' && quoted)
            i++;
        else if (s.p[i] == c && !quoted)
            return i;
    }
    return s.n;
}

/* Takes what stands before the first such c off the front, without white space at its ends. */
static struct str cut_unquoted(struct str *rest, char c)
{
    struct str head = {rest->p, find_unquoted(*rest, c)};
    *rest = str_skip(*rest, head.n + 1);
    return str_trim(head);
}

/* A qvalue (12.4.2): "0" or "1", perhaps with up to three decimals. Thousandths, or -EBADMSG. */
static int read_quality(struct str text)
{
    if (text.n == 0 || text.n > 5 || (text.p[0] != '0' && text.p[0] != '1') || (text.n > 1 && text.p[1] != '.'))
        return -EBADMSG;
    int quality = (text.p[0] - '0') * HTTP_QUALITY_MAX;
    int unit = HTTP_QUALITY_MAX;
    for (size_t i = 2; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return -EBADMSG;
        unit /= 10;
        quality += (text.p[i] - '0') * unit;
    }
    return quality <= HTTP_QUALITY_MAX ? quality : -EBADMSG;
}

/* The weight among the parameters of an element; 1000 where there is none, -EBADMSG where it is not one. */
static int find_quality(struct str parameters)
{
    int quality = HTTP_QUALITY_MAX;
    bool found = false;
    while (parameters.n) {
        struct str value = cut_unquoted(&parameters, ';');
        struct str name = str_cut(&value, '=');
        if (!str_eq_nocase(str_trim(name), STR("q")))
            continue;
        quality = found || name.n > 1 ? -EBADMSG : read_quality(value);
        if (quality < 0)
            return quality;
        found = true;
    }
    return quality;
}

bool http_weighted_next(struct str *list, struct http_weighted *element)
{
    if (!list->n)
        return false;
    struct str parameters = cut_unquoted(list, ',');
    struct str value = cut_unquoted(&parameters, ';');
    int quality = find_quality(parameters);
    *element = quality < 0 ? (struct http_weighted){STR(""), 0} : (struct http_weighted){value, (unsigned)quality};
    return true;
}

/* ---- the element that fits best ---- */

enum fit { NO_FIT, FITS_ALL, FITS_KIND, FITS_EXACTLY };

/* How well an element fits and what it weighs, as one number: a better fit counts more than any weight. */
enum { RANK_OF_FIT = HTTP_QUALITY_MAX + 1 };

typedef enum fit fit_fn(struct str listed, struct str value);

static void rank(const struct http_weighted *element, const struct str *values, size_t count, fit_fn *fit_of,
                 unsigned *ranks)
{
    for (size_t i = 0; i < count; i++) {
        enum fit fit = fit_of(element->value, values[i]);
        unsigned its = fit ? fit * RANK_OF_FIT + element->quality : 0;
        ranks[i] = its > ranks[i] ? its : ranks[i];
    }
}

/* The highest rank that each of several values has among the elements of a field; 0: none fits. False: the request has
 * no such field. */
static bool find_ranks(const struct http_request *request, struct str name, const struct str *values, size_t count,
                       fit_fn *fit_of, unsigned *ranks)
{
    size_t left = HTTP_WEIGHTED_MAX;
    bool listed = false;
    for (size_t i = 0; i < count; i++)
        ranks[i] = 0;
    for (size_t i = 0; i < request->field_count; i++) {
        const struct http_field *field = &request->fields[i];
        if (!str_eq_nocase(field->name, name))
            continue;
        listed = true;
        struct http_weighted element;
        for (struct str list = field->value; left && http_weighted_next(&list, &element); left--)
            if (element.value.n)
                rank(&element, values, count, fit_of, ranks);
    }
    return listed;
}

/* ---- content codings ---- */

struct alias {
    struct str name, means;
};

/* The name by which a coding goes now (8.4.1). */
static struct str canonical(struct str coding)
{
    static const struct alias aliases[] = {
        {STR_INIT("x-gzip"), STR_INIT("gzip")},
        {STR_INIT("x-compress"), STR_INIT("compress")},
    };
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
        if (str_eq_nocase(coding, aliases[i].name))
            return aliases[i].means;
    return coding;
}

static enum fit fit_of_coding(struct str listed, struct str coding)
{
    if (str_eq(listed, STR("*")))
        return FITS_ALL;
    return str_eq_nocase(canonical(listed), canonical(coding)) ? FITS_EXACTLY : NO_FIT;
}

void http_qualities(const struct http_request *request, struct str field, const struct str *codings, size_t count,
                    unsigned *weights)
{
    bool listed = find_ranks(request, field, codings, count, fit_of_coding, weights);
    for (size_t i = 0; i < count; i++) {
        if (weights[i])
            weights[i] %= RANK_OF_FIT;
        else if (str_eq_nocase(codings[i], STR("identity")))
            weights[i] = listed ? 1 : HTTP_QUALITY_MAX;
    }
}

/* ---- media types ---- */

static enum fit fit_of_type(struct str range, struct str type)
{
    if (str_eq(range, STR("*/*")))
        return FITS_ALL;
    if (str_eq_nocase(range, type))
        return FITS_EXACTLY;
    bool same_kind = str_eq_nocase(str_cut(&range, '/'), str_cut(&type, '/'));
    return same_kind && str_eq(range, STR("*")) ? FITS_KIND : NO_FIT;
}

unsigned http_quality_of_type(const struct http_request *request, struct str type)
{
    struct str bare = str_trim(str_cut(&type, ';'));
    unsigned best;
    bool listed = find_ranks(request, STR("Accept"), &bare, 1, fit_of_type, &best);
    return listed ? best % RANK_OF_FIT : HTTP_QUALITY_MAX;
}
