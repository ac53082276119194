/* listing_html.c: a listing for people: one page of HTML, without scripts, images or anything else to load.
 *
 * Names are bytes that anybody may have chosen. In the page they are UTF-8 text, with U+FFFD in place of whatever is
 * none, of controls, and of what HTML does not allow; the link beside them says every byte. A name's direction of
 * writing ends with the name (bdi). The policy of the page lets nothing run and nothing load, should all this fail.
 */
#include <stdio.h>

#include "handler/listing_page.h"

/* The style, and what the policy calls it: the base64 of its SHA-256. */
#define STYLE                                                                                                          \
    ":root{color-scheme:light dark;--text:#1b1f24;--faint:#59636e;--line:#d8dee4;--link:#0550ae;--page:#fff}\n"        \
    "@media(prefers-color-scheme:dark){:root{--text:#e6e9ec;--faint:#9da7b1;--line:#30363d;--link:#79b8ff;"            \
    "--page:#15191e}}\n"                                                                                               \
    "body{max-width:60rem;margin:0 auto;padding:1rem;font:1rem/1.5 system-ui,sans-serif;color:var(--text);"            \
    "background:var(--page)}\n"                                                                                        \
    "a{color:var(--link);text-decoration:none}\n"                                                                      \
    "a:hover,a:focus{text-decoration:underline}\n"                                                                     \
    "ol{display:flex;flex-wrap:wrap;margin:0;padding:0;list-style:none}\n"                                             \
    "li::after{content:\"\\203a\";padding:0 .4rem;color:var(--faint)}\n"                                               \
    "h1{margin:0 0 1rem;font-size:1.5rem;overflow-wrap:anywhere}\n"                                                    \
    "table{width:100%;border-collapse:collapse}\n"                                                                     \
    "th,td{padding:.4rem .5rem;border-bottom:1px solid var(--line);text-align:left;white-space:nowrap}\n"              \
    "th:first-child,td:first-child{width:100%;padding-left:0;white-space:pre-wrap;overflow-wrap:anywhere}\n"           \
    "th:nth-child(2),td:nth-child(2){text-align:right}\n"                                                              \
    "th:last-child,td:last-child{padding-right:0}\n"                                                                   \
    "th[aria-sort=ascending]::after{content:\" \\2191\"}\n"                                                            \
    "th[aria-sort=descending]::after{content:\" \\2193\"}\n"                                                           \
    "td+td,p{color:var(--faint);font-variant-numeric:tabular-nums}\n"                                                  \
    "@media(max-width:36rem){span{display:none}}\n"

#define STYLE_HASH "3k8A9et9I23eABMsKd3y1IleBGA+Mz3ji7E6X6xFy1I="

#define POLICY                                                                                                         \
    "Content-Security-Policy: default-src 'none'; style-src 'sha256-" STYLE_HASH                                       \
    "'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'\r\n"

/* ---- text ---- */

/* What can stand in a page (HTML, "Preprocessing the input stream") and shows itself. */
static bool is_shown(int32_t code)
{
    bool control = code < 0x20 || (code >= 0x7f && code < 0xa0);
    bool none = (code & 0xfffe) == 0xfffe || (code >= 0xfdd0 && code <= 0xfdef);
    return !control && !none;
}

static struct str escape(int32_t code, char room[static LISTING_ESCAPE_SIZE])
{
    static const struct str references[] = {
        ['"'] = STR_INIT("&quot;"), ['&'] = STR_INIT("&amp;"), ['\''] = STR_INIT("&#39;"),
        ['<'] = STR_INIT("&lt;"),   ['>'] = STR_INIT("&gt;"),
    };
    (void)room;
    if (!is_shown(code))
        return STR(LISTING_NO_TEXT);
    return code < (int32_t)(sizeof references / sizeof *references) ? references[code] : STR("");
}

/* For content and for attributes in quotes. */
static void put_text(struct listing_page *page, struct str text)
{
    listing_put_escaped(page, text, escape);
}

static void put_count(struct listing_page *page, size_t n, struct str one, struct str many)
{
    listing_put_u64(page, n);
    listing_put_text(page, " ");
    listing_put(page, n == 1 ? one : many);
}

/* ---- the way to this directory ---- */

static size_t count_segments(struct str path)
{
    size_t n = 0;
    for (size_t i = 0; i < path.n; i++)
        n += path.p[i] == '/';
    return n;
}

static void put_crumb(struct listing_page *page, size_t up, struct str name)
{
    listing_put_text(page, "<li><a href=\"");
    while (up--)
        listing_put_text(page, "../");
    listing_put_text(page, "\"><bdi>");
    put_text(page, name);
    listing_put_text(page, "</bdi></a></li>");
}

/* The directories above, from the root of the files on, and the name of this one. */
static void put_heading(struct listing_page *page)
{
    struct str path = page->job->path, name = page->name;
    size_t up = count_segments(path);
    name.n -= path.n < name.n ? path.n : name.n;
    if (up) {
        listing_put_text(page, "<nav aria-label=\"Breadcrumb\"><ol>");
        for (; up; up--) {
            put_crumb(page, up, name);
            name = str_cut(&path, '/');
        }
        listing_put_text(page, "</ol></nav>\n");
    }
    listing_put_text(page, "<h1><bdi>");
    put_text(page, name);
    listing_put_text(page, "</bdi></h1>\n");
}

/* ---- the table ---- */

struct column {
    struct str label;
    bool descending; /* what is asked for first: the latest, the largest */
};

static const struct column columns[] = {
    [LISTING_NAME] = {STR_INIT("Name"), false},
    [LISTING_SIZE] = {STR_INIT("Size"), true},
    [LISTING_TIME] = {STR_INIT("Modified<span> (UTC)</span>"), true},
};

/* Its link sorts by this column, or the other way round. */
static void put_column(struct listing_page *page, size_t key)
{
    const struct listing_order *order = &page->job->order;
    bool sorted = order->key == key;
    bool descending = sorted ? !order->descending : columns[key].descending;
    listing_put_text(page, "<th scope=\"col\"");
    if (sorted)
        listing_put(page, order->descending ? STR(" aria-sort=\"descending\"") : STR(" aria-sort=\"ascending\""));
    listing_put_text(page, "><a href=\"?sort=");
    listing_put(page, listing_keys[key]);
    listing_put(page, descending ? STR("&amp;order=desc\">") : STR("&amp;order=asc\">"));
    listing_put(page, columns[key].label);
    listing_put_text(page, "</a></th>");
}

/* Three digits or so, and the exact number for who asks. */
static void put_size(struct listing_page *page, uint64_t size)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    char text[32];
    double value = (double)size;
    size_t unit = 0;
    for (; value >= 999.5; unit++)
        value /= 1024;
    int n = snprintf(text, sizeof text, "%.*f %s", unit && value < 9.95, value, units[unit]);
    listing_put_text(page, "<data value=\"");
    listing_put_u64(page, size);
    listing_put_text(page, "\" title=\"");
    put_count(page, size, STR("byte"), STR("bytes"));
    listing_put_text(page, "\">");
    listing_put(page, (struct str){text, (size_t)n});
    listing_put_text(page, "</data>");
}

/* The day, and the time of the day, which a narrow page leaves out. */
static void put_time(struct listing_page *page, int64_t seconds)
{
    char time[LISTING_TIME_SIZE];
    listing_time(time, seconds);
    listing_put_text(page, "<time datetime=\"");
    listing_put(page, (struct str){time, sizeof time});
    listing_put_text(page, "\">");
    listing_put(page, (struct str){time, 10});
    listing_put_text(page, "<span> ");
    listing_put(page, (struct str){time + 11, 8});
    listing_put_text(page, "</span></time>");
}

static void put_entry(struct listing_page *page, const struct listing_entry *entry)
{
    char href[LISTING_HREF_SIZE];
    listing_put_text(page, "<tr><td><a href=\"");
    put_text(page, listing_href(href, entry));
    listing_put_text(page, "\"><bdi>");
    put_text(page, entry->name);
    listing_put(page, entry->directory ? STR("</bdi>/</a></td><td>") : STR("</bdi></a></td><td>"));
    if (!entry->directory)
        put_size(page, entry->size);
    listing_put_text(page, "</td><td>");
    put_time(page, entry->modified);
    listing_put_text(page, "</td></tr>\n");
}

static void put_table(struct listing_page *page)
{
    const struct listing_job *job = page->job;
    listing_put_text(page, "<table>\n<thead>\n<tr>");
    for (size_t key = 0; key < sizeof columns / sizeof *columns; key++)
        put_column(page, key);
    listing_put_text(page, "</tr>\n</thead>\n<tbody>\n");
    if (job->path.n)
        listing_put_text(page, "<tr><td><a href=\"../\" rel=\"up\">Parent directory</a></td><td></td><td></td></tr>\n");
    for (size_t i = 0; i < job->count && !listing_page_failed(page); i++)
        put_entry(page, &job->entries[i]);
    listing_put_text(page, "</tbody>\n</table>\n");
}

/* ---- the page ---- */

static void put_summary(struct listing_page *page)
{
    const struct listing_job *job = page->job;
    size_t directories = 0;
    while (directories < job->count && job->entries[directories].directory)
        directories++;
    listing_put_text(page, "<p>");
    if (job->truncated)
        listing_put_text(page, "There is more than was read: ");
    put_count(page, directories, STR("directory"), STR("directories"));
    listing_put_text(page, ", ");
    put_count(page, job->count - directories, STR("file"), STR("files"));
    listing_put_text(page, "</p>\n");
}

static void render(struct listing_page *page)
{
    listing_put_text(page, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                           "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>");
    put_text(page, page->name);
    listing_put_text(page, "</title>\n<style>" STYLE "</style>\n</head>\n<body>\n<header>\n");
    put_heading(page);
    listing_put_text(page, "</header>\n<main>\n");
    put_table(page);
    put_summary(page);
    listing_put_text(page, "</main>\n</body>\n</html>\n");
}

const struct listing_format listing_html = {
    .type = STR_INIT("text/html"),
    .fields = STR_INIT("Content-Type: text/html; charset=utf-8\r\n" POLICY LISTING_FIELDS),
    .render = render,
};
