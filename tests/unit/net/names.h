/* names.h: what the tests of names share: what getaddrinfo() says, and when.
 *
 * Names that end in ".test" are looked up here and nowhere else: "NAME.test" has the addresses, or the failure, that
 * the test has put under it, and is no name otherwise. Another name is the system's.
 */
#ifndef TERN_TESTS_NET_NAMES_H
#define TERN_TESTS_NET_NAMES_H

#include <stddef.h>

/* `addrs`: IP addresses with a space between two of them; NULL: the failure `code`, EAI_..., with `error` as errno. */
struct name {
    const char *name, *addrs;
    int code, error;
};

/* What is known from now on: up to one without a name. */
void names_are(const struct name *table);

/* Lookups wait from now on, until they may pass. */
void names_hold(void);
void names_pass(void);

/* How many lookups have begun so far, and how many were being made at once, at most. */
size_t names_asked(void);
size_t names_at_once(void);

#endif
