/* kernel.h: a kernel that refuses what a job needs, while a test says so: with an errno, once, or never (0). */
#ifndef TERN_TESTS_MODULE_KERNEL_H
#define TERN_TESTS_MODULE_KERNEL_H

extern int refuse_memory;  /* memfd_create() */
extern int refuse_size;    /* ftruncate() */
extern int refuse_bytes;   /* pwrite() */
extern int refuse_pipe;    /* pipe2() */
extern int refuse_message; /* sendmsg() */

#endif
