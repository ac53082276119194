/* orphan_test.c: a process whose parent is gone ends, even if it never looks. */
#include "proc/orphan.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* The seconds of the alarm that is set; 0: none is. */
static unsigned alarm_set(void)
{
    return alarm(0);
}

/* Orphans become ours, so that we see how they end. */
static void adopt(void)
{
    cr_assert_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
}

TestSuite(orphan, .init = adopt);

Test(orphan, one_whose_parent_was_gone_before_it_looked_gets_its_alarm_at_once)
{
    static const struct {
        nsec limit;
        unsigned seconds;
    } rows[] = {{-1, 1},
                {0, 1},
                {1, 1},
                {NSEC_SEC, 1},
                {NSEC_SEC + 1, 2},
                {1500 * NSEC_MS, 2},
                {35 * NSEC_SEC, 35},
                {NSEC_NEVER, 1000000000}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        cr_assert_eq(orphan_watch(getpid(), rows[i].limit), 0);
        cr_expect_eq(alarm_set(), rows[i].seconds, "row %zu", i);
    }
}

Test(orphan, a_term_means_nothing_while_the_parent_lives)
{
    cr_assert_eq(orphan_watch(getppid(), NSEC_SEC), 0);
    raise(SIGTERM);
    cr_expect_eq(alarm_set(), 0);
}

Test(orphan, a_further_term_gives_it_no_more_time)
{
    cr_assert_eq(orphan_watch(getpid(), 100 * NSEC_SEC), 0);
    alarm(50);
    raise(SIGTERM);
    unsigned left = alarm_set();
    cr_expect(left > 0 && left <= 50, "%u", left);
}

/* The child of a master: it tells who it is, then runs for ever. */
static _Noreturn void be_stuck(pid_t master, int tell)
{
    pid_t self = getpid();
    if (orphan_watch(master, 1) < 0 || write(tell, &self, sizeof self) != sizeof self)
        _exit(EXIT_FAILURE);
    for (volatile unsigned i = 0;; i++)
        ;
}

static _Noreturn void be_master(int tell)
{
    pid_t self = getpid();
    if (fork() == 0)
        be_stuck(self, tell);
    for (;;)
        pause();
}

Test(orphan, one_that_is_stuck_is_ended_by_its_alarm)
{
    int ends[2], status;
    pid_t orphan;
    cr_assert_eq(pipe(ends), 0);
    pid_t master = fork();
    cr_assert_geq(master, 0);
    if (master == 0)
        be_master(ends[1]);
    cr_assert_eq(read(ends[0], &orphan, sizeof orphan), sizeof orphan);
    kill(master, SIGKILL);
    cr_assert_eq(waitpid(master, NULL, 0), master);
    cr_assert_eq(waitpid(orphan, &status, 0), orphan);
    cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM, "%#x", (unsigned)status);
}
