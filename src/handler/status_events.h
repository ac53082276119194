/* status_events.h: the stream of events that the status page draws.
 *
 *     event: sample     each second: what the worker's scoreboard says of all workers (status_sample.h)
 *     event: threads    the oldest green threads of all workers, as the master tells them ...
 *     event: stalls     ... and the last stalls: both whenever they are news (status_report.h)
 *
 * Each viewer has the handler's green thread for as long as he watches; a worker serves STATUS_VIEWERS of them.
 */
#ifndef TERN_HANDLER_STATUS_EVENTS_H
#define TERN_HANDLER_STATUS_EVENTS_H

#include "http/exchange.h"

enum { STATUS_VIEWERS = 16 };

/* Answers with the events, until the viewer leaves or the worker is to end; or with 503. As a handler's serve. */
int status_events_send(struct exchange *x) GREEN_WAITS;

#endif
