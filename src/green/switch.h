/* switch.h: leave one stack, go on with another.
 *
 * The only code that is written for each architecture: switch_x86_64.S and switch_aarch64.S. A suspended context is
 * one pointer, the stack pointer; everything the ABI wants preserved across a call lies on that stack.
 */
#ifndef TERN_GREEN_SWITCH_H
#define TERN_GREEN_SWITCH_H

/* Saves the present context in *save and resumes `load`, which one of these two functions saved. */
void green_switch(void **save, void *load);

/* Saves the present context in *save and calls entry(arg) on an empty stack that grows down from `top` (16-byte
 * aligned). entry must not return. */
void green_enter(void **save, void *top, void (*entry)(void *arg), void *arg);

#endif
