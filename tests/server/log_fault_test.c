/* Access logs that can't be written: no request waits or fails, what is lost is counted and said, and it goes on. */
#include "harness.h"
#include "harness_command.h"
#include "harness_file.h"
#include "harness_response.h"
#include "harness_server.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONFIG(path)                                                                                                   \
    "listen: 127.0.0.1:@PORT@\n"                                                                                       \
    "workers: 1\n"                                                                                                     \
    "log: {access: {path: " path ", flush: 100ms, format: '%>s %m %{target}r %E'}}\n"                                  \
    "sites: [{routes: [{exact: /hello, respond: {status: 200, type: text/plain, body: hello}}]}]\n"

static void begin(void)
{
    harness_begin();
    file_directory("log");
}

TestSuite(log_fault, .init = begin, .fini = harness_end);

/* Asks for /hello, with a query that makes a line of 100 bytes. */
static void ask_often(const struct server *server, int count)
{
    struct client *c = client_open(server->port);
    const char *target = harness_text("/hello?%s", file_fill('x', 80).p);
    for (int i = 0; i < count; i++)
        assert_status(get(c, target), 200);
    client_close(c);
}

/* Takes all lines off the front of the text, each of which must be whole; how many there were. */
static size_t count_whole(struct str text)
{
    size_t count = 0;
    for (; text.n; count++) {
        struct str line = str_cut(&text, '\n');
        cr_assert(str_starts(line, STR("200 GET /hello?xxx")) && str_ends(line, STR("xxx -")) && line.n == 97,
                  "a broken line of %zu: " STR_FMT, line.n, STR_ARG(line));
    }
    return count;
}

static bool says(const struct server *server, const char *what)
{
    struct str log = server_log(server);
    return memmem(log.p, log.n, what, strlen(what)) != NULL;
}

static size_t count_of(struct str text, const char *what)
{
    size_t count = 0;
    while (text.n) {
        struct str line = str_cut(&text, '\n');
        count += memmem(line.p, line.n, what, strlen(what)) != NULL;
    }
    return count;
}

/* As the notice of its recovery has it. */
static size_t lost_lines(const struct server *server)
{
    static const char notice[] = "can be written again; lines lost since the start: ";
    cr_assert(until(says(server, notice)), "it does not recover: %s", server_log(server).p);
    struct str log = server_log(server);
    struct str rest = str_skip(log, (size_t)((const char *)memmem(log.p, log.n, notice, strlen(notice)) - log.p));
    rest = str_skip(rest, sizeof notice - 1);
    uint64_t lost;
    cr_assert_eq(str_to_u64(str_cut(&rest, '\n'), &lost), 0);
    return lost;
}

/* ---- a full disk ---- */

/* A file system of so many bytes, that only this test sees and that goes away with it. */
static void mount_small(const char *directory, size_t size)
{
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("tmpfs", directory, "tmpfs", 0, harness_text("size=%zu", size)) < 0)
        harness_skip(harness_text("no file system can be mounted: %s", strerror(errno)));
}

Test(log_fault, a_full_disk)
{
    enum { REQUESTS = 3000 };
    mount_small(file_path("log"), 64 * 1024);
    file_write("log/ballast", file_fill('x', 48 * 1024));
    struct server server = server_start(CONFIG("@DIR@/log/access.log"));
    ask_often(&server, REQUESTS);
    cr_assert(until(says(&server, "access.log: No space left on device; ")), "%s", server_log(&server).p);
    cr_assert_eq(remove(file_path("log/ballast")), 0);
    size_t lost = lost_lines(&server);
    cr_assert_gt(lost, 0);
    ask_often(&server, 1);
    assert_stop(&server, 0);
    cr_expect_eq(count_whole(file_read("log/access.log")), REQUESTS + 1 - lost);
    cr_expect_eq(count_of(server_log(&server), "access log"), 2, "one error, one notice: %s", server_log(&server).p);
    umount2(file_path("log"), MNT_DETACH);
}

Test(log_fault, a_device_that_is_always_full)
{
    struct server server = server_start(CONFIG("/dev/full"));
    ask_often(&server, 2000);
    cr_assert(until(says(&server, "access log /dev/full: No space left on device; ")));
    ask_often(&server, 1000);
    assert_stop(&server, 0);
    cr_expect_eq(count_of(server_log(&server), "access log"), 1, "%s", server_log(&server).p);
}

/* ---- a directory that has vanished ---- */

Test(log_fault, the_file_is_written_to_wherever_it_goes)
{
    struct server server = server_start(CONFIG("@DIR@/log/access.log"));
    ask_often(&server, 1);
    cr_assert_eq(rename(file_path("log"), file_path("moved")), 0);
    ask_often(&server, 1);
    cr_assert(until(count_whole(file_read("moved/access.log")) == 2));
    int fd = open(file_path("moved/access.log"), O_RDONLY);
    cr_assert_geq(fd, 0);
    cr_assert_eq(remove(file_path("moved/access.log")), 0);
    cr_assert_eq(rmdir(file_path("moved")), 0);
    ask_often(&server, 1);
    assert_stop(&server, 0);
    char text[1000];
    cr_expect_eq(count_whole((struct str){text, (size_t)read(fd, text, sizeof text)}), 3);
    cr_expect_eq(count_of(server_log(&server), "access log"), 0, "%s", server_log(&server).p);
    close(fd);
}

/* ---- FIFOs ---- */

static int open_fifo(void)
{
    int fd = open(file_path("log/fifo"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    cr_assert_geq(fd, 0);
    return fd;
}

static void make_fifo(void)
{
    cr_assert_eq(mkfifo(file_path("log/fifo"), 0600), 0);
}

Test(log_fault, a_fifo_without_a_reader_is_no_log)
{
    make_fifo();
    file_directory("www");
    file_write("tern.yaml", str_of(harness_expand(CONFIG("@DIR@/log/fifo"))));
    struct result r = run_tern("-c", "@DIR@/tern.yaml");
    cr_expect_eq(r.status, 1);
    cr_expect(memmem(r.err.p, r.err.n, "log/fifo: No such device or address", 35), "%s", r.err.p);
}

struct reader {
    int fd;
    char *bytes;
    size_t n, room;
};

static bool read_lines(struct reader *reader, size_t lines)
{
    ssize_t got = read(reader->fd, reader->bytes + reader->n, reader->room - reader->n);
    reader->n += got > 0 ? (size_t)got : 0;
    return command_lines((struct str){reader->bytes, reader->n}) >= lines;
}

Test(log_fault, a_fifo_with_a_reader_that_is_slow)
{
    enum { REQUESTS = 3000 };
    make_fifo();
    struct reader reader = {.fd = open_fifo(), .bytes = harness_alloc(1 << 20), .room = 1 << 20};
    struct server server = server_start(CONFIG("@DIR@/log/fifo"));
    ask_often(&server, REQUESTS);
    cr_assert(until(says(&server, "log/fifo: nobody reads it fast enough; ")), "%s", server_log(&server).p);
    read_lines(&reader, 0);
    size_t lost = lost_lines(&server);
    cr_assert_gt(lost, 0);
    cr_assert(until(read_lines(&reader, REQUESTS - lost)), "%zu lost", lost);
    assert_stop(&server, 0);
    read_lines(&reader, 0);
    cr_expect_eq(count_whole((struct str){reader.bytes, reader.n}), REQUESTS - lost);
    close(reader.fd);
}

Test(log_fault, a_fifo_whose_reader_goes_away_and_comes_back)
{
    make_fifo();
    struct reader reader = {.fd = open_fifo(), .bytes = harness_alloc(1 << 16), .room = 1 << 16};
    struct server server = server_start(CONFIG("@DIR@/log/fifo"));
    close(reader.fd);
    ask_often(&server, 10);
    cr_assert(until(says(&server, "log/fifo: Broken pipe; ")), "%s", server_log(&server).p);
    reader.fd = open_fifo();
    ask_often(&server, 10);
    cr_assert(until(read_lines(&reader, 20)), "nothing was lost: there was room");
    cr_expect_eq(lost_lines(&server), 0);
    assert_stop(&server, 0);
    cr_expect_eq(count_whole((struct str){reader.bytes, reader.n}), 20);
    close(reader.fd);
}

/* A file that is larger than a process may make it (ulimit -f): lines are lost, workers live. */
Test(log_fault, a_limit_on_the_size_of_files)
{
    pid_t before, after;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &(struct rlimit){16384, 16384}), 0);
    struct server server = server_start(CONFIG("@DIR@/log/access.log"));
    server_workers(&server, &before, 1);
    ask_often(&server, 2000);
    cr_assert(until(says(&server, "File too large")));
    server_workers(&server, &after, 1);
    cr_assert_eq(before, after);
    assert_stop(&server, 0);
}

/* Several workers write to one pipe whose reader is slow: their lines stay apart. */
Test(log_fault, workers_share_a_pipe)
{
    enum { CLIENTS = 8, EACH = 100, LINE = 98 };
    const char *path = file_path("log/access.log");
    static char bytes[CLIENTS * EACH * LINE];
    size_t n = 0;
    cr_assert_eq(mkfifo(path, 0666), 0);
    int reader = open(path, O_RDONLY | O_NONBLOCK);
    cr_assert_geq(reader, 0);
    cr_assert_geq(fcntl(reader, F_SETPIPE_SZ, 4096), 4096);
    struct server server =
        server_start("listen: 127.0.0.1:@PORT@\nworkers: 4\n"
                     "log: {access: {path: @DIR@/log/access.log, flush: 100ms, format: '%>s %m %{target}r %E'}}\n"
                     "sites: [{routes: [{exact: /hello, respond: {status: 200, body: hello}}]}]\n");
    for (int i = 0; i < CLIENTS; i++)
        ask_often(&server, EACH);
    cr_assert(until(({
        ssize_t got = read(reader, bytes + n, 700 < sizeof bytes - n ? 700 : sizeof bytes - n);
        n += got > 0 ? (size_t)got : 0;
        n == sizeof bytes;
    })));
    cr_assert_eq(count_whole((struct str){bytes, n}), CLIENTS * EACH);
    assert_stop(&server, 0);
    close(reader);
}
