/* quality_test.c: weights, malformed and well-formed, and which element of a list decides. */
#include "http/quality.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

static unsigned weight(const struct http_request *request, struct str coding)
{
    unsigned quality;
    http_qualities(request, STR("Accept-Encoding"), &coding, 1, &quality);
    return quality;
}

static unsigned coding(const char *accepted, const char *name)
{
    struct http_field fields[] = {{STR("Host"), STR("gzip")}, {STR("accept-encoding"), str_of(accepted)}};
    struct http_request request = {.fields = fields, .field_count = COUNT(fields)};
    return weight(&request, str_of(name));
}

static unsigned type(const char *accepted, const char *name)
{
    struct http_field fields[] = {{STR("Accept-Encoding"), STR("*/*")}, {STR("ACCEPT"), str_of(accepted)}};
    struct http_request request = {.fields = fields, .field_count = COUNT(fields)};
    return http_quality_of_type(&request, str_of(name));
}

/* RFC 9110, 12.4.2: elements as good as absent. */
static const char *const malformed[] = {
    "gzip;q",        "gzip;q=",        "gzip;q= ",      "gzip;q=2",    "gzip;q=10",  "gzip;q=1.1",   "gzip;q=1.001",
    "gzip;q=1.0000", "gzip;q=0.1234",  "gzip;q=0.0000", "gzip;q=00.5", "gzip;q=01",  "gzip;q=0.5.5", "gzip;q=.5",
    "gzip;q=.",      "gzip;q=-1",      "gzip;q=-0.5",   "gzip;q=+1",   "gzip;q=1e0", "gzip;q=0x1",   "gzip;q=0.5 0",
    "gzip;q=0 .5",   "gzip;q=0. 5",    "gzip;q= 0.5",   "gzip;q =0.5", "gzip;q=0.a", "gzip;q=a",     "gzip;q=1.00a",
    "gzip;q=0.5x",   "gzip;q=\"0.5\"", "gzip;q==0.5",   "gzip;q=0.5=", "gzip;q=0:5", "gzip;q=/.5",   "gzip;q=1;q=0.5",
    "gzip;x=1;Q=2",  ";q=1",           ";gzip",         ";",           ";;q=0.5",
};

Test(quality, malformed_elements)
{
    char list[64];
    for (size_t i = 0; i < COUNT(malformed); i++) {
        cr_expect_eq(coding(malformed[i], "gzip"), 0, "%s", malformed[i]);
        snprintf(list, sizeof list, "br;q=0.1, %s, *;q=0.2", malformed[i]);
        cr_expect_eq(coding(list, "gzip"), 200, "%s", list);
        cr_expect_eq(coding(list, "br"), 100, "%s", list);
        struct str rest = str_of(malformed[i]);
        struct http_weighted element;
        while (http_weighted_next(&rest, &element))
            cr_expect_eq(element.value.n, 0, "%s", malformed[i]);
    }
}

static const char *const without_gzip[] = {
    "",      ",",           " , ,,",       "br",          "gzip2",
    "gzi",   "g zip",       "gzip/1",      "\"gzip\"",    "gzip;q=0",
    "*;q=0", "gzip;q=0, *", "br, *;q=0.0", "x=\"a, gzip", "x;y=\"gzip, gzip\\\", gzip\"",
};

Test(quality, codings_that_are_not_accepted)
{
    for (size_t i = 0; i < COUNT(without_gzip); i++)
        cr_expect_eq(coding(without_gzip[i], "gzip"), 0, "%s", without_gzip[i]);
}

struct row {
    const char *list, *value;
    unsigned quality;
};

static const struct row codings[] = {
    {"gzip", "gzip", 1000},
    {"GZip", "gzip", 1000},
    {"gzip;q=1", "gzip", 1000},
    {"gzip;q=1.", "gzip", 1000},
    {"gzip;q=1.000", "gzip", 1000},
    {"gzip;q=0.", "gzip", 0},
    {"gzip;q=0.001", "gzip", 1},
    {"gzip;q=0.01", "gzip", 10},
    {"gzip;q=0.5", "gzip", 500},
    {"gzip;q=0.999", "gzip", 999},
    {"gzip \t; \tQ=0.5 ", "gzip", 500},
    {"gzip;;q=0.5;", "gzip", 500},
    {"gzip;level=\"a;q=1,b\\\"\";q=0.5", "gzip", 500},
    {"br;q=1.0, gzip;q=0.8, *;q=0.1", "br", 1000},
    {"br;q=1.0, gzip;q=0.8, *;q=0.1", "gzip", 800},
    {"br;q=1.0, gzip;q=0.8, *;q=0.1", "zstd", 100},
    {"*;q=0.5, gzip", "gzip", 1000},
    {",,gzip,", "gzip", 1000},
    {"gzip;q=0.2, gzip;q=0.7, gzip;q=0.3", "gzip", 700},
    {"x-gzip;q=0.3", "gzip", 300},
    {"X-GZIP", "gzip", 1000},
    {"gzip;q=0.3", "x-gzip", 300},
    {"x-compress;q=0.3", "compress", 300},
};

Test(quality, codings)
{
    for (size_t i = 0; i < COUNT(codings); i++)
        cr_expect_eq(coding(codings[i].list, codings[i].value), codings[i].quality, "%s: %u", codings[i].list,
                     coding(codings[i].list, codings[i].value));
}

/* 12.5.3, rule 2 */
static const struct row identities[] = {
    {"identity;q=0", "identity", 0},
    {"*;q=0", "identity", 0},
    {"gzip, *;q=0", "identity", 0},
    {"gzip, Identity;q=0, *", "identity", 0},
    {"", "identity", 1},
    {"gzip", "identity", 1},
    {"identity;q=2", "identity", 1},
    {"identity;q=0.5, *;q=0", "identity", 500},
    {"*;q=0.5", "identity", 500},
    {"*", "identity", 1000},
    {"identity", "identity", 1000},
};

Test(quality, identity)
{
    for (size_t i = 0; i < COUNT(identities); i++)
        cr_expect_eq(coding(identities[i].list, "identity"), identities[i].quality, "%s", identities[i].list);
}

static const struct row refused_types[] = {
    {"", "text/html", 0},
    {",", "text/html", 0},
    {"*", "text/html", 0},
    {"*/html", "text/html", 0},
    {"text", "text/html", 0},
    {"text/", "text/html", 0},
    {"text/htm", "text/html", 0},
    {"text/htmlx", "text/html", 0},
    {"text/ *", "text/html", 0},
    {"tex/*", "text/html", 0},
    {"texts/*", "text/html", 0},
    {"text*", "text/html", 0},
    {"text/**", "text/html", 0},
    {"text/h*", "text/html", 0},
    {"application/json", "text/html", 0},
    {"text/html;q=0", "text/html", 0},
    {"text/html;q=0, text/*, */*", "text/html", 0},
    {"text/*;q=0, */*", "text/html", 0},
    {"text/html;q=2", "text/html", 0},
    {"*/*;q=.2, *; q=.2", "text/html", 0},
};

static const struct row types[] = {
    {"text/html", "text/html", 1000},
    {"TEXT/Html", "text/html", 1000},
    {"text/html", "Text/HTML; charset=utf-8", 1000},
    {"text/html;q=0.5", "text/html ;charset=utf-8", 500},
    {"text/html;level=1;q=0.4", "text/html", 400},
    {"text/html;q=0.4;level=1", "text/html", 400},
    {"text/*;q=0.3", "text/html", 300},
    {"Text/*", "text/html", 1000},
    {"*/*;q=0.1", "text/html", 100},
    {"*/*, text/*;q=0.5, text/html;q=0.2", "text/html", 200},
    {"text/html;q=0.2, text/*;q=0.5, */*", "text/html", 200},
    {"text/*;q=0.5, */*", "text/html", 500},
    {"text/html;level=1;q=0.1, text/html;q=0.9", "text/html", 900},
    {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "application/json", 800},
    {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "application/xml", 900},
    {"application/json;x=\"a,b\", text/html;q=0.5", "application/json", 1000},
};

/* 12.5.1 */
Test(quality, types)
{
    for (size_t i = 0; i < COUNT(refused_types); i++)
        cr_expect_eq(type(refused_types[i].list, refused_types[i].value), refused_types[i].quality, "%s",
                     refused_types[i].list);
    for (size_t i = 0; i < COUNT(types); i++)
        cr_expect_eq(type(types[i].list, types[i].value), types[i].quality, "%s", types[i].list);
}

Test(quality, without_the_field)
{
    struct http_request request = {.fields = NULL};
    cr_expect_eq(weight(&request, STR("gzip")), 0);
    cr_expect_eq(weight(&request, STR("identity")), 1000);
    cr_expect_eq(http_quality_of_type(&request, STR("text/html")), 1000);
}

Test(quality, several_lines_are_one_list)
{
    struct http_field fields[] = {
        {STR("Accept-Encoding"), STR("br;q=0.5, *;q=0")},
        {STR("Accept"), STR("gzip")},
        {STR("accept-encoding"), STR("gzip;q=0.7")},
        {STR("ACCEPT-ENCODING"), STR("")},
    };
    struct http_request request = {.fields = fields, .field_count = COUNT(fields)};
    cr_expect_eq(weight(&request, STR("zstd")), 0);
    cr_expect_eq(weight(&request, STR("br")), 500);
    cr_expect_eq(weight(&request, STR("gzip")), 700);
}

/* Weights of several codings are those of each. */
Test(quality, several_at_once)
{
    static const struct str names[] = {STR_INIT("gzip"), STR_INIT("br"), STR_INIT("x-gzip"), STR_INIT("identity"),
                                       STR_INIT("zstd")};
    struct http_field fields[] = {
        {STR("Accept-Encoding"), STR("br;q=0.5, *;q=0.1, gzip;q=y")},
        {STR("Accept-Encoding"), STR("x-gzip;q=0.7, identity;q=0")},
    };
    struct http_request request = {.fields = fields, .field_count = COUNT(fields)};
    unsigned weights[COUNT(names)];
    http_qualities(&request, STR("Accept-Encoding"), names, COUNT(names), weights);
    static const unsigned expected[] = {700, 500, 700, 0, 100};
    for (size_t i = 0; i < COUNT(names); i++)
        cr_expect_eq(weights[i], expected[i], "%s: %u", names[i].p, weights[i]);
}

/* Whatever the elements are, and on how many lines, the first hundred count. */
Test(quality, what_is_behind_a_hundred_elements)
{
    static const char *const fillers[] = {"a", "", "br;q=0.1", "br;q=x", "\"b,c\""};
    for (size_t f = 0; f < COUNT(fillers); f++)
        for (size_t before = HTTP_WEIGHTED_MAX - 2; before <= HTTP_WEIGHTED_MAX + 1; before++) {
            char list[2000], *at = list;
            for (size_t i = 0; i < before - 1; i++)
                at += sprintf(at, "%s,", fillers[f]);
            struct http_field fields[] = {{STR("Accept-Encoding"), str_of("identity")},
                                          {STR("Accept-Encoding"), {list, (size_t)(at - list)}},
                                          {STR("Accept-Encoding"), STR("gzip")}};
            struct http_request request = {.fields = fields, .field_count = COUNT(fields)};
            cr_expect_eq(weight(&request, STR("gzip")), before < HTTP_WEIGHTED_MAX ? 1000 : 0, "%zu of %s", before,
                         fillers[f]);
            for (size_t i = 0; i < COUNT(fields); i++)
                fields[i].name = STR("Accept");
            fields[2].value = STR("text/html");
            cr_expect_eq(http_quality_of_type(&request, STR("text/html")), before < HTTP_WEIGHTED_MAX ? 1000 : 0);
        }
}

Test(quality, elements_one_by_one)
{
    static const struct {
        const char *value;
        unsigned quality;
    } elements[] = {{"", 1000}, {"da", 1000}, {"en-gb", 800}, {"", 1000}, {"", 0}, {"en", 700}};
    struct str list = STR(" , da, en-gb;q=0.8,, en;q=x , en;q=0.7;x=\"a,b\" ,");
    struct http_weighted element;
    for (size_t i = 0; i < COUNT(elements); i++) {
        cr_assert(http_weighted_next(&list, &element));
        cr_expect(str_eq(element.value, str_of(elements[i].value)), "%zu", i);
        cr_expect_eq(element.quality, elements[i].quality, "%zu", i);
    }
    cr_expect_not(http_weighted_next(&list, &element));
}
