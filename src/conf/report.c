/* report.c: see report.h. */
#include "conf/report.h"

#include <stdarg.h>

enum {
    PATH_MAX_SHOWN = 256, /* bytes of a path */
    TEXT_MAX_SHOWN = 768, /* bytes of a message, with its path */
};

void conf_reader_init(struct conf_reader *r, struct arena *arena)
{
    r->arena = arena;
    r->failed = r->kept = 0;
}

/* Where an error belongs: behind those of its file that stand no later. Files follow in the order of their first. */
static size_t place_of(const struct conf_reader *r, struct str file, unsigned line, unsigned col)
{
    size_t place = r->kept;
    for (size_t i = 0; i < r->kept; i++) {
        const struct conf_message *e = &r->errors[i];
        if (!str_eq(e->file, file))
            continue;
        if (e->line > line || (e->line == line && e->col > col))
            return i;
        place = i + 1;
    }
    return place;
}

/* A value that is quoted in a message must not break its line, nor reach a terminal as a control sequence. */
static void hide_controls(char *text)
{
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
}

static void keep(struct conf_reader *r, struct conf_message message, const char *format, va_list args)
{
    if (r->failed++ >= CONF_ERRORS_MAX)
        return;
    char text[TEXT_MAX_SHOWN];
    int prefix = message.text.n ? snprintf(text, sizeof text, STR_FMT ": ", STR_ARG(message.text)) : 0;
    vsnprintf(text + prefix, sizeof text - (size_t)prefix, format, args);
    hide_controls(text);
    message.text = arena_copy(r->arena, str_of(text));
    if (!message.text.p)
        message.text = STR("out of memory");

    size_t place = place_of(r, message.file, message.line, message.col);
    memmove(&r->errors[place + 1], &r->errors[place], (r->kept - place) * sizeof *r->errors);
    r->errors[place] = message;
    r->kept++;
}

static void keep_about(struct conf_reader *r, const struct conf_node *at, unsigned line, unsigned col,
                       const char *format, va_list args)
{
    char buffer[PATH_MAX_SHOWN];
    struct out path = out_on(buffer, sizeof buffer);
    conf_path(at, &path);
    keep(r, (struct conf_message){at->file, line, col, out_str(&path)}, format, args);
}

void conf_error(struct conf_reader *r, const struct conf_node *at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    keep_about(r, at, at->line, at->col, format, args);
    va_end(args);
}

void conf_error_key(struct conf_reader *r, const struct conf_node *at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    keep_about(r, at, at->key_line, at->key_col, format, args);
    va_end(args);
}

void conf_error_at(struct conf_reader *r, struct str file, unsigned line, unsigned col, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    keep(r, (struct conf_message){file, line, col, {NULL, 0}}, format, args);
    va_end(args);
}

static void print(const struct conf_message *e, FILE *f)
{
    fprintf(f, STR_FMT ":", STR_ARG(e->file));
    if (e->line)
        fprintf(f, "%u:%u:", e->line, e->col);
    fprintf(f, " error: " STR_FMT "\n", STR_ARG(e->text));
}

void conf_report(const struct conf_reader *r, FILE *f)
{
    for (size_t i = 0; i < r->kept; i++)
        print(&r->errors[i], f);
    if (r->failed > r->kept)
        fprintf(f, "and %zu more\n", r->failed - r->kept);
}
