/* resolve_job.c: see resolve_job.h. It runs on a thread of the pool, so it touches nothing but its job. */
#include "net/resolve_job.h"

#include <errno.h>
#include <netdb.h>

static const struct {
    int code, error;
} failures[] = {
    {EAI_NONAME, -ENOENT},  {EAI_NODATA, -ENODATA},  {EAI_ADDRFAMILY, -ENODATA}, {EAI_AGAIN, -EREMOTEIO},
    {EAI_FAIL, -EREMOTEIO}, {EAI_MEMORY, -ENOMEM},   {EAI_OVERFLOW, -EINVAL},    {EAI_BADFLAGS, -EINVAL},
    {EAI_FAMILY, -EINVAL},  {EAI_SOCKTYPE, -EINVAL}, {EAI_SERVICE, -EINVAL},     {EAI_IDN_ENCODE, -EINVAL},
};

static void fail(struct resolve_job *job, int code, int system_error)
{
    job->error = code == EAI_SYSTEM && system_error ? -system_error : -EIO;
    job->why = code == EAI_SYSTEM ? strerrordesc_np(-job->error) : gai_strerror(code);
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++)
        if (failures[i].code == code)
            job->error = failures[i].error;
}

static bool has(const struct resolved *found, const struct addr *addr)
{
    for (size_t i = 0; i < found->count; i++)
        if (addr_same(&found->addrs[i], addr))
            return true;
    return false;
}

/* The system's list may name an address twice. */
static void add(struct resolved *found, const struct addrinfo *one)
{
    struct addr addr = {.size = one->ai_addrlen};
    if (one->ai_addrlen > sizeof addr.in6 || found->count == RESOLVE_MOST)
        return;
    memcpy(&addr.any, one->ai_addr, one->ai_addrlen);
    if (!has(found, &addr))
        found->addrs[found->count++] = addr;
}

/* The first from here on that is of this family, or, where `same` is false, of any other. */
static const struct addrinfo *next_of(const struct addrinfo *at, int family, bool same)
{
    while (at && (at->ai_family == family) != same)
        at = at->ai_next;
    return at;
}

static void collect(struct resolved *found, const struct addrinfo *list)
{
    int family = list->ai_family;
    const struct addrinfo *one = list, *other = next_of(list, family, false);
    while (one || other) {
        if (one) {
            add(found, one);
            one = next_of(one->ai_next, family, true);
        }
        if (other) {
            add(found, other);
            other = next_of(other->ai_next, family, false);
        }
    }
}

/* AI_ADDRCONFIG would hide ::1 from a machine without IPv6 to the outside; what can't be reached costs one connect. */
void resolve_job_run(void *arg)
{
    struct resolve_job *job = arg;
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *list = NULL;
    int code = getaddrinfo(job->name, NULL, &hints, &list), system_error = errno;
    job->error = 0;
    job->why = NULL;
    job->found.count = 0;
    if (code != 0) {
        fail(job, code, system_error);
        return;
    }
    collect(&job->found, list);
    freeaddrinfo(list);
    if (job->found.count == 0)
        fail(job, EAI_NODATA, 0);
}
