/* method_test.c: the names of methods. */
#include "http/method.h"

#include <criterion/criterion.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

static const struct str unknown[] = {
    STR_INIT(""),
    STR_INIT("get"),
    STR_INIT("Get"),
    STR_INIT("GE"),
    STR_INIT("GETS"),
    STR_INIT(" GET"),
    STR_INIT("GET "),
    STR_INIT("GET\0"),
    STR_INIT("PRI"),
    STR_INIT("*"),
    STR_INIT("BREW"),
    STR_INIT("UN"),
    STR_INIT("MK"),
    STR_INIT("HEADER"),
    STR_INIT("VERSION_CONTROL"),
    STR_INIT("UPDATEREDIRECTREFERENCE"),
};

/* RFC 9110, 9.1: case-sensitive */
Test(method, unknown)
{
    for (size_t i = 0; i < COUNT(unknown); i++)
        cr_expect_eq(method_of(unknown[i]), METHOD_UNKNOWN, "%s", unknown[i].p);
    cr_expect_eq(method_of((struct str){NULL, 0}), METHOD_UNKNOWN);
}

#define EXPECT(name, text) cr_expect_eq(method_of(STR(text)), METHOD_##name, "%s", text);

Test(method, every_one)
{
    METHODS(EXPECT)
}
