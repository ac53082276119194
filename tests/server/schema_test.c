/* The schema for editors: it takes what tern takes, and refuses what can be seen to be wrong without tern. */
#include "documentation.h"
#include "harness.h"
#include "harness_command.h"
#include "harness_file.h"

#include <criterion/criterion.h>

TestSuite(schema_for_editors, .init = harness_begin, .fini = harness_end);

enum { SKIPPED = 77 };

#define LISTEN "listen: 127.0.0.1:8080\n"
#define SITE "sites: [{routes: [{path: /, echo: {}}]}]\n"
#define ROUTE(text) LISTEN "sites: [{routes: [{path: /, " text "}]}]\n"
#define IN_SITE(text) LISTEN "sites: [{" text ", routes: [{path: /, echo: {}}]}]\n"

/* The name of file i, of which there are less than 1,000: names are in the order of numbers. */
static const char *name_of(size_t i)
{
    return harness_text("yaml/%03zu.yaml", i);
}

/* What an editor says of each file in yaml/, a line for each. */
static struct str validate(void)
{
    struct command command = {
        .arguments = {"python3", "tests/server/validate.py", "conf/tern.schema.json", file_path("yaml")}};
    struct result r = command_run(&command);
    if (r.status == SKIPPED)
        harness_skip("python3-jsonschema or python3-yaml is not installed");
    cr_assert_eq(r.status, 0, "%s", r.err.p);
    return r.out;
}

static bool is_fine(struct str verdict)
{
    return str_ends(verdict, STR(": fine"));
}

static bool tern_takes(size_t i)
{
    return run_tern("-t", "-c", file_path(name_of(i))).status == 0;
}

static const char *const shipped[] = {"conf/tern.yaml", "conf/installed/tern.yaml"};

Test(schema_for_editors, every_example_is_taken)
{
    const char *origins[200];
    size_t count = 0;
    for (size_t i = 0; documents[i]; i++) {
        struct str rest = document_read(documents[i]);
        for (struct example example = {.document = documents[i]}; example_next(&rest, "yaml", &example); count++) {
            cr_assert_lt(count + sizeof shipped / sizeof *shipped, sizeof origins / sizeof *origins);
            file_write(name_of(count), str_of(example_configuration(&example)));
            origins[count] = harness_text("%s:%d", example.document, example.line);
        }
    }
    for (size_t i = 0; i < sizeof shipped / sizeof *shipped; i++) {
        origins[count] = shipped[i];
        file_write(name_of(count++), document_read(shipped[i]));
    }
    struct str verdicts = validate();
    cr_assert_eq(command_lines(verdicts), count);
    for (size_t i = 0; i < count; i++) {
        struct str verdict = str_cut(&verdicts, '\n');
        cr_expect(is_fine(verdict), "%s: " STR_FMT, origins[i], STR_ARG(verdict));
    }
}

/* What both refuse. */
static const char *const wrong[] = {
    LISTEN,
    SITE,
    "{}",
    "[]",
    LISTEN SITE "lissten: 1\n",
    "listen: []\n" SITE,
    "listen: nowhere\n" SITE,
    "listen: 8080\n" SITE,
    "listen: 127.0.0.1:0\n" SITE,
    "listen: '1:80'\n" SITE,
    "listen: 127.0.0:80\n" SITE,
    "listen: 127.0.0.1:123456\n" SITE,
    "listen: {backlog: 5}\n" SITE,
    "listen: {address: 127.0.0.1:80, backlog: 0}\n" SITE,
    "listen: {address: 127.0.0.1:80, tls: []}\n" SITE,
    "listen: {address: 127.0.0.1:80, tls: {certificat: a.pem}}\n" SITE,
    "listen: {address: 127.0.0.1:80, tls: {certificate: a.pem, protocols: TLSv1.1}}\n" SITE,
    "listen: {address: 127.0.0.1:80, tls: {certificate: a.pem, client_verify: maybe}}\n" SITE,
    LISTEN SITE "workers: 0\n",
    LISTEN SITE "workers: -1\n",
    LISTEN SITE "workers: many\n",
    LISTEN SITE "workers: 1.5\n",
    LISTEN SITE "workers: [1]\n",
    LISTEN SITE "pin: maybe\n",
    LISTEN SITE "pin: 1\n",
    LISTEN SITE "pin: tRUE\n",
    LISTEN SITE "control: no\n",
    LISTEN SITE "control: on\n",
    LISTEN SITE "control: false\n",
    LISTEN SITE "control: ''\n",
    LISTEN SITE "include: ''\n",
    LISTEN SITE "include: []\n",
    LISTEN SITE "pin: ~\n",
    LISTEN SITE "user: [root]\n",
    LISTEN SITE "limits: 5\n",
    LISTEN SITE "limits: {header_sise: 4k}\n",
    LISTEN SITE "limits: {header_size: 4 k}\n",
    LISTEN SITE "limits: {header_size: 1}\n",
    LISTEN SITE "limits: {header_size: 2000000}\n",
    LISTEN SITE "timeouts: {idle: 5 parsecs}\n",
    LISTEN SITE "timeouts: {idle: 0}\n",
    LISTEN SITE "timeouts: {idle: 1.5s}\n",
    LISTEN SITE "log: {level: loud}\n",
    LISTEN SITE "log: {access: {format: combined}}\n",
    LISTEN SITE "log: {access: {path: a, buffer: 1}}\n",
    LISTEN SITE "log: {access: [a]}\n",
    LISTEN SITE "log: {access: stderr}\n",
    LISTEN SITE "log: {access: On}\n",
    LISTEN SITE "log: {access: {path: off}}\n",
    LISTEN SITE "log: {error: off}\n",
    LISTEN SITE "log: {error: ''}\n",
    LISTEN SITE "log: {error: none}\n",
    LISTEN "sites: []\n",
    LISTEN "sites: {}\n",
    LISTEN "sites: [{}]\n",
    LISTEN "sites: [{routes: {path: /, echo: {}}}]\n",
    LISTEN "sites: [{routes: [{echo: {}}]}]\n",
    LISTEN "sites: [{routes: [{path: /, exact: /, echo: {}}]}]\n",
    LISTEN "sites: [{routes: [{path: a, echo: {}}]}]\n",
    LISTEN "sites: [{routes: [{path: /}]}]\n",
    LISTEN "sites: [{echo: {}, routes: [{path: /, echo: {}}]}]\n",
    ROUTE("echo: {}, respond: {}"),
    ROUTE("echo: 1"),
    ROUTE("echo: {x: 1}"),
    ROUTE("hosts: a, echo: {}"),
    ROUTE("files: {}"),
    ROUTE("files: {root: /, listing: 2}"),
    ROUTE("redirect: {status: 301}"),
    ROUTE("redirect: {to: /a, status: 309}"),
    ROUTE("respond: {status: 99}"),
    IN_SITE("hosts: []"),
    IN_SITE("hosts: ''"),
    IN_SITE("hosts: 'a b'"),
    IN_SITE("hosts: ['a:80']"),
    IN_SITE("hosts: ['[::1]:80']"),
    IN_SITE("hosts: '*'"),
    IN_SITE("errors: {200: /x}"),
    IN_SITE("errors: {404: x}"),
    IN_SITE("errors: /x"),
    IN_SITE("tls: on"),
    IN_SITE("headers: {'a b': c}"),
    IN_SITE("headers: [a]"),
    IN_SITE("allow: []"),
    IN_SITE("allow: everybody"),
    IN_SITE("allow: {a: b}"),
    IN_SITE("allow: 1.2.3.4:5"),
    IN_SITE("allow: 10.0.0.0/33"),
    IN_SITE("allow: 10.0.0/8"),
    IN_SITE("allow: '::1/129'"),
    IN_SITE("limit: on"),
    IN_SITE("limit: {}"),
    IN_SITE("limit: {requests: 10}"),
    IN_SITE("limit: {requests: 10/d}"),
    IN_SITE("limit: {requests: 0/s}"),
    IN_SITE("limit: {requests: 1/s, burst: 0}"),
    IN_SITE("limit: {requests: 1/s, by: address}"),
    IN_SITE("auth: on"),
    IN_SITE("auth: {users: [bob]}"),
    IN_SITE("expires: 1h"),
    IN_SITE("expires: {text: 1h}"),
    IN_SITE("expires: {text/css: later}"),
    IN_SITE("compress: maybe"),
    IN_SITE("compress: {types: text}"),
    IN_SITE("compress: {level: 9}"),
};

/* What tern alone can see to be wrong. */
static const char *const subtle[] = {
    "listen: 127.0.0.1:99999\n" SITE,
    "listen: [127.0.0.1:80, 127.0.0.1:80]\n" SITE,
    "listen: {address: 127.0.0.1:80, tls: {}}\n" SITE,
    "listen: {address: 127.0.0.1:80, tls: {certificate: /no/such/file}}\n" SITE,
    LISTEN SITE "workers: \"0\"\n",
    LISTEN SITE "user: no-such-user\n",
    LISTEN SITE "user: ${NO_SUCH_VARIABLE}\n",
    LISTEN SITE "limits: {header_size: 3g}\n",
    LISTEN SITE "timeouts: {idle: 400d}\n",
    ROUTE("files: {root: /, cache: 2d}"),
    ROUTE("files: {root: /no/such/directory}"),
    ROUTE("redirect: {to: /a, status: 304}"),
    IN_SITE("headers: {Date: c}"),
    IN_SITE("allow: 10.1.2.3/8"),
    IN_SITE("auth: {realm: a}"),
};

static const char *const right[] = {
    LISTEN SITE,
    "listen: [127.0.0.1:8080, {address: \"[::1]:8080\", backlog: 1}, \":80\", \"*:81\", \"unix:@a\"]\n" SITE,
    "listen: {address: unix:/tmp/a}\n" SITE,
    "listen: ${NONE:-127.0.0.1}:8080\n" SITE,
    LISTEN SITE "limits: {header_size: 4K, body_size: '100', body_rate: 0, header_count: \"7\", connections: auto}\n",
    LISTEN SITE "limits: {connections: \"${NONE:-12}\", header_size: \"${NONE:-4k}\"}\n",
    LISTEN SITE "timeouts: {header: 30, body: 250ms, write: 5M, idle: 7d}\n",
    LISTEN SITE "workers: auto\npin: yes\nthreads: \"4\"\nstack: 1m\n",
    LISTEN SITE "pin: true\n",
    LISTEN SITE "pin: True\n",
    LISTEN SITE "pin: FALSE\n",
    LISTEN SITE "pin: 'True'\n",
    LISTEN SITE "pin: On\n",
    LISTEN SITE "pin: NO\n",
    LISTEN SITE "pin: \"off\"\n",
    LISTEN SITE "pin: ${NONE:-on}\n",
    LISTEN SITE "log: {level: \"${NONE:-debug}\", error: /tmp/error.log, access: /tmp/access.log}\n",
    LISTEN SITE "log: {access: {path: /tmp/a, buffer: 64k, flush: 1s}}\n",
    LISTEN SITE "log: {access: off}\ncontrol: off\n",
    LISTEN SITE "log: {access: ./off, error: syslog}\ncontrol: ./no\n",
    LISTEN SITE "log: {error: syslog:/dev/log}\n",
    IN_SITE("hosts: example.org, errors: {404: /x, 5xx: /y}, headers: {X-A: 1, X-B: true}"),
    IN_SITE("hosts: [a, \"*.b\", \"[::1]\"], allow: all, deny: [10.0.0.0/8, \"::1\", unix, 2001:db8::/32]"),
    IN_SITE("deny: [0.0.0.0/0, '::/0', 192.0.2.1/32, '2001:db8::1/128', '::ffff:192.0.2.1', 10.0.0.0/9]"),
    IN_SITE("limit: {requests: 10/s, burst: 5, by: server}, expires: {text/css: 7d, \"*\": 1h}, compress: on"),
    IN_SITE("limit: off, auth: off, expires: {}, compress: {types: text/*, min_size: 1k, level: small}"),
    ROUTE("respond: {status: 404, body: 5}"),
    ROUTE("redirect: {to: //example.org, status: 301}"),
};

/* Whether tern and an editor take what is in a table. */
static void expect_verdicts(const char *const *table, size_t count, bool tern, bool editor)
{
    for (size_t i = 0; i < count; i++)
        file_write(name_of(i), str_of(table[i]));
    struct str verdicts = validate();
    cr_assert_eq(command_lines(verdicts), count);
    for (size_t i = 0; i < count; i++) {
        struct str verdict = str_cut(&verdicts, '\n');
        cr_expect_eq(tern_takes(i), tern, "tern %s %s", tern ? "refuses" : "takes", table[i]);
        cr_expect_eq(is_fine(verdict), editor, STR_FMT "\n%s", STR_ARG(verdict), table[i]);
    }
}

#define COUNT(table) (sizeof(table) / sizeof *(table))

Test(schema_for_editors, what_is_wrong_is_refused)
{
    expect_verdicts(wrong, COUNT(wrong), false, false);
}

Test(schema_for_editors, what_tern_alone_can_see_is_left_to_it)
{
    expect_verdicts(subtle, COUNT(subtle), false, true);
}

Test(schema_for_editors, what_is_right_is_taken)
{
    expect_verdicts(right, COUNT(right), true, true);
}
