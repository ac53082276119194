/* Reload: the new workers take over from the old ones, and no client notices. */
#include "harness.h"
#include "harness_file.h"
#include "harness_response.h"
#include "service.h"

#include <criterion/criterion.h>
#include <signal.h>

TestSuite(reload, .init = harness_begin, .fini = harness_end);

enum { WORKERS = 2, GENERATIONS = 3 /* alive at once, at most */ };

#ifdef __SANITIZE_ADDRESS__ /* which keeps what is freed */
enum { GROWTH_KIB = 1 << 20 };
#else
enum { GROWTH_KIB = 400 }; /* two for each of two hundred reloads */
#endif

static size_t processes(const struct server *server)
{
    pid_t children[64];
    return harness_children(server->pid, children, 64);
}

static void assert_new_workers(const struct server *server, const pid_t *old, size_t count)
{
    pid_t now[SERVER_WORKERS];
    server_workers(server, now, WORKERS);
    for (size_t i = 0; i < WORKERS; i++)
        for (size_t j = 0; j < count; j++)
            cr_assert_neq(now[i], old[j], "worker %d is still there", old[j]);
}

/* Each reload is seen to be done by what is served. */
Test(reload, hup_under_load_loses_nothing)
{
    struct server server = service_start();
    pid_t old[WORKERS];
    server_workers(&server, old, WORKERS);
    struct load *load = service_load(server.port, NULL);
    for (int i = 0; i < 12; i++) {
        const char *version = harness_text("reloaded %d", i);
        assert_load_goes_on(load, 100);
        service_write(.version = version);
        kill(server.pid, SIGHUP);
        cr_assert(until(service_serves(server.port, version)), "%s is not served:\n%s", version, server_log(&server).p);
        cr_assert_leq(processes(&server), GENERATIONS * WORKERS);
    }
    assert_load_goes_on(load, 100);
    assert_no_loss(load);
    assert_new_workers(&server, old, WORKERS);
    assert_stop(&server, 0);
}

/* When ternctl comes back, whoever connects is served as the new file says. */
Test(reload, ternctl_returns_when_it_is_done)
{
    struct server server = service_start();
    struct load *load = service_load(server.port, NULL);
    for (int i = 0; i < 12; i++) {
        const char *version = harness_text("reloaded %d", i);
        service_write(.version = version);
        assert_ctl(0, "reload");
        for (int j = 0; j < 10; j++)
            assert_body(fetch(server.port, "/version"), str_of(version));
    }
    assert_no_loss(load);
    assert_stop(&server, 0);
}

Test(reload, it_counts_generations)
{
    struct server server = service_start();
    long long generation = service_status("generation");
    cr_assert_geq(generation, 0);
    assert_ctl(0, "reload");
    cr_assert_gt(service_status("generation"), generation);
    cr_assert_eq(service_status("pid"), server.pid);
    assert_stop(&server, 0);
}

/* A thousand requests to reload in no time: many are one, and the last file counts. */
Test(reload, a_thousand_hups_in_a_row)
{
    struct server server = service_start();
    struct load *load = service_load(server.port, NULL);
    pid_t old[WORKERS], now[WORKERS];
    server_workers(&server, old, WORKERS);
    size_t descriptors = service_descriptors(server.pid);
    for (int i = 0; i < 1000; i++) {
        service_write(.version = harness_text("%d", i));
        kill(server.pid, SIGHUP);
        if (i % 100 == 0)
            cr_assert_leq(processes(&server), GENERATIONS * WORKERS);
    }
    cr_assert(until(service_serves(server.port, "999")), "the last one is not served");
    assert_no_loss(load);
    server_workers(&server, now, WORKERS);
    assert_new_workers(&server, old, WORKERS);
    cr_assert(until(service_descriptors(server.pid) <= descriptors), "%zu descriptors, were %zu",
              service_descriptors(server.pid), descriptors);
    cr_assert_lt(service_status("generation"), 1000);
    assert_stop(&server, 0);
}

/* What it once has taken for a reload, the master gives back. */
Test(reload, two_hundred_reloads_leave_nothing_behind)
{
    enum { WARM_UP = 20, RELOADS = 200 };
    struct server server = service_start(.workers = 1);
    pid_t worker;
    size_t descriptors = 0, memory = 0;
    for (int i = 0; i < WARM_UP + RELOADS; i++) {
        if (i == WARM_UP) {
            server_workers(&server, &worker, 1);
            descriptors = service_descriptors(server.pid);
            memory = service_memory(server.pid);
        }
        assert_ctl(0, "reload");
    }
    server_workers(&server, &worker, 1);
    cr_assert(until(service_descriptors(server.pid) <= descriptors), "%zu descriptors, were %zu",
              service_descriptors(server.pid), descriptors);
    cr_assert_leq(service_memory(server.pid), memory + GROWTH_KIB, "%zu KiB, were %zu", service_memory(server.pid),
                  memory);
    assert_stop(&server, 0);
}

Test(reload, quit_ends_a_reload)
{
    struct server server = service_start();
    for (int i = 0; i < 3; i++)
        kill(server.pid, SIGHUP);
    kill(server.pid, SIGQUIT);
    assert_exit(&server, 0);
    cr_assert(server_refuses(&server));
}

Test(reload, a_server_that_stops_does_not_reload)
{
    struct server server = service_start();
    struct client *download = service_download(server.port);
    service_write(.version = "2");
    kill(server.pid, SIGTERM);
    cr_assert(until(server_refuses(&server)));
    kill(server.pid, SIGHUP);
    service_finish_download(download);
    assert_exit(&server, 0);
    cr_assert(server_refuses(&server));
}

/* A download keeps its generation alive. With three of them, the next reload waits until one is gone. */
Test(reload, at_most_three_generations_live)
{
    struct server server = service_start();
    struct client *downloads[GENERATIONS];
    for (int i = 0; i < GENERATIONS; i++) {
        downloads[i] = service_download(server.port);
        service_write(.version = harness_text("after %d", i));
        if (i + 1 < GENERATIONS)
            assert_ctl(0, "reload");
    }
    pid_t waiting = service_ctl_start((const char *const[]){"reload", NULL});
    for (int i = 0; i < 100; i++) {
        kill(server.pid, SIGHUP);
        cr_assert_leq(processes(&server), GENERATIONS * WORKERS);
    }
    assert_body(fetch(server.port, "/version"), STR("after 1"));
    service_write(.version = "the last one");
    service_finish_download(downloads[0]);
    client_close(downloads[0]);
    cr_assert_eq(command_wait(waiting), 0, "%s%s", file_read("ctl.out").p, file_read("ctl.err").p);
    assert_body(fetch(server.port, "/version"), STR("the last one"));
    cr_assert_leq(processes(&server), GENERATIONS * WORKERS);
    for (int i = 1; i < GENERATIONS; i++)
        service_finish_download(downloads[i]);
    assert_stop(&server, 0);
}

Test(reload, term_ends_a_reload_that_waits)
{
    struct server server = service_start();
    struct client *downloads[GENERATIONS];
    for (int i = 0; i < GENERATIONS; i++) {
        downloads[i] = service_download(server.port);
        if (i + 1 < GENERATIONS)
            assert_ctl(0, "reload");
    }
    kill(server.pid, SIGHUP);
    kill(server.pid, SIGTERM);
    for (int i = 0; i < GENERATIONS; i++)
        service_finish_download(downloads[i]);
    assert_exit(&server, 0);
}

/* Fewer workers serve no fewer sockets: what waits to be accepted on one that is left over is not lost. */
Test(reload, workers_can_be_more_and_fewer)
{
    static const unsigned numbers[] = {4, 1, 3, 1, 2};
    struct server server = service_start();
    struct load *load = service_load(server.port, NULL);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        pid_t workers[SERVER_WORKERS];
        service_write(.workers = numbers[i]);
        assert_ctl(0, "reload");
        assert_load_goes_on(load, 100);
        server_workers(&server, workers, numbers[i]);
        assert_load_goes_on(load, 100);
    }
    assert_no_loss(load);
    assert_stop(&server, 0);
}

/* A worker that dies while others take over is its generation's business. */
Test(reload, a_death_does_not_stop_it)
{
    struct server server = service_start();
    pid_t workers[WORKERS];
    for (int i = 0; i < 10; i++) {
        const char *version = harness_text("%d", i);
        server_workers(&server, workers, WORKERS);
        service_write(.version = version);
        kill(server.pid, SIGHUP);
        kill(workers[i % WORKERS], SIGKILL);
        cr_assert(until(service_serves(server.port, version)));
    }
    server_workers(&server, workers, WORKERS);
    assert_stop(&server, 0);
}
