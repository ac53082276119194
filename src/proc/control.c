/* control.c: see control.h.
 *
 * An answer is never sent from within control_answer(), but when its client can take it: so no connection ends while an
 * action or a caller of it is at work.
 */
#include "proc/control.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/json.h"
#include "ctl/protocol.h"
#include "ctl/verb.h"
#include "log/log.h"

enum { REFUSAL_SIZE = 64 * 1024 };
#define PAUSE NSEC_SEC

struct client {
    struct list link; /* in control.clients */
    struct control *control;
    struct watch watch;
    struct alarm patience;
    struct control_peer peer;
    struct control_request request;
    bool busy;  /* with that request */
    bool ended; /* nothing more is read from it */
    char in[CTL_LINE_MAX];
    size_t in_n, line_n; /* bytes in there; of them: the present request */
    char *out;           /* the answer that is being sent, or NULL */
    size_t out_n, sent;
};

static void drop(struct client *c)
{
    list_unlink(&c->request.link);
    list_unlink(&c->link);
    c->control->count--;
    reactor_disarm(&c->patience);
    reactor_unwatch(c->control->reactor, &c->watch);
    close(c->watch.fd);
    free(c->out);
    free(c);
}

static void on_patience(struct alarm *alarm)
{
    drop(container_of(alarm, struct client, patience));
}

static void be_patient(struct client *c)
{
    reactor_arm(c->control->reactor, &c->patience, nsec_add(clock_monotonic(), CONTROL_PATIENCE));
}

/* Reads nothing more from it, and forgets what it has sent. */
static void finish(struct client *c)
{
    c->ended = true;
    c->in_n = c->line_n = 0;
}

/* ---- answers ---- */

void control_answer(struct control_request *request, struct str json)
{
    list_unlink(&request->link);
    request->answer(request, json);
}

static void take_answer(struct control_request *request, struct str json)
{
    struct client *c = container_of(request, struct client, request);
    c->busy = false;
    be_patient(c);
    c->watch.events = POLLOUT;
    c->out = json.n < CTL_ANSWER_MAX ? malloc(json.n + 1) : NULL;
    if (!c->out) {
        log_error("control: no room for an answer of %zu bytes", json.n);
        finish(c);
        return;
    }
    struct out o = out_on(c->out, json.n + 1);
    out_put(&o, json);
    out_char(&o, '\n');
    c->out_n = out_len(&o);
    c->sent = 0;
}

static struct str write_refusal(char room[static REFUSAL_SIZE], const char *code, struct str error,
                                const struct str *messages, size_t count)
{
    struct out o = out_on(room, REFUSAL_SIZE);
    struct json j = json_on(&o);
    json_open(&j, NULL, '{');
    json_bool(&j, "ok", false);
    json_text(&j, "code", str_of(code));
    json_text(&j, "error", error);
    json_open(&j, "messages", '[');
    for (size_t i = 0; i < count; i++)
        json_text(&j, NULL, messages[i]);
    json_close(&j, ']');
    json_close(&j, '}');
    return o.full ? (struct str){NULL, 0} : out_str(&o);
}

void control_refuse(struct control_request *request, const char *code, struct str error, const struct str *messages,
                    size_t count)
{
    char room[REFUSAL_SIZE];
    struct str json = write_refusal(room, code, error, messages, count);
    while (json.n == 0 && count > 0)
        json = write_refusal(room, code, error, messages, --count);
    if (json.n == 0)
        json = write_refusal(room, code, STR("the reason is too long to be told"), NULL, 0);
    control_answer(request, json);
}

static int send_answer(struct client *c)
{
    if (!c->out)
        return 0;
    ssize_t n = send(c->watch.fd, c->out + c->sent, c->out_n - c->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0)
        return errno == EAGAIN ? 0 : -errno;
    c->sent += (size_t)n;
    if (c->sent == c->out_n) {
        free(c->out);
        c->out = NULL;
        be_patient(c);
    }
    return 0;
}

/* ---- requests ---- */

static const struct control_action *find_action(const struct control_options *options, struct str verb)
{
    for (size_t i = 0; i < options->count; i++)
        if (str_eq(verb, str_of(options->actions[i].verb)))
            return &options->actions[i];
    return NULL;
}

void control_run(const struct control_options *options, struct control_request *request, struct str line)
{
    char reason[4 * CTL_LINE_MAX];
    struct out why = out_on(reason, sizeof reason);
    line = str_trim(line);
    request->verb = str_cut(&line, ' ');
    request->argument = str_trim(line);
    const struct verb *verb = verb_check(request->verb, request->argument, &why);
    const struct control_action *action = verb ? find_action(options, request->verb) : NULL;
    if (!verb)
        control_refuse(request, CTL_CODE_USAGE, out_str(&why), NULL, 0);
    else if (!action)
        control_refuse(request, CTL_CODE_USAGE, STR("this server does not know that verb"), NULL, 0);
    else
        action->run(options->server, request);
}

static void run(struct client *c, struct str line)
{
    struct str rest = str_trim(line);
    const struct verb *verb = verb_find(str_cut(&rest, ' '));
    c->busy = true;
    reactor_disarm(&c->patience);
    if (verb)
        log_info("control: %s, asked by [%d] of user %u", verb->name, (int)c->peer.pid, (unsigned)c->peer.uid);
    control_run(&c->control->options, &c->request, line);
}

/* Begins the next request, if there is one and nothing else is going on. */
static void serve(struct client *c)
{
    if (c->busy || c->out)
        return;
    c->in_n -= c->line_n;
    memmove(c->in, c->in + c->line_n, c->in_n);
    c->line_n = 0;
    struct str in = {c->in, c->in_n};
    size_t n = str_find(in, '\n');
    if (n < in.n) {
        c->line_n = n + 1;
        run(c, (struct str){c->in, n});
    } else if (in.n == sizeof c->in) {
        control_refuse(&c->request, CTL_CODE_USAGE, STR("the line is too long"), NULL, 0);
        finish(c);
    }
}

static int receive(struct client *c)
{
    ssize_t n = recv(c->watch.fd, c->in + c->in_n, sizeof c->in - c->in_n, MSG_DONTWAIT);
    if (n < 0)
        return errno == EAGAIN ? 0 : -errno;
    c->in_n += (size_t)n;
    c->ended |= n == 0;
    return 0;
}

static void on_ready(struct watch *watch, short events)
{
    struct client *c = container_of(watch, struct client, watch);
    int error = 0;
    if (events & (POLLHUP | POLLERR | POLLNVAL))
        error = -EPIPE;
    else if (events & POLLOUT)
        error = send_answer(c);
    else
        error = receive(c);
    if (!error)
        serve(c);
    if (error || (c->ended && !c->busy && !c->out))
        drop(c);
    else
        c->watch.events = c->out ? POLLOUT : c->busy ? 0 : POLLIN;
}

/* ---- connections ---- */

/* What fits into the queue of a socket that nothing was sent to yet. */
static void turn_away(int fd, struct str reason)
{
    char room[REFUSAL_SIZE];
    struct str json = write_refusal(room, CTL_CODE_REFUSED, reason, NULL, 0);
    room[json.n] = '\n';
    (void)!send(fd, room, json.n + 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    close(fd);
}

static void add_client(struct control *control, int fd, const struct control_peer *peer)
{
    struct client *c = calloc(1, sizeof *c);
    if (!c) {
        turn_away(fd, STR("the server is out of memory"));
        return;
    }
    c->control = control;
    c->peer = *peer;
    c->request.answer = take_answer;
    c->watch = (struct watch){.fd = fd, .events = POLLIN, .ready = on_ready};
    c->patience.ring = on_patience;
    list_init(&c->watch.link);
    list_init(&c->patience.link);
    list_init(&c->request.link);
    list_push_back(&control->clients, &c->link);
    control->count++;
    reactor_watch(control->reactor, &c->watch);
    be_patient(c);
}

static void welcome(struct control *control, int fd)
{
    struct control_peer peer;
    if (control_peer_of(&peer, fd, control->options.user, control->options.group) < 0) {
        close(fd);
    } else if (!peer.permitted) {
        log_limited(LOG_LEVEL_WARN, "control: [%d] of user %u may not ask", (int)peer.pid, (unsigned)peer.uid);
        turn_away(fd, STR("only root, and the user and the group of the server, may ask"));
    } else if (control->count == CONTROL_CLIENTS) {
        turn_away(fd, STR("too many others are connected"));
    } else {
        add_client(control, fd, &peer);
    }
}

static void on_resume(struct alarm *alarm)
{
    container_of(alarm, struct control, pause)->listener.events = POLLIN;
}

static void on_connection(struct watch *watch, short events)
{
    struct control *control = container_of(watch, struct control, listener);
    (void)events;
    struct sockaddr_un address;
    socklen_t size = sizeof address;
    int fd = accept4(watch->fd, (struct sockaddr *)&address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        welcome(control, fd);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
        log_limited(LOG_LEVEL_ERROR, "control: cannot accept: %s", strerror(errno));
        watch->events = 0; /* or the loop would spin */
        reactor_arm(control->reactor, &control->pause, nsec_add(clock_monotonic(), PAUSE));
    }
}

/* ---- the whole ---- */

static int open_socket(struct control *control)
{
    const struct control_options *options = &control->options;
    if (options->inherited >= 0) {
        if (control_socket_adopt(&control->socket, options->path, options->inherited) == 0)
            return 0;
        close(options->inherited);
    }
    return control_socket_open(&control->socket, options->path, options->group);
}

void control_init(struct control *control, struct reactor *reactor)
{
    *control = (struct control){.reactor = reactor, .socket.fd = -1, .next.fd = -1, .pause.ring = on_resume};
    list_init(&control->clients);
    list_init(&control->pause.link);
    list_init(&control->listener.link);
    list_init(&control->next_listener.link);
}

/* So that reactor_abandon() knows of it. */
static void watch_for_nothing(struct control *control, struct watch *watch, int fd)
{
    watch->fd = fd;
    watch->events = 0;
    watch->ready = on_connection;
    reactor_watch(control->reactor, watch);
}

int control_open(struct control *control, struct reactor *reactor, const struct control_options *options)
{
    control_init(control, reactor);
    control->options = *options;
    int error = open_socket(control);
    if (error)
        return error;
    watch_for_nothing(control, &control->listener, control->socket.fd);
    return 0;
}

void control_start(struct control *control)
{
    if (control->socket.fd < 0)
        return;
    control_socket_listen(&control->socket);
    control->listener.events = POLLIN;
}

void control_stop(struct control *control)
{
    if (control->socket.fd < 0)
        return;
    reactor_disarm(&control->pause);
    reactor_unwatch(control->reactor, &control->listener);
    control_socket_close(&control->socket, false);
}

/* ---- another place ---- */

static bool is_here(const struct control *control, struct str path)
{
    return control->socket.fd >= 0 && str_eq(path, str_of(control->socket.address.sun_path));
}

int control_prepare(struct control *control, const struct control_options *options)
{
    control->next_options = *options;
    control->moves = !is_here(control, options->path);
    if (!control->moves || options->path.n == 0)
        return 0;
    int error = control_socket_open(&control->next, options->path, options->group);
    if (!error)
        watch_for_nothing(control, &control->next_listener, control->next.fd);
    return error;
}

void control_abandon(struct control *control)
{
    reactor_unwatch(control->reactor, &control->next_listener);
    if (control->next.fd >= 0)
        control_socket_close(&control->next, true);
    control->next.fd = -1;
    control->moves = false;
}

void control_commit(struct control *control)
{
    control->options = control->next_options;
    if (!control->moves)
        return;
    control_stop(control);
    control_socket_close(&control->socket, true);
    reactor_unwatch(control->reactor, &control->next_listener);
    control->socket = control->next;
    control->next.fd = -1;
    control->moves = false;
    if (control->socket.fd < 0)
        return;
    watch_for_nothing(control, &control->listener, control->socket.fd);
    control_start(control);
}

void control_close(struct control *control, bool remove)
{
    control_stop(control);
    control_socket_close(&control->socket, remove);
    list_each (l, next, &control->clients) {
        struct client *c = container_of(l, struct client, link);
        if (c->busy)
            control_refuse(&c->request, CTL_CODE_FAILED, STR("the server has ended"), NULL, 0);
        (void)!send_answer(c);
        drop(c);
    }
}
