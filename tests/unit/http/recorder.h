/* recorder.h: a protocol that keeps the last response instead of sending it, for tests of who answers and with what. */
#ifndef TERN_TESTS_HTTP_RECORDER_H
#define TERN_TESTS_HTTP_RECORDER_H

#include "http/exchange.h"

extern struct recorded {
    int heads;  /* how many were written */
    int status; /* of the last; 0: none */
    char fields[512], content[512];
} recorded;

extern const struct exchange_ops recorder_ops;

/* Forgets what was recorded. */
void recorder_clear(void);

#endif
