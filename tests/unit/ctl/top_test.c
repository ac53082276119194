/* top_test.c: what `ternctl top` is told to do. */
#include "ctl/top.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static int read_text(struct top_settings *settings, const char *argument, struct out *why)
{
    return top_settings_read(settings, str_of(argument), why);
}

Test(top, rejects)
{
    static const char *const table[][2] = {
        {"2", "2 is neither interval=TIME nor count=N"},
        {"interval", "interval takes a time from 100ms to 1h"},
        {"interval=", "interval takes a time from 100ms to 1h"},
        {"interval=0", "interval takes a time from 100ms to 1h"},
        {"interval=99ms", "interval takes a time from 100ms to 1h"},
        {"interval=3601s", "interval takes a time from 100ms to 1h"},
        {"interval=-1s", "interval takes a time from 100ms to 1h"},
        {"count=0", "count takes a number from 1 on"},
        {"count=x", "count takes a number from 1 on"},
        {"count=-1", "count takes a number from 1 on"},
        {"interval=1s  elephants=2", "elephants=2 is neither interval=TIME nor count=N"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct top_settings settings;
        char text[128];
        struct out why = out_on(text, sizeof text);
        cr_expect_eq(read_text(&settings, table[i][0], &why), -EINVAL, "%s", table[i][0]);
        cr_expect(str_eq(out_str(&why), str_of(table[i][1])), "%s: " STR_FMT, table[i][0], STR_ARG(out_str(&why)));
    }
}

Test(top, settings)
{
    static const struct {
        const char *argument;
        struct top_settings settings;
    } table[] = {
        {"", {NSEC_SEC, 0}},
        {"interval=1h", {3600 * NSEC_SEC, 0}},
        {"count=3", {NSEC_SEC, 3}},
        {"count=1  interval=100ms", {100 * NSEC_MS, 1}},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct top_settings settings;
        char text[128];
        struct out why = out_on(text, sizeof text);
        cr_expect_eq(read_text(&settings, table[i].argument, &why), 0, "%s", table[i].argument);
        cr_expect(settings.interval == table[i].settings.interval && settings.count == table[i].settings.count, "%s",
                  table[i].argument);
    }
}

/* ---- a server that closes the connection after each answer ---- */

static char directory[] = "/tmp/tern-top-XXXXXX", path[64];

static int listen_there(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    cr_assert_not_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/socket", directory);
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0, "%m");
    cr_assert_eq(listen(fd, 1), 0);
    return fd;
}

/* Each answer tells of a second, and of a hundred requests, more than the one before. After the first one the socket is
 * another process's, if it is `replaced`. */
static _Noreturn void serve(int fd, unsigned looks, bool replaced)
{
    for (unsigned i = 1; i <= looks; i++) {
        char question[16], answer[128];
        int client = accept(fd, NULL, NULL), n;
        if (recv(client, question, 4, MSG_WAITALL) != 4 || (i == 1 && replaced && listen(fd, 1) < 0))
            _exit(1);
        n = snprintf(answer, sizeof answer,
                     "{\"ok\":true,\"at_ms\":%u000,\"workers\":[{\"index\":0,\"generation\":1,\"requests\":%u00}]}\n",
                     i, i);
        if (send(client, answer, (size_t)n, MSG_NOSIGNAL) != n)
            _exit(1);
        close(client);
    }
    _exit(0);
}

/* One look with rates, of a server that answers so many times and no more. */
static void look_once(unsigned looks, bool replaced)
{
    struct options options;
    char why_text[128], *words[] = {"ternctl", "-S", path, "top", "interval=100ms", "count=1", NULL};
    struct out why = out_on(why_text, sizeof why_text);
    int fd = listen_there(), status;
    pid_t server = fork();
    if (server == 0)
        serve(fd, looks, replaced);
    close(fd);
    cr_assert_eq(options_read(&options, 6, words, &why), 0);
    cr_assert_not_null(freopen("/dev/null", "w", stdout));
    enum ctl_status ended;
    cr_expect_eq(top_run(&options, 20 * NSEC_SEC, &ended), 0);
    cr_expect_eq(waitpid(server, &status, 0), server);
    cr_expect_eq(status, 0, "it was not asked so often");
    unlink(path);
    rmdir(directory);
}

Test(top, a_server_that_has_closed_the_connection_is_the_same_one)
{
    look_once(2, false);
}

Test(top, another_server_at_the_same_place_has_counted_nothing_yet)
{
    look_once(3, true);
}
