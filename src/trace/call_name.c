/* call_name.c: names of system calls, out of libseccomp's tables. */
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>

#include "trace/state.h"

void trace_call_name(long call, char *name, size_t size)
{
    char *found = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, (int)call);
    if (found)
        snprintf(name, size, "%s", found);
    else
        snprintf(name, size, "%ld", call);
    free(found);
}
