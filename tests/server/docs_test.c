/* Real input: every file of Python's HTML documentation (Debian's package python3-doc), served by two workers. */
#include "harness.h"
#include "harness_file.h"
#include "harness_response.h"
#include "harness_server.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <fts.h>
#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(docs, .init = harness_begin, .fini = harness_end);

enum { CLIENTS = 4, FILES_LEAST = 500 };

static struct {
    const char *root;
    struct client *clients[CLIENTS];
    size_t files;
} docs;

/* Its directory, under the name that is no link; NULL when it is not installed. */
static const char *find_documentation(void)
{
    glob_t found;
    char path[PATH_MAX];
    if (glob("/usr/share/doc/python3.*/html", 0, NULL, &found) != 0)
        return NULL;
    const char *root = realpath(found.gl_pathv[0], path);
    globfree(&found);
    return root ? harness_text("%s", root) : NULL;
}

static void assert_same(const struct response *r, const char *path, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    cr_assert_geq(fd, 0, "cannot open %s: %m", path);
    void *content = size ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0) : NULL;
    cr_assert_neq(content, MAP_FAILED, "cannot map %s: %m", path);
    close(fd);
    cr_assert_eq(r->status, 200, "%d for %s", r->status, path);
    cr_assert(r->complete && str_eq(r->body, (struct str){content, size}), "%s differs", path);
    if (content)
        munmap(content, size);
}

/* Targets are the names as they stand: the documentation has no name that needs an escape. */
static void compare(const FTSENT *entry)
{
    struct client *c = docs.clients[docs.files++ % CLIENTS];
    struct response r = get(c, entry->fts_path + strlen(docs.root));
    assert_same(&r, entry->fts_path, (size_t)entry->fts_statp->st_size);
}

/* Debian's package links two scripts to places outside of it: they are out of the root's reach. */
static void assert_refused(const FTSENT *entry)
{
    struct response r = get(docs.clients[0], entry->fts_path + strlen(docs.root));
    cr_assert(r.status == 403 || r.status == 404, "%d for the link %s", r.status, entry->fts_path);
}

static bool leaves_the_root(const char *link)
{
    char *target = realpath(link, NULL);
    bool leaves = !target || !str_starts(str_of(target), str_of(docs.root));
    free(target);
    return leaves;
}

Test(docs, every_file_comes_byte_for_byte)
{
    docs.root = find_documentation();
    if (!docs.root)
        harness_skip("python3-doc is not installed");
    struct server server = server_start(harness_text("listen: 127.0.0.1:@PORT@\nworkers: 2\n"
                                                     "sites: [{routes: [{path: /, files: {root: %s, hidden: on}}]}]\n",
                                                     docs.root));
    for (int i = 0; i < CLIENTS; i++)
        docs.clients[i] = client_open(server.port);

    FTS *tree = fts_open((char *const[]){(char *)docs.root, NULL}, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    cr_assert_not_null(tree);
    for (FTSENT *entry; (entry = fts_read(tree));) {
        if (entry->fts_info == FTS_F)
            compare(entry);
        else if (entry->fts_info == FTS_SL && leaves_the_root(entry->fts_path))
            assert_refused(entry);
    }
    fts_close(tree);
    cr_assert_gt(docs.files, FILES_LEAST, "only %zu files", docs.files);
    assert_stop(&server, 0);
}
