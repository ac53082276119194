/* harness_link.c: see harness_link.h. */
#include "harness_link.h"

#include "harness.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { PACKET = 2048, QUEUE = 1024 };

struct packet {
    int to; /* the device; -1: this place is free */
    nsec due;
    size_t n;
    char bytes[PACKET];
};

static struct {
    int devices[2]; /* the server's, the client's */
    struct link_rules *rules;
    struct packet queue[QUEUE];
} cable;

/* ---- devices ---- */

static void set_up(const char *name)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq request = {.ifr_flags = IFF_UP};
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    cr_assert(fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &request) == 0, "%s does not go up: %m", name);
    close(fd);
}

static void set_address(const char *name, unsigned long what, const char *text)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq request = {0};
    struct sockaddr_in *address = (void *)&request.ifr_addr;
    address->sin_family = AF_INET;
    inet_pton(AF_INET, text, &address->sin_addr);
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    cr_assert(fd >= 0 && ioctl(fd, what, &request) == 0, "%s: %s: %m", name, text);
    close(fd);
}

/* A namespace of its own, with nothing but lo and the device. */
static int enter_namespace(const char *address)
{
    struct ifreq request = {.ifr_name = "link", .ifr_flags = IFF_TUN | IFF_NO_PI};
    if (geteuid() != 0 || unshare(CLONE_NEWNET) != 0)
        harness_skip("needs the right to make a network namespace");
    int device = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (device < 0 || ioctl(device, TUNSETIFF, &request) != 0)
        harness_skip("needs /dev/net/tun");
    set_address("link", SIOCSIFADDR, address);
    set_address("link", SIOCSIFNETMASK, "255.255.255.0");
    set_up("link");
    set_up("lo");
    return device;
}

/* ---- packets ---- */

static bool happens(unsigned percent)
{
    return (unsigned)rand() % 100 < percent;
}

/* Takes one packet from a device into the queue; false: there is none. A full queue loses packets as a router does. */
static bool take(int from, int to, nsec now)
{
    static char dropped[PACKET];
    struct packet *place = NULL;
    for (size_t i = 0; i < QUEUE && !place; i++)
        if (cable.queue[i].to < 0)
            place = &cable.queue[i];
    ssize_t n = read(from, place ? place->bytes : dropped, PACKET);
    if (n <= 0)
        return false;
    const struct link_rules *rules = cable.rules;
    if (place && !rules->cut && !happens(rules->lost)) {
        place->to = to;
        place->n = (size_t)n;
        place->due = now + (happens(rules->hurried) ? 0 : (nsec)rules->delay * NSEC_MS);
    }
    return true;
}

/* The first of those that are due goes first. */
static struct packet *next_due(nsec now)
{
    struct packet *next = NULL;
    for (size_t i = 0; i < QUEUE; i++) {
        struct packet *packet = &cable.queue[i];
        if (packet->to >= 0 && packet->due <= now && (!next || packet->due < next->due))
            next = packet;
    }
    return next;
}

static _Noreturn void carry(pid_t parent)
{
    const int *devices = cable.devices;
    struct pollfd wait[] = {{.fd = devices[0], .events = POLLIN}, {.fd = devices[1], .events = POLLIN}};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (size_t i = 0; i < QUEUE; i++)
        cable.queue[i].to = -1;
    while (getppid() == parent) {
        poll(wait, 2, 1);
        nsec now = clock_monotonic();
        for (int side = 0; side < 2; side++)
            while (take(devices[side], devices[!side], now))
                ;
        for (struct packet *packet; (packet = next_due(now)); packet->to = -1)
            (void)!write(packet->to, packet->bytes, packet->n);
    }
    _exit(0);
}

struct link_rules *link_begin(void)
{
    size_t size = sizeof *cable.rules;
    cable.rules = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(cable.rules, MAP_FAILED);
    cable.devices[0] = enter_namespace(LINK_SERVER);
    return cable.rules;
}

void link_cross(void)
{
    cable.devices[1] = enter_namespace(LINK_CLIENT);
    pid_t parent = getpid(), pid = fork();
    cr_assert_geq(pid, 0, "fork: %m");
    if (pid == 0)
        carry(parent);
}
