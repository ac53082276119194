/* serve_test.c: who answers: policies that turn away, methods without an answer, paths and hosts that nobody has. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "http/server.h"
#include "recorder.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define BIT(method) (1ULL << (method))

static char calls[512]; /* what was called, in order */

static void note(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void note(const char *format, ...)
{
    size_t n = strlen(calls);
    va_list args;
    va_start(args, format);
    vsnprintf(calls + n, sizeof calls - n, format, args);
    va_end(args);
}

/* ---- handlers and policies ---- */

static int handle(struct exchange *x, const void *settings)
{
    note("%s;", (const char *)settings);
    return http_send(x, 200, STR(""), str_of(settings));
}

static int fail(struct exchange *x, const void *settings)
{
    (void)x, (void)settings;
    return -EMSGSIZE;
}

/* What a policy's settings say: to let pass, to refuse, to fail, to fail late. */
static int admit(struct exchange *x, const void *settings)
{
    const char *what = settings;
    note("admit %s;", what);
    if (strcmp(what, "refuse") == 0)
        return http_send_status(x, 403, STR("X-Why: refused\r\n"));
    return strcmp(what, "break") == 0 ? -ECANCELED : 0;
}

static int dress(struct exchange *x, const void *settings, struct http_head *h)
{
    const char *what = settings;
    note("dress %s;", what);
    return strcmp(what, "naked") == 0 ? -ENOMEM : http_head_add(x, h, "X-Dress: %s\r\n", what);
}

static const struct http_handler any = {.name = STR_INIT("any"), .serve = handle};
static const struct http_handler reading = {
    .name = STR_INIT("reading"), .serve = handle, .methods = BIT(METHOD_GET) | BIT(METHOD_HEAD)};
static const struct http_handler options = {
    .name = STR_INIT("options"), .serve = handle, .methods = BIT(METHOD_GET) | BIT(METHOD_OPTIONS)};
static const struct http_handler tracing = {.name = STR_INIT("tracing"), .serve = handle, .methods = BIT(METHOD_TRACE)};
static const struct http_handler failing = {.name = STR_INIT("failing"), .serve = fail};
static const struct http_handler missing = {.name = STR_INIT("missing"), .serve = handle};

static const struct http_policy admitting = {.admit = admit};
static const struct http_policy dressing = {.dress = dress};
static const struct http_policy both = {.admit = admit, .dress = dress};

static struct http_applied applied[4];
static struct http_route route;
static struct http_site site;
static struct http_server server;
static struct exchange x;

static void setup(void)
{
    route = (struct http_route){.path = STR("/"), .handler = &any, .settings = "route"};
    site = (struct http_site){.root = &route, .missing = {.handler = &missing, .settings = "missing"}};
    server = (struct http_server){.sites = {.fallback = &site}};
    x = (struct exchange){.ops = &recorder_ops, .server = &server};
    arena_init(&x.arena, NULL, 0);
}

static void teardown(void)
{
    arena_clear(&x.arena);
}

TestSuite(serve, .init = setup, .fini = teardown);

static int serve_it(void *arg)
{
    (void)arg;
    return http_serve(&x);
}

/* What comes of a request, in one line. */
static const char *serve(enum method method, const char *path)
{
    static char line[1200];
    calls[0] = '\0';
    recorder_clear();
    x.site = NULL;
    x.route = NULL;
    x.response = (struct http_response){0};
    x.request.method = method;
    x.request.uri = (struct http_uri){.path = str_of(path)};
    int error = green_run(&(struct green_options){.accounts = false}, serve_it, NULL);
    snprintf(line, sizeof line, "%d %d %s", error, recorded.status, calls);
    return line;
}

static void apply(const struct http_policy *policy, const char *settings)
{
    route.policies.v = applied;
    applied[route.policies.n++] = (struct http_applied){.policy = policy, .settings = settings};
}

/* RFC 9110, 9.3.8: TRACE gives away what a script of another site must not see; CONNECT is not for an origin server */
Test(serve, methods_that_no_handler_answers)
{
    cr_expect_str_eq(serve(METHOD_TRACE, "/"), "0 405 ");
    cr_expect_str_eq(serve(METHOD_CONNECT, "/"), "0 405 ");
    cr_expect_null(strstr(recorded.fields, "TRACE"), "%s", recorded.fields);
    cr_expect_null(strstr(recorded.fields, "CONNECT"), "%s", recorded.fields);
    cr_expect_not_null(strstr(recorded.fields, "POST"), "%s", recorded.fields);
    for (enum method m = 0; m < METHOD_UNKNOWN; m++)
        if (m != METHOD_TRACE && m != METHOD_CONNECT)
            cr_expect_str_eq(serve(m, "/"), "0 200 route;", "method %d", m);
}

Test(serve, methods_that_this_handler_does_not_answer)
{
    route.handler = &reading;
    for (enum method m = 0; m < METHOD_UNKNOWN; m++) {
        bool reads = m == METHOD_GET || m == METHOD_HEAD;
        int status = reads || m == METHOD_OPTIONS ? 200 : 405;
        char line[64];
        snprintf(line, sizeof line, "0 %d %s", status, reads ? "route;" : "");
        cr_expect_str_eq(serve(m, "/"), line, "method %d", m);
        cr_expect_eq(str_starts(str_of(recorded.fields), STR("Allow: GET, HEAD, OPTIONS\r\n")), !reads, "method %d: %s",
                     m, recorded.fields);
    }
    serve(METHOD_OPTIONS, "/");
    cr_expect_str_eq(recorded.content, "");
}

Test(serve, a_handler_that_answers_options_itself)
{
    route.handler = &options;
    cr_expect_str_eq(serve(METHOD_OPTIONS, "/"), "0 200 route;");
    cr_expect_str_eq(serve(METHOD_POST, "/"), "0 405 ");
    cr_expect(str_starts(str_of(recorded.fields), STR("Allow: GET, OPTIONS\r\n")), "%s", recorded.fields);
    route.handler = &tracing;
    cr_expect_str_eq(serve(METHOD_TRACE, "/"), "0 200 route;");
    cr_expect_str_eq(serve(METHOD_GET, "/"), "0 405 ");
    cr_expect_not_null(strstr(recorded.fields, "TRACE"), "%s", recorded.fields);
}

/* RFC 9110, 9.3.7: about the server as a whole, whatever its sites are */
Test(serve, the_asterisk)
{
    cr_expect_str_eq(serve(METHOD_OPTIONS, "*"), "0 200 ");
    cr_expect_str_eq(recorded.fields, "Allow: GET, HEAD, OPTIONS\r\n");
    cr_expect_str_eq(recorded.content, "");
    server.sites.fallback = NULL;
    cr_expect_str_eq(serve(METHOD_OPTIONS, "*"), "0 200 ");
}

Test(serve, nobody_has_the_host)
{
    server.sites.fallback = NULL;
    cr_expect_str_eq(serve(METHOD_GET, "/"), "0 404 ");
    cr_expect_null(x.site);
    cr_expect_null(x.route);
}

/* A path without a route is the site's own matter: its policies hold. */
Test(serve, nobody_has_the_path)
{
    site.root = NULL;
    cr_expect_str_eq(serve(METHOD_GET, "/a"), "0 200 missing;");
    cr_expect_eq(x.route, &site.missing);
    applied[0] = (struct http_applied){.policy = &admitting, .settings = "refuse"};
    site.missing.policies = (struct http_policies){applied, 1};
    cr_expect_str_eq(serve(METHOD_GET, "/a"), "0 403 admit refuse;");
}

Test(serve, a_policy_refuses)
{
    apply(&admitting, "first");
    apply(&both, "refuse");
    apply(&both, "last");
    cr_expect_str_eq(serve(METHOD_GET, "/"), "0 403 admit first;admit refuse;dress refuse;dress last;");
    cr_expect_str_eq(recorded.fields,
                     "X-Why: refused\r\nContent-Type: text/plain\r\nX-Dress: refuse\r\nX-Dress: last\r\n");
    cr_expect_str_eq(recorded.content, "403 Forbidden\n");
}

/* Who may not come in does not learn which methods there would be either. */
Test(serve, a_policy_refuses_before_methods_are_looked_at)
{
    route.handler = &reading;
    apply(&admitting, "refuse");
    cr_expect_str_eq(serve(METHOD_POST, "/"), "0 403 admit refuse;");
    cr_expect_str_eq(serve(METHOD_OPTIONS, "/"), "0 403 admit refuse;");
    cr_expect_null(strstr(recorded.fields, "Allow"));
}

Test(serve, a_policy_fails)
{
    char line[64];
    apply(&admitting, "break");
    apply(&admitting, "last");
    snprintf(line, sizeof line, "%d 0 admit break;", -ECANCELED);
    cr_expect_str_eq(serve(METHOD_GET, "/"), line);
    route.policies.n = 0;
    apply(&dressing, "naked");
    apply(&dressing, "last");
    snprintf(line, sizeof line, "%d 0 route;dress naked;", -ENOMEM);
    cr_expect_str_eq(serve(METHOD_GET, "/"), line);
}

Test(serve, a_handler_fails)
{
    char line[64];
    route.handler = &failing;
    snprintf(line, sizeof line, "%d 0 ", -EMSGSIZE);
    cr_expect_str_eq(serve(METHOD_GET, "/"), line);
}

/* Every head of the route is dressed: the handler's, and those that the layer writes itself. */
Test(serve, policies_dress_every_head)
{
    apply(&dressing, "a");
    apply(&admitting, "pass");
    apply(&dressing, "b");
    cr_expect_str_eq(serve(METHOD_GET, "/"), "0 200 admit pass;route;dress a;dress b;");
    cr_expect_str_eq(recorded.fields, "X-Dress: a\r\nX-Dress: b\r\n");
    cr_expect_str_eq(serve(METHOD_TRACE, "/"), "0 405 admit pass;dress a;dress b;");
    cr_expect_not_null(strstr(recorded.fields, "X-Dress: a\r\nX-Dress: b\r\n"), "%s", recorded.fields);
    route.handler = &reading;
    cr_expect_str_eq(serve(METHOD_OPTIONS, "/"), "0 200 admit pass;dress a;dress b;");
    cr_expect_str_eq(recorded.fields, "Allow: GET, HEAD, OPTIONS\r\nX-Dress: a\r\nX-Dress: b\r\n");
}
