/* naps.h: how often an OS thread has gone to sleep: what makes no wake-ups does not go to sleep again. */
#ifndef TERN_TESTS_NAPS_H
#define TERN_TESTS_NAPS_H

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

/* Of the thread of that name in a process; -1: there is none. */
static inline long naps(pid_t process, const char *name)
{
    char path[300];
    long count = -1, switches;
    snprintf(path, sizeof path, "/proc/%d/task", (int)process);
    DIR *tasks = opendir(path);
    for (struct dirent *task; tasks && (task = readdir(tasks));) {
        char line[128], found[32] = "";
        snprintf(path, sizeof path, "/proc/%d/task/%.200s/status", (int)process, task->d_name);
        FILE *f = fopen(path, "r");
        while (f && fgets(line, sizeof line, f))
            if (sscanf(line, "Name: %31s", found) != 1 && strcmp(found, name) == 0 &&
                sscanf(line, "voluntary_ctxt_switches: %ld", &switches) == 1)
                count = switches;
        if (f)
            fclose(f);
    }
    if (tasks)
        closedir(tasks);
    return count;
}

#endif
