/* redirect_test.c: targets that a site can't have, who is sent where, and who is there already. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "carrier.h"
#include "net/tls_stream.h"
#include "policy/registry.h"
#include "run.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

TestSuite(policy_redirect, .init = run_begin, .fini = run_end);

#define FORM "not a path that starts with `/`, nor a URL with a host\n"
#define URL "must be a URL, such as https://$host$uri: a path would be sent to itself\n"
#define LOOP "an endless loop: what is sent there is sent on by this very site\n"
#define TO "t:1:16: error: redirect.to: "

struct reject {
    const char *yaml, *errors; /* yaml: with the other keys of the site */
};

static const struct reject rejects[] = {
    {"redirect: https://$host$uri", "t:1:11: error: redirect: takes a mapping, not a value\n"},
    {"redirect: {}", "t:1:11: error: redirect: lacks `to`: where to, with variables such as $host; unless $uri, $path "
                     "or $query is among them, what follows the route's `path` is appended, and then the query\n"},
    {"redirect: {to: '$nope'}", TO "there is no variable $nope; there are $host $uri $path $query $method $scheme "
                                   "$client $user $tls_version $tls_cipher $tls_name $tls_subject\n"},
    {"redirect: {to: 'https://$host$uri', status: 200}", "t:1:45: error: redirect.status: 200 is out of range (301 to "
                                                         "308)\n"},
    {"redirect: {to: 'https://$host$uri', status: 304}", "t:1:45: error: redirect.status: must be 301, 302, 303, 307 "
                                                         "or 308\n"},
    /* what a peer chooses would be a host, or a part of one */
    {"redirect: {to: 'https://$query'}", TO FORM},
    {"redirect: {to: 'https://$host$query'}", TO FORM},
    {"redirect: {to: 'https://$user.example.org$uri'}", TO FORM},
    {"redirect: {to: 'https://$tls_name$uri'}", TO FORM},
    {"redirect: {to: 'https://example.org:$query'}", TO FORM},
    {"redirect: {to: 'https://$path'}", TO FORM},
    {"redirect: {to: 'https:/$path'}", TO FORM},
    {"redirect: {to: '/$path'}", TO FORM},
    {"redirect: {to: '/$query'}", TO FORM},
    {"redirect: {to: '$query'}", TO FORM},
    {"redirect: {to: '$host://x$uri'}", TO FORM},
    {"redirect: {to: '$host$uri'}", TO FORM},
    {"redirect: {to: '$scheme$uri'}", TO FORM},
    {"redirect: {to: '$user@example.org'}", TO FORM},
    {"redirect: {to: 'https://$host $uri'}", TO FORM},
    /* a path, or a URL of the same site, that each request is sent on from */
    {"redirect: {to: '$uri'}", TO URL},
    {"redirect: {to: /x}", TO URL},
    {"redirect: {to: '//$host$uri'}", TO URL},
    {"redirect: {to: 'ftp://$host$uri'}", TO URL},
    {"redirect: {to: 'https://$host/x$uri'}", TO LOOP},
    {"redirect: {to: 'https://$host:8443/x$path'}", TO LOOP},
    {"redirect: {to: '$scheme://$host/x'}", TO LOOP},
    {"redirect: {to: 'https://$host/?from=$path'}", TO LOOP},
    {"redirect: {to: 'https://example.org/x'}\nhosts: [a.org, Example.org]", TO LOOP},
    {"redirect: {to: 'https://example.org:8443/x'}\nhosts: example.org", TO LOOP},
};

/* What else a site has; somebody else reads it. */
static const struct conf_key others[] = {{.name = "hosts", .kind = CONF_CUSTOM}};
static const struct conf_table others_table = CONF_TABLE("a site", others);

static const void *read(const char *yaml)
{
    static struct conf_table site;
    static struct http_policy policy;
    site = *policy_redirect.table;
    site.more = &others_table;
    policy = policy_redirect;
    policy.table = &site;
    return run_read(&policy, yaml, NULL);
}

Test(policy_redirect, rejects)
{
    for (size_t i = 0; i < COUNT(rejects); i++) {
        cr_expect_null(read(rejects[i].yaml), "%s", rejects[i].yaml);
        cr_expect_str_eq(run_errors(), rejects[i].errors, "%s: %s", rejects[i].yaml, run_errors());
    }
}

/* ---- who is sent where ---- */

static const struct tls_peer secured = {.version = "TLSv1.3"};

struct request {
    const struct tls_peer *tls;
    const char *host, *target; /* host: as in the field; NULL: there is none */
};

static struct str name_of(const char *host)
{
    struct str rest = str_of(host);
    return host && host[0] == '[' ? (struct str){host, 1 + str_find(rest, ']')} : str_cut(&rest, ':');
}

/* Starts a request with such settings, and asks the policy. */
static void ask(const void *settings, const struct request *request)
{
    struct exchange *x = &carrier.x;
    carrier_start(&policy_redirect, settings);
    carrier.route.path = STR("/");
    x->tls = request->tls;
    if (request->host)
        carrier_ask(STR("Host"), str_of(request->host));
    cr_assert_eq(http_uri_parse(&x->arena, str_of(request->target), &x->request.uri), 0, "%s", request->target);
    struct str authority = x->request.uri.host;
    x->request.host = authority.p ? (struct str){authority.p, str_find(authority, ':')} : name_of(request->host);
    cr_assert_eq(policy_redirect.admit(x, settings), 0);
}

static void expect_location(const void *settings, const struct request *request, const char *location)
{
    ask(settings, request);
    struct str found = http_head_field(&carrier.head, STR("Location"));
    cr_expect_eq(carrier.x.response.status, location ? 308 : 0, "%s%s: %d", request->host, request->target,
                 carrier.x.response.status);
    cr_expect(str_eq(found, str_of(location)), "%s%s: " STR_FMT, request->host, request->target, STR_ARG(found));
    carrier_end();
}

struct redirection {
    const char *to;
    struct request request;
    const char *location; /* NULL: it is there already */
};

#define HTTPS "https://$host$uri"
#define WWW "https://www.example.org"

static const struct redirection redirections[] = {
    {HTTPS, {NULL, "a.org", "/"}, "https://a.org/"},
    {HTTPS, {NULL, "A.org", "/x/y?z"}, "https://A.org/x/y?z"},
    {HTTPS, {NULL, "a.org:8080", "/x"}, "https://a.org/x"},
    {HTTPS, {NULL, "[::1]:80", "/"}, "https://[::1]/"},
    {HTTPS, {NULL, "a.org", "http://b.org/x"}, "https://b.org/x"},
    {HTTPS, {NULL, "a.org", "/%0d%0aX:%20y?%0d%0a"}, "https://a.org/%0D%0AX:%20y?%0d%0a"},
    {HTTPS, {NULL, "a.org", "//evil/"}, "https://a.org/evil/"},
    {HTTPS, {NULL, "a.org", "/a%2fb"}, "https://a.org/a%2Fb"},
    {HTTPS, {&secured, "a.org", "/"}, NULL},
    {HTTPS, {&secured, "A.org:443", "/x?y"}, NULL},
    {HTTPS, {&secured, "a.org:", "/x/../%41//b?%41"}, NULL},
    {HTTPS, {&secured, "a.org", "/a%2fb"}, NULL},
    {HTTPS, {&secured, "a.org", "https://b.org/x?"}, NULL},
    {HTTPS, {&secured, "[::1]:443", "/"}, NULL},
    {HTTPS, {&secured, "a.org:8443", "/x"}, NULL}, /* whichever port it is found at */
    {"https://$host:8443$uri", {NULL, "a.org:8080", "/x"}, "https://a.org:8443/x"},
    {"https://$host:8443$uri", {&secured, "a.org:8443", "/x"}, NULL},
    {"https://$host:8443$uri", {&secured, "a.org", "/x"}, "https://a.org:8443/x"},
    {"https://$host:8443$uri", {&secured, "a.org:443", "/x"}, "https://a.org:8443/x"},
    {"https://$host:443$uri", {&secured, "a.org", "/x"}, NULL},
    {"https://$host:443$uri", {&secured, "a.org:", "/x"}, NULL},
    /* one host of several; what follows is appended where nothing else is said */
    {WWW, {NULL, "example.org", "/x?y"}, "https://www.example.org/x?y"},
    {WWW, {NULL, "www.example.org", "/x?y"}, "https://www.example.org/x?y"},
    {WWW, {&secured, "example.org", "/x?y"}, "https://www.example.org/x?y"},
    {WWW, {&secured, "WWW.example.org", "/x?y"}, NULL},
    {WWW "$uri", {&secured, "example.org", "/x?y"}, "https://www.example.org/x?y"},
    {WWW "$uri", {&secured, "www.example.org", "/x?y"}, NULL},
    {"$scheme://www.example.org", {NULL, "example.org", "/"}, "http://www.example.org/"},
    {"$scheme://www.example.org", {NULL, "www.example.org:80", "/"}, NULL},
    {"$scheme://www.example.org", {&secured, "example.org", "/"}, "https://www.example.org/"},
    {"$scheme://www.example.org", {&secured, "www.example.org", "/"}, NULL},
    {"https://$host", {NULL, "a.org", "/x?y"}, "https://a.org/x?y"},
    {"https://$host/", {&secured, "a.org", "/x?y"}, NULL},
};

Test(policy_redirect, who_is_sent_where)
{
    for (size_t i = 0; i < COUNT(redirections); i++) {
        char yaml[128];
        snprintf(yaml, sizeof yaml, "redirect: {to: '%s', status: 308}", redirections[i].to);
        const void *settings = run_read(&policy_redirect, yaml, NULL);
        if (!settings)
            cr_expect_str_eq(run_errors(), "", "%s", yaml);
        else
            expect_location(settings, &redirections[i].request, redirections[i].location);
    }
}

/* What a redirect led to has arrived, whatever it was. */
Test(policy_redirect, nobody_is_sent_on)
{
    for (size_t i = 0; i < COUNT(redirections); i++) {
        const struct redirection *r = &redirections[i];
        char yaml[128];
        snprintf(yaml, sizeof yaml, "redirect: {to: '%s', status: 308}", r->to);
        if (!r->location)
            continue;
        struct str rest = str_skip(str_of(r->location), strlen("http"));
        bool https = str_starts(rest, STR("s"));
        rest = str_skip(rest, strlen("://") + https);
        char host[64];
        snprintf(host, sizeof host, "%.*s", (int)str_find(rest, '/'), rest.p);
        const struct request request = {https ? &secured : NULL, host, rest.p + str_find(rest, '/')};
        expect_location(run_good(&policy_redirect, yaml, NULL), &request, NULL);
    }
}

/* RFC 9112, 3.2: HTTP/1.0 may do without one. */
Test(policy_redirect, without_a_host)
{
    ask(run_good(&policy_redirect, "redirect: {to: 'https://$host$uri'}", NULL), &(struct request){NULL, NULL, "/x"});
    cr_expect_eq(carrier.x.response.status, 400);
    cr_expect_not_null(carrier.x.reason);
    carrier_end();
    const void *named = run_good(&policy_redirect, "redirect: {to: 'https://example.org', status: 308}", NULL);
    expect_location(named, &(struct request){NULL, NULL, "/x"}, "https://example.org/x");
}

/* RFC 8555, 8.3: routes for challenges answer in the clear, and only those. */
Test(policy_redirect, challenges)
{
    static const struct {
        const char *route;
        int status;
    } table[] = {
        {"/", 302},
        {"/.well-known", 302},
        {"/.well-known/", 302},
        {"/.well-known/acme-challenges", 302},
        {"/x/.well-known/acme-challenge/", 302},
        {"/.well-known/acme-challenge", 0},
        {"/.well-known/acme-challenge/", 0},
        {"/.well-known/acme-challenge/token", 0},
    };
    const void *settings = run_good(&policy_redirect, "redirect: {to: 'https://$host$uri'}", NULL);
    for (size_t i = 0; i < COUNT(table); i++) {
        struct exchange *x = &carrier.x;
        carrier_start(&policy_redirect, settings);
        carrier.route.path = str_of(table[i].route);
        x->request.host = STR("a.org");
        x->request.uri.path = STR("/.well-known/acme-challenge/token");
        cr_assert_eq(policy_redirect.admit(x, settings), 0);
        cr_expect_eq(x->response.status, table[i].status, "%s: %d", table[i].route, x->response.status);
        carrier_end();
    }
}

/* Sites of which it is not sure that they answer for the target are let be. */
Test(policy_redirect, targets_that_may_be_elsewhere)
{
    static const char *const yaml[] = {
        "redirect: {to: 'https://www.$host/x$uri'}",
        "redirect: {to: 'https://example.org/x'}",
        "redirect: {to: 'https://example.org/x'}\nhosts: [www.example.org, example.or, '*.org']",
        "redirect: {to: 'https://example.org'}\nhosts: example.org",
        "redirect: {to: 'https://$host/'}",
    };
    for (size_t i = 0; i < COUNT(yaml); i++)
        cr_expect_not_null(read(yaml[i]), "%s: %s", yaml[i], run_errors());
}
