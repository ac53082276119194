/* ternctl top: what it sees of workers under load, through a reload, an upgrade and the end, and on a terminal. */
#include "harness.h"
#include "harness_file.h"
#include "harness_response.h"
#include "service.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <utmp.h>

TestSuite(top, .init = harness_begin, .fini = harness_end);

enum { FINE = 0, USAGE = 2, NO_SERVER = 7 };

static size_t count(const char *text, const char *part)
{
    size_t n = 0;
    for (const char *at = text; (at = strstr(at, part)); at += strlen(part))
        n++;
    return n;
}

static struct result top(const char *setting, const char *other, bool json)
{
    return service_ctl((const char *const[]){"top", setting, other, json ? "--json" : NULL, NULL});
}

/* ---- elsewhere than on a terminal ---- */

Test(top, nonsense)
{
    assert_ctl(USAGE, "top", "interval=soon");
    assert_ctl(USAGE, "top", "count=0");
    assert_ctl(USAGE, "top", "2");
    assert_ctl(NO_SERVER, "top");
}

Test(top, both_workers_under_load)
{
    static const struct load_target target = {.path = "/hello", .body = STR_INIT("hello")};
    struct server server = service_start(.workers = 2);
    pid_t workers[2];
    server_workers(&server, workers, 2);
    struct load *load =
        load_start(&(struct load_setup){.port = server.port, .kept = 4, .fresh = 50, .targets = &target, .count = 1});
    assert_load_goes_on(load, 100);
    struct result r = top("interval=300ms", "count=2", false);
    assert_no_loss(load);
    cr_assert_eq(r.status, FINE, "%s", r.err.p);
    cr_expect_eq(count(r.out.p, "WORKER  "), 2, "%s", r.out.p);
    cr_expect_eq(count(r.out.p, "   all  "), 2, "%s", r.out.p);
    cr_expect_eq(count(r.out.p, "\033"), 0, "%s", r.out.p);
    for (size_t i = 0; i < 2; i++)
        cr_expect_eq(count(r.out.p, harness_text(" %d ", workers[i])), 2, "%s", r.out.p);
    cr_expect_gt(atoi(strstr(r.out.p, "   all  ") + 8), 0, "no requests: %s", r.out.p);
    cr_expect_eq(count(r.out.p, "100%"), 2, "%s", r.out.p);
    assert_stop(&server, FINE);
}

Test(top, raw_answers)
{
    struct server server = service_start(.workers = 2);
    assert_status(fetch(server.port, "/hello"), 200);
    struct result r = top("count=3", "interval=100ms", true);
    cr_assert_eq(r.status, FINE, "%s", r.err.p);
    cr_expect_eq(command_lines(r.out), 3, "%s", r.out.p);
    cr_expect_eq(count(r.out.p, "{\"ok\":true,\"at_ms\":"), 3, "%s", r.out.p);
    cr_expect_eq(count(r.out.p, "\"latency\":["), 6, "%s", r.out.p);
    cr_expect_eq(count(r.out.p, "\"requests\":1,"), 3, "%s", r.out.p);
    assert_stop(&server, FINE);
}

/* ---- what becomes of the server ---- */

static pid_t watch(const char *count)
{
    return service_ctl_start((const char *const[]){"top", "interval=100ms", count, NULL});
}

static bool has_seen(const char *text)
{
    struct str out = file_read("ctl.out");
    return out.n && strstr(out.p, text);
}

static bool has_seen_worker(pid_t pid)
{
    return has_seen(harness_text(" %d  ", pid));
}

Test(top, the_server_ends)
{
    struct server server = service_start(.workers = 2);
    pid_t ternctl = watch("count=10000");
    cr_assert(until(has_seen("all")));
    assert_stop(&server, FINE);
    cr_expect_eq(command_wait(ternctl), NO_SERVER);
    struct str err = file_read("ctl.err");
    cr_expect_eq(command_lines(err), 1, "%s", err.p);
    cr_expect(strstr(err.p, "no server answers at "), "%s", err.p);
}

Test(top, workers_come_and_go)
{
    struct server server = service_start(.workers = 2);
    pid_t workers[2], ternctl = watch("count=10000");
    server_workers(&server, workers, 2);
    cr_assert(until(has_seen_worker(workers[0])));
    kill(server.pid, SIGHUP);
    cr_assert(until(has_seen("   2  serving")), "%s", file_read("ctl.out").p);
    server_workers(&server, workers, 2);
    cr_assert(until(has_seen_worker(workers[1])), "%s", file_read("ctl.out").p);
    kill(workers[1], SIGKILL);
    server_workers(&server, workers, 2);
    cr_assert(until(has_seen_worker(workers[1])), "%s", file_read("ctl.out").p);
    kill(ternctl, SIGTERM);
    cr_expect_eq(command_wait(ternctl), 128 + SIGTERM);
    assert_stop(&server, FINE);
}

Test(top, another_server_takes_over)
{
    struct server server = service_start(.workers = 2);
    pid_t workers[2], ternctl = watch("count=10000");
    cr_assert(until(has_seen("all")));
    kill(server.pid, SIGUSR2);
    cr_assert(until(service_is_gone(server.pid)), "%s", server_log(&server).p);
    struct server successor = {.pid = atoi(file_read("run/tern.pid").p), .port = server.port};
    server_workers(&successor, workers, 2);
    cr_assert(until(has_seen_worker(workers[0])), "%s%s", file_read("ctl.out").p, file_read("ctl.err").p);
    kill(ternctl, SIGTERM);
    cr_expect_eq(command_wait(ternctl), 128 + SIGTERM);
    assert_stop(&successor, FINE);
}

/* ---- on a terminal ---- */

#define OPEN "\033[?1049h"
#define CLOSE "\033[?1049l"

struct terminal {
    int master;
    pid_t pid;
    char text[1 << 16];
    size_t n;
    struct termios before;
};

static struct terminal terminal;

static void set_size(unsigned short lines, unsigned short columns)
{
    struct winsize size = {.ws_row = lines, .ws_col = columns};
    cr_assert_eq(ioctl(terminal.master, TIOCSWINSZ, &size), 0);
}

static void open_terminal(void)
{
    int slave;
    cr_assert_eq(openpty(&terminal.master, &slave, NULL, NULL, NULL), 0, "%m");
    cr_assert_eq(fcntl(terminal.master, F_SETFL, O_NONBLOCK), 0);
    cr_assert_eq(tcgetattr(terminal.master, &terminal.before), 0);
    set_size(24, 160);
    const char *path = service_ctl_path(), *control = service_control();
    setenv("TERM", "xterm", 1);
    terminal.pid = fork();
    cr_assert_geq(terminal.pid, 0);
    if (terminal.pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (login_tty(slave) == 0)
            execl(path, path, "-S", control, "top", "interval=100ms", NULL);
        _exit(127);
    }
    close(slave);
}

/* Whether the text has come; what else comes is kept. */
static bool shows(const char *text)
{
    ssize_t n = read(terminal.master, terminal.text + terminal.n, sizeof terminal.text - 1 - terminal.n);
    terminal.n += n > 0 ? (size_t)n : 0;
    terminal.text[terminal.n] = '\0';
    return strstr(terminal.text, text) != NULL;
}

static void forget(void)
{
    terminal.n = 0;
}

/* A terminal that has been drawn on. */
static void open_watched(void)
{
    forget();
    open_terminal();
    cr_assert(until(shows("q ends")), "%s", terminal.text);
    forget();
}

static int wait_status(void)
{
    int status = 0;
    cr_assert(until(waitpid(terminal.pid, &status, WNOHANG) == terminal.pid), "%s", terminal.text);
    return status;
}

/* The screen, the cursor and the keys are as before. */
static void assert_restored(void)
{
    struct termios now;
    cr_assert(until(shows(CLOSE)), "%s", terminal.text);
    cr_expect(strstr(terminal.text, "\033[?25h"), "no cursor: %s", terminal.text);
    cr_expect(strstr(terminal.text, "\033[?7h"), "no wrap: %s", terminal.text);
    cr_assert_eq(tcgetattr(terminal.master, &now), 0);
    cr_expect_eq(now.c_lflag, terminal.before.c_lflag);
    cr_expect_eq(memcmp(now.c_cc, terminal.before.c_cc, sizeof now.c_cc), 0);
    close(terminal.master);
}

static void press(const char *key)
{
    cr_assert_eq(write(terminal.master, key, 1), 1);
}

Test(top, figures_change_in_place_until_q)
{
    struct server server = service_start(.workers = 2);
    open_terminal();
    cr_assert(until(shows("q ends")), "%s", terminal.text);
    cr_expect(shows(OPEN) && shows("\033[?25l"), "%s", terminal.text);
    cr_assert(until(shows("SLOW")), "%s", terminal.text);
    press("x");
    forget();
    cr_assert(until(shows("q ends")), "it goes on: %s", terminal.text);
    cr_expect_not(shows("\033[2J"), "it flickers: %s", terminal.text);
    press("q");
    cr_expect_eq(wait_status(), 0);
    assert_restored();
    assert_stop(&server, FINE);
}

Test(top, it_fits_the_terminal)
{
    struct server server = service_start(.workers = 2);
    open_terminal();
    cr_assert(until(shows("P99.9")), "%s", terminal.text);
    set_size(4, 40);
    cr_assert(until((forget(), shows("q ends"), terminal.n > 0 && !shows("P99.9") && shows("OPEN"))));
    forget();
    cr_assert(until(shows("all")), "%s", terminal.text);
    cr_expect_not(shows("\033[K\r\n\033[K\r\n\033[K\r\n\033[K"), "more lines than there are: %s", terminal.text);
    press("Q");
    cr_expect_eq(wait_status(), 0);
    assert_restored();
    assert_stop(&server, FINE);
}

static void assert_ended_by(int number)
{
    int status = wait_status();
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == number, "%d: %d", number, status);
    assert_restored();
}

Test(top, signals_give_the_terminal_back)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT};
    struct server server = service_start(.workers = 2);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        open_watched();
        kill(terminal.pid, signals[i]);
        assert_ended_by(signals[i]);
    }
    open_watched();
    press("\003");
    assert_ended_by(SIGINT);
    assert_stop(&server, FINE);
}

Test(top, the_end_of_the_server_gives_the_terminal_back)
{
    struct server server = service_start(.workers = 2);
    open_watched();
    assert_stop(&server, FINE);
    int status = wait_status();
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == NO_SERVER, "%d", status);
    cr_assert(until(shows("no server answers")), "%s", terminal.text);
    cr_expect_lt(strstr(terminal.text, CLOSE), strstr(terminal.text, "no server answers"), "on the wrong screen");
    assert_restored();
}
