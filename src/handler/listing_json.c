/* listing_json.c: a listing for programs (RFC 8259).
 *
 *     {"path":"/music/","truncated":false,"entries":[
 *     {"name":"a b","href":"./a%20b","type":"file","size":12,"modified":"2024-02-29T23:59:59Z"},
 *     {"name":"c","href":"./c/","type":"directory","modified":"2024-02-29T23:59:59Z"}
 *     ]}
 *
 * JSON is UTF-8, and names need not be: what is none is replaced in "name", while "href" says every byte.
 */
#include "handler/listing_page.h"

/* Controls, and what JavaScript once took for the end of a line. */
static bool is_hidden(int32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029;
}

static struct str escape(int32_t code, char room[static LISTING_ESCAPE_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    struct out o = out_on(room, LISTING_ESCAPE_SIZE);
    if (code < 0)
        return STR(LISTING_NO_TEXT);
    if (code == '"' || code == '\\') {
        out_char(&o, '\\');
        out_char(&o, (char)code);
    } else if (is_hidden(code)) {
        out_text(&o, "\\u");
        for (int shift = 12; shift >= 0; shift -= 4)
            out_char(&o, digits[code >> shift & 15]);
    }
    return out_str(&o);
}

static void put_string(struct listing_page *page, struct str text)
{
    listing_put_text(page, "\"");
    listing_put_escaped(page, text, escape);
    listing_put_text(page, "\"");
}

static void put_entry(struct listing_page *page, const struct listing_entry *entry)
{
    char href[LISTING_HREF_SIZE], time[LISTING_TIME_SIZE];
    listing_time(time, entry->modified);
    listing_put_text(page, "{\"name\":");
    put_string(page, entry->name);
    listing_put_text(page, ",\"href\":");
    put_string(page, listing_href(href, entry));
    if (entry->directory) {
        listing_put_text(page, ",\"type\":\"directory\"");
    } else {
        listing_put_text(page, ",\"type\":\"file\",\"size\":");
        listing_put_u64(page, entry->size);
    }
    listing_put_text(page, ",\"modified\":");
    put_string(page, (struct str){time, sizeof time});
    listing_put_text(page, "}");
}

static void render(struct listing_page *page)
{
    const struct listing_job *job = page->job;
    listing_put_text(page, "{\"path\":");
    put_string(page, page->name);
    listing_put_text(page, ",\"truncated\":");
    listing_put(page, job->truncated ? STR("true") : STR("false"));
    listing_put_text(page, ",\"entries\":[");
    for (size_t i = 0; i < job->count && !listing_page_failed(page); i++) {
        listing_put(page, i ? STR(",\n") : STR("\n"));
        put_entry(page, &job->entries[i]);
    }
    listing_put_text(page, "\n]}\n");
}

const struct listing_format listing_json = {
    .type = STR_INIT("application/json"),
    .fields = STR_INIT("Content-Type: application/json\r\n" LISTING_FIELDS),
    .render = render,
};
