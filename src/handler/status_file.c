/* status_file.c: see status_file.h. */
#include "handler/status_file.h"

#include <errno.h>
#include <time.h>

#include "http/cond.h"

/* Nothing that is not one of these files is run or loaded by the page, whatever stands in it. */
#define FIELDS                                                                                                         \
    "Cache-Control: no-cache\r\n"                                                                                      \
    "Content-Security-Policy: default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'\r\n"     \
    "X-Content-Type-Options: nosniff\r\n"                                                                              \
    "Referrer-Policy: no-referrer\r\n"

enum { ETAG_SIZE = 20 };

struct status_file {
    struct str name, type;
    const char *start, *end;
    char *etag;
};

/* In status_files.S. */
#define EMBEDDED(name) extern const char status_##name##_start[], status_##name##_end[]
EMBEDDED(index);
EMBEDDED(script);
EMBEDDED(format);
EMBEDDED(charts);
EMBEDDED(tables);
EMBEDDED(style);
EMBEDDED(icon);

#define HTML STR_INIT("text/html; charset=utf-8")
#define SCRIPT STR_INIT("text/javascript; charset=utf-8")
#define STYLE STR_INIT("text/css; charset=utf-8")

#define FILE(path, type, name)                                                                                         \
    {                                                                                                                  \
        STR_INIT(path), type, status_##name##_start, status_##name##_end, (char[ETAG_SIZE])                            \
        {                                                                                                              \
            ""                                                                                                         \
        }                                                                                                              \
    }

static const struct status_file files[] = {
    FILE("", HTML, index),
    FILE("app.js", SCRIPT, script),
    FILE("format.js", SCRIPT, format),
    FILE("charts.js", SCRIPT, charts),
    FILE("tables.js", SCRIPT, tables),
    FILE("style.css", STYLE, style),
    FILE("icon.svg", STR_INIT("image/svg+xml"), icon),
};

#define FILES (sizeof files / sizeof *files)

static struct str content_of(const struct status_file *file)
{
    return str_range(file->start, file->end);
}

/* FNV-1a, of 64 bits (Fowler, Noll, Vo): versions of a file are told apart, and no more is asked. */
static uint64_t hash(struct str s)
{
    uint64_t h = 0xcbf29ce484222325;
    for (size_t i = 0; i < s.n; i++)
        h = (h ^ (unsigned char)s.p[i]) * 0x100000001b3;
    return h;
}

void status_files_init(void)
{
    for (size_t i = 0; i < FILES; i++) {
        struct out o = out_on(files[i].etag, ETAG_SIZE - 1);
        out_char(&o, '"');
        out_hex(&o, hash(content_of(&files[i])));
        out_char(&o, '"');
        *o.at = '\0';
    }
}

const struct status_file *status_file_find(struct str name)
{
    for (size_t i = 0; i < FILES; i++)
        if (str_eq(files[i].name, name))
            return &files[i];
    return NULL;
}

int status_file_send(struct exchange *x, const struct status_file *file)
{
    const struct http_validators validators = {str_of(file->etag), HTTP_MODIFIED_UNKNOWN};
    struct str content = content_of(file);
    int status = http_precondition(&x->request, &validators, time(NULL));
    struct str fields =
        arena_printf(&x->arena, "Content-Type: " STR_FMT "\r\nETag: %s\r\n" FIELDS, STR_ARG(file->type), file->etag);
    if (!fields.p)
        return -ENOMEM;
    if (status == 412)
        return http_send_status(x, 412, STR(""));
    if (!status)
        return http_send(x, 200, fields, content);
    int error = http_head(x, status, fields, (int64_t)content.n);
    return error ? error : http_end(x);
}
