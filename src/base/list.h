/* list.h: a circular doubly linked list whose links live in its members.
 *
 * The head is a link too: an empty list points to itself, and unlinking never needs to know the head.
 * A member that is in no list points to itself as well, so unlinking twice is harmless.
 */
#ifndef TERN_BASE_LIST_H
#define TERN_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *next, *prev;
};

/* clang-format off */
#define LIST_INIT(name) {&(name), &(name)}
/* clang-format on */

/* The structure of the given type that holds `member` at this address. */
#define container_of(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

static inline void list_init(struct list *l)
{
    l->next = l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
    return l->next == l;
}

static inline void list_insert_before(struct list *at, struct list *l)
{
    l->prev = at->prev;
    l->next = at;
    at->prev->next = l;
    at->prev = l;
}

static inline void list_push_back(struct list *head, struct list *l)
{
    list_insert_before(head, l);
}

static inline void list_push_front(struct list *head, struct list *l)
{
    list_insert_before(head->next, l);
}

static inline void list_unlink(struct list *l)
{
    l->prev->next = l->next;
    l->next->prev = l->prev;
    list_init(l);
}

/* The first member, unlinked, or NULL. */
static inline struct list *list_pop_front(struct list *head)
{
    struct list *first = head->next;
    if (first == head)
        return NULL;
    list_unlink(first);
    return first;
}

/* Walks a list; `next` lets the body unlink `l`. */
#define list_each(l, tmp, head) for (struct list *l = (head)->next, *tmp = l->next; l != (head); l = tmp, tmp = l->next)

#endif
