/* notify.c: see notify.h. */
#include "proc/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/out.h"

enum { LONGEST_MESSAGE = 1024, LONGEST_STATUS = 800, USEC = 1000 /* nanoseconds */ };

/* ---- the environment ---- */

/* A path, or '@' and an abstract name. Others, such as a vsock of a virtual machine, are not for a service. */
static int read_address(struct notify *notify)
{
    struct str name = str_of(getenv("NOTIFY_SOCKET"));
    if (name.n < 2 || (*name.p != '/' && *name.p != '@'))
        return -EINVAL;
    if (name.n >= sizeof notify->to.sun_path)
        return -ENAMETOOLONG;
    notify->to.sun_family = AF_UNIX;
    memcpy(notify->to.sun_path, name.p, name.n);
    notify->size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + name.n);
    if (*name.p == '@')
        notify->to.sun_path[0] = '\0';
    return 0;
}

/* A $WATCHDOG_PID that is not ours is that of a process which left us its environment. */
static nsec read_watchdog(void)
{
    struct str interval = str_of(getenv("WATCHDOG_USEC")), owner = str_of(getenv("WATCHDOG_PID"));
    uint64_t usec, pid;
    if (str_to_u64(interval, &usec) < 0 || usec > INT64_MAX / USEC)
        return 0;
    if (owner.p && (str_to_u64(owner, &pid) < 0 || pid != (uint64_t)getpid()))
        return 0;
    return (nsec)usec * USEC;
}

static int open_socket(void)
{
    static const struct timeval patience = {.tv_usec = 100 * 1000};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    return fd;
}

void notify_open(struct notify *notify)
{
    *notify = (struct notify){.fd = -1};
    if (read_address(notify) == 0)
        notify->fd = open_socket();
    if (notify->fd >= 0)
        notify->watchdog = read_watchdog();
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
}

void notify_close(struct notify *notify)
{
    if (notify->fd >= 0)
        close(notify->fd);
    *notify = (struct notify){.fd = -1};
}

static int set_number(const char *name, uint64_t value)
{
    char digits[24] = "";
    struct out o = out_on(digits, sizeof digits - 1);
    out_u64(&o, value);
    return setenv(name, digits, true) < 0 ? -errno : 0;
}

int notify_pass_on(const struct notify *notify)
{
    if (notify->fd < 0)
        return 0;
    char name[sizeof notify->to.sun_path + 1] = "";
    memcpy(name, notify->to.sun_path, notify->size - offsetof(struct sockaddr_un, sun_path));
    if (name[0] == '\0')
        name[0] = '@';
    if (setenv("NOTIFY_SOCKET", name, true) < 0)
        return -errno;
    if (notify->watchdog == 0)
        return 0;
    int error = set_number("WATCHDOG_USEC", (uint64_t)(notify->watchdog / USEC));
    return error ? error : set_number("WATCHDOG_PID", (uint64_t)getpid());
}

/* ---- messages ---- */

/* Every message is fixed text that ends in a number, then a status; it may lack either. */
static int tell(const struct notify *notify, struct str text, uint64_t number, struct str status)
{
    char message[LONGEST_MESSAGE];
    struct out o = out_on(message, sizeof message);
    if (notify->fd < 0)
        return 0;
    if (text.n) {
        out_put(&o, text);
        out_u64(&o, number);
        out_char(&o, '\n');
    }
    status.n = str_find(status, '\n');
    if (status.n) {
        out_text(&o, "STATUS=");
        out_bytes(&o, status.p, status.n < LONGEST_STATUS ? status.n : LONGEST_STATUS);
        out_char(&o, '\n');
    }
    ssize_t sent =
        sendto(notify->fd, message, out_len(&o), MSG_NOSIGNAL, (const struct sockaddr *)&notify->to, notify->size);
    return sent < 0 ? -errno : 0;
}

void notify_ready(const struct notify *notify, struct str status)
{
    (void)tell(notify, STR("READY=1\nMAINPID="), (uint64_t)getpid(), status);
}

void notify_reloading(const struct notify *notify, struct str status)
{
    (void)tell(notify, STR("RELOADING=1\nMONOTONIC_USEC="), (uint64_t)(clock_monotonic() / USEC), status);
}

void notify_stopping(const struct notify *notify, struct str status)
{
    (void)tell(notify, STR("STOPPING="), 1, status);
}

void notify_status(const struct notify *notify, struct str status)
{
    (void)tell(notify, STR(""), 0, status);
}

void notify_extend(const struct notify *notify, nsec longer)
{
    (void)tell(notify, STR("EXTEND_TIMEOUT_USEC="), (uint64_t)(longer / USEC), STR(""));
}

void notify_alive(const struct notify *notify)
{
    (void)tell(notify, STR("WATCHDOG="), 1, STR(""));
}

int notify_main_pid(const struct notify *notify, pid_t pid)
{
    return tell(notify, STR("MAINPID="), (uint64_t)pid, STR(""));
}
