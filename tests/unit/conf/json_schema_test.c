/* json_schema_test.c: what becomes of each kind of key. */
#include "conf/json_schema.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

#define ENVIRONMENT "\\\\$\\\\{"

static const char *const words[] = {"auto", NULL};
static const struct conf_key port = {.name = "names", .kind = CONF_INT, .min = 1, .max = 65535};
static const struct conf_key host = {.kind = CONF_TEXTS, .pattern = "^a"};
static const struct conf_key point_keys[] = {{"x", CONF_INT, .required = true, .doc = "right"}};
static const struct conf_table point = CONF_TABLE("a point", point_keys);
static const struct conf_table empty = {.what = "nothing"};

#define PORT                                                                                                           \
    "\"type\":[\"integer\",\"string\"],\"minimum\":1,\"maximum\":65535,\"pattern\":\"^[0-9]+$|" ENVIRONMENT "\""
#define HOST "\"type\":\"string\",\"pattern\":\"^a|" ENVIRONMENT "\""
#define TEXT "\"type\":[\"string\",\"number\",\"boolean\"]"
#define POINT                                                                                                          \
    "\"type\":\"object\",\"properties\":{\"x\":{\"description\":\"Right.\\nTakes a number.\",\"type\":[\"integer\","   \
    "\"string\"],\"minimum\":0,\"pattern\":\"^[0-9]+$|" ENVIRONMENT                                                    \
    "\"}},\"additionalProperties\":false,\"required\":[\"x\"]"

static const struct {
    struct conf_key key;
    const char *schema;
} kinds[] = {
    {{.kind = CONF_BOOL},
     "\"anyOf\":[{\"enum\":[\"on\",\"off\",\"true\",\"false\",\"yes\",\"no\"]},{\"type\":[\"boolean\",\"string\"],"
     "\"pattern\":\"^(O(n|N|ff|FF)|T(rue|RUE)|F(alse|ALSE)|Y(es|ES)|N(o|O))$|" ENVIRONMENT "\"}]"},
    {{.kind = CONF_INT, .min = 1, .max = 65535}, PORT},
    {{.kind = CONF_INT, .min = 1, .max = 65535, .words = words}, "\"anyOf\":[{\"enum\":[\"auto\"]},{" PORT "}]"},
    {{.kind = CONF_SIZE, .max = INT64_MAX},
     "\"type\":[\"integer\",\"string\"],\"minimum\":0,\"pattern\":\"^[0-9]+[kKmMgG]?$|" ENVIRONMENT "\""},
    {{.kind = CONF_TIME, .min = NSEC_MS, .max = 90 * NSEC_SEC},
     "\"type\":[\"integer\",\"string\"],\"minimum\":1,\"maximum\":90,\"pattern\":\"^[0-9]+([mM]?[sS]|[mMhHdDwWyY])?$"
     "|" ENVIRONMENT "\""},
    {{.kind = CONF_TEXT}, TEXT},
    {{.kind = CONF_TEXT, .pattern = "^a"}, HOST},
    {{.kind = CONF_PATH},
     "\"type\":[\"string\",\"number\"],\"pattern\":\"^(?!([Oo]n|[Oo]ff|[Tt]rue|[Ff]alse|[Yy]es|[Nn]o|[Nn]one|stdout|"
     "stderr|syslog)$).\""},
    {{.kind = CONF_TEXT, .words = words}, "\"anyOf\":[{\"enum\":[\"auto\"]},{" TEXT "}]"},
    {{.kind = CONF_ENUM, .words = words},
     "\"anyOf\":[{\"enum\":[\"auto\"]},{\"type\":\"string\",\"pattern\":\"" ENVIRONMENT "\"}]"},
    {{.kind = CONF_TEXTS, .pattern = "^a"}, "\"anyOf\":[{" HOST "},{\"type\":\"array\",\"items\":{" HOST "}}]"},
    {{.kind = CONF_TEXTS, .min = 1, .pattern = "^a"},
     "\"anyOf\":[{" HOST "},{\"type\":\"array\",\"minItems\":1,\"items\":{" HOST "}}]"},
    {{.kind = CONF_MAP, .table = &point}, POINT},
    {{.kind = CONF_MAP, .table = &empty}, "\"type\":\"object\",\"properties\":{},\"additionalProperties\":false"},
    {{.kind = CONF_CUSTOM, .single = &port}, PORT},
    {{.kind = CONF_CUSTOM, .single = &host}, "\"anyOf\":[{" HOST "},{\"type\":\"array\",\"items\":{" HOST "}}]"},
    {{.kind = CONF_CUSTOM, .table = &point}, POINT},
    {{.kind = CONF_CUSTOM, .single = &port, .table = &point}, "\"anyOf\":[{" PORT "},{" POINT "}]"},
    {{.kind = CONF_CUSTOM, .entry = &port}, "\"type\":\"object\",\"additionalProperties\":{" PORT "}"},
    {{.kind = CONF_CUSTOM, .entry = &port, .pattern = "^a"},
     "\"type\":\"object\",\"propertyNames\":{\"pattern\":\"^a\"},\"additionalProperties\":{" PORT "}"},
    {{.kind = CONF_CUSTOM, .single = &port, .many = CONF_LIST, .min = 1},
     "\"type\":\"array\",\"minItems\":1,\"items\":{" PORT "}"},
    {{.kind = CONF_CUSTOM, .single = &port, .table = &point, .many = CONF_ONE_OR_LIST},
     "\"anyOf\":[{" PORT "},{" POINT "},{\"type\":\"array\",\"items\":{\"anyOf\":[{" PORT "},{" POINT "}]}}]"},
};

/* The schema without the blanks and line ends that it has for people. */
static char *schema_of(const struct conf_table *table)
{
    char *text, *to;
    size_t n;
    bool quoted = false;
    FILE *f = open_memstream(&text, &n);
    cr_assert_eq(conf_json_schema(f, "t", table, "more"), 0);
    fclose(f);
    to = text;
    for (const char *c = text; *c; c++) {
        quoted ^= *c == '"' && (c == text || c[-1] != '\\');
        if (quoted || (*c != ' ' && *c != '\n'))
            *to++ = *c;
    }
    *to = '\0';
    return text;
}

Test(json_schema, kinds)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct conf_key key = kinds[i].key;
        key.name = "k";
        key.doc = "d";
        char *schema = schema_of(&(struct conf_table){.what = "a test", .keys = &key, .count = 1});
        const char *start = strstr(schema, "\"description\":\"D.\\nTakes "),
                   *value = start ? strstr(start, ".\",") : NULL;
        cr_assert_not_null(value, "%s", schema);
        value += sizeof ".\"," - 1;
        cr_expect(str_starts(str_of(value), str_of(kinds[i].schema)), "row %zu: %s", i, value);
        cr_expect_eq(value[strlen(kinds[i].schema)], '}', "row %zu: %s", i, value);
        free(schema);
    }
}

static void expect_has(const struct conf_key *keys, size_t count, const char *part)
{
    char *schema = schema_of(&(struct conf_table){.what = "a test", .keys = keys, .count = count});
    cr_expect(strstr(schema, part), "%s is not in %s", part, schema);
    free(schema);
}

Test(json_schema, defaults)
{
    static const struct {
        struct conf_key key;
        const char *text;
    } rows[] = {
        {{"k", CONF_INT, .fallback = "7", .doc = "d"}, "\"default\":7,"},
        {{"k", CONF_SIZE, .fallback = "32k", .doc = "d"}, "\"default\":\"32k\","},
        {{"k", CONF_TEXT, .fallback = "7", .doc = "d"}, "\"default\":\"7\","},
        {{"k", CONF_TEXT, .fallback = "''", .doc = "d"}, "\"default\":\"\","},
        {{"k", CONF_BOOL, .fallback = "off", .doc = "d"}, "\"default\":\"off\","},
        {{"k", CONF_TEXTS, .fallback = "[a, b]", .doc = "d"}, "\"default\":[\"a\",\"b\"],"},
        {{"k", CONF_MAP, .fallback = "{}", .table = &point, .doc = "d"}, "Takes a mapping.\",\"type\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_has(&rows[i].key, 1, rows[i].text);
}

/* What is required may be in another file, when there are any. */
Test(json_schema, the_whole_file)
{
    static const struct conf_key keys[] = {
        {"a", CONF_INT, .required = true, .doc = "d"},
        {"b", CONF_INT, .doc = "d"},
        {"c", CONF_INT, .required = true, .doc = "d"},
    };
    expect_has(keys, 3,
               "{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"title\":\"t\",\"type\":\"object\",");
    expect_has(keys, 3, "\"anyOf\":[{\"required\":[\"more\"]},{\"required\":[\"a\",\"c\"]}]}");
}

Test(json_schema, choices)
{
    static const struct conf_key keys[] = {
        {"a", CONF_INT, .choice = "first", .doc = "d"},
        {"b", CONF_INT, .choice = "second", .doc = "d"},
        {"c", CONF_INT, .choice = "first", .doc = "d"},
    };
    static const struct conf_table inner = CONF_TABLE("inner", keys);
    static const struct conf_key outer = {"k", CONF_MAP, .table = &inner, .doc = "d"};
    expect_has(&outer, 1,
               "\"allOf\":[{\"oneOf\":[{\"required\":[\"a\"]},{\"required\":[\"c\"]}]},"
               "{\"oneOf\":[{\"required\":[\"b\"]}]}]");
}

Test(json_schema, a_stream_that_fails)
{
    FILE *f = fopen("/dev/full", "we");
    setvbuf(f, NULL, _IONBF, 0);
    cr_expect_eq(conf_json_schema(f, "t", &point, "more"), -EIO);
    fclose(f);
}
