/* harness.h: what every black-box test stands on: memory, a directory, ports, and a bound on waiting.
 *
 * A suite names harness_begin and harness_end as its .init and .fini. Criterion runs each test in a process of its own,
 * so everything here belongs to one test. Nothing has to be given back by hand: harness_end() kills and reaps every
 * process the test has started, removes the directory and frees the memory. A test that crashes leaves no process
 * either, because each one asks the kernel to die with its parent.
 *
 * The functions of the harness fail the test themselves (cr_assert); what they return is fit for use.
 */
#ifndef TERN_TESTS_SERVER_HARNESS_H
#define TERN_TESTS_SERVER_HARNESS_H

#include "base/arena.h"
#include "base/clock.h"

#include <sys/types.h>

/* How long anything may take before the test gives it up. A safety net for slow machines, never an assertion. */
#define HARNESS_LIMIT (30 * NSEC_SEC)

enum { HARNESS_PORTS = 4, HARNESS_TIDY = 4 };

void harness_begin(void);
void harness_end(void);

/* Ends the test as one that can't be run here. (Criterion would not call harness_end() then.) */
void harness_skip(const char *reason);

/* Whether there is AddressSanitizer's allocator: it never fails, and keeps for a while what is freed. */
bool harness_is_sanitized(void);

/* The test's memory, given back by harness_end(). */
struct arena *harness_memory(void);
void *harness_alloc(size_t n) __attribute__((malloc, returns_nonnull));

/* Text as printf makes it, in the test's memory. */
const char *harness_text(const char *format, ...) __attribute__((format(printf, 1, 2), returns_nonnull));

/* The test's directory: absolute, without a slash at its end. Everybody may read it. */
const char *harness_directory(void);

/* The test's ports, 0 to HARNESS_PORTS - 1. Each was free on 127.0.0.1 when it was first asked for. */
int harness_port(unsigned i);

/* The text with @DIR@, @PORT@ and @PORT1@ to @PORT3@ replaced. */
const char *harness_expand(const char *text) __attribute__((returns_nonnull));

/* The processes whose parent is pid, ended but unreaped ones included; at most `room` of them. */
size_t harness_children(pid_t pid, pid_t *children, size_t room);

/* Has a process of the test end by this signal, and waited for, before harness_end() kills the others: for one that
 * would leave something behind. At most HARNESS_TIDY of them. */
void harness_ends_by(pid_t pid, int signal);

/* The state letter of a process ('R', 'S', 'Z' ...); 0 when there is none of that id. */
char harness_state(pid_t pid);

/* Sleeps for a moment; false when the deadline has passed. */
bool harness_nap(nsec deadline);

/* Whether the condition came true before HARNESS_LIMIT. */
#define until(condition)                                                                                               \
    ({                                                                                                                 \
        bool until_met;                                                                                                \
        nsec until_deadline = nsec_add(clock_monotonic(), HARNESS_LIMIT);                                              \
        while (!(until_met = (condition)) && harness_nap(until_deadline))                                              \
            ;                                                                                                          \
        until_met;                                                                                                     \
    })

#endif
