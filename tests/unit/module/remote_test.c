/* remote_test.c: outbound streams whose other side takes nothing for a while. */
#include "module/remote.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../green/run.h"
#include "tern.h"

static char place[64]; /* unix:PATH of a listener */
static int listener;

static void setup(void)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    snprintf(name.sun_path, sizeof name.sun_path, "/tmp/tern-remote-%d", (int)getpid());
    snprintf(place, sizeof place, "unix:%s", name.sun_path);
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(listener, (const struct sockaddr *)&name, sizeof name), 0);
    cr_assert_eq(listen(listener, 1), 0);
    module_remote_init();
}

static void teardown(void)
{
    close(listener);
    unlink(place + strlen("unix:"));
}

TestSuite(module_remote, .init = setup, .fini = teardown);

static struct tern_stream *open_stream(int *peer)
{
    const struct tern_remote remote = {.host = place};
    struct tern_stream *s = NULL;
    cr_assert_eq(tern_connect(&remote, &s, TERN_NEVER), 0);
    *peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    cr_assert_geq(*peer, 0);
    return s;
}

/* All that has come to it. */
static size_t drain(int peer)
{
    static char bytes[64 * 1024];
    size_t all = 0;
    for (ssize_t n; (n = recv(peer, bytes, sizeof bytes, MSG_DONTWAIT)) > 0; all += (size_t)n)
        ;
    return all;
}

GreenTest(module_remote, what_is_not_there)
{
    static const char *const authorities[] = {"/tmp/tern-no-such-file", "/dev/null"};
    struct tern_stream *s;
    struct tern_remote remote = {.host = "unix:/tmp/tern-no-such-socket"};
    cr_expect_eq(tern_connect(&remote, &s, TERN_NEVER), -EHOSTUNREACH);
    for (size_t i = 0; i < sizeof authorities / sizeof *authorities; i++) {
        remote = (struct tern_remote){.host = place, .tls = true, .ca = authorities[i]};
        cr_expect_eq(tern_connect(&remote, &s, TERN_NEVER), -EKEYREJECTED, "%s", authorities[i]);
        close(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
    }
    module_remote_end();
}

GreenTest(module_remote, a_write_in_part_is_the_last_one)
{
    static const char much[4 << 20];
    int peer;
    struct tern_stream *s = open_stream(&peer);
    cr_expect_eq(tern_stream_write(s, much, sizeof much, tern_after(10 * TERN_MS)), -ETIMEDOUT);
    size_t part = drain(peer);
    cr_expect(part > 0 && part < sizeof much);
    cr_expect_eq(tern_stream_write(s, "x", 1, TERN_NEVER), -ETIMEDOUT);
    cr_expect_eq(tern_stream_end(s, TERN_NEVER), -ETIMEDOUT);
    cr_expect_eq(recv(peer, &(char){0}, 1, MSG_DONTWAIT), -1, "neither a byte nor an end");
    tern_stream_close(s);
    close(peer);
    module_remote_end();
}

GreenTest(module_remote, after_writes_that_were_whole_comes_the_end)
{
    int peer;
    struct tern_stream *s = open_stream(&peer);
    cr_expect_eq(tern_stream_write(s, "ab", 2, TERN_NEVER), 0);
    cr_expect_eq(tern_stream_write(s, "c", 1, TERN_NEVER), 0);
    cr_expect_eq(tern_stream_end(s, TERN_NEVER), 0);
    cr_expect_eq(drain(peer), 3);
    cr_expect_eq(recv(peer, &(char){0}, 1, MSG_DONTWAIT), 0);
    tern_stream_close(s);
    close(peer);
    module_remote_end();
}
