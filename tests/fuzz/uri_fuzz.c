/* uri_fuzz.c: request targets: every promise of http/uri.h holds, and what is written parses to the same. */
#include <errno.h>
#include <stdlib.h>

#include "http/uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void require(bool promise)
{
    if (!promise)
        abort();
}

static bool contains(struct str s, struct str part)
{
    for (; s.n >= part.n; s = str_skip(s, 1))
        if (str_starts(s, part))
            return true;
    return false;
}

static void check_path(struct str path)
{
    require(str_starts(path, STR("/")));
    require(!contains(path, STR("//")) && !contains(path, STR("/./")) && !contains(path, STR("/../")));
    require(!str_ends(path, STR("/.")) && !str_ends(path, STR("/..")));
    require(str_find(path, '\0') == path.n);
}

static void check_encoding(struct arena *arena, struct str path)
{
    size_t size = 3 * path.n;
    struct out o = out_on(arena_alloc(arena, size), size);
    http_uri_encode(&o, path);
    struct str text = out_str(&o);
    require(!o.full && !str_starts(text, STR("//")));
    for (size_t i = 0; i < text.n; i++)
        require(text.p[i] > ' ' && text.p[i] < 0x7f && text.p[i] != '\\' && text.p[i] != '"');
    struct http_uri again;
    require(http_uri_parse(arena, text, &again) == 0 && str_eq(again.path, path) && !again.query.p);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct arena arena;
    struct http_uri uri;
    arena_init(&arena, NULL, 0);
    struct str target = {(const char *)bytes, n};
    int error = http_uri_parse(&arena, target, &uri);
    require(error == 0 || error == -EBADMSG);
    if (error == 0) {
        check_path(uri.path);
        check_encoding(&arena, uri.path);
        require(!uri.query.p || (uri.query.p > target.p && uri.query.p + uri.query.n == target.p + target.n));
        require(!uri.host.p || http_host_valid(uri.host));
    }
    (void)http_host_valid(target);
    arena_clear(&arena);
    return 0;
}
