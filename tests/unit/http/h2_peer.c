/* h2_peer.c: see h2_peer.h. */
#include "h2_peer.h"

#include <errno.h>
#include <fcntl.h>
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "http/h2.h"

enum { PATTERN = 1 << 20 };

struct green_sem h2_peer_gate;
unsigned h2_peer_served;

/* ---- the server's side ---- */

struct str h2_peer_bytes(size_t n)
{
    static char pattern[PATTERN];
    cr_assert_leq(n, sizeof pattern);
    if (!pattern[0])
        for (size_t i = 0; i < sizeof pattern; i++)
            pattern[i] = (char)('!' + (i * 2654435761u >> 7) % 90);
    return (struct str){pattern, n};
}

uint64_t h2_peer_hash(uint64_t hash, struct str bytes)
{
    for (size_t i = 0; i < bytes.n; i++)
        hash = (hash ^ (unsigned char)bytes.p[i]) * 1099511628211u;
    return hash;
}

static int serve_hello(struct exchange *x, size_t n)
{
    (void)n;
    return http_send(x, 200, STR("Content-Type: text/plain\r\nX-Mixed: Case\r\nConnection: keep-alive\r\n"),
                     STR("hello"));
}

static int serve_bytes(struct exchange *x, size_t n)
{
    return http_send(x, 200, STR(""), h2_peer_bytes(n));
}

static int serve_late(struct exchange *x, size_t n)
{
    return http_send(x, 200, STR("Priority: u=7\r\n"), h2_peer_bytes(n));
}

static int serve_pieces(struct exchange *x, size_t n)
{
    int error = http_head(x, 200, STR(""), HTTP_LENGTH_UNKNOWN);
    for (struct str rest = h2_peer_bytes(n); rest.n && !error; rest = str_skip(rest, 1000))
        error = http_content(x, (struct str){rest.p, rest.n < 1000 ? rest.n : 1000});
    return error ? error : http_end(x);
}

static int serve_echo(struct exchange *x, size_t n)
{
    static char content[PATTERN];
    ssize_t got;
    for (n = 0; (got = http_read(x, content + n, sizeof content - n)) > 0; n += (size_t)got)
        ;
    return got < 0 ? (int)got : http_send(x, 200, STR(""), (struct str){content, n});
}

static int serve_fields(struct exchange *x, size_t n)
{
    (void)n;
    char text[H2_PEER_TEXT];
    struct out o = out_on(text, sizeof text);
    for (size_t i = 0; i < x->request.field_count; i++) {
        out_put(&o, x->request.fields[i].name);
        out_text(&o, ": ");
        out_put(&o, x->request.fields[i].value);
        out_text(&o, "\n");
    }
    return http_send(x, 200, STR(""), out_str(&o));
}

static int serve_short(struct exchange *x, size_t n)
{
    (void)n;
    int error = http_head(x, 200, STR(""), 10);
    if (!error)
        error = http_content(x, STR("12345"));
    return error ? error : http_end(x);
}

static int serve_file(struct exchange *x, size_t n)
{
    int fd = memfd_create("h2_peer", MFD_CLOEXEC);
    cr_assert_eq(write(fd, h2_peer_bytes(n).p, n), (ssize_t)n);
    struct stat now;
    cr_assert_eq(fstat(fd, &now), 0);
    struct file_stamp stamp = {now.st_size, now.st_mtim};
    if (str_eq(x->request.uri.query, STR("cut"))) /* it is not what it was when the second frame is sent */
        stamp.modified.tv_nsec ^= 1;
    int error = http_head(x, 200, STR(""), (int64_t)n);
    if (!error)
        error = http_file(x, fd, 0, n, &stamp);
    close(fd);
    return error ? error : http_end(x);
}

static int serve_wait(struct exchange *x, size_t n)
{
    (void)n;
    int error = green_sem_wait(&h2_peer_gate, NSEC_NEVER);
    return error ? error : http_send(x, 200, STR(""), STR("waited"));
}

static int serve_flush(struct exchange *x, size_t n)
{
    (void)n;
    int error = http_head(x, 200, STR(""), HTTP_LENGTH_UNKNOWN);
    if (!error)
        error = http_content(x, STR("hello"));
    if (!error)
        error = http_flush(x);
    if (!error)
        error = green_sem_wait(&h2_peer_gate, NSEC_NEVER);
    if (!error)
        error = http_content(x, STR(", goodbye"));
    return error ? error : http_end(x);
}

static int serve_empty(struct exchange *x, size_t n)
{
    (void)n;
    return http_send(x, 204, STR(""), STR(""));
}

static int serve_any(struct exchange *x, const void *settings)
{
    static const struct {
        struct str path;
        int (*serve)(struct exchange *x, size_t n);
    } table[] = {
        {STR_INIT("hello"), serve_hello}, {STR_INIT("bytes"), serve_bytes}, {STR_INIT("pieces"), serve_pieces},
        {STR_INIT("echo"), serve_echo},   {STR_INIT("short"), serve_short}, {STR_INIT("fields"), serve_fields},
        {STR_INIT("file"), serve_file},   {STR_INIT("wait"), serve_wait},   {STR_INIT("empty"), serve_empty},
        {STR_INIT("late"), serve_late},   {STR_INIT("flush"), serve_flush},
    };
    (void)settings;
    h2_peer_served++;
    struct str rest = str_skip(x->request.uri.path, 1), name = str_cut(&rest, '/');
    uint64_t n = 0;
    (void)!str_to_u64(rest, &n);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (str_eq(table[i].path, name))
            return table[i].serve(x, n);
    return http_send_status(x, 404, STR(""));
}

/* ---- the client's callbacks ---- */

struct h2_answer *h2_peer_answer(struct h2_peer *peer, int32_t id)
{
    cr_assert_lt(id / 2, H2_PEER_STREAMS);
    return &peer->answers[id / 2];
}

static void append(char text[static H2_PEER_TEXT], struct str bytes)
{
    size_t n = strlen(text), room = H2_PEER_TEXT - 1 - n;
    memcpy(text + n, bytes.p, bytes.n < room ? bytes.n : room);
    text[n + (bytes.n < room ? bytes.n : room)] = '\0';
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_n,
                     const uint8_t *value, size_t value_n, uint8_t flags, void *arg)
{
    (void)session, (void)flags;
    struct h2_answer *answer = h2_peer_answer(arg, frame->hd.stream_id);
    struct str n = {(const char *)name, name_n}, v = {(const char *)value, value_n};
    if (str_eq(n, STR(":status")) && str_eq(v, STR("100")))
        answer->interim = 100;
    else if (str_eq(n, STR(":status")))
        answer->status = atoi((const char *)value);
    append(answer->fields, n);
    append(answer->fields, STR(": "));
    append(answer->fields, v);
    append(answer->fields, STR("\n"));
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes, size_t n, void *arg)
{
    (void)session, (void)flags;
    struct h2_answer *answer = h2_peer_answer(arg, id);
    answer->length += n;
    answer->hash = h2_peer_hash(answer->hash, (struct str){(const char *)bytes, n});
    append(answer->text, (struct str){(const char *)bytes, n});
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
    (void)session;
    struct h2_peer *peer = arg;
    if (frame->hd.type == NGHTTP2_GOAWAY) {
        peer->goaways++;
        peer->goaway_code = frame->goaway.error_code;
        peer->goaway_last = frame->goaway.last_stream_id;
    }
    peer->pings += frame->hd.type == NGHTTP2_PING && frame->hd.flags & NGHTTP2_FLAG_ACK;
    if (frame->hd.type != NGHTTP2_DATA && frame->hd.type != NGHTTP2_HEADERS)
        return 0;
    struct h2_answer *answer = h2_peer_answer(peer, frame->hd.stream_id);
    answer->frames += frame->hd.type == NGHTTP2_DATA;
    answer->ended |= (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t code, void *arg)
{
    (void)session;
    struct h2_peer *peer = arg;
    struct h2_answer *answer = h2_peer_answer(peer, id);
    answer->over = ++peer->closed;
    answer->code = code;
    return 0;
}

/* ---- the client ---- */

static void use_server(void)
{
    static const struct http_handler handler = {.name = STR_INIT("test"), .serve = serve_any};
    static struct http_route route = {.path = STR_INIT("/"), .handler = &handler};
    static struct http_site site = {.root = &route};
    pair_server.sites.fallback = &site;
    pair_server.limits.body_size = PATTERN;
    green_sem_init(&h2_peer_gate, 0);
    h2_peer_served = 0;
}

static nghttp2_session *make_session(struct h2_peer *peer)
{
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *option;
    nghttp2_session *session;
    cr_assert_eq(nghttp2_session_callbacks_new(&callbacks), 0);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    cr_assert_eq(nghttp2_option_new(&option), 0);
    nghttp2_option_set_no_http_messaging(option, 1); /* it may ask for anything */
    nghttp2_option_set_peer_max_concurrent_streams(option, H2_PEER_STREAMS);
    cr_assert_eq(nghttp2_session_client_new2(&session, callbacks, peer, option), 0);
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    return session;
}

struct h2_peer *h2_peer_open(uint32_t window)
{
    static struct h2_peer peer;
    memset(&peer, 0, sizeof peer);
    for (size_t i = 0; i < H2_PEER_STREAMS; i++)
        peer.answers[i].hash = h2_peer_hash(0, STR(""));
    use_server();
    peer.pair = pair_open();
    peer.session = make_session(&peer);
    const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, window ? window - 1 : 65535}};
    cr_assert_eq(nghttp2_submit_settings(peer.session, NGHTTP2_FLAG_NONE, settings, 1), 0);
    return &peer;
}

void h2_peer_close(struct h2_peer *peer)
{
    nghttp2_session_del(peer->session);
    close(peer->pair.peer);
}

static ssize_t give_content(nghttp2_session *session, int32_t id, uint8_t *to, size_t n, uint32_t *flags,
                            nghttp2_data_source *source, void *arg)
{
    (void)session, (void)id, (void)arg;
    struct str *rest = source->ptr;
    if (n >= rest->n) {
        n = rest->n;
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    }
    memcpy(to, rest->p, n);
    *rest = str_skip(*rest, n);
    return (ssize_t)n;
}

static nghttp2_nv field(struct str name, struct str value)
{
    return (nghttp2_nv){(uint8_t *)(uintptr_t)name.p, (uint8_t *)(uintptr_t)value.p, name.n, value.n, 0};
}

static int32_t ask(struct h2_peer *peer, const char *method, const char *path, const char *fields,
                   const nghttp2_data_provider *provider)
{
    nghttp2_nv nv[256] = {field(STR(":method"), str_of(method)), field(STR(":scheme"), STR("http")),
                          field(STR(":path"), str_of(path))};
    size_t n = 3;
    for (struct str rest = str_of(fields); rest.n;) {
        struct str value = str_cut(&rest, '\n'), name = value;
        name.n = 1 + str_find(str_skip(value, 1), ':');
        nv[n++] = field(name, str_skip(value, name.n + 2));
    }
    int32_t id = nghttp2_submit_request(peer->session, NULL, nv, n, provider, NULL);
    cr_assert_gt(id, 0);
    return id;
}

int32_t h2_peer_ask(struct h2_peer *peer, const char *method, const char *path, const char *fields, struct str content)
{
    static struct str contents[H2_PEER_STREAMS];
    static size_t at;
    struct str *source = &contents[at++ % H2_PEER_STREAMS];
    *source = content;
    nghttp2_data_provider provider = {.source.ptr = source, .read_callback = give_content};
    return ask(peer, method, path, fields, content.p ? &provider : NULL);
}

static ssize_t give_nothing(nghttp2_session *session, int32_t id, uint8_t *to, size_t n, uint32_t *flags,
                            nghttp2_data_source *source, void *arg)
{
    (void)session, (void)id, (void)to, (void)n, (void)flags, (void)source, (void)arg;
    return NGHTTP2_ERR_DEFERRED;
}

int32_t h2_peer_promise(struct h2_peer *peer, const char *path, const char *fields)
{
    char all[256];
    nghttp2_data_provider provider = {.read_callback = give_nothing};
    snprintf(all, sizeof all, ":authority: a\n%s", fields);
    return ask(peer, "POST", path, all, &provider);
}

int32_t h2_peer_get(struct h2_peer *peer, const char *path)
{
    return h2_peer_ask(peer, "GET", path, ":authority: a.example\n", (struct str){NULL, 0});
}

static void send_all(struct h2_peer *peer)
{
    static char left[1 << 16];
    static size_t left_n;
    const uint8_t *bytes;
    for (;;) {
        ssize_t sent = left_n ? send(peer->pair.peer, left, left_n, MSG_NOSIGNAL) : 0;
        if (sent < 0)
            return;
        left_n -= (size_t)sent;
        memmove(left, left + sent, left_n);
        if (left_n)
            return;
        ssize_t n = nghttp2_session_mem_send(peer->session, &bytes);
        if (n <= 0)
            return;
        memcpy(left, bytes, (size_t)n);
        left_n = (size_t)n;
    }
}

void h2_peer_move(struct h2_peer *peer)
{
    char bytes[16384];
    send_all(peer);
    ssize_t got;
    while (!peer->deaf && (got = recv(peer->pair.peer, bytes, sizeof bytes, MSG_DONTWAIT)) >= 0) {
        peer->over = got == 0;
        if (got == 0)
            break;
        cr_assert_eq(nghttp2_session_mem_recv(peer->session, (uint8_t *)bytes, (size_t)got), got);
    }
    send_all(peer);
}

struct h2_answer *h2_peer_fetch(struct h2_peer *peer, const char *path)
{
    struct h2_answer *answer = h2_peer_answer(peer, h2_peer_get(peer, path));
    h2_peer_until(peer, answer->over);
    return answer;
}
