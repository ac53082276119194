/* ticket_keys.h: what TLS sessions need of the master: memory that all workers share, and new keys from time to time.
 */
#ifndef TERN_PROC_TICKET_KEYS_H
#define TERN_PROC_TICKET_KEYS_H

struct master;

/* Makes the memory, before the first worker. Without it sessions are not resumed, and a line says so. */
void ticket_keys_init(struct master *m);

/* Changes keys as often as the current configuration wants. */
void ticket_keys_set(struct master *m);

void ticket_keys_free(void);

#endif
