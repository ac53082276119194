/* vectors.c: see vectors.h. */
#include "base/vectors.h"

#include <stdint.h>

#if defined(__x86_64__)

#define VECTORS_0_TO_15                                                                                                \
    "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12",         \
        "xmm13", "xmm14", "xmm15"

/* What XRSTOR takes (Intel SDM, volume 1, 13.4). A header of zeros says that every component is in its first state, in
 * which vectors are zero, but MXCSR is loaded anyway. */
struct saved_state {
    char unused[24];
    uint32_t mxcsr;
    char vectors[484];
    uint64_t header[8];
} __attribute__((aligned(64)));

_Static_assert(sizeof(struct saved_state) == 576, "the header follows the first 512 bytes");

/* Components: SSE, AVX, and the three of AVX-512. Those that a processor lacks are left alone. */
enum { VECTORS = 1 << 1 | 1 << 2 | 1 << 5 | 1 << 6 | 1 << 7 };

void vectors_cleanse(void)
{
    struct saved_state first = {.header = {0}};
    if (!__builtin_cpu_supports("avx"))
        return; /* whose presence says that XRSTOR is there, too */
    __asm__ volatile("stmxcsr %0" : "=m"(first.mxcsr));
    __asm__ volatile("xrstor64 %0" : : "m"(first), "a"(VECTORS), "d"(0) : "memory", VECTORS_0_TO_15);
}

#elif defined(__aarch64__)

#define CLEAR(n) "movi v" #n ".2d, #0\n"

void vectors_cleanse(void)
{
    __asm__ volatile(
        CLEAR(0) CLEAR(1) CLEAR(2) CLEAR(3) CLEAR(4) CLEAR(5) CLEAR(6) CLEAR(7) CLEAR(8) CLEAR(9) CLEAR(10) CLEAR(11)
            CLEAR(12) CLEAR(13) CLEAR(14) CLEAR(15) CLEAR(16) CLEAR(17) CLEAR(18) CLEAR(19) CLEAR(20) CLEAR(21)
                CLEAR(22) CLEAR(23) CLEAR(24) CLEAR(25) CLEAR(26) CLEAR(27) CLEAR(28) CLEAR(29) CLEAR(30) CLEAR(31)
        :
        :
        : "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15", "v16",
          "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31");
}

#else

void vectors_cleanse(void)
{
}

#endif
