/* variable.c: see variable.h. */
#include "http/variable.h"

#include <errno.h>

#include "net/addr.h"
#include "net/tls_stream.h"

/* What stands for the variables where there is no request. */
struct sample {
    struct str host, scheme, path, query, other;
};

/* A text that is being written. */
struct writing {
    struct out out;
    enum http_text_use use;
    const struct exchange *x; /* NULL: it is a sample */
    struct sample sample;
};

struct variable {
    struct str name;
    void (*write)(struct writing *w);
    size_t sample;  /* offset of the member of struct sample */
    unsigned tells; /* enum http_told */
};

/* A text that stands as it is, and the variable that follows it. */
struct piece {
    struct str text;
    const struct variable *variable; /* NULL: the text ends here */
};

struct http_text {
    unsigned tells;  /* enum http_told */
    size_t literals; /* bytes of all pieces */
    struct piece pieces[];
};

/* ---- values ---- */

static void put_value(struct writing *w, struct str value)
{
    if (w->use == HTTP_TEXT_URL) {
        http_uri_encode_value(&w->out, value);
        return;
    }
    for (size_t i = 0; i < value.n; i++) {
        unsigned char byte = (unsigned char)value.p[i];
        out_char(&w->out, byte < 0x20 || byte == 0x7f ? '?' : value.p[i]);
    }
}

/* One that is no host has been refused; but a field of that answer may be about it. */
static void write_host(struct writing *w)
{
    if (w->use == HTTP_TEXT_URL)
        out_put(&w->out, w->x->request.host);
    else
        put_value(w, w->x->request.host);
}

static void write_path(struct writing *w)
{
    const struct http_uri *uri = &w->x->request.uri;
    (uri->opaque ? http_uri_encode_opaque : http_uri_encode)(&w->out, uri->path);
}

static void write_query(struct writing *w)
{
    http_uri_encode_bare_query(&w->out, w->x->request.uri.query);
}

static void write_uri(struct writing *w)
{
    write_path(w);
    http_uri_encode_query(&w->out, w->x->request.uri.query);
}

static void write_method(struct writing *w)
{
    put_value(w, w->x->request.method_name);
}

static void write_scheme(struct writing *w)
{
    out_put(&w->out, w->x->tls ? STR("https") : STR("http"));
}

static void write_client(struct writing *w)
{
    char text[PEER_TEXT];
    put_value(w, peer_print(w->x->peer, text));
}

static void write_user(struct writing *w)
{
    put_value(w, w->x->user);
}

static void write_tls_version(struct writing *w)
{
    put_value(w, str_of(w->x->tls ? w->x->tls->version : NULL));
}

static void write_tls_cipher(struct writing *w)
{
    put_value(w, str_of(w->x->tls ? w->x->tls->cipher : NULL));
}

static void write_tls_name(struct writing *w)
{
    put_value(w, w->x->tls ? w->x->tls->name : STR(""));
}

static void write_tls_subject(struct writing *w)
{
    put_value(w, w->x->tls ? w->x->tls->subject : STR(""));
}

/* ---- the table ---- */

#define LIKE(member) offsetof(struct sample, member)

static const struct variable variables[] = {
    {STR_INIT("host"), write_host, LIKE(host), HTTP_TOLD_HOST},
    {STR_INIT("uri"), write_uri, LIKE(path), HTTP_TOLD_URI},
    {STR_INIT("path"), write_path, LIKE(path), HTTP_TOLD_URI},
    {STR_INIT("query"), write_query, LIKE(query), HTTP_TOLD_URI},
    {STR_INIT("method"), write_method, LIKE(other), 0},
    {STR_INIT("scheme"), write_scheme, LIKE(scheme), 0},
    {STR_INIT("client"), write_client, LIKE(other), 0},
    {STR_INIT("user"), write_user, LIKE(other), 0},
    {STR_INIT("tls_version"), write_tls_version, LIKE(other), 0},
    {STR_INIT("tls_cipher"), write_tls_cipher, LIKE(other), 0},
    {STR_INIT("tls_name"), write_tls_name, LIKE(other), 0},
    {STR_INIT("tls_subject"), write_tls_subject, LIKE(other), 0},
};

#define COUNT (sizeof variables / sizeof *variables)

void http_text_variables(struct out *o)
{
    for (size_t i = 0; i < COUNT; i++) {
        out_put(o, i ? STR(" $") : STR("$"));
        out_put(o, variables[i].name);
    }
}

/* ---- compiling ---- */

static const struct variable *find(struct str name)
{
    for (size_t i = 0; i < COUNT; i++)
        if (str_eq(variables[i].name, name))
            return &variables[i];
    return NULL;
}

static int refuse(struct conf_reader *r, const struct conf_node *at, struct str name)
{
    char buffer[256];
    struct out all = out_on(buffer, sizeof buffer);
    http_text_variables(&all);
    if (name.n)
        conf_error(r, at, "there is no variable $" STR_FMT "; there are " STR_FMT, STR_ARG(name),
                   STR_ARG(out_str(&all)));
    else
        conf_error(r, at, "a `$` without a name; a dollar is written `$$`, and there are " STR_FMT,
                   STR_ARG(out_str(&all)));
    return -EINVAL;
}

static size_t name_length(struct str text)
{
    size_t n = 0;
    while (n < text.n && (text.p[n] == '_' || (text.p[n] >= '0' && text.p[n] <= '9') ||
                          (char_lower(text.p[n]) >= 'a' && char_lower(text.p[n]) <= 'z')))
        n++;
    return n;
}

/* Takes `$name` or `${name}` off the front of *rest. */
static int take_variable(struct conf_reader *r, const struct conf_node *at, struct str *rest,
                         const struct variable **variable)
{
    *rest = str_skip(*rest, 1);
    bool braces = str_starts(*rest, STR("{"));
    *rest = str_skip(*rest, braces);
    struct str name = {rest->p, name_length(*rest)};
    *rest = str_skip(*rest, name.n);
    if (braces && !str_starts(*rest, STR("}"))) {
        conf_error(r, at, "`${" STR_FMT "` without `}`", STR_ARG(name));
        return -EINVAL;
    }
    *rest = str_skip(*rest, braces);
    *variable = find(name);
    return *variable ? 0 : refuse(r, at, name);
}

/* Copies what stands before the next variable, with `$$` for a dollar, off the front of *rest. */
static struct str take_literal(struct str *rest, struct out *copy)
{
    char *start = copy->at;
    while (rest->n) {
        bool dollar = str_starts(*rest, STR("$")), two = str_starts(*rest, STR("$$"));
        if (dollar && !two)
            break;
        out_char(copy, rest->p[0]);
        *rest = str_skip(*rest, 1 + two);
    }
    return str_range(start, copy->at);
}

int http_text_compile(struct conf_reader *r, const struct conf_node *at, struct str text, const struct http_text **made)
{
    size_t dollars = 0;
    for (size_t i = 0; i < text.n; i++)
        dollars += text.p[i] == '$';
    struct http_text *compiled = arena_zalloc(r->arena, sizeof *compiled + (dollars + 1) * sizeof *compiled->pieces);
    char *literals = arena_alloc(r->arena, text.n);
    if (!compiled || !literals)
        return -ENOMEM;
    struct out copy = out_on(literals, text.n);
    struct piece *piece = compiled->pieces;
    for (piece->text = take_literal(&text, &copy); text.n; piece->text = take_literal(&text, &copy)) {
        int error = take_variable(r, at, &text, &piece->variable);
        if (error)
            return error;
        compiled->tells |= piece->variable->tells;
        piece++;
    }
    compiled->literals = out_len(&copy);
    *made = compiled;
    return 0;
}

bool http_text_is_fixed(const struct http_text *text, struct str *value)
{
    if (text->pieces->variable)
        return false;
    *value = text->pieces->text;
    return true;
}

unsigned http_text_tells(const struct http_text *text)
{
    return text->tells;
}

/* ---- writing ---- */

static void write_variable(struct writing *w, const struct variable *variable)
{
    if (w->x)
        variable->write(w);
    else
        out_put(&w->out, *(const struct str *)(const void *)((const char *)&w->sample + variable->sample));
}

/* What it will take is not known before it is written: with more and more room until it fits. */
static int write_all(struct arena *arena, const struct http_text *text, struct writing *w, struct str *value)
{
    enum { ROOM = 256 }; /* for what most requests bring */
    for (size_t size = text->literals + ROOM;; size *= 2) {
        char *buffer = arena_alloc(arena, size);
        if (!buffer)
            return -ENOMEM;
        w->out = out_on(buffer, size);
        const struct piece *piece = text->pieces;
        for (; piece->variable; piece++) {
            out_put(&w->out, piece->text);
            write_variable(w, piece->variable);
        }
        out_put(&w->out, piece->text);
        *value = out_str(&w->out);
        if (!w->out.full)
            return 0;
    }
}

int http_text_write(struct exchange *x, const struct http_text *text, enum http_text_use use, struct str *value)
{
    struct writing w = {.use = use, .x = x};
    return write_all(&x->arena, text, &w, value);
}

struct str http_text_sample(struct arena *arena, const struct http_text *text, struct str path, struct str query)
{
    struct writing w = {.sample = {STR("_"), STR("http"), path, query, STR(" ")}}; /* `_` is in no scheme */
    struct str value;
    int error = write_all(arena, text, &w, &value);
    return error ? (struct str){NULL, 0} : value;
}
