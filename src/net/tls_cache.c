/* tls_cache.c: see tls_cache.h. */
#include "net/tls_cache.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

enum {
    WAYS = 4, /* places that an id may be in, next to each other */
    ROWS = 1024,
};

struct place {
    uint32_t version; /* odd while somebody writes */
    uint16_t id_size, size;
    nsec until;
    char id[TLS_SESSION_ID];
    char session[TLS_SESSION_SIZE];
};

_Static_assert(sizeof(struct place) % 64 == 0, "no two places share a cache line");

static struct place (*rows)[WAYS];

int tls_cache_open(void)
{
    size_t size = ROWS * sizeof *rows;
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return -errno;
    (void)!madvise(memory, size, MADV_DONTDUMP); /* a kernel that can't do it dumps more */
    rows = memory;
    return 0;
}

void tls_cache_close(void)
{
    if (rows)
        munmap(rows, ROWS * sizeof *rows);
    rows = NULL;
}

/* The places of an id; NULL: it can't be kept. */
static struct place *row_of(struct str id)
{
    uint32_t hash;
    if (!rows || id.n < sizeof hash || id.n > TLS_SESSION_ID)
        return NULL;
    memcpy(&hash, id.p, sizeof hash);
    return rows[hash % ROWS];
}

/* Two that have read the same version can't both become its writer. Nobody sees what is written without seeing first
 * that somebody writes. */
static bool begin_write(struct place *place, uint32_t *version)
{
    *version = __atomic_load_n(&place->version, __ATOMIC_RELAXED);
    bool mine = *version % 2 == 0 && __atomic_compare_exchange_n(&place->version, version, *version + 1, false,
                                                                 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    return mine;
}

static void end_write(struct place *place, uint32_t version)
{
    __atomic_store_n(&place->version, version + 2, __ATOMIC_RELEASE);
}

static bool has_id(const struct place *place, struct str id)
{
    return place->id_size == id.n && memcmp(place->id, id.p, id.n) == 0;
}

/* The place where the id is already, else the one that is or will be free first. */
static struct place *choose(struct place *row, struct str id)
{
    struct place *oldest = row;
    for (struct place *place = row; place < row + WAYS; place++) {
        if (has_id(place, id))
            return place;
        if (place->until < oldest->until)
            oldest = place;
    }
    return oldest;
}

void tls_cache_put(struct str id, struct str session, nsec until)
{
    struct place *row = row_of(id), *place = row ? choose(row, id) : NULL;
    uint32_t version;
    if (!place || session.n > TLS_SESSION_SIZE || !begin_write(place, &version))
        return;
    place->until = until;
    place->id_size = (uint16_t)id.n;
    place->size = (uint16_t)session.n;
    memcpy(place->id, id.p, id.n);
    memcpy(place->session, session.p, session.n);
    end_write(place, version);
}

/* What another process wrote meanwhile makes nonsense of a copy, but of nothing else: sizes are looked at once. */
static size_t read_place(const struct place *place, struct str id, char *to)
{
    uint32_t version = __atomic_load_n(&place->version, __ATOMIC_ACQUIRE);
    size_t size = __atomic_load_n(&place->size, __ATOMIC_RELAXED);
    if (version % 2 || size > TLS_SESSION_SIZE || !has_id(place, id) || place->until <= clock_monotonic())
        return 0;
    memcpy(to, place->session, size);
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return __atomic_load_n(&place->version, __ATOMIC_RELAXED) == version ? size : 0;
}

size_t tls_cache_get(struct str id, char to[static TLS_SESSION_SIZE])
{
    const struct place *row = row_of(id);
    size_t size = 0;
    for (size_t way = 0; row && way < WAYS && !size; way++)
        size = read_place(&row[way], id, to);
    return size;
}

void tls_cache_remove(struct str id)
{
    struct place *row = row_of(id);
    for (struct place *place = row; row && place < row + WAYS; place++) {
        uint32_t version;
        if (!has_id(place, id) || !begin_write(place, &version))
            continue;
        place->id_size = 0;
        place->until = 0;
        end_write(place, version);
    }
}
