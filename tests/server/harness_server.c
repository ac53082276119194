/* harness_server.c: see harness_server.h. */
#include "harness_server.h"

#include "harness.h"
#include "harness_command.h"
#include "harness_file.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <dirent.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

static const char log_file[] = "tern.log", pid_file[] = "tern.pid";

bool server_refuses(const struct server *server)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)server->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_geq(fd, 0, "socket: %m");
    bool refused = connect(fd, (struct sockaddr *)&address, sizeof address) != 0;
    close(fd);
    return refused;
}

static bool has_ended(const struct server *server)
{
    char state = harness_state(server->pid);
    return state == 0 || state == 'Z';
}

/* The master writes its pid file when all workers serve, and it has said so in the log. */
static bool is_ready(const struct server *server)
{
    return str_eq(file_read(pid_file), str_of(harness_text("%d\n", server->pid)));
}

struct server server_start_as(const struct server_setup *setup)
{
    struct command command = {.arguments = {command_tern(), "--pid", file_path(pid_file)},
                              .out = "tern.out",
                              .err = log_file,
                              .descriptors = setup->descriptors};
    size_t n = 3;
    file_directory("www");
    if (setup->config) {
        file_write("tern.yaml", str_of(harness_expand(setup->config)));
        command.arguments[n++] = "-c";
        command.arguments[n++] = file_path("tern.yaml");
    }
    for (size_t i = 0; setup->arguments[i]; i++)
        command.arguments[n++] = harness_expand(setup->arguments[i]);

    struct server server = {.port = harness_port(0)};
    server.pid = command_start(&command);
    bool serves = until(has_ended(&server) || is_ready(&server)) && !has_ended(&server);
    cr_assert(serves, "tern does not serve: %s", file_read(log_file).p);
    return server;
}

struct server server_start(const char *config)
{
    return server_start_as(&(struct server_setup){.config = config});
}

static bool all_alive(const struct server *server, pid_t *workers, size_t count)
{
    pid_t found[SERVER_WORKERS];
    if (harness_children(server->pid, found, SERVER_WORKERS) != count)
        return false;
    for (size_t i = 0; i < count; i++)
        if (harness_state(found[i]) == 'Z')
            return false;
    memcpy(workers, found, count * sizeof *workers);
    return true;
}

void server_workers(const struct server *server, pid_t *workers, size_t count)
{
    cr_assert(until(all_alive(server, workers, count)), "tern does not have %zu workers:\n%s", count,
              server_log(server).p);
}

void server_terminate(const struct server *server)
{
    kill(server->pid, SIGTERM);
}

int server_wait(const struct server *server)
{
    return command_wait(server->pid);
}

struct str server_log(const struct server *server)
{
    (void)server;
    return file_read(log_file);
}

size_t server_sockets(pid_t pid)
{
    const char *path = harness_text("/proc/%d/fd", pid);
    DIR *directory = opendir(path);
    size_t count = 0;
    char target[64];
    if (!directory)
        return 0;
    for (struct dirent *entry; (entry = readdir(directory));) {
        ssize_t n = readlinkat(dirfd(directory), entry->d_name, target, sizeof target);
        count += n > 0 && str_starts((struct str){target, (size_t)n}, STR("socket:"));
    }
    closedir(directory);
    return count;
}
