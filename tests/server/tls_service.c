/* tls_service.c: see tls_service.h. */
#include "tls_service.h"

#include "harness.h"
#include "harness_file.h"

#include <criterion/criterion.h>
#include <sys/stat.h>

struct server tls_serve(const char *config)
{
    file_directory("run");
    pki_make_for(config);
    return server_start(config);
}

void tls_write(const char *config)
{
    pki_make_for(config);
    file_replace("tern.yaml", str_of(harness_expand(config)));
}

pid_t tls_worker(const struct server *server)
{
    pid_t worker;
    server_workers(server, &worker, 1);
    return worker;
}

bool tls_serves(int port)
{
    struct client *c = tls_open(.port = port);
    struct response r = get(c, "/hello");
    client_close(c);
    return r.status == 200 && str_eq(r.body, STR("hello"));
}

const char *tls_served_name(int port)
{
    struct client *c = tls_open(.port = port);
    const char *name = tls_server_name(c);
    client_close(c);
    return name;
}

const char *tls_text(int outcome)
{
    static const char *const others[] = {"an end without a word", "no alert"};
    if (outcome >= 0)
        return harness_text("%s (%d)", SSL_alert_desc_string_long(outcome), outcome);
    return outcome == TLS_BROKEN ? "nonsense from the server" : others[outcome == TLS_FINE];
}
