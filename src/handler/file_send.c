/* file_send.c: see file_send.h. */
#include "handler/file_send.h"

#include <errno.h>
#include <time.h>

#include "http/range.h"
#include "log/log.h"
#include "net/file_window.h"
#include "net/stream.h"

#define WARM_TIME NSEC_SEC

static struct file_stamp stamp_of(const struct file_entry *entry)
{
    return (struct file_stamp){entry->version.size, entry->version.modified};
}

bool file_is_current(struct file_entry *entry)
{
    const struct file_stamp stamp = stamp_of(entry);
    if (entry->fd < 0 || entry->current_at == green_now())
        return true;
    if (!file_still_is(entry->fd, &stamp))
        return false;
    entry->current_at = green_now();
    return true;
}

/* Makes sure that a window is in memory, and that it is what was promised. A file of one window that was found in
 * memory is not probed again for a while. */
static int prepare_window(struct file_entry *entry, off_t at, size_t n)
{
    bool whole = n == (size_t)entry->version.size;
    if (!whole || green_now() >= entry->warm_until) {
        int error = file_warm(entry->fd, at, n);
        if (error)
            return error;
        if (whole)
            entry->warm_until = nsec_add(green_now(), WARM_TIME);
    }
    return file_is_current(entry) ? 0 : -ESTALE;
}

/* ---- content ---- */

static int send_open(struct exchange *x, struct file_entry *entry, const struct http_range *range)
{
    const struct file_stamp stamp = stamp_of(entry);
    int error = 0;
    for (size_t done = 0; done < range->n && !error;) {
        size_t n = range->n - done < FILE_WINDOW ? (size_t)(range->n - done) : FILE_WINDOW;
        off_t at = (off_t)(range->at + done);
        error = prepare_window(entry, at, n);
        if (!error)
            error = http_file(x, entry->fd, at, n, &stamp);
        done += n;
    }
    if (error == -ESTALE || error == -EIO)
        log_limited(LOG_LEVEL_WARN, "files: " STR_FMT " %s while it was sent: the client is cut off",
                    STR_ARG(x->request.uri.path), file_still_is(entry->fd, &stamp) ? "could not be read" : "changed");
    return error;
}

static int send_range(struct exchange *x, struct file_entry *entry, const struct http_range *range)
{
    if (x->response.no_content)
        return 0;
    if (entry->fd < 0)
        return http_content(x, (struct str){entry->bytes + range->at, (size_t)range->n});
    return send_open(x, entry, range);
}

static int send_whole(struct exchange *x, struct file_entry *entry)
{
    const struct http_range all = {0, (uint64_t)entry->version.size};
    int error = http_head(x, 200, entry->fields, entry->version.size);
    if (!error)
        error = send_range(x, entry, &all);
    return error ? error : http_end(x);
}

/* ---- ranges ---- */

static int send_unsatisfiable(struct exchange *x, const struct file_entry *entry)
{
    char field[HTTP_CONTENT_RANGE_SIZE];
    struct out o = out_on(field, sizeof field);
    http_content_range(&o, NULL, (uint64_t)entry->version.size);
    return http_send_status(x, 416, out_str(&o));
}

static int send_part(struct exchange *x, struct file_entry *entry, const struct http_range *range)
{
    char field[HTTP_CONTENT_RANGE_SIZE];
    struct out o = out_on(field, sizeof field);
    struct http_head head = {206, entry->fields, (int64_t)range->n};
    http_content_range(&o, range, (uint64_t)entry->version.size);
    int error = http_head_put(x, &head, out_str(&o));
    if (!error)
        error = http_head(x, head.status, head.fields, head.length);
    if (!error)
        error = send_range(x, entry, range);
    return error ? error : http_end(x);
}

static int send_parts_head(struct exchange *x, const struct file_entry *entry, const struct http_multipart *m)
{
    char field[HTTP_MULTIPART_TYPE_SIZE];
    struct out o = out_on(field, sizeof field);
    struct str rest = entry->fields;
    (void)str_cut(&rest, '\n'); /* the parts have the Content-Type */
    struct http_head head = {206, rest, (int64_t)http_multipart_length(m)};
    http_multipart_type(&o, m);
    int error = http_head_put(x, &head, out_str(&o));
    return error ? error : http_head(x, head.status, head.fields, head.length);
}

static int send_parts(struct exchange *x, struct file_entry *entry, const struct http_ranges *ranges)
{
    struct http_multipart m;
    size_t room = HTTP_PART_HEAD_SIZE + entry->type.n;
    char *text = arena_alloc(&x->arena, room);
    int error = text ? http_multipart_init(&m, ranges, entry->type, (uint64_t)entry->version.size) : -ENOMEM;
    if (!error)
        error = send_parts_head(x, entry, &m);
    for (size_t i = 0; i < ranges->count && !error; i++) {
        struct out o = out_on(text, room);
        http_part_head(&o, &m, i);
        error = http_content(x, out_str(&o));
        if (!error)
            error = send_range(x, entry, &ranges->v[i]);
    }
    if (error)
        return error;
    struct out o = out_on(text, room);
    http_parts_end(&o, &m);
    error = http_content(x, out_str(&o));
    return error ? error : http_end(x);
}

/* ---- the answer ---- */

/* The size goes with it too: not to the peer, but to policies that go by it. */
static int send_not_modified(struct exchange *x, const struct file_entry *entry, enum coding coding)
{
    struct str fields = entry->fields;
    if (coding != CODING_NONE && !file_is_incompressible(entry, coding))
        fields = file_not_modified_fields(&x->arena, entry);
    if (!fields.p)
        return -ENOMEM;
    int error = http_head(x, 304, fields, entry->version.size);
    return error ? error : http_end(x);
}

static int send_selected(struct exchange *x, struct file_entry *entry, const struct http_validators *validators)
{
    struct http_ranges ranges;
    int status = http_range_select(&x->request, validators, time(NULL), (uint64_t)entry->version.size, &ranges);
    if (status == 416)
        return send_unsatisfiable(x, entry);
    if (status == 200)
        return send_whole(x, entry);
    return ranges.count == 1 ? send_part(x, entry, &ranges.v[0]) : send_parts(x, entry, &ranges);
}

int file_send(struct exchange *x, struct file_entry *entry, enum coding coding)
{
    const struct http_validators validators = {entry->etag, entry->modified};
    int status = http_precondition(&x->request, &validators, time(NULL));
    x->as_is = entry->version.size <= FILE_ENCODED_MAX;
    if (status)
        return status == 304 ? send_not_modified(x, entry, coding) : http_send_status(x, status, STR(""));
    const struct file_encoded *encoded = coding == CODING_NONE ? NULL : file_encode(entry, coding);
    if (encoded)
        return http_send(x, 200, encoded->fields, (struct str){encoded->bytes, encoded->n});
    return send_selected(x, entry, &validators);
}
