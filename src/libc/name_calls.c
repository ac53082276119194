/* name_calls.c: getaddrinfo() and getnameinfo(). */
#include <errno.h>
#include <string.h>

#include "base/list.h"
#include "libc/lookup.h"
#include "libc/numeric.h"
#include "libc/real.h"

/* What libc's call said, or why it could not be made. */
static int conclude(const struct lookup *lookup, int result, int error, int before)
{
    if (error)
        result = EAI_SYSTEM;
    errno = error ? -error : result ? lookup->error : before;
    return result;
}

/* ---- getaddrinfo ---- */

struct address_lookup {
    struct lookup lookup;
    const char *host, *service;
    const struct addrinfo *hints;
    struct addrinfo **found;
    int result;
};

static void look_for_address(struct lookup *lookup)
{
    struct address_lookup *l = container_of(lookup, struct address_lookup, lookup);
    l->result = real_getaddrinfo(l->host, l->service, l->hints, l->found);
}

static bool is_number(const char *service)
{
    return service[strspn(service, "0123456789")] == '\0';
}

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
    if (!green_here())
        return real_getaddrinfo(host, service, hints, found);
    int before = errno;
    bool at_once = (!host || is_address(host)) && (!service || is_number(service));
    struct address_lookup l = {
        .lookup.run = look_for_address, .host = host, .service = service, .hints = hints, .found = found};
    int error = lookup_run(&l.lookup, at_once);
    return conclude(&l.lookup, l.result, error, before);
}

/* ---- getnameinfo ---- */

struct name_lookup {
    struct lookup lookup;
    const struct sockaddr *of;
    socklen_t size, host_size, service_size;
    char *host, *service;
    int flags, result;
};

static void look_for_name(struct lookup *lookup)
{
    struct name_lookup *l = container_of(lookup, struct name_lookup, lookup);
    l->result = real_getnameinfo(l->of, l->size, l->host, l->host_size, l->service, l->service_size, l->flags);
}

int getnameinfo(const struct sockaddr *of, socklen_t size, char *host, socklen_t host_size, char *service,
                socklen_t service_size, int flags)
{
    if (!green_here())
        return real_getnameinfo(of, size, host, host_size, service, service_size, flags);
    int before = errno;
    bool at_once = (!host || flags & NI_NUMERICHOST) && (!service || flags & NI_NUMERICSERV);
    struct name_lookup l = {.lookup.run = look_for_name,
                            .of = of,
                            .size = size,
                            .host = host,
                            .host_size = host_size,
                            .service = service,
                            .service_size = service_size,
                            .flags = flags};
    int error = lookup_run(&l.lookup, at_once);
    return conclude(&l.lookup, l.result, error, before);
}
