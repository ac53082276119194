/* version.c: see version.h. */
#include "proc/version.h"

#include <sys/utsname.h>

#include "base/version.h"
#include "conf/yaml.h"
#include "green/green.h"
#include "http/encoder.h"
#include "http/h1.h"
#include "http/h2.h"

#if defined(__clang__)
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

const char *version_line(void)
{
    return "tern " TERN_VERSION;
}

void version_print(FILE *f)
{
    struct utsname system;
    fprintf(f, "%s\n", version_line());
    fprintf(f, "compiler: %s\n", COMPILER);
    fprintf(f, "libraries: %s, %s, %s, %s", green_library(), h1_library(), h2_library(), conf_library());
    for (enum coding coding = 0; coding < CODING_COUNT; coding++)
        fprintf(f, ", %s", encoder_library(coding));
    fprintf(f, "\n");
    fprintf(f, "stack guards: %s\n", green_guards_pages() ? "pages (MADV_GUARD_INSTALL)" : "mappings (mprotect)");
    if (uname(&system) == 0)
        fprintf(f, "kernel: %s %s %s\n", system.sysname, system.release, system.machine);
}
