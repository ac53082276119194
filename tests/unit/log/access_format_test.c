/* access_format_test.c: formats that are refused, each variable, and what a peer can do to a line of text or JSON. */
#include "log/access_format.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

enum { NOW = 1795348800 }; /* 22 Nov 2026 12:00:00 UTC */

#define MICROSECONDS(n) ((n)*NSEC_MS / 1000)

static struct arena arena;
static char made[2 * ACCESS_LINE_MAX];

static void setup(void)
{
    setenv("TZ", "UTC", 1);
    arena_init(&arena, NULL, 0);
}

static void teardown(void)
{
    arena_clear(&arena);
}

TestSuite(access_format, .init = setup, .fini = teardown);

/* The fields of a request, for tests: text as "name: value" by "name". */
static struct str field_of(const void *request, struct str name)
{
    const char *const *fields = request;
    for (; fields && *fields; fields += 2)
        if (str_eq_nocase(str_of(fields[0]), name))
            return str_of(fields[1]);
    return STR("");
}

static const char *const fields[] = {"Referer", "http://r/", "User-Agent", "agent/1", "X-Id", "7", NULL};

static const struct access_entry full = {
    .time = NOW,
    .ms = 7,
    .client = STR_INIT("192.0.2.1"),
    .user = STR_INIT("alice"),
    .line = STR_INIT("GET /a/b?c=d?e HTTP/1.1"),
    .host = STR_INIT("example.org"),
    .port = 8080,
    .status = 200,
    .bytes = 13,
    .reason = STR_INIT("the client is gone"),
    .tls_version = STR_INIT("TLSv1.3"),
    .tls_cipher = STR_INIT("TLS_AES_256_GCM_SHA384"),
    .tls_name = STR_INIT("www.example.org"),
    .tls_subject = STR_INIT("CN=Alice,O=\"Example\""),
    .times = {.total = 3 * NSEC_SEC + MICROSECONDS(1999),
              .header = MICROSECONDS(10),
              .queue = MICROSECONDS(15),
              .cpu = MICROSECONDS(20),
              .pool = MICROSECONDS(30),
              .upstream = MICROSECONDS(35),
              .client = MICROSECONDS(40)},
    .request = fields,
    .field = field_of,
};

/* Of a request of which next to nothing is known. */
static const struct access_entry bare = {.time = NOW, .field = field_of};

static const struct access_format *compile(const char *text)
{
    const struct access_format *format = NULL;
    struct str wrong;
    cr_assert_eq(access_format_compile(&format, &arena, str_of(text), &wrong), 0, "%s", text);
    return format;
}

/* Without its newline, which must be there, and at the end alone. */
static const char *write_line(const struct access_format *format, const struct access_entry *entry)
{
    struct access_clock clock = {.second = INT64_MIN};
    struct out o = out_on(made, ACCESS_LINE_MAX);
    access_format_write(format, &clock, entry, &o);
    cr_assert_not(o.full);
    cr_assert_eq(str_find(out_str(&o), '\n'), out_len(&o) - 1);
    o.at[-1] = '\0';
    return made;
}

/* ---- formats that are none ---- */

Test(access_format, what_is_refused)
{
    static const struct {
        const char *text;
        int error;
        const char *wrong;
    } table[] = {
        {"", -ENOMSG, NULL},
        {"common", -ENOMSG, NULL},
        {"Combined", -ENOMSG, NULL},
        {"a text", -ENOMSG, NULL},
        {"%h\n", -EBADMSG, NULL},
        {"%h\r", -EBADMSG, NULL},
        {"%h\x7f", -EBADMSG, NULL},
        {"%h %", -EINVAL, "%"},
        {"%h %>", -EINVAL, "%>"},
        {"%Z", -EINVAL, "%Z"},
        {"%h %S %h", -EINVAL, "%S"},
        {"%{", -EINVAL, "%{"},
        {"%{Referer", -EINVAL, "%{Referer"},
        {"%{Referer}", -EINVAL, "%{Referer}"},
        {"%{}i", -EINVAL, "%{}i"},
        {"%i", -EINVAL, "%i"},
        {"%{Set-Cookie}o", -EINVAL, "%{Set-Cookie}o"},
        {"%{ms}D", -EINVAL, "%{ms}D"},
        {"%{other}D", -EINVAL, "%{other}D"},
        {"%{m}T", -EINVAL, "%{m}T"},
        {"%{%Y}t", -EINVAL, "%{%Y}t"},
        {"%{h}h", -EINVAL, "%{h}h"},
        {"%{*}t", -EINVAL, "%{*}t"},
        {"%200s", -EINVAL, "%2"},
        {"%x", -EINVAL, "%x"},
        {"%{SSL_PROTOCOL}i%{ssl_protocol}x", -EINVAL, "%{ssl_protocol}x"},
        {"%{SSL_CLIENT_I_DN}x", -EINVAL, "%{SSL_CLIENT_I_DN}x"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const struct access_format *format = NULL;
        struct str wrong = STR("");
        int error = access_format_compile(&format, &arena, str_of(table[i].text), &wrong);
        cr_expect_eq(error, table[i].error, "%s: %d", table[i].text, error);
        cr_expect(str_eq(wrong, str_of(table[i].wrong)), "%s: " STR_FMT, table[i].text, STR_ARG(wrong));
        cr_expect_null(format);
    }
}

Test(access_format, a_format_without_room_for_its_values_is_refused)
{
    static char text[ACCESS_LINE_MAX + 2];
    const struct access_format *format;
    struct str wrong;
    memset(text, 'x', ACCESS_LINE_MAX);
    text[0] = '%', text[1] = 'h';
    cr_expect_eq(access_format_compile(&format, &arena, str_of(text), &wrong), -E2BIG, "by its text");
    for (size_t i = 0; i < 1000; i += 2)
        text[i] = '%', text[i + 1] = 'u';
    text[600] = '\0';
    cr_expect_eq(access_format_compile(&format, &arena, str_of(text), &wrong), -E2BIG, "by its variables");
    text[400] = '\0';
    cr_expect_eq(access_format_compile(&format, &arena, str_of(text), &wrong), 0);
}

/* ---- variables ---- */

Test(access_format, variables)
{
    static const struct {
        const char *format, *of_full, *of_bare;
    } table[] = {
        {"%%", "%", "%"},
        {"%a %h", "192.0.2.1 192.0.2.1", "- -"},
        {"%b %B", "13 13", "- 0"},
        {"%D", "3001999", "0"},
        {"%{header}D %{queue}D %{cpu}D", "10 15 20", "0 0 0"},
        {"%{pool}D %{upstream}D %{client}D", "30 35 40", "0 0 0"},
        {"%E", "the client is gone", "-"},
        {"%H", "HTTP/1.1", "-"},
        {"%{x-ID}i/%{Nope}i", "7/-", "-/-"},
        {"%l", "-", "-"},
        {"%m", "GET", "-"},
        {"%p", "8080", "-"},
        {"%U%q", "/a/b?c=d?e", "-"},
        {"%r", "GET /a/b?c=d?e HTTP/1.1", "-"},
        {"%{target}r", "/a/b?c=d?e", "-"},
        {"%s %>s %<s", "200 200 200", "- - -"},
        {"%t", "[22/Nov/2026:12:00:00 +0000]", "[22/Nov/2026:12:00:00 +0000]"},
        {"%{iso}t", "2026-11-22T12:00:00.007Z", "2026-11-22T12:00:00.000Z"},
        {"%{sec}t %{msec}t", "1795348800 1795348800007", "1795348800 1795348800000"},
        {"%T %{s}T %{ms}T %{us}T", "3 3 3001 3001999", "0 0 0 0"},
        {"%u", "alice", "-"},
        {"%v %V", "example.org example.org", "- -"},
        {"%{SSL_PROTOCOL}x %{SSL_CIPHER}x", "TLSv1.3 TLS_AES_256_GCM_SHA384", "- -"},
        {"%{SSL_TLS_SNI}x", "www.example.org", "-"},
        {"%{SSL_CLIENT_S_DN}x", "CN=Alice,O=\\x22Example\\x22", "-"},
        {"<%h>\t100%%\xc3\xa4", "<192.0.2.1>\t100%\xc3\xa4", "<->\t100%\xc3\xa4"},
        {"%h%h", "192.0.2.1192.0.2.1", "--"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const struct access_format *format = compile(table[i].format);
        cr_expect_str_eq(write_line(format, &full), table[i].of_full, "%s: %s", table[i].format, made);
        cr_expect_str_eq(write_line(format, &bare), table[i].of_bare, "%s: %s", table[i].format, made);
    }
}

Test(access_format, the_list_has_them_all)
{
    char list[1024];
    struct out o = out_on(list, sizeof list);
    access_format_variables(&o);
    out_char(&o, '\0');
    cr_assert_not(o.full);
    for (char *variable = strtok(list, " "); variable; variable = strtok(NULL, " "))
        write_line(compile(variable), &full);
}

Test(access_format, what_an_entry_must_have)
{
    static const struct {
        const char *format;
        unsigned needs;
    } table[] = {
        {"combined", 0},
        {"%t %{sec}t %E", 0},
        {"%p", ACCESS_NEEDS_PORT},
        {"%{iso}t", ACCESS_NEEDS_MS},
        {"%{msec}t", ACCESS_NEEDS_MS},
        {"%D", ACCESS_NEEDS_TIMES},
        {"%T", ACCESS_NEEDS_TIMES},
        {"%{cpu}D%p", ACCESS_NEEDS_TIMES | ACCESS_NEEDS_PORT},
        {"json", ACCESS_NEEDS_TIMES | ACCESS_NEEDS_MS},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        cr_expect_eq(access_format_needs(compile(table[i].format)), table[i].needs, "%s", table[i].format);
}

/* ---- first lines ---- */

Test(access_format, first_lines_that_are_none)
{
    static const struct {
        const char *line, *parts; /* method|target|path|query|protocol */
    } table[] = {
        {"", "-|-|-||-"},
        {"GET", "GET|-|-||-"},
        {"GET /", "GET|/|/||-"},
        {"GET  / HTTP/1.1", "GET|-|-||/ HTTP/1.1"},
        {"GET /? HTTP/1.1", "GET|/?|/|?|HTTP/1.1"},
        {"\x16\x03\x01", "\\x16\\x03\\x01|-|-||-"},
        {"CONNECT a:80 HTTP/1.1", "CONNECT|a:80|a:80||HTTP/1.1"},
    };
    const struct access_format *format = compile("%m|%{target}r|%U|%q|%H");
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct access_entry e = bare;
        e.line = str_of(table[i].line);
        cr_expect_str_eq(write_line(format, &e), table[i].parts, "%s: %s", table[i].line, made);
    }
}

/* ---- JSON ---- */

Test(access_format, json)
{
    const struct access_format *format = compile("json");
    cr_expect_str_eq(write_line(format, &full),
                     "{\"time\":\"2026-11-22T12:00:00.007Z\",\"client\":\"192.0.2.1\",\"user\":\"alice\","
                     "\"host\":\"example.org\",\"method\":\"GET\",\"target\":\"/a/b?c=d?e\",\"protocol\":\"HTTP/1.1\","
                     "\"status\":200,\"bytes\":13,\"referer\":\"http://r/\",\"user_agent\":\"agent/1\","
                     "\"total_us\":3001999,\"header_us\":10,\"queue_us\":15,\"cpu_us\":20,\"pool_us\":30,"
                     "\"upstream_us\":35,\"client_us\":40,"
                     "\"reason\":\"the client is gone\",\"tls_version\":\"TLSv1.3\","
                     "\"tls_cipher\":\"TLS_AES_256_GCM_SHA384\",\"tls_subject\":\"CN=Alice,O=\\\"Example\\\"\"}");
    cr_expect_str_eq(write_line(format, &bare),
                     "{\"time\":\"2026-11-22T12:00:00.000Z\",\"client\":null,\"user\":null,\"host\":null,"
                     "\"method\":null,\"target\":null,\"protocol\":null,\"status\":null,\"bytes\":0,\"referer\":null,"
                     "\"user_agent\":null,\"total_us\":0,\"header_us\":0,\"queue_us\":0,\"cpu_us\":0,\"pool_us\":0,"
                     "\"upstream_us\":0,\"client_us\":0,"
                     "\"reason\":null,\"tls_version\":null,\"tls_cipher\":null,\"tls_subject\":null}");
}

/* All bytes there are come out as a JSON string: no control, no quote that is not escaped, and no broken UTF-8. */
Test(access_format, any_bytes_give_valid_json)
{
    char bytes[256];
    struct access_entry e = bare;
    for (int i = 0; i < 256; i++)
        bytes[i] = (char)i;
    e.user = (struct str){bytes, sizeof bytes};
    const char *line = write_line(compile("json"), &e), *user = strstr(line, "\"user\":\""), *end = user + 8;
    cr_assert_not_null(user);
    for (; *end != '"'; end += *end == '\\' ? 2 : 1)
        cr_assert(*end >= ' ' && *end <= '~', "byte %d", (unsigned char)*end);
    cr_expect(str_starts(str_of(end), STR("\",\"host\":null,")));
    cr_expect_not_null(strstr(user, "\\u0000\\u0001"));
    cr_expect_not_null(strstr(user, "\\ufffd\\ufffd\",\"host\""));
}

/* ---- long values ---- */

/* The longest line there is of a format: each value too long, each byte as long as an escape makes it. */
static size_t longest(const char *text, char byte)
{
    static char long_text[100000];
    static const char *long_fields[] = {"Referer", long_text, "User-Agent", long_text, NULL};
    struct str l = {long_text, sizeof long_text - 1};
    const struct access_entry e = {
        .time = NOW,
        .ms = 999,
        .client = STR("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        .user = l,
        .line = l,
        .host = l,
        .port = 65535,
        .status = 999,
        .bytes = UINT64_MAX,
        .reason = STR("reason"),
        .tls_version = STR("TLSv1.3"),
        .tls_cipher = STR("TLS_AES_256_GCM_SHA384"),
        .tls_name = l,
        .tls_subject = l,
        .times = {.total = INT64_MAX},
        .request = long_fields,
        .field = field_of,
    };
    memset(long_text, byte, sizeof long_text - 1);
    return strlen(write_line(compile(text), &e));
}

Test(access_format, every_line_fits)
{
    static char many[1000];
    for (int i = 0; i < 200; i++)
        strcat(many, i % 2 ? "%r" : "%u");
    static const char *const formats[] = {"combined", "json", "%r %r %r %r %r %r %r %r %r", many};
    static const char bytes[] = {'x', ' ', '"', '\n', '\x01', '\xff'};
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        for (size_t j = 0; j < sizeof bytes; j++)
            cr_expect_gt(longest(formats[i], bytes[j]), 4096, "%s", formats[i]);
}

Test(access_format, a_value_is_cut_at_8_KiB)
{
    static char long_text[10000];
    memset(long_text, 'a', sizeof long_text);
    struct access_entry e = bare;
    const struct access_format *format = compile("%u.");
    e.user = (struct str){long_text, 8192};
    cr_expect_eq(strlen(write_line(format, &e)), 8193);
    e.user.n = 8193;
    cr_expect_eq(strlen(write_line(format, &e)), 8192 + 4);
    cr_expect_str_eq(made + 8190, "aa....");
}

Test(access_format, a_cut_value_is_valid_json_still)
{
    static char long_text[10000];
    static const char bytes[] = {'a', '"', '\x01', '\xc3'};
    struct access_entry e = bare;
    for (size_t i = 0; i < sizeof bytes; i++) {
        memset(long_text, bytes[i], sizeof long_text);
        for (size_t n = 1000; n <= sizeof long_text; n += 500) {
            e.user = (struct str){long_text, n};
            const char *user = strstr(write_line(compile("json"), &e), "\"user\":\"") + 8, *end = user;
            while (*end != '"')
                end += *end == '\\' ? 2 : 1;
            cr_assert(str_starts(str_of(end), STR("\",\"host\":null,")), "%zu of byte %d", n, bytes[i]);
            cr_assert_leq(end - user, 8192 + 3);
            cr_assert(n < 9000 || str_ends(str_range(user, end), STR("...")), "%zu of byte %d", n, bytes[i]);
        }
    }
}

Test(access_format, what_has_no_room_is_full)
{
    static const char *const formats[] = {"combined", "json"};
    for (size_t i = 0; i < 2; i++) {
        const struct access_format *format = compile(formats[i]);
        size_t length = strlen(write_line(format, &full)) + 1;
        for (size_t room = 0; room <= length; room++) {
            struct access_clock clock = {.second = INT64_MIN};
            struct out o = out_on(made, room);
            access_format_write(format, &clock, &full, &o);
            cr_assert_eq(o.full, room < length, "%s in %zu bytes", formats[i], room);
        }
    }
}
