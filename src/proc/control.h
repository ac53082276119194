/* control.h: the master's side of the control socket (ctl/protocol.h).
 *
 * A request is one line. It is checked against the table of verbs and given to the action of that verb, which answers
 * at once, or keeps the request in a list of its own until it can. A connection has one request at a time; what it
 * sends meanwhile waits. When its client goes away, a request unlinks itself and is gone: so whoever keeps one keeps it
 * by its link and nothing else.
 *
 * Nothing here blocks the master, and nothing grows: there are at most CONTROL_CLIENTS connections, a line is short, an
 * answer waits in a buffer until it is taken, and a connection that neither asks nor takes its answer is closed.
 */
#ifndef TERN_PROC_CONTROL_H
#define TERN_PROC_CONTROL_H

#include "base/str.h"
#include "proc/control_socket.h"
#include "proc/reactor.h"

enum { CONTROL_CLIENTS = 16 };
#define CONTROL_PATIENCE (30 * NSEC_SEC) /* with a connection that is not waiting for us */

struct control_request {
    struct list link;          /* the action's, to keep it by; in no list when it is handed over */
    struct str verb, argument; /* valid until it is answered */

    /* Hands the answer to whoever has asked: see control_answer(). */
    void (*answer)(struct control_request *request, struct str json);
};

struct control_action {
    const char *verb;
    void (*run)(void *server, struct control_request *request);
};

struct control_options {
    struct str path; /* looked at while it is opened */
    uid_t user;      /* of the workers; it may ask, and so may the members of ... */
    gid_t group;
    int inherited; /* the socket that our predecessor hands over; -1: there is none */
    const struct control_action *actions;
    size_t count;
    void *server; /* for the actions */
};

struct control {
    struct control_options options;
    struct reactor *reactor;
    struct control_socket socket;
    struct watch listener;
    struct control_options next_options; /* of control_prepare() ... */
    struct control_socket next;          /* ... and its socket, if it is to be another one */
    struct watch next_listener;
    bool moves;         /* to the next, or to none */
    struct alarm pause; /* after it could not accept */
    struct list clients;
    size_t count;
};

/* One without a socket: whatever is done to it does nothing. */
void control_init(struct control *control, struct reactor *reactor);

/* Opens the socket, or takes over the inherited one if that is at this path; one that is not is closed. Nobody is
 * answered yet. 0 or -errno, as control_socket_open(); then it is as after control_init(). */
int control_open(struct control *control, struct reactor *reactor, const struct control_options *options)
    __attribute__((warn_unused_result));

/* Answers from now on, as the process that this is. To be called again when a successor has listened in vain. */
void control_start(struct control *control);

/* Prepares for other options, of another configuration; without a path there is to be no socket. 0 or -errno, as
 * control_open(). Then either control_commit() makes them count, and connections stay, or control_abandon() forgets
 * them. */
int control_prepare(struct control *control, const struct control_options *options) __attribute__((warn_unused_result));
void control_commit(struct control *control);
void control_abandon(struct control *control);

/* Takes no more connections, which are the successor's now. Those that are there are served on. */
void control_stop(struct control *control);

/* Closes everything. Who still waits is told so; `remove`: the file of the socket is removed, unless somebody else
 * listens there by now. */
void control_close(struct control *control, bool remove);

/* Checks a line, which stays until it is answered, and has it done by the action for it; for requests that come from
 * elsewhere than the socket, too. */
void control_run(const struct control_options *options, struct control_request *request, struct str line);

/* Answers a request with an object of JSON, one line without its newline. The request is gone then. */
void control_answer(struct control_request *request, struct str json);

/* Answers that it was not done. `code` is one of CTL_CODE_...; `messages` are what there is to say besides `error`: as
 * many of them are sent as fit into an answer. */
void control_refuse(struct control_request *request, const char *code, struct str error, const struct str *messages,
                    size_t count);

#endif
