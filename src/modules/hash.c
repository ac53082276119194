/* hash.c: passwords, hashed as crypt(5) says: far too much work for a worker, so a compute process does it.
 *
 *     compute: 2
 *     ...
 *     module: {file: hash.so, handler: hash, settings: {method: "$y$", within: 5s}}
 *
 *     $ curl --data-binary 'correct horse' http://localhost:8080/hash
 */
#include "tern.h"

#include <crypt.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { PASSWORD = 256 }; /* bytes */

/* What goes to the compute process. */
struct order {
    char method[16]; /* the prefix of a setting: "$y$" */
    char password[PASSWORD + 1];
};

struct hash {
    struct order order; /* without a password */
    tern_time within;
};

/* ---- in a compute process ---- */

static ssize_t run_crypt(const void *in, size_t n, void *out, size_t room)
{
    struct crypt_data *data = calloc(1, sizeof *data);
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];
    ssize_t result = -EINVAL;
    const struct order *order = in;
    if (!data)
        return -ENOMEM;
    if (n == sizeof *order && crypt_gensalt_rn(order->method, 0, NULL, 0, setting, sizeof setting)) {
        const char *hash = crypt_r(order->password, setting, data);
        size_t length = hash && *hash != '*' ? strlen(hash) : 0;
        if (length && length <= room)
            result = (ssize_t)length;
        if (result > 0)
            memcpy(out, hash, length);
    }
    free(data);
    return result;
}

static const struct tern_job jobs[] = {
    {.name = "crypt", .run = run_crypt},
    {.name = NULL},
};

/* ---- in a worker ---- */

static int open_hash(struct tern_settings *settings, void **state)
{
    struct hash *hash = calloc(1, sizeof *hash);
    if (!hash)
        return -ENOMEM;
    const char *method = tern_setting_text(settings, "method", "$y$");
    hash->within = tern_setting_time(settings, "within", 5 * TERN_SEC, 3600 * TERN_SEC);
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];
    if (strlen(method) >= sizeof hash->order.method || !crypt_gensalt_rn(method, 0, NULL, 0, setting, sizeof setting)) {
        free(hash);
        return tern_setting_wrong(settings, "method", "`%s` is no method of crypt(5), such as $y$ or $6$", method);
    }
    memcpy(hash->order.method, method, strlen(method) + 1);
    *state = hash;
    return 0;
}

static int serve_hash(struct tern_request *r, void *state)
{
    const struct hash *hash = state;
    struct order *order = tern_alloc(r, sizeof *order);
    char *password, text[CRYPT_OUTPUT_SIZE];
    size_t n;
    if (!order)
        return -ENOMEM;
    int error = tern_read_all(r, PASSWORD, &password, &n);
    if (error)
        return error;
    if (n == 0 || strlen(password) != n)
        return tern_fail(r, 400);
    *order = hash->order;
    memcpy(order->password, password, n + 1);
    ssize_t made = tern_compute("crypt", order, sizeof *order, text, sizeof text, tern_after(hash->within));
    explicit_bzero(order, sizeof *order);
    explicit_bzero(password, n);
    return made < 0 ? (int)made : tern_printf(r, "%.*s\n", (int)made, text);
}

static const struct tern_handler handlers[] = {
    {.name = "hash", .serve = serve_hash, .open = open_hash, .close = free},
    {.name = NULL},
};

const struct tern_module tern_module = {.abi = TERN_ABI, .name = "hash", .handlers = handlers, .jobs = jobs};
