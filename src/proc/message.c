/* message.c: see message.h. */
#include "proc/message.h"

#include <errno.h>
#include <sys/socket.h>

#include "net/rights.h"

int message_pair(int pair[2])
{
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0 ? -errno : 0;
}

int message_send(int pair, const struct message *message, int fd)
{
    return rights_send(pair, message, sizeof *message, &fd, fd >= 0);
}

int message_tell(int pair, enum message_kind kind, uint32_t number)
{
    return message_send(pair, &(struct message){.kind = kind, .number = number}, -1);
}

int message_receive(int pair, struct message *message, int *fd)
{
    size_t count = fd ? 1 : 0;
    ssize_t got = rights_receive(pair, message, sizeof *message, fd, count, MSG_DONTWAIT);
    if (got <= 0)
        return got != -ECONNRESET ? (int)got : 0;
    message->text[MESSAGE_TEXT - 1] = '\0';
    if (got == sizeof *message)
        return 1;
    rights_close(fd, count);
    return -EBADMSG;
}
