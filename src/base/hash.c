/* hash.c: see hash.h. */
#include "base/hash.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

enum { CHAINS_MIN = 8 };

/* SipHash's state, by the names of the paper. */
struct sip {
    uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotate(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static inline void sip_round(struct sip *s)
{
    s->v0 += s->v1;
    s->v2 += s->v3;
    s->v1 = rotate(s->v1, 13) ^ s->v0;
    s->v3 = rotate(s->v3, 16) ^ s->v2;
    s->v0 = rotate(s->v0, 32);
    s->v2 += s->v1;
    s->v0 += s->v3;
    s->v1 = rotate(s->v1, 17) ^ s->v2;
    s->v3 = rotate(s->v3, 21) ^ s->v0;
    s->v2 = rotate(s->v2, 32);
}

static inline void sip_compress(struct sip *s, uint64_t word)
{
    s->v3 ^= word;
    sip_round(s);
    s->v0 ^= word;
}

static inline uint64_t load64(const char *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return le64toh(word);
}

static inline uint64_t load32(const char *p)
{
    uint32_t word;
    memcpy(&word, p, sizeof word);
    return le32toh(word);
}

static inline uint64_t load8(const char *p)
{
    return (unsigned char)*p;
}

/* The last n % 8 bytes as a little-endian number, without a loop: loads may overlap, but never leave the key. */
static inline uint64_t load_tail(struct str key)
{
    size_t n = key.n % 8;
    if (n == 0)
        return 0;
    if (key.n >= 8)
        return load64(key.p + key.n - 8) >> (64 - 8 * n);
    if (n >= 4)
        return load32(key.p) | load32(key.p + n - 4) << 8 * (n - 4);
    return load8(key.p) | load8(key.p + n / 2) << 8 * (n / 2) | load8(key.p + n - 1) << 8 * (n - 1);
}

uint64_t hash_of(const struct hash *h, struct str key)
{
    struct sip s = {
        h->seed[0] ^ 0x736f6d6570736575,
        h->seed[1] ^ 0x646f72616e646f6d,
        h->seed[0] ^ 0x6c7967656e657261,
        h->seed[1] ^ 0x7465646279746573,
    };
    for (size_t i = 0; i + 8 <= key.n; i += 8)
        sip_compress(&s, load64(key.p + i));
    sip_compress(&s, (uint64_t)key.n << 56 | load_tail(key));
    s.v2 ^= 0xff;
    sip_round(&s);
    sip_round(&s);
    sip_round(&s);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

static size_t chains_for(size_t nodes)
{
    size_t chains = CHAINS_MIN;
    while (chains < nodes && chains <= SIZE_MAX / 2 / sizeof(struct hash_node *))
        chains *= 2;
    return chains;
}

int hash_init(struct hash *h, size_t expected)
{
    size_t chains = chains_for(expected);
    *h = (struct hash){.mask = chains - 1};
    if (getrandom(h->seed, sizeof h->seed, 0) != sizeof h->seed)
        return -errno;
    h->chains = calloc(chains, sizeof(struct hash_node *));
    return h->chains ? 0 : -ENOMEM;
}

void hash_free(struct hash *h)
{
    free(h->chains);
    *h = (struct hash){.chains = NULL};
}

static struct hash_node **chain_of(const struct hash *h, uint64_t hash)
{
    return &h->chains[hash & h->mask];
}

struct hash_node *hash_find_hashed(const struct hash *h, uint64_t hash, struct str key)
{
    struct hash_node *node = *chain_of(h, hash);
    while (node && (node->hash != hash || !str_eq(node->key, key)))
        node = node->next;
    return node;
}

struct hash_node *hash_find(const struct hash *h, struct str key)
{
    return hash_find_hashed(h, hash_of(h, key), key);
}

static void link_node(struct hash *h, struct hash_node *node)
{
    struct hash_node **chain = chain_of(h, node->hash);
    node->next = *chain;
    *chain = node;
}

/* Twice as many chains, if there is memory for them. */
static void grow(struct hash *h)
{
    struct hash old = *h;
    size_t chains = 2 * (h->mask + 1);
    struct hash_node **table = calloc(chains, sizeof *table);
    if (!table)
        return;
    h->chains = table;
    h->mask = chains - 1;
    for (size_t i = 0; i <= old.mask; i++) {
        for (struct hash_node *node = old.chains[i], *next; node; node = next) {
            next = node->next;
            link_node(h, node);
        }
    }
    free(old.chains);
}

int hash_insert(struct hash *h, struct hash_node *node)
{
    node->hash = hash_of(h, node->key);
    if (hash_find_hashed(h, node->hash, node->key))
        return -EEXIST;
    if (h->count > h->mask)
        grow(h);
    link_node(h, node);
    h->count++;
    return 0;
}

void hash_remove(struct hash *h, struct hash_node *node)
{
    struct hash_node **link = chain_of(h, node->hash);
    while (*link && *link != node)
        link = &(*link)->next;
    if (!*link)
        return;
    *link = node->next;
    h->count--;
}

/* The first node in this chain or a later one. */
static struct hash_node *first_from(const struct hash *h, size_t chain)
{
    if (!h->chains) /* never initialised, or freed: as good as empty */
        return NULL;
    while (chain <= h->mask && !h->chains[chain])
        chain++;
    return chain <= h->mask ? h->chains[chain] : NULL;
}

struct hash_node *hash_first(const struct hash *h)
{
    return first_from(h, 0);
}

struct hash_node *hash_next(const struct hash *h, const struct hash_node *node)
{
    return node->next ? node->next : first_from(h, (node->hash & h->mask) + 1);
}

bool hash_check(const struct hash *h)
{
    size_t count = 0;
    for (size_t i = 0; i <= h->mask; i++) {
        for (struct hash_node *node = h->chains[i]; node; node = node->next, count++) {
            bool placed = node->hash == hash_of(h, node->key) && (node->hash & h->mask) == i;
            if (!placed || hash_find_hashed(h, node->hash, node->key) != node)
                return false;
        }
    }
    return count == h->count;
}
