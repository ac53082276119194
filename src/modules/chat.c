/* chat.c: a room to talk in, over server-sent events.
 *
 *     - path: /chat/
 *       module: {file: chat.so, handler: chat, settings: {sockets: /run/tern/chat}}
 *
 * GET is the page, GET with `Accept: text/event-stream` listens, POST says something to all who listen.
 *
 * Each worker has its listeners. A message goes to all workers over sockets of the kind that keeps messages apart, one
 * in `sockets` for each worker; without that setting who talks is heard in the same worker only. A thread of the worker
 * receives them with a plain recv(), which suspends nothing but itself.
 */
#include "tern.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    MESSAGE = 1024, /* bytes of one */
    BEHIND = 64,    /* messages that a listener may be behind before it misses some */
};

#define HEARTBEAT (15 * TERN_SEC)

struct listener {
    struct listener *next, **at;
    struct tern_chan *messages; /* of char * that are malloc'ed */
};

/* All of this worker: between two waits nothing else runs, so the list needs no lock. */
static struct listener *listeners;
static const char *sockets; /* the directory, or NULL */
static int own_socket = -1;
static struct sockaddr_un own_name;

/* ---- to all listeners ---- */

static void tell(const char *text)
{
    for (struct listener *l = listeners; l; l = l->next) {
        char *copy = strdup(text);
        if (copy && tern_chan_send(l->messages, &copy, tern_now()) < 0) /* it is too far behind */
            free(copy);
    }
}

static bool name_socket(struct sockaddr_un *name, const char *file)
{
    *name = (struct sockaddr_un){.sun_family = AF_UNIX};
    int n = snprintf(name->sun_path, sizeof name->sun_path, "%s/%s", sockets, file);
    return n > 0 && n < (int)sizeof name->sun_path;
}

/* To every worker, this one as well. One that is gone has left its name behind. */
static void tell_workers(const char *text)
{
    DIR *directory = opendir(sockets);
    if (!directory) {
        tern_log(NULL, TERN_ERROR, "chat: %s: %s", sockets, strerror(errno));
        return;
    }
    for (struct dirent *entry; (entry = readdir(directory));) {
        struct sockaddr_un name;
        if (entry->d_name[0] == '.' || !name_socket(&name, entry->d_name))
            continue;
        ssize_t sent = sendto(own_socket, text, strlen(text), MSG_DONTWAIT, (struct sockaddr *)&name, sizeof name);
        if (sent < 0 && errno == ECONNREFUSED)
            unlink(name.sun_path);
    }
    closedir(directory);
}

static int hear_workers(void *arg)
{
    char text[MESSAGE + 1];
    (void)arg;
    for (;;) {
        ssize_t got = recv(own_socket, text, sizeof text - 1, 0);
        if (got < 0 && tern_cancelled())
            return 0;
        if (got < 0) { /* such as a lack of memory, which passes */
            tern_log(NULL, TERN_ERROR, "chat: messages of others are lost: %s", strerror(errno));
            if (tern_sleep(TERN_SEC) < 0)
                return 0;
            continue;
        }
        text[got] = '\0';
        tell(text);
    }
}

/* ---- start and end of a worker ---- */

static int open_socket(void)
{
    char file[32];
    snprintf(file, sizeof file, "%d", (int)getpid());
    own_socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (own_socket < 0 || !name_socket(&own_name, file))
        return own_socket < 0 ? -errno : -ENAMETOOLONG;
    if (mkdir(sockets, 0700) < 0 && errno != EEXIST)
        return -errno;
    unlink(own_name.sun_path);
    return bind(own_socket, (struct sockaddr *)&own_name, sizeof own_name) < 0 ? -errno : 0;
}

static int start_chat(void)
{
    if (!sockets)
        return 0;
    int error = open_socket();
    if (error)
        tern_log(NULL, TERN_ERROR, "chat: no socket in %s: %s", sockets, strerror(-error));
    return error ? error : tern_start(NULL, NULL, hear_workers, NULL);
}

/* Nobody waits for the next message any more. */
static void retire_chat(void)
{
    for (struct listener *l = listeners; l; l = l->next)
        tern_chan_close(l->messages);
}

static void stop_chat(void)
{
    if (own_socket < 0)
        return;
    unlink(own_name.sun_path);
    close(own_socket);
}

static int open_chat(struct tern_settings *settings, void **state)
{
    (void)state;
    const char *directory = tern_setting_text(settings, "sockets", "");
    if (*directory)
        sockets = directory;
    return 0;
}

/* ---- requests ---- */

static void leave(void *arg)
{
    struct listener *l = arg;
    char *text;
    *l->at = l->next;
    if (l->next)
        l->next->at = l->at;
    tern_chan_close(l->messages);
    while (tern_chan_recv(l->messages, &text, TERN_NEVER) == 0) /* what is in it, without a wait */
        free(text);
    tern_chan_free(l->messages);
}

static int join(struct tern_request *r, struct listener **joined)
{
    struct listener *l = tern_alloc(r, sizeof *l);
    if (!l || !(l->messages = tern_chan_open(sizeof(char *), BEHIND)))
        return -ENOMEM;
    if (tern_defer(r, leave, l) < 0) {
        tern_chan_free(l->messages);
        return -ENOMEM;
    }
    l->next = listeners;
    l->at = &listeners;
    if (listeners)
        listeners->at = &l->next;
    listeners = l;
    *joined = l;
    return 0;
}

static int pass_on(struct tern_request *r, char *text)
{
    int error = tern_event(r, NULL, NULL, text);
    free(text);
    return error;
}

/* Until the client leaves, or the worker has to. */
static int listen_in(struct tern_request *r)
{
    struct listener *self;
    int error = tern_stopping() ? -EAGAIN : join(r, &self);
    if (!error)
        error = tern_events(r);
    while (!error) {
        char *text = NULL;
        int heard = tern_chan_recv(self->messages, &text, tern_after(HEARTBEAT));
        if (heard == -EPIPE)
            return 0;
        error = heard == 0 || heard == -ETIMEDOUT ? pass_on(r, text) : heard; /* silence is a comment */
    }
    return error;
}

static int say(struct tern_request *r)
{
    char *text;
    size_t n;
    int error = tern_read_all(r, MESSAGE, &text, &n);
    if (error)
        return error;
    if (n == 0 || strlen(text) != n)
        return tern_fail(r, 400);
    if (sockets)
        tell_workers(text);
    else
        tell(text);
    return tern_status(r, 204);
}

static int show_page(struct tern_request *r)
{
    static const char page[] =
        "<!doctype html>\n<meta charset=utf-8>\n<title>Chat</title>\n"
        "<ul id=said></ul>\n<form id=form><input id=text autofocus maxlength=1000><button>Say</button></form>\n"
        "<script>\n"
        "new EventSource(location.href).onmessage = e => {\n"
        "  const line = document.createElement('li');\n"
        "  line.textContent = e.data;\n"
        "  said.append(line);\n"
        "};\n"
        "form.onsubmit = e => {\n"
        "  e.preventDefault();\n"
        "  fetch(location.href, {method: 'POST', body: text.value});\n"
        "  text.value = '';\n"
        "};\n"
        "</script>\n";
    int error = tern_header(r, "Content-Type", "text/html; charset=utf-8");
    return error ? error : tern_write(r, page, sizeof page - 1);
}

static int serve_chat(struct tern_request *r, void *state)
{
    (void)state;
    const char *method = tern_get(r, TERN_METHOD), *accept = tern_field(r, "Accept");
    if (strcmp(method, "POST") == 0)
        return say(r);
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        return tern_fail(r, 405);
    bool wants_events = accept && strstr(accept, "text/event-stream");
    return wants_events && strcmp(method, "GET") == 0 ? listen_in(r) : show_page(r);
}

static const struct tern_handler handlers[] = {
    {.name = "chat", .serve = serve_chat, .open = open_chat},
    {.name = NULL},
};

const struct tern_module tern_module = {
    .abi = TERN_ABI,
    .name = "chat",
    .handlers = handlers,
    .start = start_chat,
    .stop = stop_chat,
    .retire = retire_chat,
};
