/* Files that change while they are served: an answer is whole and of one state, or it is visibly cut. */
#include "harness.h"
#include "harness_file.h"
#include "harness_response.h"
#include "harness_server.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

TestSuite(files_change, .init = harness_begin, .fini = harness_end);

enum {
    LARGE = 32 << 20,  /* more than a socket's buffers hold */
    SMALL = 60000,     /* kept in memory */
    CLOCK_TICK = 20000 /* microseconds, rounded up: files written within one tick have the same time */
};

#define CONFIG(cache)                                                                                                  \
    "listen: 127.0.0.1:@PORT@\n"                                                                                       \
    "workers: 1\n"                                                                                                     \
    "sites: [{routes: [{path: /, files: {root: @DIR@/www, cache: " cache "}}]}]\n"

/* A client in the middle of a large file: its head and first bytes have come, most is still to be sent. */
static struct client *start_download(const struct server *server)
{
    struct client *c = client_open_slow(server->port);
    client_printf(c, "GET /file HTTP/1.1\r\nHost: localhost\r\n\r\n");
    cr_assert_eq(client_peek(c, 1024).n, 1024);
    return c;
}

Test(files_change, a_file_truncated_under_way_cuts_the_answer)
{
    struct str content = file_pattern(LARGE);
    file_write("www/file", content);
    struct server server = server_start(CONFIG("1s"));
    struct client *c = start_download(&server);
    cr_assert_eq(truncate(file_path("www/file"), 4096), 0);
    struct response r = response_read(c);
    assert_status(r, 200);
    cr_assert_not(r.complete, "a file that is gone was sent whole");
    /* What the kernel cuts off it may clear first, also where it waits in a socket's buffer by reference. */
    size_t sure = r.body.n < 4096 ? r.body.n : 4096;
    cr_assert(str_starts(content, (struct str){r.body.p, sure}), "the content is not the file's");
    assert_stop(&server, 0);
}

/* To cut an answer because its file changes is allowed, to finish it with something else is not. */
Test(files_change, a_file_that_grows_under_way_is_sent_as_it_was_or_cut)
{
    struct str content = file_pattern(LARGE);
    file_write("www/file", content);
    struct server server = server_start(CONFIG("1s"));
    struct client *c = start_download(&server);
    file_append("www/file", file_fill('x', 1 << 20));
    struct response r = response_read(c);
    assert_status(r, 200);
    cr_assert(str_starts(content, r.body), "the content is not the file's");
    cr_assert(!r.complete || r.body.n == content.n);
}

/* What was announced is gone, and nothing that can be sent instead has its length. */
Test(files_change, a_file_overwritten_by_a_larger_one_under_way_is_never_sent_whole)
{
    file_write("www/file", file_fill('a', LARGE));
    struct server server = server_start(CONFIG("1h"));
    struct client *c = start_download(&server);
    file_overwrite("www/file", file_fill('b', LARGE + (1 << 20)));
    struct response r = response_read(c);
    assert_status(r, 200);
    cr_assert_not(r.complete, "a file that is gone was sent whole");
    assert_stop(&server, 0);
}

/* Two contents of one length: a client can't tell a mixture of them from the file, so there must be no whole one. */
Test(files_change, a_file_overwritten_under_way_is_never_sent_whole_and_mixed)
{
    struct str content = file_fill('a', LARGE), other = file_fill('b', LARGE);
    struct server server = server_start(CONFIG("1ms"));
    for (int i = 0; i < 5; i++) {
        file_write("www/file", content);
        usleep(CLOCK_TICK);
        struct client *c = start_download(&server);
        file_overwrite("www/file", other);
        struct response r = response_read(c);
        assert_status(r, 200);
        cr_assert(!r.complete || str_eq(r.body, content) || str_eq(r.body, other), "a mixture is sent as whole");
        client_close(c);
    }
}

Test(files_change, a_file_replaced_under_way_is_sent_as_it_was)
{
    struct str content = file_pattern(LARGE);
    file_write("www/file", content);
    struct server server = server_start(CONFIG("1s"));
    struct client *replaced = start_download(&server), *removed = start_download(&server);
    file_replace("www/file", file_fill('x', LARGE));
    struct response r = response_read(replaced);
    assert_body(r, content);
    cr_assert_eq(unlink(file_path("www/file")), 0);
    r = response_read(removed);
    assert_body(r, content);
}

static void assert_uniform(struct str body, const char *letters)
{
    for (size_t i = 0; i < body.n; i++)
        cr_assert(strchr(letters, body.p[i]) && body.p[i] == body.p[0], "octet %zu of %zu is %d", i, body.n, body.p[i]);
}

/* A process that puts two contents in each other's place until it is killed. */
static void replace_for_ever(struct str one, struct str other)
{
    pid_t pid = fork();
    cr_assert_geq(pid, 0, "fork: %m");
    if (pid != 0)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int i = 0;; i++)
        file_replace("www/file", i % 2 ? one : other);
}

/* Every answer is one of the two contents, of different lengths, from its first to its last octet. While a file is
 * replaced without a pause, a server may also say that it cannot read it.
 */
static void replace_and_fetch(struct str one, struct str other)
{
    file_write("www/file", one);
    struct server server = server_start(CONFIG("1ms"));
    struct client *c = client_open(server.port);
    replace_for_ever(one, other);
    for (int i = 0; i < 1000; i++) {
        struct response r = get(c, "/file");
        if (r.status >= 500)
            continue;
        assert_status(r, 200);
        cr_assert(r.complete && (r.body.n == one.n || r.body.n == other.n), "%zu octets", r.body.n);
        assert_uniform(r.body, r.body.n == one.n ? "a" : "b");
    }
}

Test(files_change, small_contents_are_never_mixed)
{
    replace_and_fetch(file_fill('a', SMALL), file_fill('b', 10));
}

Test(files_change, large_contents_are_never_mixed)
{
    replace_and_fetch(file_fill('a', 3 * SMALL), file_fill('b', 2 * SMALL));
}

/* A file that shrinks and grows in place never has an octet that is not an 'a': nothing is padded. */
static void resize_and_fetch(size_t most)
{
    struct str content = file_fill('a', most);
    file_write("www/file", content);
    struct server server = server_start(CONFIG("1ms"));
    struct client *c = client_open(server.port);
    for (int i = 0; i < 300; i++) {
        if (i % 2)
            file_write("www/file", content);
        else
            cr_assert_eq(truncate(file_path("www/file"), i), 0);
        struct response r = get(c, "/file");
        cr_assert(r.status == 200 || r.status >= 500, "%d", r.status);
        if (r.status == 200)
            assert_uniform(r.body, "a");
        if (!r.complete || r.status != 200) {
            client_close(c);
            c = client_open(server.port);
        }
    }
}

Test(files_change, a_small_file_that_shrinks_is_never_padded)
{
    resize_and_fetch(SMALL);
}

Test(files_change, a_large_file_that_shrinks_is_never_padded)
{
    resize_and_fetch(5 * SMALL);
}

static bool serves(struct client *c, struct str content, const char *old_tag)
{
    struct response r = get(c, "/file");
    assert_status(r, 200);
    return str_eq(r.body, content) && !response_has(&r, "ETag", old_tag);
}

static void assert_change_is_seen(const char *config)
{
    file_write("www/file", STR("one"));
    struct server server = server_start(config);
    struct client *c = client_open(server.port);
    struct response r = get(c, "/file");
    assert_body(r, STR("one"));
    struct str tag = response_field(&r, "ETag");
    usleep(CLOCK_TICK);
    file_replace("www/file", STR("two"));
    cr_assert(until(serves(c, STR("two"), harness_text(STR_FMT, STR_ARG(tag)))), "the change is never seen");
    cr_assert_eq(unlink(file_path("www/file")), 0);
    cr_assert(until(get(c, "/file").status == 404), "the removal is never seen");
    file_write("www/file", STR("three"));
    cr_assert(until(get(c, "/file").status == 200), "the new file is never seen");
}

Test(files_change, a_change_is_seen_once_cache_has_passed)
{
    assert_change_is_seen(CONFIG("100ms"));
}

Test(files_change, a_change_is_seen_with_the_default_cache)
{
    assert_change_is_seen("listen: 127.0.0.1:@PORT@\nworkers: 1\n"
                          "sites: [{routes: [{path: /, files: {root: @DIR@/www}}]}]\n");
}

/* For as long as `cache` says, the disk is not looked at: what was there is served on. */
Test(files_change, no_change_is_seen_before_cache_has_passed)
{
    file_write("www/file", STR("one"));
    struct server server = server_start(CONFIG("1h"));
    struct client *c = client_open(server.port);
    for (int i = 0; i < 2; i++) {
        struct response r = get(c, "/file");
        assert_body(r, STR("one"));
        file_replace("www/file", STR("two"));
    }
}

/* A large file is read while it is sent, so what `cache` says can't keep an old content: it is seen to have changed. */
Test(files_change, a_large_file_overwritten_by_a_larger_one_is_seen_at_once)
{
    file_write("www/file", file_fill('a', 100000));
    struct server server = server_start(CONFIG("60s"));
    struct client *c = client_open(server.port);
    struct response r = get(c, "/file");
    assert_body(r, file_fill('a', 100000));
    struct str tag = response_field(&r, "ETag");
    file_overwrite("www/file", file_fill('b', 100500));
    cr_assert(serves(c, file_fill('b', 100500), harness_text(STR_FMT, STR_ARG(tag))), "the change is not seen");
}
