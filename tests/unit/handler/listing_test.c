/* listing_test.c: errors before anything is sent, names that would be more than names, and what is asked for. */
#include "handler/listing.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "answer.h"
#include "directory.h"
#include "disk.h"
#include "handler/listing_share.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

static struct file_root root;
static struct answer answer;

static void setup(void)
{
    disk_make_folder();
    root = (struct file_root){.fd = disk_root};
}

static void teardown(void)
{
    answer_end(&answer);
    disk_remove_folder();
}

TestSuite(listing, .init = setup, .fini = teardown);

static int on_a_thread(void *test)
{
    (*(void (**)(void))test)();
    return 0;
}

static void run(void (*test)(void))
{
    cr_assert_eq(green_run(&(struct green_options){.stack = 64 * 1024}, on_a_thread, &test), 0);
}

/* A test whose body may wait. */
#define ListingTest(name)                                                                                              \
    static void name(void);                                                                                            \
    Test(listing, name)                                                                                                \
    {                                                                                                                  \
        run(name);                                                                                                     \
    }                                                                                                                  \
    static void name(void)

/* GETs a directory of the root, which is at "/files/". */
static int ask(const char *path, const char *query, const char *accept)
{
    answer_end(&answer);
    char whole[256];
    snprintf(whole, sizeof whole, "/files/%s", path);
    answer_begin(&answer, METHOD_GET, NULL, query, accept);
    answer.x.request.uri.path = arena_copy(&answer.x.arena, str_of(whole));
    return listing_send(&answer.x, &root, str_of(path), false);
}

static int html(const char *path)
{
    return ask(path, NULL, NULL);
}

static int json(const char *path)
{
    return ask(path, NULL, "application/json");
}

static void expect(const char *part)
{
    cr_expect(answer_has(&answer, part), "%s is not in " STR_FMT, part, STR_ARG(answer_content(&answer)));
}

static void expect_not(const char *part)
{
    cr_expect_not(answer_has(&answer, part), "%s is in " STR_FMT, part, STR_ARG(answer_content(&answer)));
}

/* ---- errors ---- */

static void expect_error(const char *path, int error)
{
    cr_expect_eq(html(path), error, "%s", path);
    cr_expect_eq(answer.status, 0, "%s: the handler of files answers", path);
    cr_expect_eq(answer.x.response.status, 0, "%s", path);
}

ListingTest(errors)
{
    disk_write("a", "", 0);
    cr_assert_eq(symlinkat("/", disk_root, "away"), 0);
    expect_error("x/", -ENOENT);
    expect_error("a/", -ENOTDIR);
    expect_error("away/", -EXDEV);
    disk.openat2_errno = EACCES;
    expect_error("", -EACCES);
    disk.openat2_errno = EMFILE;
    expect_error("", -EMFILE);
    disk.openat2_errno = 0;
    directory.error = EIO;
    directory.after = 1;
    expect_error("", -EIO);
    directory.error = 0;
    directory.no_memory = true;
    expect_error("", -ENOMEM);
    directory.no_memory = false;
    cr_expect_eq(html(""), 0);
}

ListingTest(a_connection_that_breaks)
{
    disk_write("a", "", 0);
    directory.name = "a";
    directory.times = 1000;
    answer_begin(&answer, METHOD_GET, "/", NULL, NULL);
    answer.fail_from = 1;
    cr_expect_eq(listing_send(&answer.x, &root, STR(""), false), -ECONNRESET);
    cr_expect_eq(answer.x.response.status, 200);
    cr_expect_eq(answer.pieces, 1);
    cr_expect_not(answer.ended);
}

/* ---- who has to wait, or is refused ---- */

struct asker {
    struct green *thread;
    char query[16];
    struct answer answer;
    int error;
};

static int ask_on_its_own(void *arg)
{
    struct asker *asker = arg;
    answer_begin(&asker->answer, METHOD_GET, "/", asker->query, NULL);
    asker->error = listing_send(&asker->answer.x, &root, STR(""), false);
    return 0;
}

static void start(struct asker *askers, size_t n)
{
    atomic_store(&directory.held, true);
    for (size_t i = 0; i < n; i++)
        cr_assert_eq(green_spawn(&askers[i].thread, "asker", ask_on_its_own, &askers[i]), 0);
    while (atomic_load(&directory.readers) < 2)
        cr_assert_eq(green_sleep(NSEC_MS), 0);
}

static void join(struct asker *askers, size_t n)
{
    atomic_store(&directory.held, false);
    for (size_t i = 0; i < n; i++) {
        cr_assert_eq(green_join(askers[i].thread, NULL, NSEC_NEVER), 0);
        answer_end(&askers[i].answer);
    }
}

ListingTest(two_directories_are_read_at_one_time)
{
    static struct asker askers[6] = {[2] = {.query = "sort=size"}, [3] = {.query = "sort=time"}};
    start(askers, 6);
    for (int i = 0; i < 20; i++)
        cr_assert_eq(green_sleep(NSEC_MS), 0);
    cr_expect_eq(atomic_load(&directory.readers), 2, "others of the pool's threads are left to files");
    join(askers, 6);
    for (size_t i = 0; i < 6; i++)
        cr_expect(askers[i].error == 0 && askers[i].answer.ended);
}

ListingTest(who_waits_is_cancelled)
{
    static struct asker askers[4];
    start(askers, 4);
    green_cancel(askers[2].thread);
    cr_assert_eq(green_yield(), 0);
    join(askers, 4);
    cr_expect_eq(askers[2].error, -ECANCELED);
    cr_expect_eq(askers[2].answer.status, 0);
    cr_expect_eq(askers[3].error, 0);
    cr_expect_eq(html(""), 0);
}

/* Takes listings until there are no more to be had, and returns how many. */
static size_t take_listings(struct listing **held, size_t most)
{
    for (size_t n = 0; n < most; n++) {
        char name[16];
        snprintf(name, sizeof name, "/%zu/", n);
        struct listing_query query = {.root = &root, .path = STR(""), .name = str_of(name), .format = &listing_html};
        directory.times = LISTING_MAX;
        int error = listing_acquire(&query, NSEC_NEVER, &held[n]);
        if (error) {
            cr_expect_eq(error, -ENOBUFS);
            return n;
        }
    }
    return most;
}

/* It is the memory of other directories that is taken, and only large ones go without. */
ListingTest(a_large_listing_while_others_are_being_sent)
{
    static struct listing *held[100];
    char name[256] = "";
    memset(name, 'x', 255);
    disk_write(name, "", 0);
    directory.name = name;
    size_t n = take_listings(held, COUNT(held));
    cr_assert_gt(n, 4);
    cr_assert_lt(n, COUNT(held));
    directory.times = LISTING_MAX;
    cr_expect_eq(html(""), 0, "it is answered");
    cr_expect_eq(answer.status, 503);
    cr_expect(answer_has_field(&answer, "Retry-After: 10"));
    directory.times = 10;
    cr_expect_eq(html(""), 0);
    cr_expect_eq(answer.status, 200, "there is always room for a small one");
    while (n--)
        listing_release(held[n]);
    directory.times = LISTING_MAX;
    cr_expect_eq(html(""), 0);
    cr_expect_eq(answer.status, 200, "they have given it back");
}

/* ---- names that would be more than names ---- */

static const struct {
    const char *name, *html, *json;
} hostile[] = {
    {"<script>alert(1)<\\script>",
     "<a href=\"./%3Cscript%3Ealert(1)%3C%5Cscript%3E\"><bdi>&lt;script&gt;alert(1)&lt;\\script&gt;</bdi></a>",
     "{\"name\":\"<script>alert(1)<\\\\script>\",\"href\":\"./%3Cscript%3Ealert(1)%3C%5Cscript%3E\","},
    {"\" onclick=\"x", "<a href=\"./%22%20onclick=%22x\"><bdi>&quot; onclick=&quot;x</bdi></a>",
     "{\"name\":\"\\\" onclick=\\\"x\",\"href\":\"./%22%20onclick=%22x\","},
    {"' onclick='x", "<a href=\"./&#39;%20onclick=&#39;x\"><bdi>&#39; onclick=&#39;x</bdi></a>",
     "{\"name\":\"' onclick='x\",\"href\":\"./'%20onclick='x\","},
    {"&lt;", "<a href=\"./&amp;lt;\"><bdi>&amp;lt;</bdi></a>", "{\"name\":\"&lt;\",\"href\":\"./&lt;\","},
    {"javascript:alert(1)", "<a href=\"./javascript:alert(1)\"><bdi>javascript:alert(1)</bdi></a>",
     "{\"name\":\"javascript:alert(1)\",\"href\":\"./javascript:alert(1)\","},
    {"?sort=size", "<a href=\"./%3Fsort=size\"><bdi>?sort=size</bdi></a>",
     "{\"name\":\"?sort=size\",\"href\":\"./%3Fsort=size\","},
    {"#top", "<a href=\"./%23top\"><bdi>#top</bdi></a>", "{\"name\":\"#top\",\"href\":\"./%23top\","},
    {"\\\\host", "<a href=\"./%5C%5Chost\"><bdi>\\\\host</bdi></a>",
     "{\"name\":\"\\\\\\\\host\",\"href\":\"./%5C%5Chost\","},
    {"a\r\nX: y", "<a href=\"./a%0D%0AX:%20y\"><bdi>a\xef\xbf\xbd\xef\xbf\xbdX: y</bdi></a>",
     "{\"name\":\"a\\u000d\\u000aX: y\",\"href\":\"./a%0D%0AX:%20y\","},
    {"\x1b[31m\x7f", "<a href=\"./%1B%5B31m%7F\"><bdi>\xef\xbf\xbd[31m\xef\xbf\xbd</bdi></a>",
     "{\"name\":\"\\u001b[31m\\u007f\",\"href\":\"./%1B%5B31m%7F\","},
    {"c1\xc2\x85", "<a href=\"./c1%C2%85\"><bdi>c1\xef\xbf\xbd</bdi></a>",
     "{\"name\":\"c1\\u0085\",\"href\":\"./c1%C2%85\","},
    {"\xff\xfe", "<a href=\"./%FF%FE\"><bdi>\xef\xbf\xbd\xef\xbf\xbd</bdi></a>",
     "{\"name\":\"\xef\xbf\xbd\xef\xbf\xbd\",\"href\":\"./%FF%FE\","},
    {"\xc0\xbc", "<a href=\"./%C0%BC\"><bdi>\xef\xbf\xbd\xef\xbf\xbd</bdi></a>",
     "{\"name\":\"\xef\xbf\xbd\xef\xbf\xbd\",\"href\":\"./%C0%BC\","},
    {"\xed\xa0\x80", "<bdi>\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd</bdi>", "\"./%ED%A0%80\""},
    {"x\xc3", "<a href=\"./x%C3\"><bdi>x\xef\xbf\xbd</bdi></a>", "{\"name\":\"x\xef\xbf\xbd\",\"href\":\"./x%C3\","},
    {"\xef\xbf\xbe", "<bdi>\xef\xbf\xbd</bdi>", "\"./%EF%BF%BE\""},
    {"\xef\xb7\x90", "<bdi>\xef\xbf\xbd</bdi>", "\"./%EF%B7%90\""},
    {"\xf0\x9f\xbf\xbf", "<bdi>\xef\xbf\xbd</bdi>", "\"./%F0%9F%BF%BF\""},
    {"\xe2\x80\xa8\xe2\x80\xa9", "<bdi>\xe2\x80\xa8\xe2\x80\xa9</bdi>", "{\"name\":\"\\u2028\\u2029\","},
    {"\xe2\x80\xaegpj.exe", "<bdi>\xe2\x80\xaegpj.exe</bdi>", "\"./%E2%80%AEgpj.exe\""},
    {"\xc3\xa4 \xf0\x9f\x90\xa6", "<a href=\"./%C3%A4%20%F0%9F%90%A6\"><bdi>\xc3\xa4 \xf0\x9f\x90\xa6</bdi></a>",
     "{\"name\":\"\xc3\xa4 \xf0\x9f\x90\xa6\",\"href\":\"./%C3%A4%20%F0%9F%90%A6\","},
    {"%2e%2e", "<a href=\"./%252e%252e\"><bdi>%2e%2e</bdi></a>", "{\"name\":\"%2e%2e\",\"href\":\"./%252e%252e\","},
};

static void expect_no_controls(void)
{
    for (size_t i = 0; i < answer.n; i++)
        cr_expect((unsigned char)answer.content[i] >= ' ' || answer.content[i] == '\n', "%zu", i);
    cr_expect_not(memchr(answer.content, '\x7f', answer.n));
}

ListingTest(hostile_names_of_files)
{
    for (size_t i = 0; i < COUNT(hostile); i++)
        disk_write(hostile[i].name, "", 0);
    cr_assert_eq(html(""), 0);
    for (size_t i = 0; i < COUNT(hostile); i++)
        expect(hostile[i].html);
    expect_no_controls();
    cr_assert_eq(json(""), 0);
    for (size_t i = 0; i < COUNT(hostile); i++)
        expect(hostile[i].json);
    expect_no_controls();
}

/* In the title, the heading and the path back. */
ListingTest(hostile_names_of_directories)
{
    for (size_t i = 0; i < COUNT(hostile); i++) {
        char path[300];
        snprintf(path, sizeof path, "%s/%s/", hostile[i].name, hostile[i].name);
        cr_assert_eq(mkdirat(disk_root, hostile[i].name, 0755), 0);
        cr_assert_eq(mkdirat(disk_root, path, 0755), 0);
        cr_assert_eq(html(path), 0);
        expect_no_controls();
        expect_not("<script");
        expect_not("\" onclick");
        expect_not("' onclick");
        cr_assert_eq(json(path), 0);
        expect_no_controls();
    }
    cr_assert_eq(html(""), 0);
    for (size_t i = 0; i < COUNT(hostile); i++)
        expect_not("<script");
    cr_expect_eq(answer_times(&answer, "</bdi>/</a>"), COUNT(hostile));
}

/* ---- the page ---- */

ListingTest(an_empty_root)
{
    cr_assert_eq(html(""), 0);
    expect("<!DOCTYPE html>\n<html lang=\"en\">");
    expect("<title>/files/</title>");
    expect("<h1><bdi>/files/</bdi></h1>");
    expect("<p>0 directories, 0 files</p>");
    expect_not("<nav");
    expect_not("../");
    cr_assert_eq(json(""), 0);
    cr_expect(str_eq(answer_content(&answer), STR("{\"path\":\"/files/\",\"truncated\":false,\"entries\":[\n]}\n")));
}

ListingTest(the_way_back)
{
    cr_assert_eq(mkdirat(disk_root, "a&b", 0755), 0);
    cr_assert_eq(mkdirat(disk_root, "a&b/c", 0755), 0);
    cr_assert_eq(mkdirat(disk_root, "a&b/c/d", 0755), 0);
    cr_assert_eq(html("a&b/c/"), 0);
    expect("<nav aria-label=\"Breadcrumb\"><ol><li><a href=\"../../\"><bdi>/files/</bdi></a></li>"
           "<li><a href=\"../\"><bdi>a&amp;b</bdi></a></li></ol></nav>\n<h1><bdi>c</bdi></h1>");
    expect("<a href=\"../\" rel=\"up\">Parent directory</a>");
    expect("<p>1 directory, 0 files</p>");
    cr_assert_eq(json("a&b/c/"), 0);
    expect("{\"path\":\"/files/a&b/c/\",");
    expect("{\"name\":\"d\",\"href\":\"./d/\",\"type\":\"directory\",\"modified\":\"");
}

static const struct {
    off_t size;
    const char *html;
} sizes[] = {
    {0, "<data value=\"0\" title=\"0 bytes\">0 B</data>"},
    {1, "<data value=\"1\" title=\"1 byte\">1 B</data>"},
    {999, "<data value=\"999\" title=\"999 bytes\">999 B</data>"},
    {1000, "<data value=\"1000\" title=\"1000 bytes\">1.0 KiB</data>"},
    {1024, "<data value=\"1024\" title=\"1024 bytes\">1.0 KiB</data>"},
    {1536, "<data value=\"1536\" title=\"1536 bytes\">1.5 KiB</data>"},
    {10188, "<data value=\"10188\" title=\"10188 bytes\">9.9 KiB</data>"},
    {10189, "<data value=\"10189\" title=\"10189 bytes\">10 KiB</data>"},
    {1023487, "<data value=\"1023487\" title=\"1023487 bytes\">999 KiB</data>"},
    {1023488, "<data value=\"1023488\" title=\"1023488 bytes\">1.0 MiB</data>"},
    {5LL << 30, "<data value=\"5368709120\" title=\"5368709120 bytes\">5.0 GiB</data>"},
    {1LL << 40, "<data value=\"1099511627776\" title=\"1099511627776 bytes\">1.0 TiB</data>"},
};

ListingTest(sizes_and_times)
{
    static const struct timespec times[] = {{0, 0}, {1709251199, 0}};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        disk_write("a", "", 0);
        int fd = openat(disk_root, "a", O_WRONLY);
        cr_assert_eq(ftruncate(fd, sizes[i].size), 0);
        cr_assert_eq(futimens(fd, times), 0);
        close(fd);
        cr_assert_eq(html(""), 0);
        expect(sizes[i].html);
        expect("<time datetime=\"2024-02-29T23:59:59Z\">2024-02-29<span> 23:59:59</span></time>");
    }
    expect("<p>0 directories, 1 file</p>");
    cr_assert_eq(json(""), 0);
    expect("{\"name\":\"a\",\"href\":\"./a\",\"type\":\"file\",\"size\":1099511627776,"
           "\"modified\":\"2024-02-29T23:59:59Z\"}\n]}\n");
}

ListingTest(more_than_is_listed)
{
    disk_write("a", "", 0);
    directory.name = "a";
    directory.times = SIZE_MAX;
    cr_assert_eq(html(""), 0);
    expect("<p>There is more than was read: 0 directories, 10000 files</p>");
    cr_expect_eq(answer_times(&answer, "<tr><td>"), LISTING_MAX);
    cr_expect_eq(answer.length, (int64_t)answer.n);
    directory.times = SIZE_MAX;
    cr_assert_eq(json(""), 0);
    expect("\"truncated\":true,");
    cr_expect_eq(answer_times(&answer, "{\"name\":"), LISTING_MAX);
}

/* That it names this very style, who can compute it says (tests/server). */
ListingTest(the_policy)
{
    cr_assert_eq(html(""), 0);
    const char *policy = memmem(answer.fields.p, answer.fields.n, "Content-Security-Policy: default-src 'none'; ", 45);
    cr_assert_not_null(policy);
    cr_expect(str_starts(str_of(policy + 45), STR("style-src 'sha256-")));
    cr_expect_eq(answer_times(&answer, "<style>"), 1);
    expect_not("style=");
    expect_not("<script");
}

/* ---- what is asked for ---- */

static const struct {
    const char *accept;
    bool json;
} accepts[] = {
    {NULL, false},
    {"", false},
    {"*/*", false},
    {"text/html", false},
    {"text/html, application/json", false},
    {"text/html;q=0.5, application/json;q=0.5", false},
    {"application/json;q=0", false},
    {"image/png", false},
    {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", false},
    {"application/json", true},
    {"APPLICATION/JSON", true},
    {"application/json, */*;q=0.1", true},
    {"application/json, text/html;q=0.9", true},
    {"application/*, text/*;q=0.9", true},
};

ListingTest(the_format)
{
    for (size_t i = 0; i < COUNT(accepts); i++) {
        const char *type =
            accepts[i].json ? "Content-Type: application/json" : "Content-Type: text/html; charset=utf-8";
        cr_assert_eq(ask("", NULL, accepts[i].accept), 0);
        cr_expect(answer_has_field(&answer, type), "%s", accepts[i].accept);
        cr_expect(answer_has_field(&answer, "Vary: Accept"));
        cr_expect(answer_has_field(&answer, "Cache-Control: no-cache"));
        cr_expect(answer_has_field(&answer, "X-Content-Type-Options: nosniff"));
        cr_expect_eq(answer.length, (int64_t)answer.n);
    }
}

ListingTest(only_the_head)
{
    disk_write("a", "", 0);
    cr_assert_eq(html(""), 0);
    struct answer head;
    answer_begin(&head, METHOD_HEAD, "/files/", NULL, NULL);
    cr_assert_eq(listing_send(&head.x, &root, STR(""), false), 0);
    cr_expect(str_eq(head.fields, answer.fields));
    cr_expect_eq(head.length, answer.length);
    cr_expect_eq(head.n, 0);
    answer_end(&head);
}

static const char up[] = "aria-sort=\"ascending\"", down[] = "aria-sort=\"descending\"";

static const struct {
    const char *query, *names, *sorted, *name, *size, *time;
} queries[] = {
    /* what is ignored */
    {NULL, "da b c", up, "desc", "desc", "desc"},
    {"", "da b c", up, "desc", "desc", "desc"},
    {"sort", "da b c", up, "desc", "desc", "desc"},
    {"sort=&order=", "da b c", up, "desc", "desc", "desc"},
    {"sort=names&order=down", "da b c", up, "desc", "desc", "desc"},
    {"SORT=size&order=DESC", "da b c", up, "desc", "desc", "desc"},
    {"sort=%73ize", "da b c", up, "desc", "desc", "desc"},
    {"order=\"><script>", "da b c", up, "desc", "desc", "desc"},
    {"&&=&;", "da b c", up, "desc", "desc", "desc"},
    /* what is not */
    {"order=desc", "dc b a", down, "asc", "desc", "desc"},
    {"sort=name&order=desc", "dc b a", down, "asc", "desc", "desc"},
    {"sort=size", "db c a", up, "asc", "desc", "desc"},
    {"sort=size&order=desc", "da c b", down, "asc", "asc", "desc"},
    {"order=desc&x=y&sort=time", "dc b a", down, "asc", "desc", "asc"},
    {"sort=time&order=asc", "da b c", up, "asc", "desc", "desc"},
    {"sort=time&sort=size", "db c a", up, "asc", "desc", "desc"},
};

static void expect_link(const char *key, const char *order)
{
    char link[64];
    snprintf(link, sizeof link, "<a href=\"?sort=%s&amp;order=%s\">", key, order);
    expect(link);
}

static void expect_names(const char *names)
{
    const char *at = answer.content;
    for (; *names; names++) {
        if (*names == ' ')
            continue;
        char name[] = {'<', 'b', 'd', 'i', '>', *names, '<', '\0'};
        at = memmem(at, (size_t)(answer.content + answer.n - at), name, 7);
        cr_assert_not_null(at, "%s", name);
    }
}

ListingTest(orders)
{
    static const char *const names[] = {"a", "b", "c"}, *const contents[] = {"xxx", "x", "xx"};
    for (size_t i = 0; i < COUNT(names); i++) {
        disk_write(names[i], contents[i], strlen(contents[i]));
        struct timespec times[] = {{0, 0}, {(time_t)i, 0}};
        cr_assert_eq(utimensat(disk_root, names[i], times, 0), 0);
    }
    cr_assert_eq(mkdirat(disk_root, "d", 0755), 0);
    for (size_t i = 0; i < COUNT(queries); i++) {
        cr_assert_eq(ask("", queries[i].query, NULL), 0);
        expect_names(queries[i].names);
        expect(queries[i].sorted);
        cr_expect_eq(answer_times(&answer, "aria-sort=\""), 1);
        expect_link("name", queries[i].name);
        expect_link("size", queries[i].size);
        expect_link("time", queries[i].time);
        expect_not("<script");
    }
}
