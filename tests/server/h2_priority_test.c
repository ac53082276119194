/* Extensible priorities (RFC 9218): which of several answers goes first when there is not room for all. */
#include "h2_table.h"
#include "harness.h"
#include "harness_file.h"
#include "harness_h2.h"

#include <criterion/criterion.h>

TestSuite(h2_priority, .init = h2_table_begin, .fini = harness_end);

#define UPDATE(stream, octets) FRAME(NGHTTP2_PRIORITY_UPDATE, stream, 0, START(octets))

static const struct h2_row frames[] = {
    ROW("9218 7.1", "PRIORITY_UPDATE on a stream", CONNECTION("PROTOCOL_ERROR"), POST(1), UPDATE(1, "\0\0\0\1u=1")),
    ROW("9218 7.1", "of stream 0", CONNECTION("PROTOCOL_ERROR"), UPDATE(0, "\0\0\0\0u=1")),
    ROW("9218 7.1", "of three octets", CONNECTION("FRAME_SIZE_ERROR"), UPDATE(0, "\0\0\0")),
    ROW("9218 7.1", "of a stream that is idle", GOES_ON, UPDATE(0, "\0\0\0\x21u=1")),
    ROW("9218 7.1", "of a stream that is closed", GOES_ON, POST(1), CANCEL(1), UPDATE(0, "\0\0\0\1u=1")),
    ROW("9218 7.1", "of nothing", ANSWERED, POST(1), UPDATE(0, "\0\0\0\1"), DATA(1, END)),
    ROW("9218 4", "parameters that nobody knows", ANSWERED, POST(1), UPDATE(0, "\0\0\0\1u=9, i=?1, x=(a b);c, u"),
        DATA(1, END)),
    ROW("9218 4", "what is no structured field may be ignored", ANSWERED "|" EITHER("PROTOCOL_ERROR"), POST(1),
        UPDATE(0, "\0\0\0\1,,,\xff"), DATA(1, END)),
    ROW("9218 4", "a Priority that is none", ANSWERED, HEADERS(1, ALL | END, FIELDS(H2C_GET("/") "priority: u=;;,\n"))),
};

Test(h2_priority, frame)
{
    H2_RUN(frames);
}

/* ---- what goes first ---- */

enum { FILE_OCTETS = 200000 };

/* A connection whose own window is used up, so that answers have to wait for what the test grants; streams have
 * windows enough. */
static struct h2c *open_full(void)
{
    struct h2c *h = h2c_open_as(h2_table_port(), h2c_setting(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 4 * FILE_OCTETS));
    h->thrifty = true;
    file_write("www/window", file_pattern(H2C_WINDOW));
    file_write("www/file", file_pattern(FILE_OCTETS));
    cr_assert(h2c_get(h, "/files/window").complete);
    return h;
}

/* Asks for the file, and waits for the head of the answer. */
static uint32_t ask_with(struct h2c *h, const char *fields)
{
    struct h2c_frame frame;
    uint32_t id = h2c_request(h, harness_text(H2C_GET("/files/file") "%s", fields), true);
    while (!h2c_stream(h, id)->status && h2c_read(h, &frame))
        ;
    h2c_ping(h);
    return id;
}

/* Grants octets to the connection, and reads until they have come, whosever they are. */
static void spend(struct h2c *h, uint32_t octets)
{
    struct h2c_frame frame;
    h2c_grant(h, 0, octets);
    while (h->window > 0 && h2c_read(h, &frame))
        ;
}

/* Of two answers that wait, the one of `first` goes before any octet of the other. */
static void assert_order(struct h2c *h, uint32_t first, uint32_t second)
{
    for (int i = 0; i < 4; i++) {
        spend(h, FILE_OCTETS / 4);
        cr_assert_eq(h2c_stream(h, second)->n, 0, "%zu octets of stream %u, when stream %u has %zu",
                     h2c_stream(h, second)->n, second, first, h2c_stream(h, first)->n);
    }
    cr_assert(h2c_answer(h, first).complete);
    spend(h, FILE_OCTETS);
    assert_body(h2c_answer(h, second), file_pattern(FILE_OCTETS));
    h2c_close(h);
}

Test(h2_priority, urgency)
{
    static const struct {
        const char *urgent, *other;
    } table[] = {
        {"priority: u=0\n", "priority: u=7\n"},
        {"priority: u=0\n", ""},
        {"", "priority: u=4\n"},
        {"priority: u=2, i\n", "priority: u=3\n"},
        {"priority: u=1\n", "priority: u=6, i\n"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct h2c *h = open_full();
        uint32_t other = ask_with(h, table[i].other), urgent = ask_with(h, table[i].urgent);
        assert_order(h, urgent, other);
    }
}

/* Of equals that can't be used in parts, the first one goes first (RFC 9218, 10). */
Test(h2_priority, equals_go_in_turn)
{
    struct h2c *h = open_full();
    uint32_t first = ask_with(h, "priority: u=3\n"), second = ask_with(h, "priority: u=3\n");
    assert_order(h, first, second);
}

Test(h2_priority, incremental_ones_share)
{
    enum { STREAMS = 4 };
    struct h2c *h = open_full();
    uint32_t ids[STREAMS];
    for (size_t i = 0; i < STREAMS; i++)
        ids[i] = ask_with(h, "priority: u=3, i\n");
    spend(h, FILE_OCTETS);
    for (size_t i = 0; i < STREAMS; i++)
        cr_assert_geq(h2c_stream(h, ids[i])->n, FILE_OCTETS / STREAMS / 2, "stream %u has %zu octets", ids[i],
                      h2c_stream(h, ids[i])->n);
    spend(h, (STREAMS - 1) * FILE_OCTETS);
    for (size_t i = 0; i < STREAMS; i++)
        assert_body(h2c_answer(h, ids[i]), file_pattern(FILE_OCTETS));
}

Test(h2_priority, an_update_changes_the_order)
{
    struct h2c *h = open_full();
    uint32_t first = ask_with(h, "priority: u=3\n"), second = ask_with(h, "priority: u=5\n");
    struct str id = h2c_u32(second);
    h2c_send(h, .type = NGHTTP2_PRIORITY_UPDATE, .start = id, .rest = STR("u=0"));
    h2c_ping(h);
    assert_order(h, second, first);
}
