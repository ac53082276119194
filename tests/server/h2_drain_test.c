/* Reload and stop with streams of HTTP/2 open: a connection is warned, then told which streams still count, and none of
 * those is lost (RFC 9113, 6.8). A shutdown of an hour stands for one that nobody can wait for. */
#include "harness.h"
#include "harness_file.h"
#include "harness_h2.h"
#include "service.h"

#include <criterion/criterion.h>
#include <signal.h>

TestSuite(h2_drain, .init = harness_begin, .fini = harness_end);

#define PATIENT "timeouts: {grace: 1h, shutdown: 1h}\n"

enum { UPLOADS = 25, DOWNLOADS = 25, STREAMS = UPLOADS + DOWNLOADS, LAST_OF_ALL = 0x7fffffff, OCTETS = 100000 };

/* ---- how it begins ---- */

static void reload(const struct server *server)
{
    (void)server;
    service_write(.workers = 1, .version = "2", .more = PATIENT);
    assert_ctl(0, "reload");
}

struct way {
    const char *name;
    void (*begin)(const struct server *server);
};

static const struct way ways[] = {{"a reload", reload}, {"TERM", server_terminate}};

#define each_way(way) for (const struct way *way = ways; way < ways + sizeof ways / sizeof *ways; way++)

static struct server start(void)
{
    file_write("www/file", file_pattern(OCTETS));
    return service_start(.workers = 1, .more = PATIENT);
}

static void finish(const struct server *server, const struct way *way)
{
    if (way->begin == reload) {
        cr_assert(service_serves(server->port, "2"));
        assert_stop(server, 0);
    } else {
        assert_exit(server, 0);
    }
}

/* ---- fifty open streams ---- */

/* Uploads of which half has come, and downloads that wait for their windows. */
static struct h2c *open_streams(int port)
{
    struct h2c *h = h2c_open_as(port, h2c_setting(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1000));
    h->thrifty = true;
    for (int i = 0; i < STREAMS; i++) {
        bool upload = i % 2;
        uint32_t id = h2c_request(h, upload ? H2C_POST("/echo") : H2C_GET("/files/file"), !upload);
        if (upload)
            h2c_send(h, .type = NGHTTP2_DATA, .stream = id, .start = STR("first "));
    }
    h2c_ping(h);
    return h;
}

static void finish_streams(struct h2c *h)
{
    struct str content = file_pattern(OCTETS);
    h->thrifty = false;
    h2c_grant(h, 0, H2C_WINDOW);
    for (uint32_t id = 1; id < 2 * STREAMS; id += 2) {
        bool upload = id / 2 % 2;
        if (upload)
            h2c_send(h, .type = NGHTTP2_DATA, .stream = id, .start = STR("second"), .flags = NGHTTP2_FLAG_END_STREAM);
        h2c_grant(h, id, 1000);
        struct response r = h2c_answer(h, id);
        assert_status(r, 200);
        assert_body(r, upload ? STR("first second") : content);
    }
}

/* A request that is sent by who has been warned, but not told yet, counts still. */
Test(h2_drain, fifty_streams)
{
    each_way(way)
    {
        struct server server = start();
        struct h2c *h = open_streams(server.port);
        struct h2c_frame frame;
        way->begin(&server);
        while (h->goaways == 0)
            cr_assert(h2c_read(h, &frame), "%s: the end, without a GOAWAY", way->name);
        cr_assert_eq(h->last_id, LAST_OF_ALL, "%s: no warning first, but %u", way->name, h->last_id);
        cr_assert_eq(h->error, NGHTTP2_NO_ERROR);
        uint32_t late = h2c_request(h, H2C_GET("/hello"), true);
        while (h->goaways == 1)
            cr_assert(h2c_read(h, &frame), "%s: the end, without a second GOAWAY", way->name);
        cr_assert_eq(h->last_id, late, "%s: stream %u, not %u", way->name, h->last_id, late);
        assert_status(h2c_answer(h, late), 200);
        finish_streams(h);
        assert_goaway(h, NGHTTP2_NO_ERROR);
        cr_assert_not(h->client->reset, "%s: a reset", way->name);
        h2c_close(h);
        finish(&server, way);
    }
}

/* Behind the last word, a new stream is none: it is not answered, and keeps nobody from finishing. */
Test(h2_drain, streams_behind_the_last_word)
{
    each_way(way)
    {
        struct server server = start();
        struct h2c *h = open_streams(server.port);
        struct h2c_frame frame;
        way->begin(&server);
        while (h->goaways < 2)
            cr_assert(h2c_read(h, &frame), "%s: the end, without two GOAWAY", way->name);
        uint32_t last = h->last_id, behind = h2c_request(h, H2C_GET("/hello"), true);
        cr_assert_lt(last, behind);
        finish_streams(h);
        assert_goaway(h, NGHTTP2_NO_ERROR);
        const struct h2c_stream *s = h2c_stream(h, behind);
        cr_assert(s->status == 0 && (!s->reset || s->error == NGHTTP2_REFUSED_STREAM), "%s: %d", way->name, s->status);
        h2c_close(h);
        finish(&server, way);
    }
}

/* Who never stops asking: each request up to the last id is answered, and no other. */
Test(h2_drain, requests_all_the_while)
{
    enum { AT_ONCE = 20 };
    each_way(way)
    {
        struct server server = start();
        struct h2c *h = h2c_open(server.port);
        struct h2c_frame frame;
        for (int i = 0; i < AT_ONCE; i++)
            h2c_request(h, H2C_GET("/hello"), true);
        way->begin(&server);
        while (h->goaways < 2 && h2c_read(h, &frame))
            if (frame.type == NGHTTP2_DATA && frame.flags & NGHTTP2_FLAG_END_STREAM)
                h2c_request(h, H2C_GET("/hello"), true);
        assert_goaway(h, NGHTTP2_NO_ERROR);
        cr_assert_not(h->client->reset, "%s: a reset", way->name);
        for (uint32_t id = 1; id < h->next; id += 2) {
            bool answered = h2c_stream(h, id)->ended;
            cr_assert_eq(answered, id <= h->last_id, "%s: stream %u of %u", way->name, id, h->last_id);
        }
        h2c_close(h);
        finish(&server, way);
    }
}

/* An idle connection need not wait for its grace: it is told, and one that answers the PING loses nothing. */
Test(h2_drain, idle_connections)
{
    enum { CLIENTS = 10 };
    each_way(way)
    {
        struct server server = start();
        struct h2c *clients[CLIENTS];
        for (int i = 0; i < CLIENTS; i++) {
            clients[i] = h2c_open(server.port);
            if (i % 2)
                assert_status(h2c_get(clients[i], "/hello"), 200);
        }
        way->begin(&server);
        for (int i = 0; i < CLIENTS; i++) {
            assert_goaway(clients[i], NGHTTP2_NO_ERROR);
            cr_assert_not(clients[i]->client->reset, "%s: a reset", way->name);
            h2c_close(clients[i]);
        }
        finish(&server, way);
    }
}

/* One that answers no PING is given up, and one that reads nothing, too. */
Test(h2_drain, idle_connections_that_are_silent)
{
    each_way(way)
    {
        struct server server = start();
        struct client *c = h2c_open(server.port)->client;
        way->begin(&server);
        client_drain(c);
        client_close(c);
        finish(&server, way);
    }
}

/* What has not ended with timeouts.shutdown is cut, and the client sees that. */
Test(h2_drain, what_takes_too_long_is_cut)
{
    file_write("www/file", file_pattern(OCTETS));
    struct server server = service_start(.workers = 1, .more = "timeouts: {shutdown: 1s}\n");
    struct h2c *h = open_streams(server.port);
    server_terminate(&server);
    h2c_drain(h);
    for (uint32_t id = 1; id < 2 * STREAMS; id += 2)
        cr_assert_not(h2c_stream(h, id)->ended, "stream %u looks complete", id);
    assert_exit(&server, SERVICE_CUT);
}

/* The last request of a connection (limits.requests_per_connection) is followed by its farewell. What comes behind it
 * is not answered, in a way that lets it be asked for elsewhere (RFC 9113, 8.7). */
Test(h2_drain, requests_of_a_connection)
{
    enum { MOST = 5, REQUESTS = 10 };
    struct server server = service_start(.workers = 1, .more = "limits: {requests_per_connection: 5}\n");
    struct h2c *h = h2c_open(server.port);
    for (int i = 0; i < REQUESTS; i++)
        h2c_request(h, H2C_GET("/hello"), true);
    assert_goaway(h, NGHTTP2_NO_ERROR);
    for (uint32_t id = 1; id < h->next; id += 2) {
        const struct h2c_stream *s = h2c_stream(h, id);
        bool repeatable = id > h->last_id || (s->reset && s->error == NGHTTP2_REFUSED_STREAM);
        cr_assert(id < 2 * MOST ? s->ended : repeatable, "stream %u of %u: %d, %s", id, h->last_id, s->status,
                  nghttp2_http2_strerror(s->error));
    }
    assert_stop(&server, 0);
}

/* A client may say goodbye, too: what it has begun is answered, and then the connection ends. */
Test(h2_drain, a_client_that_leaves)
{
    struct server server = start();
    struct h2c *idle = h2c_open(server.port), *busy = open_streams(server.port);
    struct h2c *const both[] = {idle, busy};
    for (size_t i = 0; i < 2; i++)
        h2c_send(both[i], .type = NGHTTP2_GOAWAY, .fill = 8);
    h2c_drain(idle);
    finish_streams(busy);
    h2c_drain(busy);
    cr_assert_not(busy->client->reset, "a reset");
    assert_stop(&server, 0);
}
