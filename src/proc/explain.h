/* explain.h: what a request would meet in a configuration, and where the configuration says so.
 *
 * Nothing is served: the request is judged and routed by the code that does it for real, and what policies and handlers
 * would do is read from their settings. Redirects are carried out, since nobody but them knows where they lead.
 */
#ifndef TERN_PROC_EXPLAIN_H
#define TERN_PROC_EXPLAIN_H

#include "proc/config.h"

/* Bytes that have room for what there is to tell: a long URL some times over, and the settings of a site. */
enum { EXPLAIN_SIZE = 512 * 1024 };

/* Writes an object of JSON, one line, to `o`. A question is "[METHOD] URL"; a URL is one of http or https, with or
 * without a port, or a path, which is asked of the first listener and the default site. 0; -EINVAL: that is no
 * question, and why has been written to `why`; -ENOMEM; -EMSGSIZE: it does not fit. */
int explain(const struct config *config, struct str question, struct out *o, struct out *why)
    __attribute__((warn_unused_result));

#endif
