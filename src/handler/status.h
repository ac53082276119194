/* status.h: what the worker tells the handler `status`. */
#ifndef TERN_HANDLER_STATUS_H
#define TERN_HANDLER_STATUS_H

/* The worker is to end: the streams of events do, in an orderly way, so that those who watch come back to another
 * worker. */
void status_retire(void);

#endif
