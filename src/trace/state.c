/* state.c: see state.h. */
#include "trace/state.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { CALL_WORDS = 9 /* the number, six arguments, stack pointer, where it goes on */, FAULT_WORDS = 3 };

int trace_open_state(void)
{
    int fd = open("/proc/thread-self/syscall", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    return fd;
}

struct trace_state trace_read_state(int fd)
{
    char line[256];
    ssize_t n = pread(fd, line, sizeof line, 0);
    return trace_parse_state((struct str){line, n > 0 ? (size_t)n : 0});
}

/* 0x and hexadecimal digits, in lower case. */
static bool parse_hex(struct str word, uint64_t *value)
{
    enum { MOST_DIGITS = 16 };
    struct str digits = str_skip(word, 2);
    if (!str_starts(word, STR("0x")) || digits.n == 0 || digits.n > MOST_DIGITS)
        return false;
    *value = 0;
    for (size_t i = 0; i < digits.n; i++) {
        char c = digits.p[i];
        bool letter = c >= 'a' && c <= 'f';
        if (!letter && (c < '0' || c > '9'))
            return false;
        *value = *value << 4 | (uint64_t)(letter ? c - 'a' + 10 : c - '0');
    }
    return true;
}

/* The number of a system call, or -1 for a thread that is in none. */
static bool parse_call(struct str word, long *call)
{
    uint64_t number;
    *call = -1;
    if (str_eq(word, STR("-1")))
        return true;
    if (str_to_u64(word, &number) < 0 || number > INT32_MAX)
        return false;
    *call = (long)number;
    return true;
}

struct trace_state trace_parse_state(struct str line)
{
    static const struct trace_state unknown = {.doing = TRACE_UNKNOWN, .call = -1};
    struct trace_state state = {.doing = TRACE_RUNS, .call = -1};
    uint64_t last = 0;
    unsigned count = 1;
    if (!str_ends(line, STR("\n")))
        return unknown;
    line.n--;
    if (str_eq(line, STR("running")))
        return state;
    if (!parse_call(str_cut(&line, ' '), &state.call))
        return unknown;
    while (line.n) {
        state.sp = last;
        if (!parse_hex(str_cut(&line, ' '), &last))
            return unknown;
        count++;
    }
    state.pc = last;
    state.doing = state.call < 0 ? TRACE_FAULT : TRACE_CALL;
    return count == (state.call < 0 ? FAULT_WORDS : CALL_WORDS) ? state : unknown;
}
