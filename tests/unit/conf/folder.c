/* folder.c: see folder.h. */
#include "folder.h"

#include <criterion/criterion.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/tern-conf-XXXXXX";

void folder_enter(void)
{
    cr_assert_not_null(mkdtemp(folder));
    cr_assert_eq(chdir(folder), 0);
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *place)
{
    (void)info;
    (void)type;
    (void)place;
    return remove(path);
}

void folder_leave(void)
{
    cr_assert_eq(nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
}

void folder_write(const char *name, const char *text)
{
    const char *slash = strchr(name, '/');
    if (slash) {
        char parent[64];
        snprintf(parent, sizeof parent, "%.*s", (int)(slash - name), name);
        mkdir(parent, 0700);
    }
    FILE *f = fopen(name, "w");
    cr_assert_not_null(f);
    fputs(text, f);
    cr_assert_eq(fclose(f), 0);
}
