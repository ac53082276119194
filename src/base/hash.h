/* hash.h: a chained hash map whose nodes live in their owners, keyed by bytes.
 *
 * Keys that a peer chooses must not be able to meet in one chain, so each map hashes with a random key of its own,
 * by SipHash-1-3 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012). The table doubles when there are
 * more nodes than chains; when memory for that is out, the chains just become longer.
 *
 * The map owns its table only. A node and the bytes of its key are its owner's, and stay unchanged while it is in.
 */
#ifndef TERN_BASE_HASH_H
#define TERN_BASE_HASH_H

#include "base/str.h"

struct hash_node {
    struct hash_node *next; /* in its chain */
    uint64_t hash;          /* of the key */
    struct str key;
};

struct hash {
    struct hash_node **chains;
    size_t mask;      /* number of chains - 1; they are a power of two */
    size_t count;     /* nodes */
    uint64_t seed[2]; /* SipHash's key */
};

/* An empty map, made for `expected` nodes. 0, -ENOMEM, or what getrandom() failed with. */
int hash_init(struct hash *h, size_t expected) __attribute__((warn_unused_result));

/* Gives the table back; the nodes are their owners'. The map is as good as never initialised. */
void hash_free(struct hash *h);

/* The hash of a key in this map; another map has another. */
uint64_t hash_of(const struct hash *h, struct str key) __attribute__((pure));

/* The node with this key, or NULL. */
struct hash_node *hash_find(const struct hash *h, struct str key) __attribute__((pure));

/* The same for a caller who has called hash_of() already. */
struct hash_node *hash_find_hashed(const struct hash *h, uint64_t hash, struct str key) __attribute__((pure));

/* Puts a node in, by its key. 0, or -EEXIST when there is one with that key (then nothing is changed). */
int hash_insert(struct hash *h, struct hash_node *node) __attribute__((warn_unused_result));

/* Takes a node out; one that is not in the map is left alone. */
void hash_remove(struct hash *h, struct hash_node *node);

/* Any node, and the one after it; NULL at the end. For hash_each(). */
struct hash_node *hash_first(const struct hash *h);
struct hash_node *hash_next(const struct hash *h, const struct hash_node *node);

/* Walks all nodes in no particular order; `tmp` lets the body remove `node`. Not while nodes are inserted. */
#define hash_each(node, tmp, h)                                                                                        \
    for (struct hash_node *node = hash_first(h), *tmp = node ? hash_next(h, node) : NULL; node;                        \
         node = tmp, tmp = node ? hash_next(h, node) : NULL)

/* Whether every invariant holds; for tests. */
bool hash_check(const struct hash *h);

#endif
