/* reach.c: see reach.h. */
#include "proc/reach.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proc/privs.h"

/* A directory that is to be served. */
struct place {
    const struct conf_node *root;
    int fd;    /* the directory: how to get there is no matter, workers inherit it open */
    int error; /* when a worker enters it */
};

struct places {
    struct place *all;
    size_t count;
};

/* The child with that key, of a mapping that may not be there. */
static struct conf_node *find(const struct conf_node *map, struct str key)
{
    return map ? conf_find(map, key) : NULL;
}

static void add_root(struct places *places, const struct conf_node *route)
{
    const struct conf_node *root = find(find(route, STR("files")), STR("root"));
    if (root && places->all)
        places->all[places->count] = (struct place){.root = root};
    places->count += root != NULL;
}

/* Counts the places, and notes them where there is room for them. */
static void add_roots(struct places *places, const struct conf_node *tree)
{
    struct conf_node *sites = find(tree, STR("sites"));
    places->count = 0;
    if (!sites)
        return;
    conf_each_item (site, sites) {
        struct conf_node *routes = find(site, STR("routes"));
        if (!routes)
            continue;
        conf_each_item (route, routes)
            add_root(places, route);
    }
}

static int write_all(int to, const char *bytes, size_t n)
{
    while (n) {
        ssize_t written = write(to, bytes, n);
        if (written < 0)
            return -errno;
        bytes += written;
        n -= (size_t)written;
    }
    return 0;
}

/* In a process of its own. */
static _Noreturn void try_as(struct str user, struct str group, struct places *places, int to)
{
    for (size_t i = 0; i < places->count; i++)
        places->all[i].fd = open(places->all[i].root->text.p, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (privs_drop(user, group) < 0)
        _exit(EXIT_FAILURE);
    for (size_t i = 0; i < places->count; i++)
        if (places->all[i].fd >= 0 && faccessat(places->all[i].fd, ".", X_OK, 0) < 0)
            places->all[i].error = errno;
    int error = write_all(to, (const char *)places->all, places->count * sizeof *places->all);
    _exit(error ? EXIT_FAILURE : EXIT_SUCCESS);
}

static bool read_all(int from, char *bytes, size_t n)
{
    while (n) {
        ssize_t got = read(from, bytes, n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        bytes += got;
        n -= (size_t)got;
    }
    return true;
}

/* Fills in the errors. False: they could not be found out. */
static bool try_in_child(struct str user, struct str group, struct places *places)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return false;
    pid_t pid = fork();
    if (pid == 0)
        try_as(user, group, places, ends[1]);
    close(ends[1]);
    bool known = pid > 0 && read_all(ends[0], (char *)places->all, places->count * sizeof *places->all);
    close(ends[0]);
    while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    return known;
}

static int report(struct conf_reader *r, const struct places *places)
{
    int result = 0;
    for (size_t i = 0; i < places->count; i++) {
        const struct place *place = &places->all[i];
        if (!place->error)
            continue;
        conf_error(r, place->root, STR_FMT ": %s, for the user that workers run as", STR_ARG(place->root->text),
                   strerror(place->error));
        result = -EINVAL;
    }
    return result;
}

int reach_check(struct conf_reader *r, const struct conf_node *tree, struct str user, struct str group)
{
    struct places places = {.all = NULL};
    add_roots(&places, tree);
    if (places.count == 0)
        return 0;
    places.all = calloc(places.count, sizeof *places.all);
    if (!places.all)
        return -ENOMEM;
    add_roots(&places, tree);
    int result = try_in_child(user, group, &places) ? report(r, &places) : 0;
    free(places.all);
    return result;
}
