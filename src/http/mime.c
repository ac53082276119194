/* mime.c: see mime.h. */
#include "http/mime.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    FILE_MAX = 1 << 20,        /* bytes */
    TYPE_MAX = 255,            /* bytes (RFC 6838, 4.2) */
    EXTENSION_MAX = 31,        /* bytes; a longer one is nobody's */
    EXTENSIONS_EXPECTED = 256, /* what the table is made for */
};

struct mime_extension {
    struct hash_node node; /* by the extension, in lower case */
    struct str type;
};

/* Enough for a small site whose mime.types is missing. */
static const char builtin[] = "text/html html htm\n"
                              "text/css css\n"
                              "text/javascript js mjs\n"
                              "text/plain txt\n"
                              "text/csv csv\n"
                              "text/markdown md\n"
                              "application/json json map\n"
                              "application/manifest+json webmanifest\n"
                              "application/wasm wasm\n"
                              "application/xml xml\n"
                              "application/pdf pdf\n"
                              "application/zip zip\n"
                              "application/gzip gz\n"
                              "image/svg+xml svg\n"
                              "image/png png\n"
                              "image/jpeg jpg jpeg\n"
                              "image/gif gif\n"
                              "image/webp webp\n"
                              "image/avif avif\n"
                              "image/vnd.microsoft.icon ico\n"
                              "font/woff woff\n"
                              "font/woff2 woff2\n"
                              "audio/mpeg mp3\n"
                              "video/mp4 mp4\n"
                              "video/webm webm\n";

/* Types to which no charset belongs, or which carry one. */
static bool is_complete(struct str type)
{
    bool text = str_starts(type, STR("text/")) || str_eq(type, STR("application/javascript"));
    return !text || str_eq(type, STR("text/xml")) || str_find(type, ';') < type.n;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static struct str next_word(struct str *line)
{
    while (line->n && is_blank(line->p[0]))
        *line = str_skip(*line, 1);
    size_t n = 0;
    while (n < line->n && !is_blank(line->p[n]))
        n++;
    struct str word = {line->p, n};
    *line = str_skip(*line, n);
    return word;
}

static bool is_visible(struct str word)
{
    for (size_t i = 0; i < word.n; i++)
        if (word.p[i] <= ' ' || word.p[i] > '~')
            return false;
    return true;
}

/* What can stand in a Content-Type field: it goes there as it is. */
static bool is_type(struct str word)
{
    size_t slash = str_find(word, '/');
    return slash > 0 && slash + 1 < word.n && word.n <= TYPE_MAX && is_visible(word);
}

static struct str lower(char *to, struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        to[i] = char_lower(s.p[i]);
    return (struct str){to, s.n};
}

static int add_extension(struct mime_types *types, struct arena *arena, struct str extension, struct str type)
{
    char *copy = arena_alloc(arena, extension.n);
    struct mime_extension *entry = arena_alloc(arena, sizeof *entry);
    if (!copy || !entry)
        return -ENOMEM;
    *entry = (struct mime_extension){.node.key = lower(copy, extension), .type = type};
    struct hash_node *earlier = hash_find(&types->by_extension, entry->node.key);
    if (earlier)
        hash_remove(&types->by_extension, earlier);
    return hash_insert(&types->by_extension, &entry->node);
}

static int parse_line(struct mime_types *types, struct arena *arena, struct str line)
{
    struct str rest = str_cut(&line, '#');
    struct str word = next_word(&rest);
    if (word.n == 0)
        return 0;
    if (!is_type(word))
        return -EBADMSG;
    struct str type = arena_printf(arena, STR_FMT "%s", STR_ARG(word), is_complete(word) ? "" : "; charset=utf-8");
    if (!type.p)
        return -ENOMEM;
    while ((word = next_word(&rest)).n) {
        int error = is_visible(word) ? add_extension(types, arena, word, type) : -EBADMSG;
        if (error)
            return error;
    }
    return 0;
}

static void free_table(void *types)
{
    hash_free(&((struct mime_types *)types)->by_extension);
}

int http_mime_parse(struct mime_types *types, struct arena *arena, struct str text, unsigned *line)
{
    *line = 0;
    int error = hash_init(&types->by_extension, EXTENSIONS_EXPECTED);
    if (!error)
        error = arena_defer(arena, free_table, types);
    while (!error && text.n) {
        ++*line;
        error = parse_line(types, arena, str_cut(&text, '\n'));
    }
    if (error)
        free_table(types);
    return error;
}

/* What fits of a file into the buffer. */
static ssize_t read_file(const char *path, char *buffer, size_t size)
{
    /* Opening a FIFO would wait for a writer; reading it without one ends at once. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return -errno;
    size_t have = 0;
    ssize_t got = 1;
    while (have < size && got > 0) {
        got = read(fd, buffer + have, size - have);
        if (got > 0)
            have += (size_t)got;
    }
    int error = got < 0 ? -errno : 0;
    close(fd);
    return error ? error : (ssize_t)have;
}

int http_mime_load(struct mime_types *types, struct arena *arena, const char *path, unsigned *line)
{
    *line = 0;
    char *buffer = malloc(FILE_MAX + 1);
    if (!buffer)
        return -ENOMEM;
    ssize_t n = read_file(path, buffer, FILE_MAX + 1);
    int error;
    if (n < 0)
        error = (int)n;
    else if (n > FILE_MAX)
        error = -EFBIG;
    else
        error = http_mime_parse(types, arena, (struct str){buffer, (size_t)n}, line);
    free(buffer);
    return error;
}

int http_mime_builtin(struct mime_types *types, struct arena *arena)
{
    unsigned line;
    return http_mime_parse(types, arena, (struct str){builtin, sizeof builtin - 1}, &line);
}

/* What follows the last dot of the last segment, if something stands before that dot. */
static struct str extension_of(struct str path)
{
    for (size_t i = path.n; i > 0 && path.p[i - 1] != '/'; i--)
        if (path.p[i - 1] == '.')
            return i > 1 && path.p[i - 2] != '/' ? str_skip(path, i) : (struct str){NULL, 0};
    return (struct str){NULL, 0};
}

struct str http_mime_of(const struct mime_types *types, struct str path)
{
    char buffer[EXTENSION_MAX];
    struct str extension = extension_of(path);
    if (extension.n == 0 || extension.n > EXTENSION_MAX)
        return HTTP_MIME_DEFAULT;
    struct hash_node *node = hash_find(&types->by_extension, lower(buffer, extension));
    return node ? ((struct mime_extension *)node)->type : HTTP_MIME_DEFAULT;
}
