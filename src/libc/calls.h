/* calls.h: the calls of libc that wait for the green thread instead of the OS thread. This is the only list of them.
 *
 * The binary defines each of these names and exports it, so that modules, and the libraries that they use, meet ours
 * before libc's. Off a green thread ours is libc's, for the price of a branch. On a green thread it does what libc's
 * would do, to the letter of the manual, and lets other green threads run meanwhile; it fails with ECANCELED where it
 * would have to wait in a thread that has been cancelled, but lets others run even then: what takes no notice of that
 * and tries again harms itself alone. errno changes only when a call fails.
 *
 * tern's own files never meet these: it is linked with --wrap for each name of this list (see Makefile, which reads
 * it), which turns their calls into __wrap_NAME: libc's own, through a pointer (real.h).
 *
 * CALL(result, name, parameters, arguments) CHECKED(result, name, parameters, whether they fit, arguments): __NAME_chk,
 * which is what _FORTIFY_SOURCE makes of NAME
 */
#ifndef TERN_LIBC_CALLS_H
#define TERN_LIBC_CALLS_H

#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* clang-format off */
#define LIBC_CALLS(CALL)                                                                                               \
    CALL(ssize_t, read, (int fd, void *to, size_t n), (fd, to, n))                                                     \
    CALL(ssize_t, readv, (int fd, const struct iovec *pieces, int count), (fd, pieces, count))                         \
    CALL(ssize_t, write, (int fd, const void *from, size_t n), (fd, from, n))                                          \
    CALL(ssize_t, writev, (int fd, const struct iovec *pieces, int count), (fd, pieces, count))                        \
    CALL(ssize_t, recv, (int fd, void *to, size_t n, int flags), (fd, to, n, flags))                                   \
    CALL(ssize_t, recvfrom,                                                                                            \
         (int fd, void *to, size_t n, int flags, struct sockaddr *from, socklen_t *size),                              \
         (fd, to, n, flags, from, size))                                                                               \
    CALL(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags), (fd, message, flags))                          \
    CALL(ssize_t, send, (int fd, const void *from, size_t n, int flags), (fd, from, n, flags))                         \
    CALL(ssize_t, sendto,                                                                                              \
         (int fd, const void *from, size_t n, int flags, const struct sockaddr *to, socklen_t size),                   \
         (fd, from, n, flags, to, size))                                                                               \
    CALL(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags), (fd, message, flags))                    \
    CALL(int, connect, (int fd, const struct sockaddr *to, socklen_t size), (fd, to, size))                            \
    CALL(int, accept, (int fd, struct sockaddr *from, socklen_t *size), (fd, from, size))                              \
    CALL(int, accept4, (int fd, struct sockaddr *from, socklen_t *size, int flags), (fd, from, size, flags))           \
    CALL(int, poll, (struct pollfd *fds, nfds_t count, int timeout), (fds, count, timeout))                            \
    CALL(int, ppoll,                                                                                                   \
         (struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask),                     \
         (fds, count, timeout, mask))                                                                                  \
    CALL(int, select, (int end, fd_set *in, fd_set *out, fd_set *urgent, struct timeval *timeout),                     \
         (end, in, out, urgent, timeout))                                                                              \
    CALL(int, pselect,                                                                                                 \
         (int end, fd_set *in, fd_set *out, fd_set *urgent, const struct timespec *timeout, const sigset_t *mask),     \
         (end, in, out, urgent, timeout, mask))                                                                        \
    CALL(int, epoll_wait, (int fd, struct epoll_event *events, int room, int timeout), (fd, events, room, timeout))    \
    CALL(int, epoll_pwait, (int fd, struct epoll_event *events, int room, int timeout, const sigset_t *mask),          \
         (fd, events, room, timeout, mask))                                                                            \
    CALL(unsigned, sleep, (unsigned seconds), (seconds))                                                               \
    CALL(int, usleep, (useconds_t usec), (usec))                                                                       \
    CALL(int, nanosleep, (const struct timespec *time, struct timespec *left), (time, left))                           \
    CALL(int, clock_nanosleep,                                                                                         \
         (clockid_t clock, int flags, const struct timespec *time, struct timespec *left),                             \
         (clock, flags, time, left))                                                                                   \
    CALL(int, getaddrinfo,                                                                                             \
         (const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **found),               \
         (host, service, hints, found))                                                                                \
    CALL(int, getnameinfo,                                                                                             \
         (const struct sockaddr *of, socklen_t size, char *host, socklen_t host_size, char *service,                   \
          socklen_t service_size, int flags),                                                                          \
         (of, size, host, host_size, service, service_size, flags))                                                    \
    CALL(struct hostent *, gethostbyname, (const char *name), (name))                                                  \
    CALL(struct hostent *, gethostbyname2, (const char *name, int family), (name, family))                             \
    CALL(struct hostent *, gethostbyaddr, (const void *address, socklen_t size, int family), (address, size, family))  \
    CALL(int, gethostbyname_r,                                                                                         \
         (const char *name, struct hostent *host, char *room, size_t n, struct hostent **found, int *error),           \
         (name, host, room, n, found, error))                                                                          \
    CALL(int, gethostbyname2_r,                                                                                        \
         (const char *name, int family, struct hostent *host, char *room, size_t n, struct hostent **found,            \
          int *error),                                                                                                 \
         (name, family, host, room, n, found, error))                                                                  \
    CALL(int, gethostbyaddr_r,                                                                                         \
         (const void *address, socklen_t size, int family, struct hostent *host, char *room, size_t n,                 \
          struct hostent **found, int *error),                                                                         \
         (address, size, family, host, room, n, found, error))

#define LIBC_CHECKED_CALLS(CHECKED)                                                                                    \
    CHECKED(ssize_t, read, (int fd, void *to, size_t n, size_t room), n <= room, (fd, to, n))                          \
    CHECKED(ssize_t, recv, (int fd, void *to, size_t n, size_t room, int flags), n <= room, (fd, to, n, flags))        \
    CHECKED(ssize_t, recvfrom,                                                                                         \
            (int fd, void *to, size_t n, size_t room, int flags, struct sockaddr *from, socklen_t *size),              \
            n <= room, (fd, to, n, flags, from, size))                                                                 \
    CHECKED(int, poll, (struct pollfd *fds, nfds_t count, int timeout, size_t room),                                   \
            count <= room / sizeof *fds, (fds, count, timeout))                                                        \
    CHECKED(int, ppoll,                                                                                                \
            (struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask, size_t room),     \
            count <= room / sizeof *fds, (fds, count, timeout, mask))
/* clang-format on */

#endif
