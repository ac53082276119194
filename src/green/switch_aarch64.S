/* switch_aarch64.S: see switch.h. AAPCS64, 6.1: x19-x28, x29 (frame), x30 (link) and the low halves of v8-v15, that is
 * d8-d15, belong to the caller.
 *
 * A suspended stack, from its saved pointer upwards: x19-x28, x29, x30, d8-d15: 160 bytes.
 */
        .text

        .macro  save_two one, two, offset
        stp     \one, \two, [sp, #\offset]
        .cfi_rel_offset \one, \offset
        .cfi_rel_offset \two, \offset + 8
        .endm

        .macro  load_two one, two, offset
        ldp     \one, \two, [sp, #\offset]
        .cfi_restore \one
        .cfi_restore \two
        .endm

        .macro  save_all
        sub     sp, sp, #160
        .cfi_adjust_cfa_offset 160
        save_two x19, x20, 0
        save_two x21, x22, 16
        save_two x23, x24, 32
        save_two x25, x26, 48
        save_two x27, x28, 64
        save_two x29, x30, 80
        stp     d8, d9, [sp, #96]
        stp     d10, d11, [sp, #112]
        stp     d12, d13, [sp, #128]
        stp     d14, d15, [sp, #144]
        mov     x9, sp
        str     x9, [x0]
        .endm

        .globl  green_switch
        .type   green_switch, %function
        .balign 16
green_switch:
        .cfi_startproc
        save_all
        mov     sp, x1
        load_two x19, x20, 0
        load_two x21, x22, 16
        load_two x23, x24, 32
        load_two x25, x26, 48
        load_two x27, x28, 64
        load_two x29, x30, 80
        ldp     d8, d9, [sp, #96]
        ldp     d10, d11, [sp, #112]
        ldp     d12, d13, [sp, #128]
        ldp     d14, d15, [sp, #144]
        add     sp, sp, #160
        .cfi_adjust_cfa_offset -160
        ret
        .cfi_endproc
        .size   green_switch, . - green_switch

        .globl  green_enter
        .type   green_enter, %function
        .balign 16
green_enter:
        .cfi_startproc
        save_all
        mov     sp, x1
        .cfi_undefined x30      /* the bottom of a stack: unwinders stop here */
        mov     x29, xzr        /* and so do those that follow frame pointers */
        mov     x0, x3
        blr     x2
        brk     #1
        .cfi_endproc
        .size   green_enter, . - green_enter

        .section .note.GNU-stack, "", %progbits
