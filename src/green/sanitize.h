/* sanitize.h: tells AddressSanitizer, ThreadSanitizer and valgrind that stacks change. Private to the green layer.
 *
 * Without these every switch looks to them like a wild stack pointer. In an ordinary build all of it is nothing, but
 * for valgrind's request when a stack is made, which costs a few nanoseconds and makes any binary usable under it.
 */
#ifndef TERN_GREEN_SANITIZE_H
#define TERN_GREEN_SANITIZE_H

#include <stdbool.h>
#include <stddef.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TERN_ASAN 1
#elif __has_feature(thread_sanitizer)
#define TERN_TSAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define TERN_ASAN 1
#elif defined(__SANITIZE_THREAD__)
#define TERN_TSAN 1
#endif

#if defined(TERN_ASAN)
#include <pthread.h>
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#elif defined(TERN_TSAN)
#include <sanitizer/tsan_interface.h>
#elif defined(__has_include)
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#endif
#endif

/* A sanitizer reports crashes itself. */
#if defined(TERN_ASAN) || defined(TERN_TSAN)
#define SANITIZE_OWNS_SIGNALS 1
#else
#define SANITIZE_OWNS_SIGNALS 0
#endif

/* What a sanitizer keeps for each stack; one in every green thread, and one for the loop. */
struct sanitize_context {
#if defined(TERN_ASAN)
    void *fake; /* ASan's shadow frames while the context is suspended */
    const void *bottom;
    size_t size;
#elif defined(TERN_TSAN)
    void *fiber;
#else
    char unused[0];
#endif
};

static inline void sanitize_new_stack(char *low, void *top)
{
#if defined(VALGRIND_STACK_REGISTER)
    (void)VALGRIND_STACK_REGISTER(low, top);
#else
    (void)low, (void)top;
#endif
}

/* A context that will run on [low, low + size). */
static inline void sanitize_begin(struct sanitize_context *context, void *low, size_t size)
{
#if defined(TERN_ASAN)
    /* The frames of its last user never returned, so they never cleared their red zones. */
    __asan_unpoison_memory_region(low, size);
    *context = (struct sanitize_context){.bottom = low, .size = size};
#elif defined(TERN_TSAN)
    context->fiber = __tsan_create_fiber(0);
#endif
    (void)context, (void)low, (void)size;
}

/* The context of the loop: the stack we are on now. */
static inline void sanitize_adopt(struct sanitize_context *context)
{
#if defined(TERN_ASAN)
    pthread_attr_t attr;
    void *bottom = NULL;
    if (pthread_getattr_np(pthread_self(), &attr) == 0) {
        pthread_attr_getstack(&attr, &bottom, &context->size);
        pthread_attr_destroy(&attr);
    }
    context->bottom = bottom;
#elif defined(TERN_TSAN)
    context->fiber = __tsan_get_current_fiber();
#endif
    (void)context;
}

/* Right before the switch. `last`: the context we leave ends here. */
static inline void sanitize_leave(struct sanitize_context *from, struct sanitize_context *to, bool last)
{
#if defined(TERN_ASAN)
    __sanitizer_start_switch_fiber(last ? NULL : &from->fake, to->bottom, to->size);
#elif defined(TERN_TSAN)
    __tsan_switch_to_fiber(to->fiber, 0);
#endif
    (void)from, (void)to, (void)last;
}

/* Right after the switch, on the new stack. */
static inline void sanitize_arrive(struct sanitize_context *self)
{
#if defined(TERN_ASAN)
    __sanitizer_finish_switch_fiber(self->fake, NULL, NULL);
#endif
    (void)self;
}

/* Ends a context that is not running any more. */
static inline void sanitize_end(struct sanitize_context *context)
{
#if defined(TERN_TSAN)
    __tsan_destroy_fiber(context->fiber);
#endif
    (void)context;
}

#endif
