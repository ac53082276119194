/* metrics_routes.h: what was counted for each route, by all workers of the generation. */
#ifndef TERN_HANDLER_METRICS_ROUTES_H
#define TERN_HANDLER_METRICS_ROUTES_H

#include "handler/metrics_text.h"

/* Families with a sample, or several, for each of the first `most` routes of the configuration, and for the others
 * together; and beside them for requests that met no route, and for those that were refused before. */
void metrics_put_routes(struct metrics_text *t, size_t most);

#endif
