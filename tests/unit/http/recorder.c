/* recorder.c: see recorder.h. */
#include "recorder.h"

#include <stdio.h>

struct recorded recorded;

static int head(struct exchange *x, const struct http_head *head)
{
    (void)x;
    recorded.heads++;
    recorded.status = head->status;
    snprintf(recorded.fields, sizeof recorded.fields, STR_FMT, STR_ARG(head->fields));
    return 0;
}

static int content(struct exchange *x, struct str bytes)
{
    (void)x;
    snprintf(recorded.content, sizeof recorded.content, STR_FMT, STR_ARG(bytes));
    return 0;
}

static int end(struct exchange *x)
{
    (void)x;
    return 0;
}

const struct exchange_ops recorder_ops = {.head = head, .content = content, .end = end};

void recorder_clear(void)
{
    recorded = (struct recorded){0};
}
