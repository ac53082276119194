/* auth_users.c: see auth_users.h. */
#include "policy/auth_users.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/list.h"
#include "conf/value.h"
#include "policy/auth_basic.h"

struct auth_user {
    struct hash_node node; /* by the name */
    struct str hash;
};

static void free_names(void *users)
{
    hash_free(&((struct auth_users *)users)->by_name);
}

int auth_users_init(struct auth_users *users, struct arena *arena)
{
    int error = hash_init(&users->by_name, 0);
    if (!error && arena_defer(arena, free_names, users) < 0) {
        hash_free(&users->by_name);
        error = -ENOMEM;
    }
    return error;
}

/* Why nobody can log in by this name; NULL: somebody can (RFC 7617, 2). */
static const char *objection_to_name(struct str name)
{
    if (name.n == 0)
        return "a user needs a name";
    if (name.n > AUTH_USER_MAX)
        return "a name longer than 255 bytes";
    for (size_t i = 0; i < name.n; i++)
        if ((unsigned char)name.p[i] < 0x20 || name.p[i] == 0x7f || name.p[i] == ':')
            return "a name with a colon or a control character";
    return NULL;
}

/* 0, -EEXIST or -ENOMEM. */
static int add_user(struct auth_users *users, struct arena *arena, struct str name, struct str hash)
{
    struct auth_user *user = arena_zalloc(arena, sizeof *user);
    if (!user)
        return -ENOMEM;
    user->hash = arena_copy(arena, hash);
    user->node.key = arena_copy(arena, name);
    if (!user->hash.p || !user->node.key.p)
        return -ENOMEM;
    return hash_insert(&users->by_name, &user->node);
}

/* ---- from a mapping ---- */

const struct conf_key auth_users_entry = {
    .name = "users", .kind = CONF_TEXT, .secret = true, .takes = "the hash of a password"};

static int read_user(struct conf_reader *r, struct conf_node *node, struct auth_users *users)
{
    struct str hash;
    int error = conf_read_value(r, node, &auth_users_entry, &hash);
    if (error)
        return error;
    const char *about_name = objection_to_name(node->key), *about_hash = auth_hash_objection(hash);
    if (about_name)
        conf_error_key(r, node, "%s", about_name);
    if (about_hash)
        conf_error(r, node, "%s", about_hash);
    if (about_name || about_hash)
        return -EINVAL;
    error = add_user(users, r->arena, node->key, hash);
    if (error == -EEXIST) {
        conf_error_key(r, node, "the file has this user too");
        error = -EINVAL;
    }
    return error;
}

int auth_users_read(struct conf_reader *r, struct conf_node *node, struct auth_users *users)
{
    int first = 0;
    node->secret = true;
    if (node->kind != CONF_MAPPING) {
        conf_error(r, node, "takes a mapping of names to hashes, not %s", conf_kind_name(node));
        return -EINVAL;
    }
    conf_each (user, node) {
        int error = read_user(r, user, users);
        first = first ? first : error;
    }
    return first;
}

/* ---- from a file ---- */

/* A file that is being read. */
struct source {
    struct conf_reader *r;
    struct auth_users *users;
    struct str path;
    unsigned line;
};

static int refuse_at(const struct source *s, size_t at, const char *reason)
{
    conf_error_at(s->r, s->path, s->line, (unsigned)at + 1, "%s", reason);
    return -EINVAL;
}

static int load_line(struct source *s, struct str line)
{
    struct str hash = line, name = str_cut(&hash, ':');
    if (line.n == 0 || line.p[0] == '#')
        return 0;
    if (name.n == line.n)
        return refuse_at(s, 0, "not a line of the form `name:hash`");
    const char *objection = objection_to_name(name);
    if (objection)
        return refuse_at(s, 0, objection);
    /* libcrypt wants a NUL */
    hash = arena_copy(s->r->arena, hash);
    if (!hash.p)
        return -ENOMEM;
    objection = auth_hash_objection(hash);
    if (objection)
        return refuse_at(s, name.n + 1, objection);
    int error = add_user(s->users, s->r->arena, name, hash);
    return error == -EEXIST ? refuse_at(s, 0, "a second entry for this user") : error;
}

static int load_lines(struct source *s, FILE *file)
{
    char *line = NULL;
    size_t room = 0;
    int first = 0;
    for (ssize_t n; (n = getline(&line, &room, file)) >= 0;) {
        struct str text = {line, (size_t)n};
        text.n -= str_ends(text, STR("\n"));
        text.n -= str_ends(text, STR("\r"));
        s->line++;
        int error = load_line(s, text);
        first = first ? first : error;
    }
    free(line);
    return first;
}

/* Opening a FIFO would wait for a writer: O_NONBLOCK lets it be refused instead. */
static int open_regular(const char *path)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return -errno;
    int error = fstat(fd, &info) ? -errno : S_ISDIR(info.st_mode) ? -EISDIR : S_ISREG(info.st_mode) ? 0 : -EINVAL;
    if (!error)
        return fd;
    close(fd);
    return error;
}

int auth_users_load(struct conf_reader *r, const struct conf_node *node, const char *path, struct auth_users *users)
{
    struct source source = {.r = r, .users = users, .path = arena_copy(r->arena, str_of(path))};
    int fd = open_regular(path);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
    if (fd >= 0 && !file)
        close(fd);
    if (!file) {
        conf_error(r, node, "%s: %s", path, fd == -EINVAL ? "not a regular file" : strerror(fd < 0 ? -fd : errno));
        return -EINVAL;
    }
    int error = source.path.p ? load_lines(&source, file) : -ENOMEM;
    fclose(file);
    return error;
}

/* ---- looking for one ---- */

int auth_users_seal(struct auth_users *users, struct arena *arena)
{
    const struct auth_user **at = users->all = arena_alloc(arena, users->by_name.count * sizeof *users->all);
    if (!at)
        return -ENOMEM;
    hash_each (node, next, &users->by_name)
        *at++ = container_of(node, struct auth_user, node);
    return 0;
}

bool auth_users_find(const struct auth_users *users, struct str name, const char **hash)
{
    uint64_t number = hash_of(&users->by_name, name);
    const struct hash_node *node = hash_find_hashed(&users->by_name, number, name);
    const struct auth_user *user =
        node ? container_of(node, struct auth_user, node) : users->all[number % users->by_name.count];
    *hash = user->hash.p;
    return node != NULL;
}
