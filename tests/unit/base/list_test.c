/* list_test.c: intrusive circular lists. */
#include "base/list.h"

#include <criterion/criterion.h>

struct item {
    int number;
    struct list link;
};

enum { ITEMS = 4 };

static struct item items[ITEMS];
static struct list head;

static void setup(void)
{
    list_init(&head);
    for (int i = 0; i < ITEMS; i++) {
        items[i].number = i;
        list_init(&items[i].link);
    }
}

/* The numbers in the list, as the digits of a decimal one; both ways round. */
static int forwards(void)
{
    int digits = 0;
    list_each (l, next, &head)
        digits = digits * 10 + container_of(l, struct item, link)->number;
    return digits;
}

static int backwards(void)
{
    int digits = 0;
    for (struct list *l = head.prev; l != &head; l = l->prev)
        digits = digits * 10 + container_of(l, struct item, link)->number;
    return digits;
}

TestSuite(list, .init = setup);

Test(list, an_empty_list_has_no_first)
{
    struct list other = LIST_INIT(other);
    cr_expect(list_empty(&head));
    cr_expect(list_empty(&other));
    cr_expect_null(list_pop_front(&head));
    list_each (l, next, &head)
        cr_expect(false, "a member of an empty list");
}

Test(list, unlinking_twice_is_harmless)
{
    list_push_back(&head, &items[1].link);
    list_push_back(&head, &items[2].link);
    list_unlink(&items[1].link);
    list_unlink(&items[1].link);
    cr_expect(list_empty(&items[1].link));
    cr_expect_eq(forwards(), 2);
    cr_expect_eq(backwards(), 2);
}

Test(list, keeps_its_order_both_ways)
{
    list_push_back(&head, &items[2].link);
    list_push_front(&head, &items[1].link);
    list_push_back(&head, &items[3].link);
    cr_expect_eq(forwards(), 123);
    cr_expect_eq(backwards(), 321);
    list_unlink(&items[2].link);
    cr_expect_eq(forwards(), 13);
    cr_expect_eq(backwards(), 31);
    list_insert_before(&items[3].link, &items[2].link);
    cr_expect_eq(forwards(), 123);
    cr_expect_eq(backwards(), 321);
}

Test(list, pops_from_the_front)
{
    list_push_back(&head, &items[1].link);
    list_push_back(&head, &items[2].link);
    cr_expect_eq(list_pop_front(&head), &items[1].link);
    cr_expect(list_empty(&items[1].link));
    cr_expect_eq(list_pop_front(&head), &items[2].link);
    cr_expect_null(list_pop_front(&head));
    cr_expect(list_empty(&head));
}

Test(list, the_body_of_a_walk_may_unlink)
{
    for (int i = 1; i < ITEMS; i++)
        list_push_back(&head, &items[i].link);
    list_each (l, next, &head)
        if (container_of(l, struct item, link)->number != 2)
            list_unlink(l);
    cr_expect_eq(forwards(), 2);
    cr_expect_eq(backwards(), 2);
}
