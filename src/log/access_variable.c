/* access_variable.c: see access_variable.h. */
#include "log/access_variable.h"

#include "base/json.h"
#include "log/escape.h"

/* ---- values ---- */

static void put_none(struct access_line *line)
{
    out_put(line->out, line->json ? STR("null") : STR("-"));
}

/* Of a text that is too long, as much as fits. */
static void put_escaped(struct access_line *line, struct str s)
{
    struct out *o = line->out;
    size_t room = out_room(o), most = room < line->most ? room : line->most;
    struct out value = out_on(o->at, most);
    log_escape(&value, s, true);
    o->at = value.at;
    if (value.full && room < line->most)
        o->full = true;
    else if (value.full)
        out_text(o, "...");
}

static bool put_whole_json(struct out *o, struct str s, size_t most)
{
    size_t room = out_room(o);
    struct out value = out_on(o->at, room < most ? room : most);
    json_string(&value, s);
    if (!value.full)
        o->at = value.at;
    return !value.full;
}

/* No escape is cut in two: of a text that is too long, shorter and shorter beginnings are tried. */
static void put_json(struct access_line *line, struct str s)
{
    struct out *o = line->out;
    if (put_whole_json(o, s, line->most))
        return;
    if (out_room(o) < line->most) {
        o->full = true;
        return;
    }
    s.n = s.n < line->most ? s.n / 2 : line->most - 2;
    while (!put_whole_json(o, s, line->most))
        s.n /= 2;
    o->at--;
    out_text(o, "...\"");
}

static void put_text(struct access_line *line, struct str s)
{
    if (s.n == 0)
        put_none(line);
    else if (line->json)
        put_json(line, s);
    else
        put_escaped(line, s);
}

/* A text of ours. */
static void put_plain(struct access_line *line, struct str s)
{
    if (line->json)
        out_char(line->out, '"');
    out_put(line->out, s);
    if (line->json)
        out_char(line->out, '"');
}

/* ---- variables ---- */

static void write_percent(struct access_line *line, const struct access_piece *piece)
{
    (void)piece;
    out_char(line->out, '%');
}

static void write_none(struct access_line *line, const struct access_piece *piece)
{
    (void)piece;
    put_none(line);
}

/* A member that is a struct str. */
static void write_text(struct access_line *line, const struct access_piece *piece)
{
    put_text(line, *(const struct str *)(const void *)((const char *)line->entry + piece->variable->offset));
}

/* A member that is an nsec. */
static void write_duration(struct access_line *line, const struct access_piece *piece)
{
    const struct access_variable *variable = piece->variable;
    nsec duration = *(const nsec *)(const void *)((const char *)line->entry + variable->offset);
    out_u64(line->out, (uint64_t)(duration / variable->unit));
}

static void write_field(struct access_line *line, const struct access_piece *piece)
{
    put_text(line, line->entry->field(line->entry->request, piece->name));
}

static void write_status(struct access_line *line, const struct access_piece *piece)
{
    (void)piece;
    if (line->entry->status)
        out_u64(line->out, line->entry->status);
    else
        put_none(line);
}

static void write_bytes(struct access_line *line, const struct access_piece *piece)
{
    (void)piece;
    out_u64(line->out, line->entry->bytes);
}

static void write_bytes_or_none(struct access_line *line, const struct access_piece *piece)
{
    if (line->entry->bytes)
        write_bytes(line, piece);
    else
        put_none(line);
}

static void write_port(struct access_line *line, const struct access_piece *piece)
{
    (void)piece;
    if (line->entry->port)
        out_u64(line->out, line->entry->port);
    else
        put_none(line);
}

/* ---- parts of the first line ---- */

static void write_method(struct access_line *line, const struct access_piece *piece)
{
    struct str rest = line->entry->line;
    (void)piece;
    put_text(line, str_cut(&rest, ' '));
}

static struct str target_of(const struct access_line *line)
{
    struct str rest = line->entry->line;
    str_cut(&rest, ' ');
    return str_cut(&rest, ' ');
}

static void write_target(struct access_line *line, const struct access_piece *piece)
{
    (void)piece;
    put_text(line, target_of(line));
}

static void write_path(struct access_line *line, const struct access_piece *piece)
{
    struct str target = target_of(line);
    (void)piece;
    put_text(line, str_cut(&target, '?'));
}

/* With its question mark, so that %U%q is the target; without one, nothing. */
static void write_query(struct access_line *line, const struct access_piece *piece)
{
    struct str target = target_of(line), query = str_skip(target, str_find(target, '?'));
    (void)piece;
    if (query.n)
        put_text(line, query);
}

static void write_protocol(struct access_line *line, const struct access_piece *piece)
{
    struct str rest = line->entry->line;
    (void)piece;
    str_cut(&rest, ' ');
    str_cut(&rest, ' ');
    put_text(line, rest);
}

/* ---- times ---- */

static void write_local_time(struct access_line *line, const struct access_piece *piece)
{
    (void)piece;
    out_char(line->out, '[');
    out_put(line->out, line->clock->local);
    out_char(line->out, ']');
}

static void write_iso_time(struct access_line *line, const struct access_piece *piece)
{
    char text[sizeof line->clock->text[0] + sizeof ".000Z"];
    struct out o = out_on(text, sizeof text);
    (void)piece;
    out_put(&o, line->clock->utc);
    out_char(&o, '.');
    out_digits(&o, line->entry->ms, 3);
    out_char(&o, 'Z');
    put_plain(line, out_str(&o));
}

static void write_seconds(struct access_line *line, const struct access_piece *piece)
{
    (void)piece;
    out_u64(line->out, (uint64_t)line->entry->time);
}

static void write_milliseconds(struct access_line *line, const struct access_piece *piece)
{
    write_seconds(line, piece);
    out_digits(line->out, line->entry->ms, 3);
}

/* ---- the table ---- */

#define AT(member) .offset = offsetof(struct access_entry, member)
#define SPENT(member, in) .needs = ACCESS_NEEDS_TIMES, .offset = offsetof(struct access_entry, times.member), .unit = in
#define MICROSECOND (NSEC_MS / 1000)

const struct access_variable access_variables[] = {
    {'%', .write = write_percent},
    {'a', .write = write_text, AT(client)},
    {'b', .write = write_bytes_or_none},
    {'B', .write = write_bytes},
    {'D', .write = write_duration, SPENT(total, MICROSECOND)},
    {'D', "header", .write = write_duration, SPENT(header, MICROSECOND)},
    {'D', "queue", .write = write_duration, SPENT(queue, MICROSECOND)},
    {'D', "cpu", .write = write_duration, SPENT(cpu, MICROSECOND)},
    {'D', "pool", .write = write_duration, SPENT(pool, MICROSECOND)},
    {'D', "upstream", .write = write_duration, SPENT(upstream, MICROSECOND)},
    {'D', "client", .write = write_duration, SPENT(client, MICROSECOND)},
    {'E', .write = write_text, AT(reason)},
    {'h', .write = write_text, AT(client)},
    {'H', .write = write_protocol, .wide = true},
    {'i', ACCESS_ANY_NAME, .write = write_field, .wide = true},
    {'l', .write = write_none},
    {'m', .write = write_method, .wide = true},
    {'p', .write = write_port, .needs = ACCESS_NEEDS_PORT},
    {'q', .write = write_query, .wide = true},
    {'r', .write = write_text, .wide = true, AT(line)},
    {'r', "target", .write = write_target, .wide = true},
    {'s', .write = write_status},
    {'t', .write = write_local_time},
    {'t', "iso", .write = write_iso_time, .needs = ACCESS_NEEDS_MS},
    {'t', "sec", .write = write_seconds},
    {'t', "msec", .write = write_milliseconds, .needs = ACCESS_NEEDS_MS},
    {'T', .write = write_duration, SPENT(total, NSEC_SEC)},
    {'T', "s", .write = write_duration, SPENT(total, NSEC_SEC)},
    {'T', "ms", .write = write_duration, SPENT(total, NSEC_MS)},
    {'T', "us", .write = write_duration, SPENT(total, MICROSECOND)},
    {'u', .write = write_text, .wide = true, AT(user)},
    {'U', .write = write_path, .wide = true},
    {'v', .write = write_text, .wide = true, AT(host)},
    {'V', .write = write_text, .wide = true, AT(host)},
    {'x', "SSL_PROTOCOL", .write = write_text, AT(tls_version)},
    {'x', "SSL_CIPHER", .write = write_text, AT(tls_cipher)},
    {'x', "SSL_TLS_SNI", .write = write_text, .wide = true, AT(tls_name)},
    {'x', "SSL_CLIENT_S_DN", .write = write_text, .wide = true, AT(tls_subject)},
    {0},
};
