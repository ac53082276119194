/* numeric.h: names that need no looking up. */
#ifndef TERN_LIBC_NUMERIC_H
#define TERN_LIBC_NUMERIC_H

#include <arpa/inet.h>
#include <stdbool.h>

/* An address of the Internet in digits, such as 127.0.0.1 or ::1; not one with a zone. */
static inline bool is_address(const char *host)
{
    struct in6_addr address;
    struct in_addr old;
    return inet_aton(host, &old) || inet_pton(AF_INET6, host, &address) == 1;
}

#endif
