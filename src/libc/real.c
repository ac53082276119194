/* real.c: see real.h; and __wrap_NAME, which is NAME for the files of the binary itself. */
#include "libc/real.h"

#include <dlfcn.h>

/* Until it is looked up, each pointer leads to a function that has all of them looked up. Looking up twice, in two
 * threads, finds the same. */
static void find_all(void);

#define BEGIN(type, name, parameters, arguments)                                                                       \
    static type first_##name parameters                                                                                \
    {                                                                                                                  \
        find_all();                                                                                                    \
        return real_##name arguments;                                                                                  \
    }                                                                                                                  \
    type(*real_##name) parameters = first_##name;                                                                      \
    extern type __interceptor_##name parameters __attribute__((weak));
LIBC_CALLS(BEGIN)

/* A sanitizer that is linked in has its own of some calls, under these names, too. */
#define FIND(type, name, parameters, arguments)                                                                        \
    if (&__interceptor_##name)                                                                                         \
        real_##name = __interceptor_##name;                                                                            \
    else                                                                                                               \
        *(void **)&real_##name = dlsym(RTLD_NEXT, #name);

__attribute__((constructor, noinline)) static void find_all(void){LIBC_CALLS(FIND)}

/* Weak, so that a test may stand in. */
#define WRAP(type, name, parameters, arguments)                                                                        \
    __attribute__((weak)) type __wrap_##name parameters;                                                               \
    type __wrap_##name parameters                                                                                      \
    {                                                                                                                  \
        return real_##name arguments;                                                                                  \
    }
LIBC_CALLS(WRAP)

    /* libc's answer to an array that is too small. */
    extern void __chk_fail(void) __attribute__((noreturn));

#define FITTING(type, checked, name, parameters, fits, arguments)                                                      \
    type checked parameters;                                                                                           \
    type checked parameters                                                                                            \
    {                                                                                                                  \
        if (!(fits))                                                                                                   \
            __chk_fail();                                                                                              \
        return name arguments;                                                                                         \
    }

/* The linker's name for ours, where NAME itself would be libc's. */
#define CHECK(type, name, parameters, fits, arguments)                                                                 \
    extern __typeof__(*real_##name) __real_##name;                                                                     \
    FITTING(type, __wrap___##name##_chk, real_##name, parameters, fits, arguments)                                     \
    FITTING(type, __##name##_chk, __real_##name, parameters, fits, arguments)
LIBC_CHECKED_CALLS(CHECK)
