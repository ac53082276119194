/* thread_per_connection.c: an HTTP/1.1 server with a thread of the operating system for each connection, for
 * scripts/bench/sleep-test: what handlers in straight-line code cost without green threads. A request is whatever ends
 * with an empty line; its handler sleeps, and answers 13 bytes.
 *
 *   build/bench/thread_per_connection PORT [MILLISECONDS]
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { STACK = 64 * 1024, REQUEST = 4096, BACKLOG = 4096 };

static const char answer[] = "HTTP/1.1 200 OK\r\n"
                             "Content-Type: text/plain\r\n"
                             "Content-Length: 13\r\n"
                             "\r\n"
                             "Hello, world\n";

static struct timespec pause_of_handlers = {.tv_nsec = 100 * 1000 * 1000};

/* Reads up to the end of a request; what a client sends beyond it, before the answer, is lost. False: it has left. */
static bool read_request(int fd)
{
    char request[REQUEST];
    size_t n = 0;
    while (n < sizeof request) {
        ssize_t more = read(fd, request + n, sizeof request - n);
        if (more <= 0)
            return false;
        n += (size_t)more;
        if (memmem(request, n, "\r\n\r\n", 4))
            return true;
    }
    return false;
}

static bool answer_request(int fd)
{
    nanosleep(&pause_of_handlers, NULL);
    return write(fd, answer, sizeof answer - 1) == sizeof answer - 1;
}

static void *serve(void *arg)
{
    int fd = *(int *)arg;
    free(arg);
    while (read_request(fd) && answer_request(fd))
        ;
    close(fd);
    return NULL;
}

static int listen_at(int port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) != 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, BACKLOG) != 0) {
        perror("listen");
        exit(1);
    }
    return fd;
}

int main(int argc, char **argv)
{
    long milliseconds = argc > 2 ? atol(argv[2]) : 100;
    pause_of_handlers = (struct timespec){.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000};
    signal(SIGPIPE, SIG_IGN);
    int listener = listen_at(argc > 1 ? atoi(argv[1]) : 8080);
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, STACK);
    pthread_attr_setdetachstate(&small, PTHREAD_CREATE_DETACHED);
    for (;;) {
        pthread_t thread;
        int *fd = malloc(sizeof *fd);
        if (!fd || (*fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) < 0 ||
            pthread_create(&thread, &small, serve, fd) != 0) {
            perror("a connection");
            exit(1);
        }
    }
}
