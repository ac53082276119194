/* server_timing.c: `server_timing`: every response says where the time went until its head was written (W3C Server
 * Timing, 2): browsers show it beside their own times, and scripts of the same origin may read it.
 *
 *     Server-Timing: header;dur=0.0, queue;dur=0.1, cpu;dur=0.4, ..., total;dur=12.5
 *
 * Durations are in milliseconds. Who asks for it switches `timings` on. A handler's own field of that name stays: there
 * may be several (3).
 */
#include "log/access_format.h"
#include "policy/registry.h"

enum { FIELD = 256 }; /* bytes; more than it takes */

struct server_timing {
    bool on;
};

static const struct conf_key keys[] = {
    {"server_timing", CONF_BOOL, offsetof(struct server_timing, on),
     .doc = "whether responses say, by Server-Timing, where the time went until their head was written"},
};

static const struct conf_table table = CONF_TABLE("server_timing", keys);

static bool timed(const void *settings)
{
    return ((const struct server_timing *)settings)->on;
}

static int dress(struct exchange *x, const void *settings, struct http_head *head)
{
    if (!timed(settings))
        return 0;
    struct green_spent now = green_spent();
    struct access_times times = http_times_until(&x->times, &now);
    char text[FIELD];
    struct out o = out_on(text, sizeof text);
    out_text(&o, "Server-Timing: ");
    http_times_put_all(&o, &times, STR(";dur="));
    out_text(&o, ", other;dur=");
    http_times_put(&o, http_times_other(&times));
    out_text(&o, ", total;dur=");
    http_times_put(&o, times.total);
    out_text(&o, "\r\n");
    return http_head_put(x, head, out_str(&o));
}

const struct http_policy policy_server_timing = {
    .table = &table,
    .size = sizeof(struct server_timing),
    .timed = timed,
    .dress = dress,
};
