/* h2_scan_test.c: what is found in frames, by their heads; the same however they arrive. */
#include "http/h2_scan.c" // NOLINT(bugprone-suspicious-include)

#include <criterion/criterion.h>
#include <stdlib.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

#define START "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

enum { FOUND = 32 };

/* What is found, in order: a letter for a cost, '!' for an error, which ends it. */
static const char letters[] = {
    [H2_OTHER] = 'o',    [H2_EMPTY_DATA] = 'd',    [H2_PRIORITY] = 'p', [H2_RST_STREAM] = 'r',
    [H2_SETTINGS] = 's', [H2_WINDOW_UPDATE] = 'w', [H2_PING] = 'i',     [H2_CONTINUATION] = 'c',
};

struct result {
    char found[FOUND];
    size_t handed_on;
};

/* Whether a cut there would be within a head: walked by other means. */
static bool is_within_head(struct str all, size_t cut)
{
    size_t at = PREFACE;
    while (at + HEAD <= cut)
        at += HEAD + (get_u32((const unsigned char *)all.p + at) >> 8);
    return cut > at;
}

/* Nothing behind what has arrived may be looked at: each look gets memory of just that size. What is handed on must be
 * the same octets, one behind the other. */
static bool look(struct h2_scan *scan, struct str all, size_t arrived, struct result *result)
{
    size_t n = arrived - result->handed_on, sound;
    char *copy = malloc(n + H2_SCAN_KEPT), *exact = malloc(n);
    size_t kept = h2_scan_kept(scan, copy);
    cr_assert(kept <= n && memcmp(copy, all.p + result->handed_on, kept) == 0);
    memcpy(exact, all.p + result->handed_on, n);
    struct str rest = {exact, n};
    enum h2_finding found;
    do {
        found = h2_scan(scan, rest, &sound);
        cr_assert_leq(sound, rest.n);
        rest = str_skip(rest, sound);
        result->handed_on += sound;
        cr_assert_not(is_within_head(all, result->handed_on));
        if (found)
            result->found[strlen(result->found)] = found == H2_FOUND_ERROR ? '!' : letters[scan->event];
    } while (found == H2_FOUND_COST);
    if (!found)
        h2_scan_keep(scan, rest);
    free(copy);
    free(exact);
    return !found;
}

static struct result scan_in_pieces(struct str all, size_t piece)
{
    struct result result = {0};
    struct h2_scan scan;
    h2_scan_init(&scan);
    for (size_t arrived = 0; arrived < all.n;) {
        arrived = all.n - arrived < piece ? all.n : arrived + piece;
        if (!look(&scan, all, arrived, &result))
            break;
    }
    return result;
}

struct row {
    const char *name;
    const char *found;
    struct str frames;
};

static void run(const struct row *row)
{
    char all[1024] = START;
    size_t n = sizeof START - 1 + row->frames.n;
    cr_assert_leq(n, sizeof all);
    memcpy(all + sizeof START - 1, row->frames.p, row->frames.n);
    struct result whole = scan_in_pieces((struct str){all, n}, n);
    cr_expect_str_eq(whole.found, row->found, "%s: found \"%s\", not \"%s\"", row->name, whole.found, row->found);
    for (size_t piece = 1; piece < n; piece++) {
        struct result result = scan_in_pieces((struct str){all, n}, piece);
        cr_expect_str_eq(result.found, whole.found, "%s by %zu: \"%s\"", row->name, piece, result.found);
        cr_expect_eq(result.handed_on, whole.handed_on, "%s by %zu: %zu", row->name, piece, result.handed_on);
    }
}

/* ---- frames ---- */

/* Each of one octet, so that a length is below 256, and so is an id. */
#define FRAME(type, flags, id, n) "\0\0" n type flags "\0\0\0" id
#define REQUEST(id) FRAME("\1", "\5", id, "\1") "\x82"
#define CANCEL(id) FRAME("\3", "\0", id, "\4") "\0\0\0\10"
#define PRIORITY_OF(id) FRAME("\2", "\0", id, "\5") "\0\0\0\0\20"
#define UPDATE(octets, n) FRAME("\20", "\0", "\0", n) octets

#define ROW(name, found, frames)                                                                                       \
    {                                                                                                                  \
        name, found, STR_INIT(frames)                                                                                  \
    }

static const struct row refused[] = {
    /* RFC 9113, 5.1.1 */
    ROW("an id below the first one", "!", REQUEST("\5") REQUEST("\3")),
    ROW("an id between two", "!", REQUEST("\1") REQUEST("\5") REQUEST("\3")),
    ROW("an id below one that was cancelled", "r!", REQUEST("\5") CANCEL("\5") REQUEST("\3")),
    ROW("an id far below", "!", REQUEST("\1") REQUEST("\x81") REQUEST("\3")),
    ROW("an id below all, behind trailers", "!", REQUEST("\3") REQUEST("\5") REQUEST("\3") REQUEST("\1")),
    ROW("an id of many octets, and one below it", "!",
        "\0\0\1\1\5\x7f\xff\xff\xff\x82"
        "\0\0\1\1\5\x7f\xff\xff\xfd\x82"),
    ROW("the reserved bit makes no other id", "!", "\0\0\1\1\5\x80\0\0\5\x82" REQUEST("\3")),
    /* 6.3 */
    ROW("PRIORITY on the connection", "!", PRIORITY_OF("\0")),
    ROW("PRIORITY on the connection, with the reserved bit", "!", "\0\0\5\2\0\x80\0\0\0\0\0\0\0\20"),
    ROW("PRIORITY on the connection behind others", "sp!",
        FRAME("\4", "\0", "\0", "\0") PRIORITY_OF("\1") PRIORITY_OF("\0")),
    /* RFC 9218, 7.1 */
    ROW("PRIORITY_UPDATE of stream 0", "!", UPDATE("\0\0\0\0u=1", "\7")),
    ROW("PRIORITY_UPDATE of stream 0, and no more", "!", UPDATE("\0\0\0\0", "\4")),
    ROW("PRIORITY_UPDATE of stream 0 with the reserved bit", "!", UPDATE("\x80\0\0\0u=1", "\7")),
};

Test(h2_scan, refuses)
{
    for (size_t i = 0; i < COUNT(refused); i++)
        run(&refused[i]);
}

static const struct row costly[] = {
    ROW("SETTINGS, and their acknowledgement", "ss", FRAME("\4", "\0", "\0", "\0") FRAME("\4", "\1", "\0", "\0")),
    ROW("PING, and an answer to one", "ii",
        FRAME("\6", "\0", "\0", "\10") "12345678" FRAME("\6", "\1", "\0", "\10") "12345678"),
    ROW("RST_STREAM", "rr", CANCEL("\1") CANCEL("\1")),
    ROW("WINDOW_UPDATE", "w", FRAME("\10", "\0", "\0", "\4") "\0\0\0\1"),
    ROW("CONTINUATION", "cc", REQUEST("\1") FRAME("\11", "\0", "\1", "\0") FRAME("\11", "\4", "\1", "\1") "\x82"),
    ROW("PRIORITY", "p", PRIORITY_OF("\1")),
    ROW("PRIORITY_UPDATE", "p", UPDATE("\0\0\0\1u=1", "\7")),
    ROW("PRIORITY_UPDATE too short to name a stream", "pp", UPDATE("\0\0\0", "\3") UPDATE("", "\0")),
    ROW("PUSH_PROMISE and GOAWAY", "oo", FRAME("\5", "\4", "\1", "\4") "\0\0\0\2" FRAME("\7", "\0", "\0", "\0")),
    ROW("unknown types", "oooo",
        FRAME("\12", "\0", "\0", "\0") FRAME("\17", "\0", "\0", "\1") "x" FRAME("\21", "\0", "\1", "\0")
            FRAME("\xff", "\xff", "\1", "\2") "xy"),
    ROW("DATA of nothing", "d", FRAME("\0", "\0", "\1", "\0")),
    ROW("DATA of nothing, padded, and no room for that", "d", FRAME("\0", "\10", "\1", "\0")),
    ROW("DATA of no padding", "d", FRAME("\0", "\10", "\1", "\1") "\0"),
    ROW("DATA of nothing but padding", "d", FRAME("\0", "\10", "\1", "\4") "\3\0\0\0"),
    ROW("DATA of more padding than there is", "d", FRAME("\0", "\10", "\1", "\2") "\xff\0"),
};

Test(h2_scan, charges)
{
    for (size_t i = 0; i < COUNT(costly); i++)
        run(&costly[i]);
}

static const struct row free_of_charge[] = {
    ROW("nothing", "", ""),
    ROW("half a head", "", "\0\0\0\4\0"),
    ROW("requests", "", REQUEST("\1") REQUEST("\3") REQUEST("\5")),
    ROW("requests that leave ids out", "", REQUEST("\7") REQUEST("\x33") REQUEST("\xff")),
    ROW("trailers", "", REQUEST("\1") REQUEST("\3") REQUEST("\1") REQUEST("\3") REQUEST("\5")),
    ROW("trailers of a request that 63 others have passed", "", REQUEST("\1") REQUEST("\x7f") REQUEST("\1")),
    ROW("an id that was passed long ago", "", REQUEST("\3") REQUEST("\x85") REQUEST("\3") REQUEST("\1")),
    ROW("ids that nghttp2 refuses", "", REQUEST("\5") REQUEST("\2") REQUEST("\0")),
    ROW("content", "", FRAME("\0", "\0", "\1", "\3") "abc" FRAME("\0", "\1", "\1", "\1") "d"),
    ROW("content with padding", "", FRAME("\0", "\10", "\1", "\4") "\2a\0\0"),
    ROW("the end, without content", "", FRAME("\0", "\1", "\1", "\0") FRAME("\0", "\11", "\1", "\2") "\1\0"),
    ROW("content that looks like a frame", "", FRAME("\0", "\0", "\1", "\16") PRIORITY_OF("\0")),
    ROW("a frame of all octets that a length can say", "", "\xff\xff\xff\0\0\0\0\0\1" PRIORITY_OF("\0")),
};

Test(h2_scan, lets_pass)
{
    for (size_t i = 0; i < COUNT(free_of_charge); i++)
        run(&free_of_charge[i]);
}

/* Which ids are remembered, is counted in requests; the same found by a plain array. */
Test(h2_scan, remembers_ids)
{
    enum { IDS = 4096, ROUNDS = 20000 };
    static bool used[IDS];
    struct h2_scan scan = {0};
    uint32_t next = 0;
    srand(1);
    for (int i = 0; i < ROUNDS && next < IDS - 128; i++) {
        uint32_t back = (uint32_t)rand() % 96, on = rand() % 8 ? 0 : (uint32_t)rand() % 80;
        uint32_t half = rand() % 2 && back < next ? next - 1 - back : next + on;
        const char head[] = {0, 0, 0, HEADERS, 5, 0, 0, (char)(half >> 7), (char)(half << 1 | 1)};
        size_t sound;
        enum h2_finding found = h2_scan(&scan, (struct str){head, sizeof head}, &sound);
        bool wrong = half < next && next - 1 - half < REMEMBERED && !used[half];
        cr_assert_eq(found == H2_FOUND_ERROR, wrong, "%u below %u", half, next);
        if (found)
            scan.left = 0;
        else
            used[half] = true;
        next = half < next ? next : half + 1;
    }
    cr_assert_gt(next, 1000);
}
