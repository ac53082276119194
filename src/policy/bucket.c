/* bucket.c: see bucket.h. */
#include "policy/bucket.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/mman.h>

/* What a slot's key may be that no client's is. */
enum { NOBODY, IN_TRANSIT, FIRST_KEY };

struct bucket_slot {
    _Atomic uint64_t key;
    _Atomic nsec due; /* when the next request of this client is */
};

struct bucket_set {
    _Alignas(128) struct bucket_slot slots[BUCKET_SET];
};

_Static_assert(sizeof(struct bucket_set) == 128, "a set is two cache lines");
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "processes cannot share a lock of the compiler's");

int bucket_table_make(struct bucket_table *table, size_t clients)
{
    size_t sets = 1;
    while (sets * BUCKET_SET < clients && sets <= SIZE_MAX / 2 / sizeof(struct bucket_set))
        sets *= 2;
    size_t size = sets * sizeof(struct bucket_set);
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return -ENOMEM;
    *table = (struct bucket_table){memory, sets - 1};
    return 0;
}

void bucket_table_free(struct bucket_table *table)
{
    munmap(table->sets, (table->mask + 1) * sizeof(struct bucket_set));
    *table = (struct bucket_table){.sets = NULL};
}

/* The client's slot, which may have become so because it was nobody's; NULL: all are others'. No slot becomes nobody's
 * again, so none of the client's is behind one. */
static struct bucket_slot *find_slot(struct bucket_set *set, uint64_t key)
{
    for (size_t i = 0; i < BUCKET_SET; i++) {
        uint64_t found = atomic_load(&set->slots[i].key);
        if (found == NOBODY && atomic_compare_exchange_strong(&set->slots[i].key, &found, key))
            return &set->slots[i];
        if (found == key)
            return &set->slots[i];
    }
    return NULL;
}

/* Makes the slot of the client who is due soonest another's, who starts afresh. While it is in transit neither of them
 * finds it, so nobody answers for what another one did. NULL: somebody else was faster. */
static struct bucket_slot *take_over(struct bucket_set *set, uint64_t key, nsec now)
{
    struct bucket_slot *soonest = &set->slots[0];
    for (size_t i = 1; i < BUCKET_SET; i++)
        if (atomic_load(&set->slots[i].due) < atomic_load(&soonest->due))
            soonest = &set->slots[i];
    uint64_t owner = atomic_load(&soonest->key), transit = IN_TRANSIT;
    if (!atomic_compare_exchange_strong(&soonest->key, &owner, IN_TRANSIT))
        return NULL;
    atomic_store(&soonest->due, now);
    return atomic_compare_exchange_strong(&soonest->key, &transit, key) ? soonest : NULL;
}

static struct bucket_slot *slot_of(struct bucket_set *set, uint64_t key, nsec now)
{
    struct bucket_slot *slot;
    do {
        slot = find_slot(set, key);
        if (!slot)
            slot = take_over(set, key, now);
    } while (!slot);
    return slot;
}

nsec bucket_take(const struct bucket_table *table, uint64_t key, const struct bucket_rate *rate, nsec now)
{
    key += key < FIRST_KEY ? FIRST_KEY : 0;
    struct bucket_set *set = &table->sets[key & table->mask];
    nsec earliness = rate->interval * (rate->burst - 1);
    for (;;) {
        struct bucket_slot *slot = slot_of(set, key, now);
        nsec due = atomic_load(&slot->due);
        if (atomic_load(&slot->key) != key)
            continue; /* looked at in this order, the due time is the client's, or will be seen to have changed */
        if (due - earliness > now)
            return due - earliness - now;
        nsec next = (due > now ? due : now) + rate->interval;
        if (atomic_compare_exchange_strong(&slot->due, &due, next))
            return 0;
    }
}
