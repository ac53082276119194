/* order.c: see order.h. */
#include "proc/order.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/call.h"

/* A second TERM or INT cuts what the first one lets end; of two equal signals only one might be seen. */
static const struct order orders[] = {
    {"stop", {SIGTERM, SIGINT}}, {"quit", {SIGQUIT}},    {"reload", {SIGHUP}},
    {"reopen", {SIGUSR1}},       {"upgrade", {SIGUSR2}},
};

#define PATIENCE (5 * NSEC_SEC)

const struct order *order_find(const char *name)
{
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++)
        if (strcmp(orders[i].name, name) == 0)
            return &orders[i];
    return NULL;
}

pid_t order_find_master(const char *control)
{
    struct call call;
    int error = call_open(&call, control, PATIENCE);
    if (error)
        return error;
    pid_t master = call_peer(&call);
    call_close(&call);
    return master;
}

/* What a process is called; empty: it can't be seen. */
static struct str name_of(pid_t pid, char name[static 32])
{
    char path[40];
    snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, name, 32);
    if (fd >= 0)
        close(fd);
    return (struct str){name, n > 0 ? (size_t)n : 0};
}

bool order_fits(pid_t master)
{
    char theirs[32], ours[32];
    struct str name = name_of(master, theirs);
    return master > 1 && (name.n == 0 || str_eq(name, name_of(getpid(), ours)));
}

int order_send(const struct order *order, pid_t master)
{
    for (size_t i = 0; i < sizeof order->signals / sizeof *order->signals; i++)
        if (order->signals[i] && kill(master, order->signals[i]) < 0)
            return i == 0 ? -errno : 0; /* it may be gone after the first one */
    return 0;
}
