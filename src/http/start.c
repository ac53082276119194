/* start.c: handlers that have something to do in each process that is to serve; see route.h. */
#include "http/route.h"

int http_sites_start(struct conf_reader *r, const struct http_sites *sites)
{
    int first = 0;
    for (struct http_route *route = sites->starts; route; route = route->next_start) {
        int error = route->handler->start(r, route, route->settings);
        route->started = error == 0;
        first = first ? first : error;
    }
    return first;
}

void http_sites_stop(const struct http_sites *sites)
{
    for (struct http_route *route = sites->starts; route; route = route->next_start)
        if (route->started && route->handler->stop)
            route->handler->stop(route->settings);
}
