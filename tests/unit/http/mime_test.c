/* mime_test.c: broken mime.types files, what the lines mean, and the file we ship. */
#include "http/mime.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

static struct arena arena;
static struct mime_types types;

static void setup(void)
{
    arena_init(&arena, NULL, 0);
}

static void teardown(void)
{
    arena_clear(&arena);
}

TestSuite(mime, .init = setup, .fini = teardown);

struct refused_case {
    struct str text;
    unsigned line;
};

static const struct refused_case refused[] = {
    {STR_INIT("text"), 1},
    {STR_INIT("html text/html"), 1},
    {STR_INIT("types {\n  text/html html;\n}\n"), 1},
    {STR_INIT("/html html"), 1},
    {STR_INIT("text/ html"), 1},
    {STR_INIT("# a comment\n\ntext/html html\ntext\nimage/png png\n"), 4},
    {STR_INIT("text/html html\n\0"), 2},
    {STR_INIT("text/\0html html"), 1},
    {STR_INIT("text/h\x80tml html"), 1},
    {STR_INIT("text/html ht\x01ml"), 1},
    {STR_INIT("text/html html \xff\n"), 1},
    {STR_INIT("text/html html\vhtm"), 1},
};

Test(mime, refuses_a_broken_file_and_says_where)
{
    for (size_t i = 0; i < COUNT(refused); i++) {
        unsigned line = 99;
        cr_expect_eq(http_mime_parse(&types, &arena, refused[i].text, &line), -EBADMSG, "%s", refused[i].text.p);
        cr_expect_eq(line, refused[i].line, "%s: line %u", refused[i].text.p, line);
    }
}

struct type_case {
    const char *path, *type;
};

static void expect_types(const struct type_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct str type = http_mime_of(&types, str_of(cases[i].path));
        cr_expect(str_eq(type, str_of(cases[i].type)), "%s: " STR_FMT, cases[i].path, STR_ARG(type));
    }
}

static void parse(struct str text)
{
    unsigned line;
    arena_clear(&arena);
    cr_assert_eq(http_mime_parse(&types, &arena, text, &line), 0);
}

static const struct type_case nobodys[] = {
    {"", "application/octet-stream"},        {"/", "application/octet-stream"},
    {"/a", "application/octet-stream"},      {"/a.", "application/octet-stream"},
    {"/a.x", "application/octet-stream"},    {"/.txt", "application/octet-stream"},
    {".txt", "application/octet-stream"},    {"/a.txt/b", "application/octet-stream"},
    {"/a.txt/", "application/octet-stream"}, {"/..", "application/octet-stream"},
    {"/txt", "application/octet-stream"},    {"/a.txt.x", "application/octet-stream"},
    {"/a.tx", "application/octet-stream"},   {"/a.txt ", "application/octet-stream"},
    {"/a.txtt", "application/octet-stream"}, {"/a.01234567890123456789012345678901", "application/octet-stream"},
};

Test(mime, what_has_no_known_extension_is_bytes)
{
    parse(STR("text/plain txt\n"));
    expect_types(nobodys, COUNT(nobodys));
    cr_expect(str_eq(http_mime_of(&types, (struct str){NULL, 0}), HTTP_MIME_DEFAULT));
}

Test(mime, an_empty_file_knows_nothing)
{
    parse(STR(""));
    expect_types(nobodys, COUNT(nobodys));
    parse(STR("\n# text/plain txt\n\r\n \t \n"));
    expect_types(nobodys, COUNT(nobodys));
}

Test(mime, lines)
{
    static const struct type_case cases[] = {
        {"/a.png", "image/png"},     {"a.PNG", "image/png"},
        {"/x.y/a.pNg", "image/png"}, {"/a.tar.gz", "application/gzip"},
        {"/a.b", "image/x-b"},       {"/a.c", "image/x-b"},
        {"/a.last", "a/b"},          {"/a.d", "application/octet-stream"},
        {"/..png", "image/png"},     {"/a.0123456789012345678901234567890", "a/long"},
    };
    parse(STR("image/png png\n"
              "  application/gzip\tGZ  # comment x\n"
              "image/x-b\t \tb c\r\n"
              "image/x-none\n"
              "#image/x-d d\n"
              "a/long 0123456789012345678901234567890\n"
              "a/b last"));
    expect_types(cases, COUNT(cases));
}

Test(mime, a_later_line_overrules)
{
    static const struct type_case cases[] = {{"/a.x", "image/two"}, {"/a.y", "image/one"}, {"/a.z", "image/two"}};
    parse(STR("image/one x y\nimage/two X z\n"));
    expect_types(cases, COUNT(cases));
}

Test(mime, only_texts_get_a_charset)
{
    static const struct type_case cases[] = {
        {"/a.html", "text/html; charset=utf-8"},
        {"/a.js", "text/javascript; charset=utf-8"},
        {"/a.old", "application/javascript; charset=utf-8"},
        {"/a.json", "application/json"},
        {"/a.svg", "image/svg+xml"},
        {"/a.xml", "text/xml"},
        {"/a.lat", "text/plain;charset=iso-8859-1"},
        {"/a.png", "image/png"},
    };
    parse(STR("text/html html\ntext/javascript js\napplication/javascript old\napplication/json json\n"
              "image/svg+xml svg\ntext/xml xml\ntext/plain;charset=iso-8859-1 lat\nimage/png png\n"));
    expect_types(cases, COUNT(cases));
}

Test(mime, the_compiled_in_table)
{
    static const struct type_case cases[] = {
        {"/index.html", "text/html; charset=utf-8"},
        {"/a.css", "text/css; charset=utf-8"},
        {"/a.mjs", "text/javascript; charset=utf-8"},
        {"/a.wasm", "application/wasm"},
        {"/a.woff2", "font/woff2"},
        {"/a.webm", "video/webm"},
    };
    cr_assert_eq(http_mime_builtin(&types, &arena), 0);
    expect_types(cases, COUNT(cases));
}

static char path[] = "/tmp/tern-mime-XXXXXX";

static void remove_file(void)
{
    unlink(path);
    teardown();
}

static void create_file(void)
{
    setup();
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    close(fd);
}

TestSuite(mime_file, .init = create_file, .fini = remove_file);

Test(mime_file, what_is_no_file_is_refused)
{
    unsigned line = 99;
    cr_expect_eq(http_mime_load(&types, &arena, "/nowhere/mime.types", &line), -ENOENT);
    cr_expect_eq(line, 0);
    cr_expect_eq(http_mime_load(&types, &arena, "/", &line), -EISDIR);
    cr_assert_eq(truncate(path, (1 << 20) + 1), 0);
    cr_expect_eq(http_mime_load(&types, &arena, path, &line), -EFBIG);
    cr_expect_eq(line, 0);
}

Test(mime_file, a_pipe_does_not_hang)
{
    unsigned line;
    unlink(path);
    cr_assert_eq(mkfifo(path, 0600), 0);
    cr_expect_eq(http_mime_load(&types, &arena, path, &line), 0);
    expect_types(nobodys, COUNT(nobodys));
}

Test(mime_file, is_read)
{
    static const struct type_case cases[] = {{"/a.txt", "text/plain; charset=utf-8"}, {"/a.b", "image/b"}};
    unsigned line;
    FILE *f = fopen(path, "w");
    cr_assert_not_null(f);
    fprintf(f, "text/plain txt\nimage/b b");
    fclose(f);
    cr_assert_eq(http_mime_load(&types, &arena, path, &line), 0);
    expect_types(cases, COUNT(cases));
    cr_expect_eq(line, 2, "the lines it has");
    arena_clear(&arena);
    f = fopen(path, "a");
    cr_assert_not_null(f);
    fprintf(f, "\nbroken\n");
    fclose(f);
    cr_expect_eq(http_mime_load(&types, &arena, path, &line), -EBADMSG);
    cr_expect_eq(line, 3);
}

/* The tests run in the root of the tree. */
Test(mime, the_file_we_ship)
{
    static const struct type_case cases[] = {
        {"/a.html", "text/html; charset=utf-8"},
        {"/a.js", "text/javascript; charset=utf-8"},
        {"/a.json", "application/json"},
        {"/a.map", "application/json"},
        {"/a.wasm", "application/wasm"},
        {"/a.svg", "image/svg+xml"},
        {"/a.webp", "image/webp"},
        {"/a.avif", "image/avif"},
        {"/a.woff2", "font/woff2"},
        {"/a.txt", "text/plain; charset=utf-8"},
        {"/a.css", "text/css; charset=utf-8"},
        {"/a.ico", "image/vnd.microsoft.icon"},
        {"/a.xml", "application/xml"},
        {"/a.pdf", "application/pdf"},
        {"/a.mp4", "video/mp4"},
        {"/a.gz", "application/gzip"},
    };
    unsigned line;
    cr_assert_eq(http_mime_load(&types, &arena, "conf/mime.types", &line), 0, "line %u", line);
    expect_types(cases, COUNT(cases));
    cr_expect_gt(types.by_extension.count, 150);
}
