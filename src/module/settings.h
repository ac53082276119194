/* settings.h: what a route says under `settings`, for the open() of a module's handler; private to this layer, and to
 * the handler `module`. */
#ifndef TERN_MODULE_SETTINGS_H
#define TERN_MODULE_SETTINGS_H

#include "conf/value.h"
#include "tern.h"

struct tern_settings {
    struct conf_reader *r;
    struct conf_node *node;             /* the mapping; NULL: there is none */
    const struct conf_node *owner;      /* where to report what is missing */
    struct tern_settings *first, *next; /* mappings inside, that were asked for */
    struct asked *asked;                /* keys */
};

/* `node`: what stands there, or NULL. 0, or -EINVAL: it is no mapping, which is reported. */
int module_settings_init(struct tern_settings *s, struct conf_reader *r, struct conf_node *node,
                         const struct conf_node *owner) __attribute__((warn_unused_result));

/* Reports the keys that nobody has asked for. */
void module_settings_check(const struct tern_settings *s);

#endif
