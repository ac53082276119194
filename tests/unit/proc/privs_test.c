/* privs_test.c: what a process may do, and gives up. Each change is a child's. */
#include "proc/privs.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* The exit status of a child that runs fn. */
static int in_child(int (*fn)(void))
{
    int status;
    pid_t pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0)
        _exit(fn());
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static long number_in(const char *path)
{
    long value = -1;
    FILE *f = fopen(path, "r");
    if (!f || fscanf(f, "%ld", &value) != 1)
        value = -1;
    if (f)
        fclose(f);
    return value;
}

Test(privs, there_is_a_core_and_no_more_than_we_may_run_on)
{
    cpu_set_t set;
    cr_assert_eq(sched_getaffinity(0, sizeof set, &set), 0);
    size_t cores = privs_usable_cores();
    cr_expect_geq(cores, 1);
    cr_expect_leq(cores, (size_t)CPU_COUNT(&set));
}

Test(privs, the_longest_backlog_is_the_kernels)
{
    long most = number_in("/proc/sys/net/core/somaxconn");
    cr_expect_eq(privs_backlog_max(), most > 0 ? (size_t)most : 0);
}

static long oom_adjusted(void)
{
    return number_in("/proc/self/oom_score_adj");
}

static int volunteer(void)
{
    long before = oom_adjusted();
    privs_volunteer_for_oom();
    return oom_adjusted() > before || before == 1000 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int volunteer_at_the_end_of_the_scale(void)
{
    FILE *f = fopen("/proc/self/oom_score_adj", "w");
    if (!f || fprintf(f, "995") < 0 || fclose(f))
        return EXIT_FAILURE;
    privs_volunteer_for_oom();
    return oom_adjusted() == 1000 ? EXIT_SUCCESS : EXIT_FAILURE;
}

Test(privs, a_worker_is_ended_before_its_master_when_memory_runs_out)
{
    if (access("/proc/self/oom_score_adj", W_OK) < 0)
        cr_skip("no /proc/self/oom_score_adj to write");
    cr_expect_eq(in_child(volunteer), EXIT_SUCCESS);
    cr_expect_eq(in_child(volunteer_at_the_end_of_the_scale), EXIT_SUCCESS);
}

static int drop_to_nobody(void)
{
    const struct passwd *nobody = getpwnam("nobody");
    uid_t real, effective, saved;
    if (!nobody || privs_drop(STR("nobody"), STR("")) < 0 || getresuid(&real, &effective, &saved) < 0)
        return EXIT_FAILURE;
    return real == nobody->pw_uid && effective == real && saved == real && seteuid(0) < 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int dumps_core(rlim_t limit)
{
    setrlimit(RLIMIT_CORE, &(struct rlimit){limit, RLIM_INFINITY});
    return privs_drop(STR("nobody"), STR("")) == 0 ? prctl(PR_GET_DUMPABLE) : -1;
}

static int dumps_unlimited_core(void)
{
    return dumps_core(RLIM_INFINITY);
}

static int dumps_no_core(void)
{
    return dumps_core(0);
}

static int drop_to_unknown_user(void)
{
    return -privs_drop(STR("no-such-user"), STR(""));
}

static int drop_to_unknown_group(void)
{
    return -privs_drop(STR("nobody"), STR("no-such-group"));
}

static void skip_unless_root(void)
{
    if (geteuid() != 0)
        cr_skip("only root can become another user");
}

Test(privs, root_becomes_another_user_for_good)
{
    skip_unless_root();
    cr_expect_eq(in_child(drop_to_unknown_user), ENOENT);
    cr_expect_eq(in_child(drop_to_unknown_group), ENOENT);
    cr_expect_eq(in_child(drop_to_nobody), EXIT_SUCCESS);
}

Test(privs, a_core_is_dumped_only_if_its_limit_says_so)
{
    skip_unless_root();
    cr_expect_eq(in_child(dumps_unlimited_core), 1);
    cr_expect_neq(in_child(dumps_no_core), 1);
}
