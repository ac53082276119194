/* green.c: what a switch, a spawn and a message cost, beside pthreads and ucontext, in one run; then 100,000 green
 * threads parked at once. Prints nanoseconds: the least of several rounds, since noise only ever adds.
 *
 *   build/bench/green [PARKED]
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <ucontext.h>
#include <unistd.h>

#include "green/chan.h"
#include "green/green.h"
#include "green/scope.h"
#include "green/sync.h"

enum { ROUNDS = 7, YIELDS = 1000000, SPAWNS = 1000000, MESSAGES = 1000000, SLOW = 20000 };

static void check(int result, const char *what)
{
    if (result >= 0)
        return;
    fprintf(stderr, "%s: %s\n", what, strerror(-result));
    exit(1);
}

/* ---- green threads ---- */

static int yielder(void *arg)
{
    for (int i = 0; i < *(int *)arg; i++)
        check(green_yield(), "yield");
    return 0;
}

static double green_yields(void)
{
    int each = YIELDS / 2;
    struct green *a, *b;
    nsec start = clock_monotonic();
    check(green_spawn(&a, "a", yielder, &each), "spawn");
    check(green_spawn(&b, "b", yielder, &each), "spawn");
    check(green_join(a, NULL, NSEC_NEVER), "join");
    check(green_join(b, NULL, NSEC_NEVER), "join");
    return (double)(clock_monotonic() - start) / YIELDS;
}

static int nothing(void *arg)
{
    ++*(int *)arg;
    return 0;
}

static double green_spawns(void)
{
    int ran = 0;
    nsec start = clock_monotonic();
    for (int i = 0; i < SPAWNS; i += 64) {
        for (int k = 0; k < 64; k++)
            check(green_go("nothing", nothing, &ran), "spawn");
        check(green_yield(), "yield");
    }
    return (double)(clock_monotonic() - start) / ran;
}

static int receiver(void *arg)
{
    for (long message; green_recv(arg, &message, NSEC_NEVER) == 0;)
        ;
    return 0;
}

static double green_messages(size_t room)
{
    struct green_chan chan;
    struct green *thread;
    check(green_chan_init(&chan, sizeof(long), room), "channel");
    check(green_spawn(&thread, "receiver", receiver, &chan), "spawn");
    nsec start = clock_monotonic();
    for (long i = 0; i < MESSAGES; i++)
        check(green_send(&chan, &i, NSEC_NEVER), "send");
    double each = (double)(clock_monotonic() - start) / MESSAGES;
    green_chan_close(&chan);
    check(green_join(thread, NULL, NSEC_NEVER), "join");
    green_chan_free(&chan);
    return each;
}

static double green_messages_met(void)
{
    return green_messages(0);
}

static double green_messages_ring(void)
{
    return green_messages(64);
}

/* ---- pthreads: the same, handing over through a mutex and a condition ---- */

struct turns {
    pthread_mutex_t lock;
    pthread_cond_t turned;
    int turn;
};

static struct turns turns = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};

static void *taker(void *arg)
{
    int mine = *(int *)arg;
    for (int i = 0; i < SLOW / 2; i++) {
        pthread_mutex_lock(&turns.lock);
        while (turns.turn != mine)
            pthread_cond_wait(&turns.turned, &turns.lock);
        turns.turn = !mine;
        pthread_cond_signal(&turns.turned);
        pthread_mutex_unlock(&turns.lock);
    }
    return NULL;
}

static double pthread_yields(void)
{
    pthread_t threads[2];
    int names[2] = {0, 1};
    nsec start = clock_monotonic();
    for (int i = 0; i < 2; i++)
        check(-pthread_create(&threads[i], NULL, taker, &names[i]), "pthread_create");
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return (double)(clock_monotonic() - start) / SLOW;
}

static void *pthread_nothing(void *arg)
{
    return arg;
}

static double pthread_spawns(void)
{
    nsec start = clock_monotonic();
    for (int i = 0; i < SLOW; i++) {
        pthread_t thread;
        check(-pthread_create(&thread, NULL, pthread_nothing, NULL), "pthread_create");
        pthread_join(thread, NULL);
    }
    return (double)(clock_monotonic() - start) / SLOW;
}

/* ---- ucontext ---- */

static ucontext_t here, there;

static void bounce(void)
{
    for (;;)
        swapcontext(&there, &here);
}

static double ucontext_yields(void)
{
    static char stack[64 * 1024];
    getcontext(&there);
    there.uc_stack.ss_sp = stack;
    there.uc_stack.ss_size = sizeof stack;
    makecontext(&there, bounce, 0);
    nsec start = clock_monotonic();
    for (int i = 0; i < SLOW; i++)
        swapcontext(&here, &there);
    return (double)(clock_monotonic() - start) / (2 * SLOW);
}

/* ---- many ---- */

static struct green_sem gate;

static int park(void *arg)
{
    (void)arg;
    return green_sem_wait(&gate, NSEC_NEVER);
}

static long resident(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (!f || fscanf(f, "%*d %ld", &pages) != 1)
        pages = 0;
    if (f)
        fclose(f);
    return pages * sysconf(_SC_PAGESIZE);
}

static void park_many(long count)
{
    struct green_scope scope;
    struct green_census census;
    green_sem_init(&gate, 0);
    green_scope_enter(&scope);
    long before = resident();
    for (long i = 0; i < count; i++)
        check(green_scope_go(&scope, "parked", park, NULL), "spawn");
    check(green_yield(), "yield");
    green_take_census(&census);
    printf("\n%zu green threads alive at once: %.0f bytes of memory each, guards by %s\n", census.live - 1,
           (double)(resident() - before) / (double)count, census.guard_pages ? "MADV_GUARD_INSTALL" : "mprotect");
    green_scope_leave(&scope);
}

struct row {
    const char *what;
    double (*run)(void);
};

static const struct row rows[] = {
    {"yield to another thread: green", green_yields},        {"                         pthread", pthread_yields},
    {"                         ucontext", ucontext_yields},  {"spawn, run, end:         green", green_spawns},
    {"                         pthread", pthread_spawns},    {"message, no ring:        green", green_messages_met},
    {"message, ring of 64:     green", green_messages_ring},
};

static int bench(void *arg)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double least = rows[i].run();
        for (int k = 1; k < ROUNDS; k++) {
            double ns = rows[i].run();
            least = ns < least ? ns : least;
        }
        printf("%-36s %8.1f ns\n", rows[i].what, least);
    }
    park_many(*(long *)arg);
    return 0;
}

int main(int argc, char **argv)
{
    long parked = argc > 1 ? atol(argv[1]) : 100000;
    struct green_options options = {.threads = (size_t)parked + 16};
    check(green_run(&options, bench, &parked), "green_run");
    return 0;
}
