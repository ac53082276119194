/* service.h: the server as a service: what the tests of reload, upgrade, death and activation have in common.
 *
 * The usual server has a control socket and a pid file in "run", its binary is a copy in "bin", which an upgrade may
 * replace, and it serves: /hello, /version, which tells configurations apart, /echo, and "www" below /files/.
 */
#ifndef TERN_TESTS_SERVER_SERVICE_H
#define TERN_TESTS_SERVER_SERVICE_H

#include "harness_command.h"
#include "harness_server.h"
#include "load.h"

enum {
    SERVICE_LARGE = 12 << 20, /* more than a socket's buffers hold */
    SERVICE_CUT = 3           /* exit status: stopped with requests cut */
};

struct service_setup {
    const char *listen;  /* NULL: 127.0.0.1:@PORT@ */
    unsigned workers;    /* 0: 2 */
    const char *version; /* the body of /version; NULL: "1" */
    const char *more;    /* further lines of the top level; NULL: none */
    const char *routes;  /* further items of `routes`, indented by six; NULL: none */
    bool unprivileged;   /* as nobody when we are root */
};

/* service_start(.workers = 4), service_write(.version = "2"): with what differs from the usual. */
#define service_start(...) service_start_as(&(struct service_setup){__VA_ARGS__})
#define service_write(...) service_write_as(&(struct service_setup){__VA_ARGS__})

/* Comes back when every worker serves. */
struct server service_start_as(const struct service_setup *setup);

/* Puts another configuration into the place of the one that there is. */
void service_write_as(const struct service_setup *setup);

/* The path of the server's binary, of its pid file, and of its control socket. */
const char *service_binary(void) __attribute__((returns_nonnull));
const char *service_pid_file(void) __attribute__((returns_nonnull));
const char *service_control(void) __attribute__((returns_nonnull));

/* The path of ternctl, which is built beside tern. */
const char *service_ctl_path(void) __attribute__((returns_nonnull));

/* Puts a fresh copy of tern into the place of the server's binary, by rename. */
void service_install(void);

/* Starts ternctl on the control socket; its output goes to "ctl.out" and "ctl.err". */
pid_t service_ctl_start(const char *const *arguments);

/* Runs it to its end. */
struct result service_ctl(const char *const *arguments);

/* Runs it, which must end with this status: assert_ctl(0, "reload"). What it has printed is in `told`, if that is not
 * NULL, both kinds of output together. */
#define assert_ctl(expected, ...) assert_ctl_tells((struct str *)NULL, (expected), __VA_ARGS__)
#define assert_ctl_tells(told, expected, ...)                                                                          \
    do {                                                                                                               \
        struct result answered = service_ctl((const char *const[]){__VA_ARGS__, NULL});                                \
        struct str *both = (told), text = str_of(harness_text("%s%s", answered.out.p, answered.err.p));                \
        cr_assert_eq(answered.status, (expected), "ternctl: status %d, not %d: %s\n%s", answered.status, (expected),   \
                     text.p, server_log(NULL).p);                                                                      \
        if (both)                                                                                                      \
            *both = text;                                                                                              \
    } while (0)

/* The first number of this name in the JSON that `ternctl status` gives; -1: there is none. */
long long service_status(const char *name);

/* The body of /version on a new connection, and whether it is this one. */
struct str service_version(int port);
bool service_serves(int port, const char *version);

/* Whether a text stands in the error log, and how often. */
bool service_logged(const char *text);
size_t service_log_count(const char *text);

/* Open descriptors of a process, and the KiB of memory that it has resident. */
size_t service_descriptors(pid_t pid);
size_t service_memory(pid_t pid);

/* Whether it has so many KiB more than it had before, at most. A sanitizer's allocator is always believed. */
bool service_memory_within(pid_t pid, size_t before, size_t more);

/* Whether every worker of the master of this id serves: then its pid file is there. */
bool service_is_ready(pid_t pid);

/* Whether a process has ended, reaped or not. */
bool service_is_gone(pid_t pid);

/* A load of all kinds of requests on the usual server, with 20 kept connections and 200 new ones a second; over a unix
 * socket if there is a path. */
struct load *service_load(int port, const char *unix_path) __attribute__((returns_nonnull));

/* A client that has begun to receive a file of SERVICE_LARGE octets, and the check that all of it comes. */
struct client *service_download(int port) __attribute__((returns_nonnull));
void service_finish_download(struct client *c);

/* A client that has had an answer on a connection which is still there. */
struct client *service_idle(int port) __attribute__((returns_nonnull));

#endif
