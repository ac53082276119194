/* print_explain_test.c: what people see of an explanation. */
#include "ctl/printers.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static void expect_printed(const char *line, const char *expected)
{
    char *text;
    size_t size;
    struct answer *answer = answer_read(str_of(line));
    FILE *f = open_memstream(&text, &size);
    cr_assert(answer && f, "%s", line);
    cr_expect_eq(print_explain(f, answer), 0);
    cr_assert_eq(fclose(f), 0);
    cr_expect_str_eq(text, expected);
    free(text);
    answer_free(answer);
}

#define DEFAULTS "limits     all as they are by default\ntimeouts   all as they are by default\n"

Test(print_explain, an_answer_that_says_less_than_it_should)
{
    expect_printed("{}", " \n" DEFAULTS);
    expect_printed("{\"listeners\":1,\"site\":[],\"route\":7,\"handler\":\"x\",\"limits\":{},\"outcome\":true}",
                   " \n" DEFAULTS);
}

Test(print_explain, no_control_character_reaches_the_terminal)
{
    expect_printed("{\"method\":\"G\\u001bT\",\"url\":\"/\\n\",\"normalised\":true,\"path\":\"\\u009b\\u202e\"}",
                   "G?T /?\npath       ?? is what is looked up\n" DEFAULTS);
    expect_printed("{\"listeners\":[{\"address\":\"\\r\",\"certain\":true,\"at\":\"\\u001b:1\"}]}",
                   " \nlistener   ? (plain)                                                 ?:1\n" DEFAULTS);
}

static const char full[] =
    "{\"method\":\"GET\",\"url\":\"https://b.example.org/api/v1/x\",\"path\":\"/api/v1/x\",\"normalised\":false,"
    "\"port\":443,\"listeners\":[{\"address\":\"[::]:443\",\"tls\":true,\"http2\":true,\"certain\":true,"
    "\"at\":\"tern.yaml:3\"},{\"address\":\"fd:web\",\"tls\":false,\"http2\":false,\"certain\":false,"
    "\"at\":\"tern.yaml:4\"}],\"site\":{\"by\":\"wildcard\",\"name\":\"*.example.org\",\"at\":\"tern.yaml:12\"},"
    "\"route\":{\"kind\":\"path\",\"path\":\"/api/v1/\",\"at\":\"a.yaml:7\",\"others\":[{\"kind\":\"path\","
    "\"path\":\"/api/\",\"at\":\"a.yaml:2\"}]},\"policies\":[{\"name\":\"limit\",\"value\":\"requests: 10/s\","
    "\"of\":\"route\",\"answers\":true,\"at\":\"a.yaml:8\"},{\"name\":\"headers\",\"value\":\"X: y\",\"of\":\"site\","
    "\"answers\":false,\"at\":\"tern.yaml:14\"}],\"handler\":{\"name\":\"files\",\"at\":\"a.yaml:9\",\"settings\":["
    "{\"name\":\"root\",\"value\":\"/srv/api\",\"at\":\"a.yaml:9\"},{\"name\":\"index\",\"value\":\"x\","
    "\"at\":\"default\"},{\"name\":\"listing\",\"value\":\"on\",\"at\":\"a.yaml:10\"}]},\"limits\":[{\"name\":"
    "\"header_size\",\"value\":\"64k\",\"at\":\"tern.yaml:20\"},{\"name\":\"body_size\",\"value\":\"16m\","
    "\"at\":\"default\"}],\"outcome\":{\"status\":405,\"why\":\"no\",\"fields\":[\"Allow: GET\"]}}";

Test(print_explain, each_thing_with_its_place)
{
    expect_printed(full, "GET https://b.example.org/api/v1/x\n"
                         "listener   [::]:443 (TLS, HTTP/2)                                    tern.yaml:3\n"
                         "           fd:web (plain), if that has the port                      tern.yaml:4\n"
                         "site       *.example.org (by wildcard)                               tern.yaml:12\n"
                         "route      path /api/v1/ (the longest that fits)                     a.yaml:7\n"
                         "           path /api/ (would fit, too)                               a.yaml:2\n"
                         "policies   limit requests: 10/s (may answer)                         a.yaml:8\n"
                         "           headers X: y (of the site)                                tern.yaml:14\n"
                         "handler    files: root /srv/api, listing on                          a.yaml:9\n"
                         "limits     header_size 64k                                           tern.yaml:20\n"
                         "timeouts   all as they are by default\n"
                         "answer     405: no\n"
                         "           Allow: GET\n");
}

Test(print_explain, what_policies_do)
{
    static const struct {
        const char *policy, *remark;
    } table[] = {
        {"\"of\":\"route\",\"answers\":false", ""},
        {"\"of\":\"site\",\"answers\":false", " (of the site)"},
        {"\"of\":\"route\",\"answers\":true", " (may answer)"},
        {"\"of\":\"site\",\"answers\":true", " (of the site, may answer)"},
        {"\"of\":\"route\",\"answers\":true,\"always\":true", " (always refused)"},
        {"\"of\":\"site\",\"answers\":true,\"always\":true", " (of the site, always refused)"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char line[256], expected[256];
        snprintf(line, sizeof line, "{\"policies\":[{\"name\":\"deny\",\"value\":\"all\",%s}]}", table[i].policy);
        snprintf(expected, sizeof expected, " \npolicies   deny all%s\n" DEFAULTS, table[i].remark);
        expect_printed(line, expected);
    }
}

Test(print_explain, what_is_slow)
{
    expect_printed("{\"slow\":{\"value\":\"1s\",\"of\":\"route\"}}", " \nslow       1s\n" DEFAULTS);
    expect_printed("{\"slow\":{\"value\":\"1s\",\"of\":\"site\"}}", " \nslow       1s (of the site)\n" DEFAULTS);
    expect_printed("{\"slow\":{\"value\":\"1s\",\"of\":\"log\"}}", " \nslow       1s (of `log`)\n" DEFAULTS);
    expect_printed("{\"slow\":{\"value\":\"off\",\"of\":\"log\",\"at\":\"default\"}}", " \n" DEFAULTS);
}

Test(print_explain, what_is_not_there)
{
    expect_printed(
        "{\"method\":\"GET\",\"url\":\"http://x:81/\",\"port\":81,\"listeners\":[],\"site\":{\"by\":\"default\","
        "\"at\":\"a:1\"},\"nearest\":[{\"kind\":\"exact\",\"path\":\"/a\",\"at\":\"a:2\"}],"
        "\"outcome\":{\"why\":\"the handshake fails\"}}",
        "GET http://x:81/\n"
        "listener   none has this address and port 81\n"
        "site       the default one                                           a:1\n"
        "route      none; the nearest:\n"
        "           exact /a                                                  a:2\n" DEFAULTS
        "no answer  the handshake fails\n");
}
