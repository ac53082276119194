/* tls_tickets.c: see tls_tickets.h. */
#include "net/tls_tickets.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

enum {
    OPENING = 3,        /* keys that open: the one that seals, and the two before it */
    SLOTS = OPENING + 1 /* and one that nobody reads any more, where the next one is made */
};

/* One writer, the master; its workers read. A key is complete before `made` says that it is there. */
struct tls_tickets {
    uint32_t made; /* keys so far: the newest one is in slot (made - 1) % SLOTS */
    struct tls_ticket_key keys[SLOTS];
};

static struct tls_tickets *shared;

static uint32_t keys_made(void)
{
    return shared ? __atomic_load_n(&shared->made, __ATOMIC_ACQUIRE) : 0;
}

int tls_tickets_rotate(void)
{
    if (!shared)
        return -ENOMEM;
    uint32_t made = keys_made();
    struct tls_ticket_key *key = &shared->keys[made % SLOTS];
    ssize_t got = getrandom(key, sizeof *key, 0);
    if (got != (ssize_t)sizeof *key)
        return got < 0 ? -errno : -EIO;
    __atomic_store_n(&shared->made, made + 1, __ATOMIC_RELEASE);
    return 0;
}

int tls_tickets_open(void)
{
    void *memory = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return -errno;
    (void)!madvise(memory, sizeof *shared, MADV_DONTDUMP); /* a kernel that can't do it dumps more */
    shared = memory;
    int error = tls_tickets_rotate();
    if (error)
        tls_tickets_close();
    return error;
}

bool tls_tickets_newest(struct tls_ticket_key *key)
{
    uint32_t made = keys_made();
    if (made)
        *key = shared->keys[(made - 1) % SLOTS];
    return made > 0;
}

bool tls_tickets_find(const unsigned char name[static TLS_TICKET_NAME], struct tls_ticket_key *key, bool *old)
{
    uint32_t made = keys_made(), last = made < OPENING ? 0 : made - OPENING;
    for (uint32_t i = made; i > last; i--) {
        *key = shared->keys[(i - 1) % SLOTS];
        *old = i != made;
        if (memcmp(key->name, name, TLS_TICKET_NAME) == 0)
            return true;
    }
    return false;
}

void tls_tickets_close(void)
{
    if (shared)
        munmap(shared, sizeof *shared);
    shared = NULL;
}
