/* socket.h: receiving and sending on a green thread, for the calls that are made of it. */
#ifndef TERN_LIBC_SOCKET_H
#define TERN_LIBC_SOCKET_H

#include <sys/socket.h>

/* recvmsg() and sendmsg(), to be called on a green thread. They fail with ENOTSOCK where libc's do. */
ssize_t socket_receive(int fd, struct msghdr *message, int flags);
ssize_t socket_send(int fd, const struct msghdr *message, int flags);

#endif
