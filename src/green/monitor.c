/* monitor.c: see monitor.h. */
#include "green/monitor.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/scoreboard.h"
#include "green/catch.h"
#include "green/core.h"
#include "green/semaphore.h"
#include "green/stall_report.h"
#include "log/log.h"
#include "trace/unwind.h"

enum {
    LOOKS = 4,        /* at least, in the time that a thread may run */
    IDLE_LOOKS = 100, /* at a loop that sleeps, before we do */
    FEW_TURNS = 64,   /* since we were called: it was not worth to stay awake for */
};
#define PERIOD (10 * NSEC_MS)
#define LEAST_PERIOD NSEC_MS
#define SIGNAL_PATIENCE (100 * NSEC_MS)

atomic_bool green_monitor_sleeps;

static int state_file = -1; /* what the kernel says of the loop's OS thread */

static struct {
    pthread_t thread;
    pid_t process, id; /* ours, and the thread's: neither a child of fork() has it, nor can it trace itself */
    bool runs;
    atomic_bool ends;
    sem_t called;
    nsec stall, period;
    struct score *score;
    struct stall_log *log;
    struct trace_capture *capture; /* of a stall */

    /* What the last look saw. */
    uint64_t turn, turn_of_call;
    nsec since, looked; /* the turn goes on, we looked */
    nsec counted;       /* when we first saw it again; 0: not yet ... */
    nsec cpu;           /* ... and what the loop's OS thread had used of a processor by then */
    clockid_t cpu_clock;
    unsigned idle_looks;
    bool fresh;          /* there was none since we were called */
    uint64_t stalls;     /* of this worker, and those whose place it has taken */
    struct stall caught; /* of number 0: nobody */
} monitor;

/* ---- crashes ---- */

static struct {
    struct trace_capture *capture;
    atomic_bool wanted;
    sem_t done;
    char text[STALL_TRACE];
} crash;

const char *green_monitor_trace_crash(const struct trace_registers *registers, nsec patience)
{
    static atomic_flag asked = ATOMIC_FLAG_INIT;
    bool watched = monitor.runs && getpid() == monitor.process && gettid() != monitor.id;
    if (!watched || atomic_flag_test_and_set(&asked))
        return NULL;
    crash.capture->registers = *registers;
    trace_copy_stack(crash.capture);
    atomic_store(&crash.wanted, true);
    sem_post(&monitor.called);
    return semaphore_take(&crash.done, patience) ? crash.text : NULL;
}

static void trace_crash(void)
{
    if (!atomic_exchange(&crash.wanted, false))
        return;
    trace_unwind(crash.capture, crash.text, sizeof crash.text);
    sem_post(&crash.done);
}

/* ---- stalls ---- */

static nsec cpu_now(void)
{
    return monitor.cpu_clock ? clock_read(monitor.cpu_clock) : 0;
}

static void keep_record(void)
{
    if (monitor.log)
        stall_write(monitor.log, &monitor.caught);
}

/* The record and the first line come before what takes milliseconds. */
static void catch_it(nsec now)
{
    struct trace_state state = trace_read_state(state_file);
    struct stall *stall = &monitor.caught;
    if (!catch_who(stall, monitor.turn))
        return;
    stall->number = ++monitor.stalls;
    stall->at = clock_read(CLOCK_REALTIME);
    stall->pid = (uint64_t)getpid();
    stall->lasted = now - monitor.since;
    stall->over = STALL_GOES_ON;
    stall->trace[0] = '\0';
    stall_report_cause(stall, &state, now - monitor.counted, cpu_now() - monitor.cpu);
    if (monitor.score)
        monitor.score->stalls++;
    keep_record();
    stall_report_begin(stall);
    if (catch_where(monitor.capture, monitor.turn, &state, state_file, SIGNAL_PATIENCE))
        trace_unwind(monitor.capture, stall->trace, sizeof stall->trace);
    keep_record();
    stall_report_trace(stall);
}

static void let_it_go(nsec now)
{
    monitor.caught.over = STALL_YIELDED;
    monitor.caught.lasted = now - monitor.since;
    keep_record();
    stall_report_end(&monitor.caught);
    monitor.caught.number = 0;
}

/* ---- looking ---- */

static void begin_turn(uint64_t turn, nsec now)
{
    monitor.turn = turn;
    monitor.since = now;
    monitor.counted = 0;
}

/* The same turn as at the last look, and the loop was awake. */
static void watch_turn(nsec now)
{
    bool caught = monitor.caught.number > 0;
    if (!monitor.counted) {
        monitor.counted = now;
        monitor.cpu = cpu_now();
    }
    if (caught) {
        monitor.caught.lasted = now - monitor.since;
        keep_record();
    } else if (now - monitor.looked > monitor.stall / 2 + monitor.period) {
        begin_turn(monitor.turn, now); /* we have had no processor ourselves, and can't blame anybody */
    } else if (now - monitor.since >= monitor.stall) {
        catch_it(now);
    }
}

/* Whether there is nothing to watch; then the loop calls us. */
static bool may_sleep(bool asleep)
{
    monitor.idle_looks = asleep ? monitor.idle_looks + 1 : 0;
    bool idle = monitor.idle_looks >= IDLE_LOOKS || monitor.turn - monitor.turn_of_call < FEW_TURNS;
    if (!asleep || !idle)
        return false;
    atomic_store(&green_monitor_sleeps, true);
    if (atomic_load(&green_pulse.asleep))
        return true;
    atomic_store(&green_monitor_sleeps, false);
    return false;
}

/* Whether we may sleep until we are called. */
static bool look(void)
{
    nsec now = clock_monotonic();
    bool asleep = atomic_load(&green_pulse.asleep), fresh = monitor.fresh;
    uint64_t turn = atomic_load(&green_pulse.turns);
    bool same = turn == monitor.turn;
    if (monitor.caught.number && (!same || asleep))
        let_it_go(now);
    if (same && !asleep)
        watch_turn(now);
    else
        begin_turn(turn, now);
    monitor.looked = clock_monotonic();
    monitor.fresh = false;
    return !fresh && may_sleep(asleep);
}

static void sleep_for(nsec duration)
{
    if (duration == NSEC_NEVER)
        sem_wait(&monitor.called);
    else
        (void)semaphore_take(&monitor.called, duration); /* called, or it is time to look */
}

/* Called, or at the start: what comes is watched for a period at least. */
static void wake(void)
{
    monitor.turn_of_call = atomic_load(&green_pulse.turns);
    monitor.idle_looks = 0;
    monitor.fresh = true;
    begin_turn(monitor.turn_of_call, clock_monotonic());
    monitor.looked = monitor.since;
}

static void *watch(void *arg)
{
    (void)arg;
    prctl(PR_SET_NAME, "monitor");
    monitor.id = gettid();
    for (bool rests = true; !atomic_load(&monitor.ends);) {
        trace_crash();
        if (rests)
            wake();
        rests = !monitor.stall || look();
        sleep_for(rests ? NSEC_NEVER : monitor.period);
    }
    return NULL;
}

/* The pause is no part of the turn that ends it. */
void green_monitor_call(void)
{
    if (atomic_exchange(&green_monitor_sleeps, false))
        sem_post(&monitor.called);
}

/* ---- start and end ---- */

void green_monitor_prepare(void)
{
    if (state_file < 0)
        state_file = trace_open_state();
}

static void settle(const struct green_options *options)
{
    nsec period = options->stall / LOOKS;
    monitor.process = getpid();
    monitor.stall = options->stall;
    monitor.period = period > PERIOD ? PERIOD : period < LEAST_PERIOD ? LEAST_PERIOD : period;
    monitor.score = options->score;
    monitor.log = options->stalls;
    monitor.stalls = options->stalls ? options->stalls->count : 0;
    monitor.caught.number = 0;
    monitor.ends = false;
    green_monitor_sleeps = false;
    if (pthread_getcpuclockid(pthread_self(), &monitor.cpu_clock) != 0)
        monitor.cpu_clock = 0;
    sem_init(&monitor.called, 0, 0);
    sem_init(&crash.done, 0, 0);
    crash.wanted = false;
}

/* Signals are for the loop's OS thread, but for those of a crash, which are for whoever crashes. */
static int start_thread(void)
{
    sigset_t blocked, before;
    sigfillset(&blocked);
    green_fault_spare(&blocked);
    pthread_sigmask(SIG_SETMASK, &blocked, &before);
    int error = pthread_create(&monitor.thread, NULL, watch, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return -error;
}

void green_monitor_start(const struct green_options *options)
{
    green_monitor_prepare();
    settle(options);
    monitor.capture = malloc(sizeof *monitor.capture);
    crash.capture = malloc(sizeof *crash.capture);
    int error = monitor.capture && crash.capture ? catch_init() : -ENOMEM;
    if (!error) {
        error = start_thread();
        if (error)
            catch_free();
    }
    monitor.runs = !error;
    if (error)
        log_warn("nobody watches for stalls: %s", strerror(-error));
}

void green_monitor_stop(void)
{
    if (monitor.runs) {
        atomic_store(&monitor.ends, true);
        sem_post(&monitor.called);
        pthread_join(monitor.thread, NULL);
        catch_free();
    }
    monitor.runs = false;
    sem_destroy(&monitor.called);
    sem_destroy(&crash.done);
    free(crash.capture);
    free(monitor.capture);
    if (state_file >= 0)
        close(state_file);
    state_file = -1;
}
