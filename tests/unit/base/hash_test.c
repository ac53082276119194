/* hash_test.c: SipHash-1-3 against known values, and a map against an array that knows what is in it. */
#include "base/hash.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { ITEMS = 5000 };

struct item {
    struct hash_node node;
    char name[24];
    bool in;
};

static struct hash map;
static struct item items[ITEMS];

static void setup(void)
{
    cr_assert_eq(hash_init(&map, 0), 0);
    for (int i = 0; i < ITEMS; i++)
        items[i].node.key = (struct str){items[i].name, (size_t)sprintf(items[i].name, "/file/%d.html", i)};
}

static void teardown(void)
{
    hash_free(&map);
}

TestSuite(hash, .init = setup, .fini = teardown);

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

static bool out_of_memory;

void *__wrap_calloc(size_t count, size_t size)
{
    return out_of_memory ? NULL : __real_calloc(count, size);
}

static void insert(int i)
{
    cr_assert_eq(hash_insert(&map, &items[i].node), items[i].in ? -EEXIST : 0);
    items[i].in = true;
}

static void take_out(int i)
{
    hash_remove(&map, &items[i].node);
    items[i].in = false;
}

/* Key 00 01 .. 0f, input 00 01 .. n-1; from another implementation, which agrees with the paper on SipHash-2-4. */
static const uint64_t siphash_1_3[] = {
    0xabac0158050fc4dc, 0xc9f49bf37d57ca93, 0x82cb9b024dc7d44d, 0x8bf80ab8e7ddf7fb, 0xcf75576088d38328,
    0xdef9d52f49533b67, 0xc50d2b50c59f22a7, 0xd3927d989bb11140, 0x369095118d299a8e, 0x25a48eb36c063de4,
    0x79de85ee92ff097f, 0x70c118c1f94dc352, 0x78a384b157b4d9a2, 0x306f760c1229ffa7, 0x605aa111c0f95d34,
    0xd320d86d2a519956, 0xcc4fdd1a7d908b66, 0x9cf2689063dbd80c, 0x8ffc389cb473e63e, 0xf21f9de58d297d1c,
    0xc0dc2f46a6cce040, 0xb992abfe2b45f844, 0x7ffe7b9ba320872e, 0x525a0e7fdae6c123,
};

Test(hash, siphash_1_3)
{
    map.seed[0] = 0x0706050403020100;
    map.seed[1] = 0x0f0e0d0c0b0a0908;
    for (size_t n = 0; n < sizeof siphash_1_3 / sizeof *siphash_1_3; n++) {
        char *input = malloc(n + 1);
        cr_assert_not_null(input);
        for (size_t i = 0; i < n; i++)
            input[i] = (char)i;
        cr_expect_eq(hash_of(&map, (struct str){input, n}), siphash_1_3[n], "%zu bytes", n);
        free(input);
    }
}

Test(hash, each_map_has_a_seed_of_its_own)
{
    struct hash other;
    cr_assert_eq(hash_init(&other, 0), 0);
    cr_expect_neq(hash_of(&map, STR("key")), hash_of(&other, STR("key")));
    hash_free(&other);
}

Test(hash, what_is_not_there_is_not_found)
{
    cr_expect_null(hash_find(&map, STR("")));
    cr_expect_null(hash_find(&map, (struct str){NULL, 0}));
    cr_expect_null(hash_first(&map));
    insert(1);
    cr_expect_null(hash_find(&map, STR("/file/1.htm")));
    cr_expect_null(hash_find(&map, STR("/file/2.html")));
    cr_expect_null(hash_find_hashed(&map, items[1].node.hash, STR("another key of the same hash")));
    hash_remove(&map, &items[2].node);
    cr_expect_eq(map.count, 1);
    cr_expect(hash_check(&map));
}

Test(hash, refuses_a_second_node_with_the_same_key)
{
    struct item twin = {.node.key = items[1].node.key};
    insert(1);
    cr_expect_eq(hash_insert(&map, &twin.node), -EEXIST);
    cr_expect_eq(hash_insert(&map, &items[1].node), -EEXIST);
    cr_expect_eq(hash_find(&map, items[1].node.key), &items[1].node);
    cr_expect_eq(map.count, 1);
}

Test(hash, an_empty_key_and_one_with_a_nul_are_keys)
{
    struct hash_node empty = {.key = {NULL, 0}}, nul = {.key = STR_INIT("a\0b")}, other = {.key = STR_INIT("a\0c")};
    cr_assert_eq(hash_insert(&map, &empty), 0);
    cr_assert_eq(hash_insert(&map, &nul), 0);
    cr_assert_eq(hash_insert(&map, &other), 0);
    cr_expect_eq(hash_find(&map, STR("")), &empty);
    cr_expect_eq(hash_find(&map, STR("a\0b")), &nul);
}

Test(hash, finds_all_through_growth)
{
    for (int i = 0; i < ITEMS; i++)
        insert(i);
    cr_expect_eq(map.count, ITEMS);
    cr_expect_geq(map.mask + 1, ITEMS, "no more nodes than chains");
    cr_expect(hash_check(&map));
    for (int i = 0; i < ITEMS; i++) {
        cr_assert_eq(hash_find(&map, items[i].node.key), &items[i].node);
        cr_assert_eq(hash_find_hashed(&map, hash_of(&map, items[i].node.key), items[i].node.key), &items[i].node);
    }
}

Test(hash, without_memory_chains_become_longer)
{
    struct hash other;
    size_t mask = map.mask;
    out_of_memory = true;
    cr_expect_eq(hash_init(&other, 0), -ENOMEM);
    hash_free(&other);
    for (int i = 0; i < 1000; i++)
        insert(i);
    cr_expect_eq(map.mask, mask);
    cr_expect_eq(map.count, 1000);
    cr_expect(hash_check(&map));
    out_of_memory = false;
    insert(1000);
    cr_expect_gt(map.mask, mask);
    cr_expect(hash_check(&map));
}

Test(hash, made_for_as_many_it_does_not_grow)
{
    struct hash large;
    cr_assert_eq(hash_init(&large, ITEMS), 0);
    size_t mask = large.mask;
    for (int i = 0; i < ITEMS; i++)
        cr_assert_eq(hash_insert(&large, &items[i].node), 0);
    cr_expect_eq(large.mask, mask);
    hash_free(&large);
}

Test(hash, spreads_similar_keys)
{
    for (int i = 0; i < ITEMS; i++)
        insert(i);
    for (size_t chain = 0; chain <= map.mask; chain++) {
        int length = 0;
        for (struct hash_node *node = map.chains[chain]; node; node = node->next)
            length++;
        cr_assert_lt(length, 14);
    }
}

Test(hash, the_body_of_a_walk_may_remove)
{
    for (int i = 0; i < ITEMS; i++)
        insert(i);
    int visits = 0;
    hash_each (node, next, &map) {
        visits++;
        if (visits % 3)
            take_out((int)((struct item *)node - items));
    }
    cr_expect_eq(visits, ITEMS);
    cr_expect_eq(map.count, ITEMS / 3);
    cr_expect(hash_check(&map));
    for (int i = 0; i < ITEMS; i++)
        cr_assert_eq(hash_find(&map, items[i].node.key) != NULL, items[i].in);
}

Test(hash, random_operations_agree_with_the_model)
{
    srand(3);
    for (int step = 0; step < 50000; step++) {
        int i = rand() % 200;
        if (rand() % 2)
            insert(i);
        else
            take_out(i);
        cr_assert_eq(hash_find(&map, items[i].node.key) != NULL, items[i].in);
        if (step % 100 == 0)
            cr_assert(hash_check(&map));
    }
}

Test(hash, check_sees_a_changed_key)
{
    insert(1);
    cr_assert(hash_check(&map));
    items[1].name[0] = '!';
    cr_expect_not(hash_check(&map));
}
