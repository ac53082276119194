/* server.c: see server.h. */
#include "http/server.h"

static const char *const automatic[] = {"auto", NULL};

#define LIMIT(member) offsetof(struct http_limits, member)

static const struct conf_key limits_keys[] = {
    {"connections", CONF_INT, LIMIT(connections), .fallback = "auto", .words = automatic, .min = 1, .max = 10000000,
     .doc = "connections of a worker at once; auto: from the limit on descriptors"},
    {"green_threads", CONF_INT, LIMIT(green_threads), .fallback = "20000", .min = 16, .max = 10000000,
     .doc = "green threads of a worker alive at once; past it 503"},
    {"header_size", CONF_SIZE, LIMIT(header_size), .fallback = "32k", .min = 1 << 10, .max = 1 << 20,
     .doc = "request line and header fields; past it 431, or 414 for the target"},
    {"header_count", CONF_INT, LIMIT(header_count), .fallback = "100", .min = 1, .max = 10000,
     .doc = "header fields of a request; past it 431"},
    {"target_size", CONF_SIZE, LIMIT(target_size), .fallback = "8k", .min = 64, .max = 1 << 20,
     .doc = "request target; past it 414"},
    {"body_size", CONF_SIZE, LIMIT(body_size), .fallback = "16m", .min = 0, .max = INT64_MAX,
     .doc = "content of a request; past it 413"},
    {"body_rate", CONF_SIZE, LIMIT(body_rate), .fallback = "256", .min = 0, .max = 1 << 30,
     .doc = "bytes a second at which content has to come, once timeouts.body has passed; slower: 408; 0: no limit"},
    {"requests_per_connection", CONF_INT, LIMIT(requests_per_connection), .fallback = "0", .min = 0, .max = INT32_MAX,
     .doc = "requests on one connection before it is closed; 0: no limit"},
    {"streams", CONF_INT, LIMIT(streams), .fallback = "128", .min = 1, .max = 100000,
     .doc = "requests at once on one connection of HTTP/2"},
};

const struct conf_table http_limits_table = CONF_TABLE("limits", limits_keys);

#define TIMEOUT(member) offsetof(struct http_timeouts, member)
#define LONGEST (365 * 86400 * NSEC_SEC)

static const struct conf_key timeouts_keys[] = {
    {"handshake", CONF_TIME, TIMEOUT(handshake), .fallback = "10s", .min = NSEC_MS, .max = LONGEST,
     .doc = "of TLS, from the start of a connection; past it the connection is closed"},
    {"header", CONF_TIME, TIMEOUT(header), .fallback = "10s", .min = NSEC_MS, .max = LONGEST,
     .doc = "from the first byte of a request to the end of its header; past it 408"},
    {"body", CONF_TIME, TIMEOUT(body), .fallback = "30s", .min = NSEC_MS, .max = LONGEST,
     .doc = "between two reads of a body; past it 408"},
    {"write", CONF_TIME, TIMEOUT(write), .fallback = "30s", .min = NSEC_MS, .max = LONGEST,
     .doc = "without progress while sending; past it the connection is closed"},
    {"idle", CONF_TIME, TIMEOUT(idle), .fallback = "75s", .min = NSEC_MS, .max = LONGEST,
     .doc = "between two requests; past it the connection is closed"},
    {"grace", CONF_TIME, TIMEOUT(grace), .fallback = "5s", .min = 0, .max = LONGEST,
     .doc = "after a reload, how long an idle connection may still bring one more request"},
    {"shutdown", CONF_TIME, TIMEOUT(shutdown), .fallback = "30s", .min = NSEC_MS, .max = LONGEST,
     .doc = "how long a server that is told to stop, or replaced by a reload, waits for requests to end"},
    {"stall", CONF_TIME, TIMEOUT(stall), .fallback = "100ms", .min = 0, .max = LONGEST,
     .doc = "a handler that runs for so long without letting others have their turn is reported; 0: none is"},
    {"stall_kill", CONF_TIME, TIMEOUT(stall_kill), .fallback = "10s", .min = 0, .max = LONGEST,
     .doc = "a worker that does nothing at all for so long is replaced; 0: never"},
    {"ticket_key", CONF_TIME, TIMEOUT(ticket_key), .fallback = "12h", .min = NSEC_SEC, .max = LONGEST,
     .doc = "how long a key seals tickets of TLS sessions; it opens them for twice as long again"},
};

const struct conf_table http_timeouts_table = CONF_TABLE("timeouts", timeouts_keys);
