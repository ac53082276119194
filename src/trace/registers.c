/* registers.c: see registers.h. */
#include "trace/registers.h"

#include <string.h>
#include <ucontext.h>

#include "trace/memory.h"

#if defined(__x86_64__)

void trace_interrupted(struct trace_registers *registers, const void *context)
{
    static const int names[TRACE_REGISTERS] = {REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI, REG_RBP, REG_RSP,
                                               REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
    const ucontext_t *interrupted = context;
    registers->known = 0;
    registers->pc = (uint64_t)interrupted->uc_mcontext.gregs[REG_RIP];
    for (unsigned i = 0; i < TRACE_REGISTERS; i++)
        trace_set(registers, i, (uint64_t)interrupted->uc_mcontext.gregs[names[i]]);
}

#elif defined(__aarch64__)

void trace_interrupted(struct trace_registers *registers, const void *context)
{
    const ucontext_t *interrupted = context;
    registers->known = 0;
    registers->pc = interrupted->uc_mcontext.pc;
    for (unsigned i = 0; i < TRACE_SP; i++)
        trace_set(registers, i, interrupted->uc_mcontext.regs[i]);
    trace_set(registers, TRACE_SP, interrupted->uc_mcontext.sp);
}

#endif

/* A stack that has just overflowed starts in its guard. */
void trace_copy_stack(struct trace_capture *capture)
{
    enum { PAGE = 4096, GUARD_PAGES = 16 };
    capture->from = capture->registers.values[TRACE_SP];
    for (int i = 0; i <= GUARD_PAGES; i++) {
        const void *from = (const void *)(uintptr_t)capture->from; /* NOLINT(performance-no-int-to-ptr) */
        capture->size = trace_peek(capture->stack, from, TRACE_STACK);
        if (capture->size)
            return;
        capture->from = (capture->from | (PAGE - 1)) + 1;
    }
}

bool trace_read(const struct trace_capture *capture, uint64_t address, uint64_t *word)
{
    uint64_t at = address - capture->from;
    if (address < capture->from || capture->size < sizeof *word || at > capture->size - sizeof *word)
        return false;
    memcpy(word, capture->stack + at, sizeof *word);
    return true;
}

/* Whether frame pointers lead from here ever upwards, each below a return address, to a zero. */
static bool is_chain(const struct trace_capture *capture, uint64_t at)
{
    uint64_t next, code;
    while (trace_read(capture, at, &next) && trace_read(capture, at + sizeof next, &code) && code) {
        if (next == 0)
            return true;
        if (next <= at || next % sizeof next)
            return false;
        at = next;
    }
    return false;
}

uint64_t trace_guess_frame(const struct trace_capture *capture, uint64_t above)
{
    uint64_t next, least = above < capture->from ? capture->from : above + 1;
    uint64_t at = (least + sizeof next - 1) & ~(uint64_t)(sizeof next - 1);
    for (; trace_read(capture, at, &next); at += sizeof next)
        if (next && is_chain(capture, at))
            return at;
    return 0;
}
