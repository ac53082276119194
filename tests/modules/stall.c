/* stall.c: a handler that keeps its worker for `time`, in the way that the rest of the path says. */
#include "acts.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../kept.h"

static tern_time duration;

static long long now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* ---- the processor ---- */

KEPT static unsigned compute_on(long long until)
{
    unsigned turns = 0;
    while (now() < until)
        for (volatile unsigned i = 0; i < 1000; i++)
            turns++;
    return turns;
}

static int compute(struct tern_request *r)
{
    return tern_printf(r, "%s\n", compute_on(now() + duration) ? "computed" : "nothing");
}

/* ---- a system call that is none of libc's, so that nobody stands before it ---- */

KEPT static long sleep_raw(struct timespec *left)
{
    struct timespec time = {duration / 1000000000, duration % 1000000000};
    long result = syscall(SYS_nanosleep, &time, left);
    left->tv_nsec += result < 0;
    return result;
}

static int sleep_in_kernel(struct tern_request *r)
{
    struct timespec left = {0};
    long long before = now();
    long result = sleep_raw(&left);
    return tern_printf(r, "%s\n", result == 0 && now() - before >= duration ? "slept" : "woken early");
}

/* ---- memory that is slow to come, as that of a file on a slow disk is ---- */

struct slow_page {
    int fd;
    size_t size;
    char *at;
};

/* Brings it after that time. */
static void *bring(void *arg)
{
    const struct slow_page *page = arg;
    struct timespec time = {duration / 1000000000, duration % 1000000000};
    nanosleep(&time, NULL);
    char *content = aligned_alloc(page->size, page->size);
    memset(content, 'p', page->size);
    struct uffdio_copy copy = {.dst = (uintptr_t)page->at, .src = (uintptr_t)content, .len = page->size};
    ioctl(page->fd, UFFDIO_COPY, &copy);
    free(content);
    return NULL;
}

/* 0; -ENOSYS: this kernel can't. */
static int map_slowly(struct slow_page *page)
{
    page->size = (size_t)sysconf(_SC_PAGESIZE);
    page->fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
    if (page->fd < 0)
        return -ENOSYS;
    page->at = mmap(NULL, page->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct uffdio_api api = {.api = UFFD_API};
    struct uffdio_register area = {.range = {(uintptr_t)page->at, page->size}, .mode = UFFDIO_REGISTER_MODE_MISSING};
    return ioctl(page->fd, UFFDIO_API, &api) < 0 || ioctl(page->fd, UFFDIO_REGISTER, &area) < 0 ? -ENOSYS : 0;
}

KEPT static char touch(const char *at)
{
    char got = *(const volatile char *)at;
    return (char)(got + 1);
}

static int fault(struct tern_request *r)
{
    struct slow_page page;
    pthread_t bringer;
    int error = map_slowly(&page);
    if (!error)
        error = -pthread_create(&bringer, NULL, bring, &page);
    if (error)
        return tern_fail(r, 501);
    char got = touch(page.at);
    pthread_join(bringer, NULL);
    munmap(page.at, page.size);
    close(page.fd);
    return tern_printf(r, "%c\n", got);
}

static int pass(struct tern_request *r)
{
    return tern_printf(r, "passed\n");
}

static int serve(struct tern_request *r, void *state)
{
    static const struct act acts[] = {
        {"compute", compute}, {"sleep", sleep_in_kernel}, {"fault", fault}, {"pass", pass}, {NULL, NULL}};
    (void)state;
    return act_serve(r, acts);
}

static int open_stall(struct tern_settings *settings, void **state)
{
    (void)state;
    duration = tern_setting_time(settings, "time", 400 * TERN_MS, 3600 * TERN_SEC);
    return 0;
}

static const struct tern_handler handlers[] = {{.name = "stall", .serve = serve, .open = open_stall}, {.name = NULL}};

const struct tern_module tern_module = {.abi = TERN_ABI, .name = "stall", .handlers = handlers};
