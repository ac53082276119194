/* service.c: see service.h. */
#include "service.h"

#include "harness.h"
#include "harness_file.h"
#include "harness_response.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char config_file[] = "tern.yaml";

const char *service_binary(void)
{
    return file_path("bin/tern");
}

const char *service_pid_file(void)
{
    return file_path("run/tern.pid");
}

const char *service_control(void)
{
    return file_path("run/control.sock");
}

static const char *config_of(const struct service_setup *setup)
{
    return harness_text("listen: [\"%s\"]\n"
                        "workers: %u\n"
                        "control: @DIR@/run/control.sock\n"
                        "%s"
                        "sites:\n"
                        "  - routes:\n"
                        "      - {exact: /hello, respond: {body: hello}}\n"
                        "      - {exact: /version, respond: {body: \"%s\"}}\n"
                        "      - {exact: /echo, echo: {}}\n"
                        "      - {path: /files/, files: {root: @DIR@/www}}\n"
                        "%s",
                        setup->listen ? setup->listen : "127.0.0.1:@PORT@", setup->workers ? setup->workers : 2,
                        setup->more ? setup->more : "", setup->version ? setup->version : "1",
                        setup->routes ? setup->routes : "");
}

void service_write_as(const struct service_setup *setup)
{
    file_replace(config_file, str_of(harness_expand(config_of(setup))));
}

void service_install(void)
{
    const char *relative = command_tern();
    char *tern = realpath(relative, NULL);
    cr_assert_not_null(tern, "no %s: %m", relative);
    struct str content = file_read(tern);
    free(tern);
    file_directory("bin");
    file_replace("bin/tern", content);
    cr_assert_eq(chmod(service_binary(), 0755), 0);
}

bool service_is_ready(pid_t pid)
{
    return str_eq(file_read("run/tern.pid"), str_of(harness_text("%d\n", pid)));
}

struct server service_start_as(const struct service_setup *setup)
{
    struct command command = {
        .arguments = {service_binary(), "-c", file_path(config_file), "--pid", service_pid_file()},
        .out = "tern.out",
        .err = "tern.log",
        .unprivileged = setup->unprivileged};
    file_directory("www");
    file_directory("run");
    cr_assert_eq(chmod(file_path("run"), 0777), 0);
    service_install();
    service_write_as(setup);
    struct server server = {.pid = command_start(&command), .port = harness_port(0)};
    cr_assert(until(service_is_ready(server.pid) || service_is_gone(server.pid)) && !service_is_gone(server.pid),
              "not all workers are ready:\n%s", server_log(&server).p);
    return server;
}

/* ---- ternctl ---- */

const char *service_ctl_path(void)
{
    const char *tern = command_tern(), *slash = strrchr(tern, '/');
    return slash ? harness_text("%.*s/ternctl", (int)(slash - tern), tern) : "ternctl";
}

pid_t service_ctl_start(const char *const *arguments)
{
    struct command command = {
        .arguments = {service_ctl_path(), "-S", service_control()}, .out = "ctl.out", .err = "ctl.err"};
    for (size_t i = 0; arguments[i]; i++) {
        cr_assert_lt(i + 4, COMMAND_ARGUMENTS);
        command.arguments[i + 3] = arguments[i];
    }
    return command_start(&command);
}

struct result service_ctl(const char *const *arguments)
{
    int status = command_wait(service_ctl_start(arguments));
    return (struct result){.status = status, .out = file_read("ctl.out"), .err = file_read("ctl.err")};
}

long long service_status(const char *name)
{
    struct result r = service_ctl((const char *const[]){"--json", "status", NULL});
    cr_assert_eq(r.status, 0, "ternctl status: %s%s", r.out.p, r.err.p);
    const char *at = strstr(r.out.p, harness_text("\"%s\":", name));
    return at ? atoll(at + strlen(name) + 3) : -1;
}

/* ---- what it does ---- */

struct str service_version(int port)
{
    struct response r = fetch(port, "/version");
    assert_status(r, 200);
    return r.body;
}

bool service_serves(int port, const char *version)
{
    return str_eq(service_version(port), str_of(version));
}

size_t service_log_count(const char *text)
{
    size_t count = 0;
    const char *log = server_log(NULL).p;
    for (; log && (log = strstr(log, text)); log += strlen(text))
        count++;
    return count;
}

bool service_logged(const char *text)
{
    return service_log_count(text) > 0;
}

size_t service_descriptors(pid_t pid)
{
    DIR *directory = opendir(harness_text("/proc/%d/fd", pid));
    size_t count = 0;
    cr_assert_not_null(directory, "no process %d", pid);
    for (struct dirent *entry; (entry = readdir(directory));)
        count += entry->d_name[0] != '.';
    closedir(directory);
    return count;
}

size_t service_memory(pid_t pid)
{
    FILE *file = fopen(harness_text("/proc/%d/statm", pid), "re");
    size_t pages = 0;
    cr_assert_not_null(file, "no process %d", pid);
    cr_assert_eq(fscanf(file, "%*u %zu", &pages), 1);
    fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE) / 1024;
}

bool service_memory_within(pid_t pid, size_t before, size_t more)
{
    return harness_is_sanitized() || service_memory(pid) <= before + more;
}

bool service_is_gone(pid_t pid)
{
    char state = harness_state(pid);
    return state == 0 || state == 'Z';
}

/* ---- clients ---- */

struct load *service_load(int port, const char *unix_path)
{
    struct str page = file_pattern(200000), upload = file_pattern(20000);
    const struct load_target targets[] = {{.path = "/hello", .body = STR("hello")},
                                          {.path = "/files/page", .body = page},
                                          {.path = "/hello", .body = STR("hello")},
                                          {.path = "/echo", .upload = upload, .body = upload}};
    file_write("www/page", page);
    return load_start(&(struct load_setup){.port = port,
                                           .unix_path = unix_path,
                                           .kept = 20,
                                           .pause_ms = 4,
                                           .fresh = 200,
                                           .targets = targets,
                                           .count = sizeof targets / sizeof *targets});
}

struct client *service_download(int port)
{
    struct client *c = client_open(port);
    if (access(file_path("www/large"), F_OK) != 0)
        file_write("www/large", file_pattern(SERVICE_LARGE));
    client_printf(c, "GET /files/large HTTP/1.1\r\nHost: localhost\r\n\r\n");
    cr_assert_eq(client_peek(c, 1024).n, 1024);
    return c;
}

void service_finish_download(struct client *c)
{
    struct response r = response_read(c);
    assert_status(r, 200);
    assert_body(r, file_read("www/large"));
}

struct client *service_idle(int port)
{
    struct client *c = client_open(port);
    struct response r = get(c, "/hello");
    assert_status(r, 200);
    assert_no_field(r, "Connection");
    return c;
}
