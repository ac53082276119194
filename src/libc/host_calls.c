/* host_calls.c: gethostbyname() and its relatives, which old libraries still call. */
#include <errno.h>
#include <stdlib.h>

#include "base/list.h"
#include "libc/lookup.h"
#include "libc/numeric.h"
#include "libc/real.h"

/* What is asked, and by which of libc's calls. */
struct question {
    void (*run)(struct lookup *lookup);
    const void *key; /* a name or an address */
    socklen_t size;  /* of an address */
    int family;
};

/* Where the answer goes: the calls with _r are given that. */
struct place {
    struct hostent *host;
    char *room; /* for what *host points to */
    size_t n;
    struct hostent **found;
    int *h_error;
};

struct host_lookup {
    struct lookup lookup;
    struct question question;
    struct place place;
    int result; /* 0, or an errno */
};

static struct host_lookup *of(struct lookup *lookup)
{
    return container_of(lookup, struct host_lookup, lookup);
}

static void by_name(struct lookup *lookup)
{
    const struct place *p = &of(lookup)->place;
    of(lookup)->result = real_gethostbyname_r(of(lookup)->question.key, p->host, p->room, p->n, p->found, p->h_error);
}

static void by_name_of_family(struct lookup *lookup)
{
    const struct question *q = &of(lookup)->question;
    const struct place *p = &of(lookup)->place;
    of(lookup)->result = real_gethostbyname2_r(q->key, q->family, p->host, p->room, p->n, p->found, p->h_error);
}

static void by_address(struct lookup *lookup)
{
    const struct question *q = &of(lookup)->question;
    const struct place *p = &of(lookup)->place;
    of(lookup)->result = real_gethostbyaddr_r(q->key, q->size, q->family, p->host, p->room, p->n, p->found, p->h_error);
}

/* Returns what the calls with _r do: 0 or an errno, which is in errno, too. */
static int look_up(struct question question, struct place place)
{
    int before = errno;
    struct host_lookup l = {.lookup.run = question.run, .question = question, .place = place};
    int error = lookup_run(&l.lookup, question.run != by_address && is_address(question.key));
    if (error) {
        *place.found = NULL;
        *place.h_error = NETDB_INTERNAL;
        l.result = -error;
    }
    errno = error ? -error : *place.found ? before : l.lookup.error;
    return l.result;
}

/* ---- into the caller's memory ---- */

int gethostbyname_r(const char *name, struct hostent *host, char *room, size_t n, struct hostent **found, int *error)
{
    if (!green_here())
        return real_gethostbyname_r(name, host, room, n, found, error);
    return look_up((struct question){by_name, .key = name}, (struct place){host, room, n, found, error});
}

int gethostbyname2_r(const char *name, int family, struct hostent *host, char *room, size_t n, struct hostent **found,
                     int *error)
{
    if (!green_here())
        return real_gethostbyname2_r(name, family, host, room, n, found, error);
    return look_up((struct question){by_name_of_family, .key = name, .family = family},
                   (struct place){host, room, n, found, error});
}

int gethostbyaddr_r(const void *address, socklen_t size, int family, struct hostent *host, char *room, size_t n,
                    struct hostent **found, int *error)
{
    if (!green_here())
        return real_gethostbyaddr_r(address, size, family, host, room, n, found, error);
    return look_up((struct question){by_address, address, size, family}, (struct place){host, room, n, found, error});
}

/* ---- into memory of ours, which the next answer replaces ---- */

enum { FIRST_ROOM = 1024 };

/* Looks up with as much room as it takes, which is the caller's to free. */
static char *look_up_with_room(struct question question, struct place place)
{
    for (size_t n = FIRST_ROOM;; n *= 2) {
        place.n = n;
        place.room = malloc(n);
        if (place.room && look_up(question, place) != ERANGE)
            return place.room;
        free(place.room);
        if (!place.room) {
            *place.found = NULL;
            *place.h_error = NETDB_INTERNAL;
            return NULL;
        }
    }
}

static struct hostent *answer(struct question question)
{
    static struct hostent kept;
    static char *kept_room;
    struct hostent host, *found = NULL;
    int h_error = 0;
    char *room = look_up_with_room(question, (struct place){.host = &host, .found = &found, .h_error = &h_error});
    if (!found) {
        free(room);
        h_errno = h_error;
        return NULL;
    }
    free(kept_room);
    kept_room = room;
    kept = host;
    return &kept;
}

struct hostent *gethostbyname(const char *name)
{
    return green_here() ? answer((struct question){by_name, .key = name}) : real_gethostbyname(name);
}

struct hostent *gethostbyname2(const char *name, int family)
{
    if (!green_here())
        return real_gethostbyname2(name, family);
    return answer((struct question){by_name_of_family, .key = name, .family = family});
}

struct hostent *gethostbyaddr(const void *address, socklen_t size, int family)
{
    if (!green_here())
        return real_gethostbyaddr(address, size, family);
    return answer((struct question){by_address, address, size, family});
}
