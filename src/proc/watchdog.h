/* watchdog.h: whether workers live.
 *
 * The master asks each of them, four times in `timeouts.stall_kill`, for a sign of life, which comes from its event
 * loop. One that stays silent for that long is told to write down what its green threads do (SIGABRT), then killed, and
 * replaced. The service manager hears that all is well only when every worker has answered since the last time, and has
 * a watchdog of its own for the master.
 */
#ifndef TERN_PROC_WATCHDOG_H
#define TERN_PROC_WATCHDOG_H

struct master;

void watchdog_init(struct master *m);

/* Looks as often as the current configuration and the service manager want. */
void watchdog_set(struct master *m);

#endif
