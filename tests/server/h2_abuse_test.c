/* Clients of HTTP/2 that make work: floods of frames, requests that are taken back, and answers that nobody takes. What
 * one of them can cost is bounded, in requests and in memory, and others are served meanwhile, by the same worker. */
#include "h2_table.h"
#include "harness.h"
#include "harness_file.h"
#include "harness_h2.h"
#include "service.h"

#include <criterion/criterion.h>

TestSuite(h2_abuse, .init = harness_begin, .fini = harness_end);

#define COUNT(table) (sizeof(table) / sizeof *(table))

enum {
    TIMES = 100000,
    CHUNK = 500,         /* repetitions of one write */
    STREAMS = 100,       /* at once, of an honest client */
    EXECUTED = 500,      /* requests of a client that takes them back, at most */
    MEMORY_KIB = 8 << 10 /* more of the worker, at most */
};

/* ---- who suffers, and who must not ---- */

struct scene {
    struct server server;
    pid_t worker;
    size_t memory;        /* KiB, before */
    long long requests;   /* likewise */
    struct client *first; /* of HTTP/1 ... */
    struct h2c *second;   /* ... and HTTP/2: two that are served all the while */
    unsigned long served;
};

static void serve_others(struct scene *scene)
{
    assert_status(get(scene->first, "/hello"), 200);
    assert_status(h2c_get(scene->second, "/hello"), 200);
    scene->served += 2;
}

/* The memory that a worker needs for honest clients is there before it is looked at. */
static struct scene begin(const char *more)
{
    struct scene scene = {.server = service_start(.workers = 1, .more = more)};
    file_write("www/large", file_pattern(1 << 20));
    server_workers(&scene.server, &scene.worker, 1);
    scene.first = client_open(scene.server.port);
    scene.second = h2c_open(scene.server.port);
    for (unsigned i = 0; i < STREAMS && i < scene.second->streams_max; i++)
        h2c_request(scene.second, H2C_GET("/hello"), true);
    h2c_answer(scene.second, scene.second->next - 2);
    serve_others(&scene);
    scene.memory = service_memory(scene.worker);
    scene.requests = service_status("requests");
    scene.served = 0;
    return scene;
}

static void assert_memory(const struct scene *scene, const char *when)
{
    cr_expect(service_memory_within(scene->worker, scene->memory, MEMORY_KIB), "%s: %zu KiB, %zu before", when,
              service_memory(scene->worker), scene->memory);
}

static long long executed(const struct scene *scene)
{
    return service_status("requests") - scene->requests - (long long)scene->served;
}

static void end(struct scene *scene)
{
    pid_t worker;
    serve_others(scene);
    assert_memory(scene, "in the end");
    server_workers(&scene->server, &worker, 1);
    cr_expect_eq(worker, scene->worker, "the worker has died:\n%s", server_log(&scene->server).p);
    assert_stop(&scene->server, 0);
}

/* ---- floods ---- */

enum { FRAMES = 3, ANY = UINT32_MAX };

struct flood {
    const char *name;
    struct h2c_frame frames[FRAMES]; /* one repetition; on stream 1, which stands for a new one each time if ... */
    size_t count;
    bool renewed;
    uint32_t error; /* of the GOAWAY that must end it; ANY: some error */
};

#define FLOOD(name, error, ...)                                                                                        \
    {                                                                                                                  \
        name, {__VA_ARGS__}, sizeof((const struct h2c_frame[]){__VA_ARGS__}) / sizeof(struct h2c_frame), false, error  \
    }
#define FLOOD_OF_STREAMS(name, error, ...)                                                                             \
    {                                                                                                                  \
        name, {__VA_ARGS__}, sizeof((const struct h2c_frame[]){__VA_ARGS__}) / sizeof(struct h2c_frame), true, error   \
    }
#define CALM NGHTTP2_ENHANCE_YOUR_CALM

/* Sends a chunk of repetitions, reading nothing; false when the server takes no more. */
static bool send_chunk(struct h2c *h, const struct flood *flood)
{
    struct h2c_frame *frames = harness_alloc(CHUNK * flood->count * sizeof *frames), *at = frames;
    for (size_t i = 0; i < CHUNK; i++) {
        for (size_t j = 0; j < flood->count; j++) {
            *at = flood->frames[j];
            at->stream = at->stream && flood->renewed ? h->next : at->stream;
            at++;
        }
        h->next += 2;
    }
    h2c_expect(h, frames, (size_t)(at - frames));
    struct str bytes = h2c_encode(frames, (size_t)(at - frames));
    return client_send_unread(h->client, bytes) == bytes.n;
}

/* A client with an open request, for frames that want a stream. */
static struct h2c *open_flooder(const struct scene *scene)
{
    struct h2c *h = h2c_begin(client_open_slow(scene->server.port), STR(""));
    h2c_request(h, H2C_POST("/echo"), false);
    return h;
}

static void run_flood(struct scene *scene, const struct flood *flood)
{
    struct h2c *h = open_flooder(scene);
    for (int i = 0; i < TIMES / CHUNK && send_chunk(h, flood); i++)
        serve_others(scene);
    assert_memory(scene, flood->name);
    h2c_ping(h);
    bool right = flood->error == ANY ? h->error != 0 : h->error == flood->error;
    cr_expect(h->goaways && right, "%s: %u GOAWAY, the last with %s", flood->name, h->goaways,
              nghttp2_http2_strerror(h->error));
    serve_others(scene);
    h2c_close(h);
}

static void run_floods(const struct flood *floods, size_t count)
{
    struct scene scene = begin("");
    for (size_t i = 0; i < count; i++) {
        run_flood(&scene, &floods[i]);
        cr_expect_lt(executed(&scene), EXECUTED, "%s: %lld requests executed", floods[i].name, executed(&scene));
        scene.requests = service_status("requests");
        scene.served = 0;
    }
    end(&scene);
}

/* Requests that are taken back as soon as they are made (CVE-2023-44487). */
Test(h2_abuse, rapid_reset)
{
    static const struct flood floods[] = {
        FLOOD_OF_STREAMS("GET and RST_STREAM", CALM, HEADERS(1, ALL | END, FIELDS(H2C_GET("/hello"))), CANCEL(1)),
        FLOOD_OF_STREAMS("GET of a file and RST_STREAM", CALM, HEADERS(1, ALL | END, FIELDS(H2C_GET("/files/large"))),
                         CANCEL(1)),
        FLOOD_OF_STREAMS("POST and RST_STREAM", CALM, HEADERS(1, ALL, FIELDS(H2C_POST("/echo"))), CANCEL(1)),
        FLOOD_OF_STREAMS("RST_STREAM with NO_ERROR", CALM, HEADERS(1, ALL | END, FIELDS(H2C_GET("/hello"))),
                         RST_STREAM(1, START("\0\0\0\0"))),
    };
    run_floods(floods, COUNT(floods));
}

/* Mistakes that make the server reset a stream whose handler may go on (CVE-2025-8671). */
Test(h2_abuse, mistakes_that_reset)
{
    static const struct flood floods[] = {
        FLOOD_OF_STREAMS("a window beyond all windows", CALM, HEADERS(1, ALL, FIELDS(H2C_POST("/echo"))),
                         WINDOW_UPDATE(1, START("\x7f\xff\xff\xff"))),
        FLOOD_OF_STREAMS("a window by nothing", ANY, HEADERS(1, ALL, FIELDS(H2C_POST("/echo"))),
                         WINDOW_UPDATE(1, START("\0\0\0\0"))),
        FLOOD_OF_STREAMS("DATA behind the end", ANY, HEADERS(1, ALL | END, FIELDS(H2C_GET("/files/large"))),
                         DATA(1, END, FILL(1))),
        FLOOD_OF_STREAMS("HEADERS behind the end", ANY, HEADERS(1, ALL | END, FIELDS(H2C_GET("/files/large"))),
                         HEADERS(1, ALL | END, FIELDS("x: y\n"))),
        FLOOD_OF_STREAMS("a PRIORITY of four octets", ANY, HEADERS(1, ALL, FIELDS(H2C_POST("/echo"))),
                         PRIORITY(1, FILL(4))),
        FLOOD_OF_STREAMS("more content than announced", CALM,
                         HEADERS(1, ALL, FIELDS(H2C_POST("/echo") "content-length: 1\n")), DATA(1, 0, FILL(2))),
        FLOOD_OF_STREAMS("less content than announced", CALM,
                         HEADERS(1, ALL, FIELDS(H2C_POST("/echo") "content-length: 1\n")), DATA(1, END)),
        FLOOD_OF_STREAMS("bad trailers", CALM, HEADERS(1, ALL, FIELDS(H2C_POST("/echo"))),
                         HEADERS(1, ALL | END, FIELDS("X: y\n"))),
        FLOOD_OF_STREAMS("requests that are malformed", CALM, HEADERS(1, ALL | END, FIELDS(H2C_GET("/") "X: y\n"))),
        FLOOD_OF_STREAMS("requests of nothing", CALM, HEADERS(1, ALL | END)),
        FLOOD_OF_STREAMS("requests beyond the limit", ANY, HEADERS(1, ALL, FIELDS(H2C_POST("/echo")))),
    };
    run_floods(floods, COUNT(floods));
}

/* Frames that mean nothing, and some that want an answer which nobody reads. */
Test(h2_abuse, frames_without_use)
{
    static const struct flood floods[] = {
        FLOOD("SETTINGS", CALM, SETTINGS(0, 0)),
        FLOOD("SETTINGS that change the windows", CALM, SETTINGS(0, 0, START("\0\4\0\0\0\0")),
              SETTINGS(0, 0, START("\0\4\0\0\xff\xff"))),
        FLOOD("PING", CALM, PING(0, 0, FILL(8))),
        FLOOD("acknowledgements of PING", CALM, PING(0, ACK, FILL(8))),
        FLOOD("DATA of nothing", CALM, DATA(1, 0)),
        FLOOD("DATA of nothing but the length of no padding", CALM, DATA(1, PADDED, START("\0"))),
        FLOOD("DATA of nothing but padding", CALM, DATA(1, PADDED, START("\7"), FILL(7))),
        FLOOD("PRIORITY", CALM, PRIORITY(1, START("\0\0\0\0\20"))),
        FLOOD_OF_STREAMS("PRIORITY of streams that are idle", CALM, PRIORITY(1, START("\0\0\0\0\20"))),
        FLOOD("PRIORITY_UPDATE", CALM, FRAME(NGHTTP2_PRIORITY_UPDATE, 0, 0, START("\0\0\0\1u=1"))),
        FLOOD("PRIORITY_UPDATE of a stream that is idle", CALM,
              FRAME(NGHTTP2_PRIORITY_UPDATE, 0, 0, START("\0\0\x7f\1u=1"))),
        FLOOD("WINDOW_UPDATE of the connection", CALM, WINDOW_UPDATE(0, START("\0\0\0\1"))),
        FLOOD("WINDOW_UPDATE of a stream", CALM, WINDOW_UPDATE(1, START("\0\0\0\1"))),
        FLOOD("unknown frames", CALM, FRAME(H2C_RESERVED, 0, 0, FILL(1))),
        FLOOD("unknown frames of nothing, on streams", CALM, FRAME(0x0f, 1, 0)),
        FLOOD("RST_STREAM of a stream that is closed", CALM, CANCEL(1)),
    };
    run_floods(floods, COUNT(floods));
}

/* A header block that goes on for ever, by frames of nothing, of one octet, or full ones (CVE-2024-28182). */
Test(h2_abuse, continuation)
{
    static const struct flood floods[] = {
        FLOOD("CONTINUATION of nothing", CALM, CONTINUATION(3, 0)),
        FLOOD("CONTINUATION of an octet", CALM, CONTINUATION(3, 0, START("\x82"))),
        FLOOD("CONTINUATION of 16,000 octets", ANY, CONTINUATION(3, 0, FILL(16000))),
    };
    struct scene scene = begin("");
    for (size_t i = 0; i < COUNT(floods); i++) {
        struct h2c *h = open_flooder(&scene);
        h2c_send(h, .type = NGHTTP2_HEADERS, .stream = 3, .fields = str_of(H2C_GET("/hello")));
        while (send_chunk(h, &floods[i]))
            serve_others(&scene);
        h2c_drain(h);
        bool right = floods[i].error == ANY ? h->error != 0 : h->error == floods[i].error;
        cr_expect(h->goaways && right, "%s: %u GOAWAY, the last with %s", floods[i].name, h->goaways,
                  nghttp2_http2_strerror(h->error));
        h2c_close(h);
    }
    end(&scene);
}

/* A field of 3.9 KB, put into HPACK's table once, and then named 12,000 times by an octet each. */
Test(h2_abuse, hpack_bomb)
{
    enum { NAMED = 12000 };
    struct scene scene = begin("");
    struct h2c *h = h2c_open(scene.server.port);
    struct str value = file_fill('v', 3900), names = file_fill('\xbe', NAMED);
    struct str entry = h2c_block(str_of(harness_text("a: %s\n", value.p)));
    ((char *)entry.p)[0] = 0x40; /* with an entry in the table */
    h2c_send(h, .type = NGHTTP2_HEADERS, .stream = 1, .flags = ALL | END, .fields = str_of(H2C_GET("/hello")),
             .rest = entry);
    assert_status(h2c_answer(h, 1), 200);
    struct h2c_frame frame;
    for (uint32_t id = 3; id < 3 + 2 * STREAMS && !h->ended; id += 2) {
        h2c_send(h, .type = NGHTTP2_HEADERS, .stream = id, .flags = ALL | END, .fields = str_of(H2C_GET("/hello")),
                 .rest = names);
        const struct h2c_stream *s = h2c_stream(h, id);
        while (!h2c_stream_is_over(s) && h2c_read(h, &frame))
            ;
        cr_assert(s->status == 431 || s->reset || h->error == CALM, "%d", s->status);
        serve_others(&scene);
    }
    end(&scene);
}

/* ---- what is honest ---- */

/* Someone who leaves a page takes back what has not come. */
Test(h2_abuse, some_requests_may_be_taken_back)
{
    enum { ROUNDS = 5, AT_ONCE = 20 };
    struct scene scene = begin("");
    struct h2c *h = h2c_open(scene.server.port);
    for (int round = 0; round < ROUNDS; round++) {
        uint32_t first = h->next;
        for (int i = 0; i < AT_ONCE; i++)
            h2c_request(h, i % 2 ? H2C_GET("/files/large") : H2C_GET("/hello"), true);
        for (uint32_t id = first + 2; id < h->next; id += 4)
            h2c_send(h, .type = NGHTTP2_RST_STREAM, .stream = id, .start = h2c_u32(NGHTTP2_CANCEL));
        for (uint32_t id = first; id < h->next; id += 4)
            assert_status(h2c_answer(h, id), 200);
    }
    cr_assert_eq(h->goaways, 0);
    end(&scene);
}

Test(h2_abuse, a_hundred_thousand_streams)
{
    struct scene scene = begin("");
    struct h2c *h = h2c_open(scene.server.port);
    while (h->next < 2 * TIMES) {
        uint32_t first = h->next;
        for (int i = 0; i < STREAMS; i++)
            h2c_request(h, H2C_GET("/hello"), true);
        for (uint32_t id = first; id < h->next; id += 2)
            assert_body(h2c_answer(h, id), STR("hello"));
    }
    serve_others(&scene);
    cr_assert_eq(h->goaways, 0);
    cr_assert_eq(executed(&scene), TIMES);
    end(&scene);
}

static void open_uploads(struct h2c *h, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        h2c_request(h, H2C_POST("/echo"), false);
}

static void finish_uploads(struct h2c *h, unsigned count)
{
    for (uint32_t id = 1; id < 2 * count; id += 2) {
        h2c_content(h, id, STR("content"));
        assert_body(h2c_answer(h, id), STR("content"));
    }
}

enum { MOST = 4 };
#define FEW_STREAMS "limits: {streams: 4}\n"

/* Who can't know of the limit yet loses nothing: what is beyond may be asked for again. */
Test(h2_abuse, streams_before_the_limit_is_known)
{
    enum { REFUSED = 20 };
    struct scene scene = begin(FEW_STREAMS);
    struct h2c *h = h2c_begin(client_open(scene.server.port), STR(""));
    open_uploads(h, MOST + REFUSED);
    for (unsigned i = MOST; i < MOST + REFUSED; i++)
        assert_reset(h, 2 * i + 1, NGHTTP2_REFUSED_STREAM);
    cr_assert_eq(h->streams_max, MOST);
    finish_uploads(h, MOST);
    assert_status(h2c_get(h, "/hello"), 200);
    end(&scene);
}

/* Who knows it, and does not keep to it, makes an error, of the stream (RFC 9113, 5.1.2) or the connection (5.4.1). */
Test(h2_abuse, streams_beyond_the_limit)
{
    struct scene scene = begin(FEW_STREAMS);
    struct h2c *h = h2c_open(scene.server.port);
    open_uploads(h, MOST);
    finish_uploads(h, MOST);
    open_uploads(h, MOST);
    uint32_t beyond = h2c_request(h, H2C_GET("/hello"), true);
    assert_status(h2c_answer(h, beyond), 0);
    const struct h2c_stream *s = h2c_stream(h, beyond);
    uint32_t error = s->reset ? s->error : h->error;
    cr_assert(error == NGHTTP2_REFUSED_STREAM || error == NGHTTP2_PROTOCOL_ERROR, "%s", nghttp2_http2_strerror(error));
    end(&scene);
}

/* Each stream has a thread. Who can't have one is told, and may ask again; the others are served. */
Test(h2_abuse, more_streams_than_threads)
{
    enum { UPLOADS = 60 };
    struct scene scene = begin("limits: {green_threads: 16}\n");
    struct h2c *h = h2c_open(scene.server.port);
    uint32_t first = h->next, last = first + 2 * UPLOADS;
    size_t served = 0;
    open_uploads(h, UPLOADS);
    h2c_ping(h);
    for (uint32_t id = first; id < last; id += 2) {
        const struct h2c_stream *s = h2c_stream(h, id);
        if (!h2c_stream_is_over(s))
            h2c_content(h, id, STR("content"));
        struct response r = h2c_answer(h, id);
        served += r.status == 200;
        cr_assert(r.status == 200 || r.status == 503 || (s->reset && s->error == NGHTTP2_REFUSED_STREAM),
                  "stream %u: %d, %s", id, r.status, nghttp2_http2_strerror(s->error));
    }
    cr_assert(served > 0 && served < UPLOADS, "%zu", served);
    assert_status(h2c_get(h, "/hello"), 200);
    end(&scene);
}
