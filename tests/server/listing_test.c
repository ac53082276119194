/* Listings of directories: what is in none, names that want to be more, and two foreign parsers that read the pages. */
#include "harness.h"
#include "harness_command.h"
#include "harness_file.h"
#include "harness_response.h"
#include "harness_server.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* Workers must not be root here: to root no directory is unreadable. */
#define CONFIG                                                                                                         \
    "listen: 127.0.0.1:@PORT@\n"                                                                                       \
    "workers: 1\n"                                                                                                     \
    "sites:\n"                                                                                                         \
    "  - routes:\n"                                                                                                    \
    "      - path: /\n"                                                                                                \
    "        files: {root: @DIR@/www, listing: on}\n"                                                                  \
    "      - path: /all/\n"                                                                                            \
    "        files: {root: @DIR@/www, listing: on, hidden: on, follow: on, index: []}\n"                               \
    "      - path: /off/\n"                                                                                            \
    "        files: {root: @DIR@/www}\n"

static struct server server;

static void begin(void)
{
    harness_begin();
    file_directory("www");
    const char *user = geteuid() == 0 ? "user: nobody\ngroup: nogroup\n" : "";
    server = server_start(harness_text("%s" CONFIG, user));
}

TestSuite(listing, .init = begin, .fini = harness_end);

static struct response list(const char *target, const char *accept)
{
    struct client *c = client_open(server.port);
    struct response r = ask(c, "GET %s HTTP/1.1\r\nHost: localhost\r\nAccept: %s\r\n\r\n", target, accept);
    client_close(c);
    return r;
}

static struct response list_json(const char *target)
{
    struct response r = list(target, "application/json");
    assert_status(r, 200);
    assert_field(r, "Content-Type", "application/json");
    cr_assert(r.complete);
    return r;
}

static bool has(struct response r, const char *text)
{
    return memmem(r.body.p, r.body.n, text, strlen(text)) != NULL;
}

static bool lists(struct response r, const char *name)
{
    return has(r, harness_text("{\"name\":\"%s\",", name));
}

/* ---- what is not listed ---- */

Test(listing, directories_that_are_not_listed)
{
    file_directory("www/empty");
    file_write("www/file", STR("x"));
    file_directory("www/closed");
    cr_assert_eq(chmod(file_path("www/closed"), 0311), 0);
    file_write("www/unsearchable/file", STR("x"));
    cr_assert_eq(chmod(file_path("www/unsearchable"), 0744), 0);
    cr_assert_eq(symlink("/", file_path("www/away")), 0);
    assert_status(fetch(server.port, "/off/"), 404);
    assert_status(fetch(server.port, "/off/empty/"), 404);
    assert_status(fetch(server.port, "/missing/"), 404);
    assert_status(fetch(server.port, "/file/"), 404);
    assert_status(fetch(server.port, "/away/"), 404);
    assert_status(fetch(server.port, "/../"), 200);
    assert_status(fetch(server.port, "/closed/"), 403);
    assert_status(fetch(server.port, "/all/unsearchable/"), 403);
    assert_status(fetch(server.port, "/empty/"), 200);
    assert_status(fetch(server.port, "/empty"), 301);
    assert_status(fetch_raw(server.port, "POST /empty/ HTTP/1.1\r\nHost: x\r\n\r\n"), 405);
}

Test(listing, an_index_comes_first)
{
    file_write("www/sub/index.html", STR("the index"));
    assert_body(fetch(server.port, "/sub/"), STR("the index"));
    cr_assert_eq(unlink(file_path("www/sub/index.html")), 0);
    cr_expect(until(has(fetch(server.port, "/sub/"), "<p>0 directories, 0 files</p>")));
}

/* Whatever is listed is served, and the other way round. */
static void expect_served(const char *route, const char *name, bool served)
{
    int status = fetch(server.port, harness_text("%s%s", route, name)).status;
    bool listed = lists(list_json(route), name);
    cr_expect(listed == served, "%s%s is%s listed", route, name, listed ? "" : " not");
    cr_expect(served ? status == 200 || status == 301 : status >= 400, "%s%s: %d", route, name, status);
}

Test(listing, what_is_not_served_is_not_listed)
{
    file_write("secret", STR("the secret"));
    file_write("www/plain", STR("x"));
    file_write("www/.htpasswd", STR("x"));
    file_write("www/.git/config", STR("x"));
    cr_assert_eq(mkfifo(file_path("www/fifo"), 0644), 0);
    cr_assert_eq(symlink("../secret", file_path("www/leaving")), 0);
    cr_assert_eq(symlink(harness_directory(), file_path("www/absolute")), 0);
    cr_assert_eq(symlink("plain", file_path("www/staying")), 0);
    cr_assert_eq(symlink("loop", file_path("www/loop")), 0);
    cr_assert_eq(symlink("nowhere", file_path("www/dangling")), 0);
    static const struct {
        const char *name;
        bool always, all;
    } table[] = {
        {"plain", true, true},  {"staying", true, true},  {".htpasswd", false, true},
        {".git", false, true},  {"leaving", false, true}, {"absolute", false, true},
        {"fifo", false, false}, {"loop", false, false},   {"dangling", false, false},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        expect_served("/", table[i].name, table[i].always);
        expect_served("/all/", table[i].name, table[i].all);
    }
}

/* ---- foreign readers ---- */

/* Both print where the links to entries lead, or say what is wrong with the page. */
#define FOLLOW                                                                                                         \
    "import json, sys, urllib.parse\n"                                                                                 \
    "def follow(href):\n"                                                                                              \
    "    assert href.startswith('./') and urllib.parse.urlsplit(href) == ('', '', href, '', ''), href\n"               \
    "    print(sys.argv[2] + href[2:])\n"                                                                              \
    "page = open(sys.argv[1], 'rb').read().decode()\n"                                                                 \
    "assert not any(c < ' ' and c != '\\n' or '\\x7f' <= c < '\\xa0' for c in page)\n"

static const char html_reader[] = FOLLOW "import base64, hashlib\n"
                                         "from html.parser import HTMLParser\n"
                                         "class Reader(HTMLParser):\n"
                                         "    open = []\n"
                                         "    def handle_starttag(self, tag, attributes):\n"
                                         "        names = [name for name, value in attributes]\n"
                                         "        assert len(names) == len(set(names)), attributes\n"
                                         "        assert not any(name[:2] == 'on' for name in names), attributes\n"
                                         "        assert tag not in ('script', 'img', 'base', 'object'), tag\n"
                                         "        href = dict(attributes).get('href', '?sort')\n"
                                         "        if href[:5] != '?sort' and href.strip('./'):\n"
                                         "            follow(href)\n"
                                         "        if tag != 'meta':\n"
                                         "            self.open.append(tag)\n"
                                         "    def handle_endtag(self, tag):\n"
                                         "        assert self.open.pop() == tag, tag\n"
                                         "style = page.split('<style>')[1].split('</style>')[0].encode()\n"
                                         "digest = base64.b64encode(hashlib.sha256(style).digest()).decode()\n"
                                         "assert \"style-src 'sha256-%s';\" % digest in sys.argv[3], sys.argv[3]\n"
                                         "reader = Reader()\n"
                                         "reader.feed(page)\n"
                                         "reader.close()\n"
                                         "assert not reader.open, reader.open\n";

static const char json_reader[] = FOLLOW "listing = json.loads(page)\n"
                                         "assert set(listing) == {'path', 'truncated', 'entries'}\n"
                                         "assert urllib.parse.quote(listing['path']) == sys.argv[2]\n"
                                         "for entry in listing['entries']:\n"
                                         "    assert ('size' in entry) == (entry['type'] == 'file')\n"
                                         "    follow(entry['href'])\n";

/* The links of a listing, each with a newline. */
static struct str links_of(struct response r, const char *reader, const char *target)
{
    file_write("page", r.body);
    struct str policy = response_field(&r, "Content-Security-Policy");
    struct command command = {
        .arguments = {"python3", "-c", reader, file_path("page"), target, harness_text(STR_FMT, STR_ARG(policy))}};
    struct result result = command_run(&command);
    cr_assert_eq(result.status, 0, "%s", result.err.p);
    return result.out;
}

static const char *const hostile[] = {
    "<script>alert(1)<\\script>",
    "\" onclick=\"alert(1)",
    "' onclick='alert(1)",
    "<!--",
    "]]>",
    "&lt;",
    "&#0;",
    "javascript:alert(1)",
    "https:x",
    "?x=y",
    "#top",
    "\\\\host\\x",
    "%2e%2e",
    "%00",
    "a b",
    " ",
    "a\r\nX: y",
    "\t",
    "\x01\x1b[31m\x7f",
    "\xc2\x80\xc2\x85",
    "\xff\xfe\xc0\xbc\xed\xa0\x80",
    "\xe2\x80\xae\xe2\x80\xa8",
    "\xc3\xa4\xf0\x9f\x90\xa6",
    "~!$&'()*+,;=:@[]{}|^`",
};

/* Follows every link to a file; each of the files must come once. */
static void expect_all(struct str links)
{
    unsigned seen[COUNT(hostile)] = {0};
    while (links.n) {
        struct str link = str_cut(&links, '\n');
        struct response r = fetch(server.port, harness_text(STR_FMT, STR_ARG(link)));
        uint64_t i;
        cr_expect_eq(r.status, 200, "%d for " STR_FMT, r.status, STR_ARG(link));
        if (str_to_u64(r.body, &i) == 0 && i < COUNT(hostile))
            seen[i]++;
    }
    for (size_t i = 0; i < COUNT(hostile); i++)
        cr_expect_eq(seen[i], 1, "%s: %u times", hostile[i], seen[i]);
}

static void expect_hostile(const char *directory, const char *target)
{
    for (size_t i = 0; i < COUNT(hostile); i++) {
        const char *content = harness_text("%zu", i);
        file_write(harness_text("www/%s%s", directory, hostile[i]), str_of(content));
    }
    struct response r = list(target, "text/html");
    assert_field(r, "Content-Type", "text/html; charset=utf-8");
    assert_field(r, "X-Content-Type-Options", "nosniff");
    cr_expect_eq(response_fields(&r, "Content-Security-Policy"), 1);
    expect_all(links_of(r, html_reader, target));
    expect_all(links_of(list_json(target), json_reader, target));
}

Test(listing, hostile_names)
{
    expect_hostile("", "/");
}

Test(listing, a_hostile_directory)
{
    file_directory("www/?<b>&/ \"'");
    expect_hostile("?<b>&/ \"'/", "/%3F%3Cb%3E%26/%20%22%27/");
}

/* ---- the answer ---- */

Test(listing, a_head_is_that_of_the_page)
{
    file_write("www/x", STR("x"));
    struct client *c = client_open(server.port);
    struct response r = get(c, "/");
    client_printf(c, "HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    struct response head = response_read_head(c);
    static const char *const names[] = {"Content-Type",  "Content-Length",          "Vary",
                                        "Cache-Control", "Content-Security-Policy", "X-Content-Type-Options"};
    for (size_t i = 0; i < COUNT(names); i++) {
        cr_expect(response_field(&r, names[i]).n, "%s", names[i]);
        cr_expect(str_eq(response_field(&r, names[i]), response_field(&head, names[i])), "%s", names[i]);
    }
    assert_no_field(r, "ETag");
    assert_no_field(r, "Last-Modified");
    assert_status(get(c, "/x"), 200);
}

Test(listing, the_order_of_a_query)
{
    file_write("www/a", STR("large"));
    file_write("www/b", STR(""));
    struct response r = fetch(server.port, "/?sort=size&order=asc");
    const char *a = memmem(r.body.p, r.body.n, "<bdi>a<", 7), *b = memmem(r.body.p, r.body.n, "<bdi>b<", 7);
    cr_expect(a && b && b < a);
    cr_expect(has(r, "aria-sort=\"ascending\"><a href=\"?sort=size&amp;order=desc\">"));
}

/* Files with names of this many bytes. */
static void write_many(const char *directory, int n, int length)
{
    for (int i = 0; i < n; i++)
        file_write(harness_text("www/%s/%0*d", directory, length, i), STR(""));
}

Test(listing, more_than_is_listed)
{
    write_many("many", 10001, 1);
    struct client *c = client_open(server.port);
    struct response r = get(c, "/many/");
    assert_status(r, 200);
    cr_expect(r.complete && has(r, "There is more than was read") && has(r, "</html>"));
    client_printf(c, "HEAD /many/ HTTP/1.1\r\nHost: localhost\r\n\r\n");
    struct response head = response_read_head(c);
    assert_status(head, 200);
    cr_expect(str_eq(response_field(&head, "Content-Length"), response_field(&r, "Content-Length")));
    r = ask(c, "GET /many/ HTTP/1.0\r\nAccept: application/json\r\n\r\n");
    cr_expect(r.complete && has(r, "\"truncated\":true"));
    cr_expect(client_ends(c));
}

/* Peers that ask for a large directory and read nothing: nobody else is to notice. */
Test(listing, slow_readers)
{
    write_many("large", 10000, 200);
    write_many("other", 300, 200);
    file_write("www/small/file", STR("x"));
    for (int i = 0; i < 30; i++) {
        struct client *c = client_open_slow(server.port);
        client_printf(c, "GET /large/ HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assert_status(response_read_head(c), 200);
    }
    assert_status(fetch(server.port, "/small/"), 200);
    assert_status(fetch(server.port, "/other/"), 200);
    assert_status(fetch(server.port, "/large/"), 200);
    assert_status(fetch(server.port, "/large/?order=desc"), 200);
}
