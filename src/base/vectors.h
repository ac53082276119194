/* vectors.h: the vector registers, where memcpy() leaves what it has copied.
 *
 * The wide ones may keep it for as long as a process runs: nothing but another large copy writes to them. A fork hands
 * them on, and a core dump shows the registers of each thread, with half of a secret number in one of them.
 */
#ifndef TERN_BASE_VECTORS_H
#define TERN_BASE_VECTORS_H

/* Clears them; on x86-64 those beyond SSE only if there are any, and on other machines than that and AArch64 none. */
void vectors_cleanse(void);

#endif
