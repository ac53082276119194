/* auth.c: `auth`: who is asked for a name and a password (RFC 9110, 11; RFC 7617).
 *
 *     auth: {realm: "Staff only", users: {alice: "$6$..."}, file: /etc/tern/htpasswd}
 *
 *   auth_basic.c    what the peer says
 *   auth_users.c    who there is
 *   auth_hash.c     whether a password has a hash
 *   auth_queue.c    the same, and who has to wait for it
 *   auth_verify.c   what is known of it already
 */
#include <errno.h>

#include "policy/auth_basic.h"
#include "policy/auth_verify.h"
#include "policy/registry.h"

struct auth {
    bool on;
    struct str realm;
    struct auth_users users;
    struct str challenge; /* the field of a 401 */
};

/* ---- configuration ---- */

static const struct conf_key realm_key = {.kind = CONF_TEXT, .takes = "a text of printable ASCII"};
static const struct conf_key file_key = {.kind = CONF_TEXT, .takes = "a path"};

static int read_realm(struct conf_reader *r, struct conf_node *node, void *field)
{
    struct str *realm = field;
    int error = conf_read_value(r, node, &realm_key, realm);
    for (size_t i = 0; i < realm->n && !error; i++)
        if (realm->p[i] < ' ' || realm->p[i] > '~') {
            conf_error(r, node, "has a character that is not printable ASCII");
            error = -EINVAL;
        }
    return error;
}

static int read_users(struct conf_reader *r, struct conf_node *node, void *field)
{
    return auth_users_read(r, node, field);
}

static int read_file(struct conf_reader *r, struct conf_node *node, void *field)
{
    struct str path;
    int error = conf_read_value(r, node, &file_key, &path);
    return error ? error : auth_users_load(r, node, path.p, field);
}

static const struct conf_key auth_keys[] = {
    {"realm", CONF_CUSTOM, offsetof(struct auth, realm), .fallback = "Restricted", .read = read_realm,
     .single = &realm_key, .doc = "what the password is for; browsers show it"},
    {"users", CONF_CUSTOM, offsetof(struct auth, users), .secret = true, .read = read_users, .entry = &auth_users_entry,
     .doc = "hashes of passwords by user, as `openssl passwd -6` makes them"},
    {"file", CONF_CUSTOM, offsetof(struct auth, users), .read = read_file, .single = &file_key,
     .doc = "more of them, as `htpasswd -B` writes them; read at the start"},
};

static const struct conf_table auth_table = CONF_TABLE("auth", auth_keys);

static int read_auth(struct conf_reader *r, struct conf_node *node, void *field)
{
    struct auth *auth = field;
    if (node->kind == CONF_SCALAR && str_eq(node->text, STR("off")))
        return 0;
    if (node->kind != CONF_MAPPING) {
        conf_error(r, node, "takes `off`, or a mapping such as {file: /etc/tern/htpasswd}");
        return -EINVAL;
    }
    auth->on = true;
    int error = auth_users_init(&auth->users, r->arena);
    if (!error)
        error = conf_read_map(r, node, &auth_table, auth);
    if (!error && auth->users.by_name.count == 0) {
        conf_error(r, node, "has no users; list them in `users` or in a `file`");
        error = -EINVAL;
    }
    return error;
}

static const struct conf_key keys[] = {
    {"auth", CONF_CUSTOM, 0, .read = read_auth, .single = &conf_off, .table = &auth_table,
     .doc = "who has to log in: {realm: Staff only, file: /etc/tern/htpasswd}"},
};

static const struct conf_table table = CONF_TABLE("auth", keys);

/* The realm as a quoted-string (RFC 9110, 5.6.4). */
static int write_challenge(struct arena *arena, struct auth *auth)
{
    char *quoted = arena_alloc(arena, 2 * auth->realm.n + 1);
    if (!quoted)
        return -ENOMEM;
    struct out o = out_on(quoted, 2 * auth->realm.n);
    for (size_t i = 0; i < auth->realm.n; i++) {
        if (auth->realm.p[i] == '"' || auth->realm.p[i] == '\\')
            out_char(&o, '\\');
        out_char(&o, auth->realm.p[i]);
    }
    auth->challenge = arena_printf(arena, "WWW-Authenticate: Basic realm=\"" STR_FMT "\", charset=\"UTF-8\"\r\n",
                                   STR_ARG(out_str(&o)));
    return auth->challenge.p ? 0 : -ENOMEM;
}

static int prepare(struct conf_reader *r, struct conf_node *node, const void *outer, void *settings)
{
    (void)node, (void)outer;
    struct auth *auth = settings;
    if (!auth->on)
        return 0;
    int error = auth_users_seal(&auth->users, r->arena);
    return error ? error : write_challenge(r->arena, auth);
}

/* ---- requests ---- */

/* The Authorization field. Several are none: two readers may take such a request for two users, so nobody knows whom a
 * proxy before this server has let in. */
static struct str credentials_of(const struct http_request *request)
{
    const struct str name = STR("Authorization");
    size_t lines = 0;
    for (size_t i = 0; i < request->field_count; i++)
        lines += str_eq_nocase(request->fields[i].name, name);
    return lines == 1 ? http_field(request, name) : STR("");
}

/* 1: x->user is set. 0: that is nobody. -errno as auth_verify(). */
static int recognise(struct exchange *x, const struct auth *auth)
{
    struct auth_basic basic;
    int result = auth_basic_read(credentials_of(&x->request), &basic) ? 0 : 1;
    if (result)
        result = auth_verify(&auth->users, x->peer, basic.user, basic.password);
    if (result > 0) {
        x->user = arena_copy(&x->arena, basic.user);
        result = x->user.p ? 1 : -ENOMEM;
    }
    explicit_bzero(&basic, sizeof basic);
    return result;
}

static int admit(struct exchange *x, const void *settings)
{
    const struct auth *auth = settings;
    int result = auth->on ? recognise(x, auth) : 1;
    if (result == 0)
        return http_send_status(x, 401, auth->challenge);
    if (result == -EBUSY || result == -ETIMEDOUT || result == -EAGAIN)
        return http_send_status(x, 503, STR("Retry-After: 10\r\n"));
    return result < 0 ? result : 0;
}

const struct http_policy policy_auth = {
    .table = &table,
    .size = sizeof(struct auth),
    .prepare = prepare,
    .admit = admit,
};
