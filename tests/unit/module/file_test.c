/* file_test.c: files that can't be sent, or change while they are, and those that can. */
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../conf/folder.h"
#include "../handler/disk.h"
#include "net/file_window.h"
#include "visit.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

TestSuite(module_file, .init = folder_enter, .fini = folder_leave);

/* A file of n bytes that are not the same anywhere. */
static void make_file(size_t n)
{
    int fd = open("file", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    for (size_t done = 0, piece; done < n; done += piece) {
        piece = n - done < 100000 ? n - done : 100000;
        cr_assert_eq(write(fd, visit_text(piece), piece), (ssize_t)piece);
    }
    close(fd);
}

static int lowest_free(void)
{
    int fd = dup(STDERR_FILENO);
    close(fd);
    return fd;
}

static void expect_refused(const char *path, int error)
{
    int free_before = lowest_free();
    struct tern_request *r = visit_begin(METHOD_GET);
    cr_expect_eq(tern_file(r, path), error, "%s", path);
    cr_expect_eq(lowest_free(), free_before, "%s stays open", path);
    cr_expect_eq(tern_printf(r, "something else"), 0, "nothing was sent");
    cr_expect_eq(visit_finish(0), 0);
    visit_expect(200, "something else");
    visit_end();
}

/* ---- what can't be sent ---- */

GreenTest(module_file, what_is_no_file)
{
    cr_assert_eq(mkdir("folder", 0700), 0);
    cr_assert_eq(mkfifo("fifo", 0600), 0);
    cr_assert_eq(symlink("loop", "loop"), 0);
    make_file(1);
    expect_refused("missing", -ENOENT);
    expect_refused("", -ENOENT);
    expect_refused("file/below", -ENOTDIR);
    expect_refused("loop", -ELOOP);
    expect_refused("folder", -EISDIR);
    expect_refused("fifo", -EINVAL);
    expect_refused("/dev/null", -EINVAL);
}

GreenTest(module_file, no_descriptor_left)
{
    struct rlimit before, none;
    make_file(1);
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = (struct rlimit){(rlim_t)lowest_free(), before.rlim_max};
    struct tern_request *r = visit_begin(METHOD_GET);
    cr_assert_eq(tern_file(r, "missing"), -ENOENT, "there is a pool");
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    cr_expect_eq(tern_file(r, "file"), -EMFILE);
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    visit_end();
}

static int send_file_to_nobody(void *arg)
{
    return tern_file(arg, "file");
}

GreenTest(module_file, a_thread_that_was_cancelled)
{
    make_file(1);
    struct tern_request *r = visit_begin(METHOD_GET);
    struct green *thread = run_spawn(send_file_to_nobody, r);
    green_cancel(thread);
    int result = run_join(thread), status = visit.answer.status; /* the pool may have begun: then it is sent */
    cr_expect((result == -ECANCELED && status == 0) || (result == 0 && status == 200), "%d, %d", result, status);
    visit_end();
}

GreenTest(module_file, after_the_end)
{
    make_file(10);
    struct tern_request *r = visit_begin(METHOD_GET);
    cr_expect_eq(tern_end(r), 0);
    cr_expect_eq(tern_file(r, "file"), -EALREADY);
    visit_expect(200, "");
    visit_end();
}

GreenTest(module_file, a_client_that_is_gone)
{
    make_file(10);
    struct tern_request *r = visit_begin(METHOD_GET);
    int free_before = lowest_free();
    visit.answer.fail_from = 1;
    cr_expect_eq(tern_file(r, "file"), -ECONNRESET);
    cr_expect_eq(lowest_free(), free_before);
    cr_expect_eq(tern_write(r, "a", 1), -ECONNRESET);
    cr_expect_eq(visit_finish(0), -ECONNRESET);
    visit_end();
}

/* ---- what changes ---- */

static void cut_file(void)
{
    cr_assert_eq(truncate("file", FILE_WINDOW + 5), 0);
}

static void touch_file(void)
{
    cr_assert_eq(utimensat(AT_FDCWD, "file", (struct timespec[]){{0}, {0}}, 0), 0);
}

GreenTest(module_file, one_that_changes_while_it_is_sent)
{
    static void (*const changes[])(void) = {cut_file, touch_file};
    for (size_t i = 0; i < COUNT(changes); i++) {
        make_file(2 * FILE_WINDOW + 10);
        struct tern_request *r = visit_begin(METHOD_GET);
        visit.answer.sent = changes[i];
        cr_expect_eq(tern_file(r, "file"), -ESTALE);
        cr_expect_eq(visit.answer.files, 1, "no mixture of two versions");
        cr_expect_eq(visit_finish(-ESTALE), -ESTALE, "it is cut off, and known why");
        cr_expect_not(visit.answer.ended);
        visit_end();
    }
}

/* ---- what is sent ---- */

GreenTest(module_file, files_of_any_size)
{
    static const size_t sizes[] = {0, 1, 50000, FILE_WINDOW, FILE_WINDOW + 1, 3 * FILE_WINDOW + 1};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        make_file(sizes[i]);
        struct tern_request *r = visit_begin(METHOD_GET);
        cr_expect_eq(tern_file(r, "file"), 0);
        cr_expect_eq(visit_finish(0), 0);
        cr_expect_eq(visit.answer.length, (int64_t)sizes[i]);
        cr_expect_eq(visit.answer.n, sizes[i]);
        cr_expect_eq(visit.answer.files, (sizes[i] + FILE_WINDOW - 1) / FILE_WINDOW);
        for (size_t n = 0; n < sizes[i]; n += 100000)
            cr_assert_eq(
                memcmp(visit.answer.content + n, visit_text(100000), sizes[i] - n < 100000 ? sizes[i] - n : 100000), 0,
                "%zu of %zu", n, sizes[i]);
        cr_expect(visit.answer.ended);
        visit_end();
    }
}

GreenTest(module_file, between_texts)
{
    struct tern_request *r = visit_begin(METHOD_GET);
    folder_write("file", "the file");
    cr_expect_eq(tern_printf(r, "before, "), 0);
    cr_expect_eq(tern_file(r, "file"), 0);
    cr_expect_eq(visit.answer.length, HTTP_LENGTH_UNKNOWN, "nobody knows what follows");
    cr_expect_eq(tern_printf(r, ", after"), 0);
    cr_expect_eq(visit_finish(0), 0);
    visit_expect(200, "before, the file, after");
    visit_end();
}

GreenTest(module_file, another_length_than_was_promised)
{
    static const struct {
        int64_t promised;
        int result;
        const char *content;
    } table[] = {{5, 0, "the f"}, {8, 0, "the file"}, {9, -EPROTO, "the file"}};
    folder_write("file", "the file");
    for (size_t i = 0; i < COUNT(table); i++) {
        struct tern_request *r = visit_begin(METHOD_GET);
        cr_expect_eq(tern_promise(r, table[i].promised), 0);
        cr_expect_eq(tern_file(r, "file"), 0);
        cr_expect_eq(visit_finish(0), table[i].result);
        cr_expect_eq(visit.answer.length, table[i].promised);
        cr_expect(str_eq(answer_content(&visit.answer), str_of(table[i].content)));
        visit_end();
    }
}

static unsigned looks;

static void count_look(int fd)
{
    (void)fd;
    looks++;
}

GreenTest(module_file, the_answer_to_head)
{
    make_file(3 * FILE_WINDOW);
    struct tern_request *r = visit_begin(METHOD_HEAD);
    disk.before_read = count_look;
    cr_expect_eq(tern_file(r, "file"), 0);
    cr_expect_eq(visit_finish(0), 0);
    visit_expect(200, "");
    cr_expect_eq(visit.answer.length, 3 * FILE_WINDOW);
    cr_expect_eq(looks, 0, "the disk is not asked for it");
    visit_end();
}
