/* names.c: see names.h. Lookups come from the threads of the pool. */
#include "names.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

int __real_getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **list);
int __wrap_getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **list);

static struct {
    pthread_mutex_t lock;
    pthread_cond_t passing;
    const struct name *table;
    bool held;
    size_t asked, now, at_once;
} names = {.lock = PTHREAD_MUTEX_INITIALIZER, .passing = PTHREAD_COND_INITIALIZER};

void names_are(const struct name *table)
{
    names.table = table;
}

static void set_held(bool held)
{
    pthread_mutex_lock(&names.lock);
    names.held = held;
    pthread_cond_broadcast(&names.passing);
    pthread_mutex_unlock(&names.lock);
}

void names_hold(void)
{
    set_held(true);
}

void names_pass(void)
{
    set_held(false);
}

static size_t read_count(const size_t *count)
{
    pthread_mutex_lock(&names.lock);
    size_t value = *count;
    pthread_mutex_unlock(&names.lock);
    return value;
}

size_t names_asked(void)
{
    return read_count(&names.asked);
}

size_t names_at_once(void)
{
    return read_count(&names.at_once);
}

static void wait_to_pass(void)
{
    pthread_mutex_lock(&names.lock);
    names.asked++;
    if (++names.now > names.at_once)
        names.at_once = names.now;
    while (names.held)
        pthread_cond_wait(&names.passing, &names.lock);
    names.now--;
    pthread_mutex_unlock(&names.lock);
}

static const struct name *find(const char *name)
{
    static const struct name unknown = {.code = EAI_NONAME};
    for (const struct name *n = names.table; n && n->name; n++)
        if (strcmp(n->name, name) == 0)
            return n;
    return &unknown;
}

/* The list of a numeric address, by whoever frees it: the system. */
static struct addrinfo *list_of(const char *addrs, const struct addrinfo *hints)
{
    struct addrinfo *first = NULL, **end = &first, numeric = *hints;
    char copy[512], *rest = NULL;
    numeric.ai_flags = AI_NUMERICHOST;
    snprintf(copy, sizeof copy, "%s", addrs);
    for (char *one = strtok_r(copy, " ", &rest); one; one = strtok_r(NULL, " ", &rest)) {
        cr_assert_eq(__real_getaddrinfo(one, NULL, &numeric, end), 0, "%s", one);
        end = &(*end)->ai_next;
    }
    return first;
}

int __wrap_getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **list)
{
    size_t n = strlen(name);
    if (n < 5 || strcmp(name + n - 5, ".test") != 0)
        return __real_getaddrinfo(name, service, hints, list);
    wait_to_pass();
    const struct name *known = find(name);
    errno = known->error;
    if (!known->addrs)
        return known->code;
    *list = list_of(known->addrs, hints);
    return 0;
}
