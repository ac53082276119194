/* log_conf.h: the `log` section of the configuration. */
#ifndef TERN_PROC_LOG_CONF_H
#define TERN_PROC_LOG_CONF_H

#include "conf/schema.h"
#include "log/access.h"

struct log_settings {
    int level; /* enum log_level */
    struct str error;
    struct str access; /* path; empty: off, and the rest means nothing */
    const struct access_format *access_format;
    uint64_t access_buffer;
    nsec access_flush; /* how long a line may wait in the buffer */
    nsec slow;         /* how long a request may take without being told of; HTTP_SLOW_OFF */
};

extern const struct conf_table log_conf_table; /* fills a struct log_settings */

#endif
