/* control_socket.h: the unix socket that ternctl connects to, and who may.
 *
 * Its file has mode 0660 and the group of the workers from its first moment. Since a file's mode is easily changed,
 * each peer is looked at as well.
 */
#ifndef TERN_PROC_CONTROL_SOCKET_H
#define TERN_PROC_CONTROL_SOCKET_H

#include "base/str.h"

#include <sys/types.h>
#include <sys/un.h>

struct control_socket {
    int fd; /* listens, and never blocks; -1: closed */
    struct sockaddr_un address;
};

/* Opens a socket at this path, in the place of one that nobody listens on any more. 0 or -errno. -EADDRINUSE: another
 * server listens there, -ENOTSOCK: the file there is something else, -ENAMETOOLONG: the path is beyond 107 bytes. */
int control_socket_open(struct control_socket *s, struct str path, gid_t group) __attribute__((warn_unused_result));

/* Takes over one that is open. 0 or -errno; then `fd` is as it was. -ESTALE: it is not the one at this path. */
int control_socket_adopt(struct control_socket *s, struct str path, int fd) __attribute__((warn_unused_result));

/* Listens, for the first time or again: peers are told that it is this process they are connected to. */
void control_socket_listen(const struct control_socket *s);

/* Closes it; `remove`: and removes its file, unless somebody else listens there. Closing twice is closing once. */
void control_socket_close(struct control_socket *s, bool remove);

/* Who is at the other end of a connection. */
struct control_peer {
    pid_t pid; /* 0: of a process that can't be seen from here */
    uid_t uid;
    bool permitted; /* it is root, of our own or that user, or a member of that group */
};

/* 0 or -errno. */
int control_peer_of(struct control_peer *peer, int fd, uid_t user, gid_t group) __attribute__((warn_unused_result));

#endif
