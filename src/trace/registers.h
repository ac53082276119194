/* registers.h: where a thread of execution is: its registers, and what lies on its stack.
 *
 * Registers have the numbers that DWARF gives them on this processor, and those that nobody knows are left out: of a
 * thread that stands still between two calls only the preserved ones are left, and of one that the kernel holds only
 * two are told.
 */
#ifndef TERN_TRACE_REGISTERS_H
#define TERN_TRACE_REGISTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* System V ABI, AMD64 supplement, figure 3.36; DWARF for the Arm 64-bit Architecture, 4.1. */
#if defined(__x86_64__)
enum { TRACE_FP = 6, TRACE_SP = 7, TRACE_REGISTERS = 16 };
#elif defined(__aarch64__)
enum { TRACE_FP = 29, TRACE_LINK = 30, TRACE_SP = 31, TRACE_REGISTERS = 32 };
#endif

struct trace_registers {
    uint64_t pc;
    uint32_t known; /* bit n: values[n] is */
    uint64_t values[TRACE_REGISTERS];
};

static inline void trace_set(struct trace_registers *registers, unsigned number, uint64_t value)
{
    registers->values[number] = value;
    registers->known |= UINT32_C(1) << number;
}

static inline bool trace_knows(const struct trace_registers *registers, unsigned number)
{
    return registers->known >> number & 1;
}

/* Those that a signal has interrupted: `context` is what its handler is given third. Safe in a signal handler. */
void trace_interrupted(struct trace_registers *registers, const void *context);

enum { TRACE_STACK = 64 * 1024 };

struct trace_capture {
    struct trace_registers registers;
    uint64_t from; /* where the copy of the stack starts ... */
    size_t size;   /* ... and how many bytes were to be had */
    _Alignas(8) char stack[TRACE_STACK];
};

/* Copies the stack from the stack pointer of a capture up to the end of what is mapped there, or TRACE_STACK bytes.
 * What is not there is no fault. Safe in a signal handler, and on any OS thread of the process. */
void trace_copy_stack(struct trace_capture *capture);

/* The word at an address of the copied stack; false: it is not there. */
bool trace_read(const struct trace_capture *capture, uint64_t address, uint64_t *word);

/* What the frame pointer of a capture may have been, if it is not known: the first place on its stack above an address
 * where a chain of frame pointers starts that ends in a zero, as at the bottom of every green stack. 0: there is none.
 * It may be one that was left over: unwinding must show which one is true. */
uint64_t trace_guess_frame(const struct trace_capture *capture, uint64_t above);

#endif
