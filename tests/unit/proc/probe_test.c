/* probe_test.c: handlers that report, fail, crash, or end their process, while a configuration is tried out. */
#include "proc/probe.c" // NOLINT(bugprone-suspicious-include): reports are forged

#include <criterion/criterion.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "../conf/run.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

struct settings {
    struct str how; /* it starts */
};

static const struct conf_key keys[] = {
    {"how", CONF_TEXT, offsetof(struct settings, how), .required = true, .doc = "it starts"},
};
static const struct conf_table table = CONF_TABLE("test", keys);

static char *calls;       /* shared with the child: a letter for each start */
static pid_t *started_in; /* the same: which process that was */
static struct conf_run run;
static struct config config; /* of which only what the probe looks at is there */

static int report_twice(struct conf_reader *r, const struct http_route *route)
{
    conf_error(r, route->at, "the first");
    conf_error_key(r, route->at, "the second");
    return -EINVAL;
}

static int report_in_vain(struct conf_reader *r, const struct http_route *route)
{
    conf_error(r, route->at, "all the same");
    return 0;
}

static int report_much(struct conf_reader *r, const struct http_route *route)
{
    for (int i = 0; i < CONF_ERRORS_MAX + 10; i++)
        conf_error(r, route->at, "%0700d", i);
    return -EINVAL;
}

static int say_nothing(struct conf_reader *r, const struct http_route *route)
{
    (void)r, (void)route;
    return -ENOMEM;
}

static int crash(struct conf_reader *r, const struct http_route *route)
{
    (void)r, (void)route;
    return raise(SIGKILL);
}

static int report_and_crash(struct conf_reader *r, const struct http_route *route)
{
    conf_error(r, route->at, "is lost");
    return raise(SIGKILL);
}

static int end_well(struct conf_reader *r, const struct http_route *route)
{
    (void)r, (void)route;
    _exit(EXIT_SUCCESS);
}

static int end_badly(struct conf_reader *r, const struct http_route *route)
{
    (void)r, (void)route;
    _exit(3);
}

/* As code does that makes a daemon of its process. */
static int close_all(struct conf_reader *r, const struct http_route *route)
{
    (void)r, (void)route;
    close_range(STDERR_FILENO + 1, ~0U, 0);
    return pause();
}

/* Writes to whatever it can what the probe would write, but without the ends of its texts. */
static int forge(struct conf_reader *r, const struct http_route *route)
{
    static char report[sizeof(struct report)];
    memset(report, 'x', sizeof report);
    memcpy(report, &(struct report){.kind = WRONG, .line = 7, .col = 7}, offsetof(struct report, file));
    (void)r, (void)route;
    for (int fd = STDERR_FILENO + 1; fd < 64; fd++)
        (void)!write(fd, report, sizeof report);
    return 0;
}

/* Whether the end of a socket of the parent's can be used. */
static int use_sockets(struct conf_reader *r, const struct http_route *route)
{
    struct stat info;
    for (int fd = STDERR_FILENO + 1; fd < 64; fd++)
        if (fstat(fd, &info) == 0 && S_ISSOCK(info.st_mode))
            conf_error(r, route->at, "has a socket");
    return 0;
}

static int be_fine(struct conf_reader *r, const struct http_route *route)
{
    (void)r, (void)route;
    return 0;
}

static int start(struct conf_reader *r, const struct http_route *route, void *settings)
{
    static const struct {
        const char *how;
        int (*start)(struct conf_reader *r, const struct http_route *route);
    } ways[] = {{"twice", report_twice}, {"vain", report_in_vain},   {"much", report_much},    {"nothing", say_nothing},
                {"crash", crash},        {"lost", report_and_crash}, {"0", end_well},          {"3", end_badly},
                {"daemon", close_all},   {"unended", forge},         {"sockets", use_sockets}, {"fine", be_fine}};
    struct str how = ((const struct settings *)settings)->how;
    *started_in = getpid();
    strncat(calls, how.p, 1);
    for (size_t i = 0; i < COUNT(ways); i++)
        if (str_eq(how, str_of(ways[i].how)))
            return ways[i].start(r, route);
    return -ENOSYS;
}

static const struct http_handler tried = {
    .name = STR_INIT("try"), .table = &table, .size = sizeof(struct settings), .start = start};
static const struct http_handler plain = {.name = STR_INIT("not"), .table = &table, .size = sizeof(struct settings)};

static void setup(void)
{
    static const struct http_handler *const handlers[] = {&tried, &plain, NULL};
    http_handlers = handlers;
    calls = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(calls, MAP_FAILED);
    started_in = (pid_t *)(calls + 2048);
}

TestSuite(probe, .init = setup);

/* One route for each way to start; "-": another handler. The result, and what was reported. */
static int check(const char *const *ways)
{
    char yaml[512];
    int n = snprintf(yaml, sizeof yaml, "- routes:\n");
    for (int i = 0; ways[i]; i++)
        n += snprintf(yaml + n, sizeof yaml - (size_t)n, "  - {path: /%d, %s: {how: %s}}\n", i,
                      strcmp(ways[i], "-") == 0 ? "not" : "try", ways[i]);
    calls[0] = '\0';
    *started_in = 0;
    conf_run_start(&run, str_of(yaml));
    config.tree = run.root;
    config.http.sites = (struct http_sites){.fallback = NULL};
    cr_assert_eq(http_sites_read(&run.reader, run.root, &config.http.sites), 0, "%s", conf_run_errors(&run));
    int result = probe_check(&run.reader, &config);
    cr_expect_eq(waitpid(-1, NULL, WNOHANG), -1, "a process is left over");
    return result;
}

static void expect(const char *const *ways, const char *started, const char *errors)
{
    cr_expect_eq(check(ways), *errors ? -EINVAL : 0, "%s", ways[0]);
    cr_expect_str_eq(calls, started, "%s", ways[0]);
    cr_expect_str_eq(conf_run_errors(&run), errors, "%s", ways[0]);
    conf_run_end(&run);
}

#define EXPECT(started, errors, ...) expect((const char *const[]){__VA_ARGS__, NULL}, started, errors)

/* ---- what goes wrong ---- */

Test(probe, errors_are_told_with_their_place)
{
    EXPECT("t",
           "t:2:16: error: [0].routes[0].try: the second\n"
           "t:2:21: error: [0].routes[0].try: the first\n",
           "twice");
    EXPECT("v", "t:2:21: error: [0].routes[0].try: all the same\n", "vain");
    EXPECT("n", "t:2:21: error: [0].routes[0].try: Cannot allocate memory\n", "nothing");
}

Test(probe, all_are_tried)
{
    EXPECT("fnvf",
           "t:3:21: error: [0].routes[1].try: Cannot allocate memory\n"
           "t:5:21: error: [0].routes[3].try: all the same\n",
           "fine", "nothing", "-", "vain", "fine");
}

Test(probe, a_crash_is_told_where_it_happened)
{
    EXPECT("c", "t:2:21: error: [0].routes[0].try: crashes while it is loaded or opened, by signal 9 (Killed)\n",
           "crash");
    EXPECT("ffc", "t:4:21: error: [0].routes[2].try: crashes while it is loaded or opened, by signal 9 (Killed)\n",
           "fine", "fine", "crash", "fine");
    EXPECT("l", "t:2:21: error: [0].routes[0].try: crashes while it is loaded or opened, by signal 9 (Killed)\n",
           "lost");
    EXPECT("vc",
           "t:2:21: error: [0].routes[0].try: all the same\n"
           "t:3:21: error: [0].routes[1].try: crashes while it is loaded or opened, by signal 9 (Killed)\n",
           "vain", "crash");
}

Test(probe, an_end_is_no_success)
{
    EXPECT("3", "t:2:21: error: [0].routes[0].try: ends its process while it is loaded or opened, with status 3\n", "3",
           "fine");
    EXPECT("f0", "t:3:21: error: [0].routes[1].try: ends its process while it is loaded or opened, with status 0\n",
           "fine", "0", "fine");
}

Test(probe, one_that_can_not_be_heard_is_not_waited_for)
{
    EXPECT("fd",
           "t:3:21: error: [0].routes[1].try: closes descriptors that are not its own while it is loaded or opened\n",
           "fine", "daemon", "fine");
}

Test(probe, a_report_need_not_be_text)
{
    const char *const ways[] = {"unended", NULL};
    cr_expect_eq(check(ways), -EINVAL);
    cr_expect_eq(run.reader.kept, 1);
    cr_expect_eq(run.reader.errors[0].file.n, sizeof(((struct report *)0)->file) - 1);
    cr_expect_eq(run.reader.errors[0].text.n, TEXT - 1);
    conf_run_end(&run);
}

Test(probe, more_than_is_kept)
{
    const char *const ways[] = {"much", "fine", NULL};
    cr_expect_eq(check(ways), -EINVAL);
    cr_expect_str_eq(calls, "mf");
    cr_expect_eq(run.reader.kept, CONF_ERRORS_MAX);
    for (size_t i = 0; i < run.reader.kept; i++)
        cr_expect_gt(run.reader.errors[i].text.n, 700, "whole");
    conf_run_end(&run);
}

Test(probe, a_user_that_there_is_not)
{
    if (geteuid() != 0)
        cr_skip("only root can try to be another user");
    config.user = STR("tern-no-such-user");
    EXPECT("", "t:1:1: error: cannot become the user that workers run as: No such file or directory\n", "fine");
    config.user = STR("");
}

/* ---- what goes well ---- */

Test(probe, what_is_fine_is_started_elsewhere)
{
    EXPECT("ff", "", "fine", "-", "fine");
    cr_expect_neq(*started_in, 0);
    cr_expect_neq(*started_in, getpid());
}

Test(probe, sockets_stay_with_the_parent)
{
    int pair[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    EXPECT("s", "", "sockets");
    cr_expect_eq(write(pair[0], "", 1), 1, "which still has them");
    close(pair[0]);
    close(pair[1]);
}

Test(probe, nothing_to_start)
{
    EXPECT("", "", "-");
    cr_expect_eq(*started_in, 0);
}
