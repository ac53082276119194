/* tls_conf_test.c: `tls` as it may not be written, where that is said, and what the rest is taken for. */
#include "net/tls_conf.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "../conf/run.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

static struct conf_run run;
static struct tls_settings settings;

static int read_text(const char *text)
{
    conf_run_start(&run, str_of(text));
    cr_assert_eq(run.status, 0, "%s: %s", text, conf_run_errors(&run));
    int error = tls_conf_read(&run.reader, run.root, &settings);
    cr_expect_eq(error != 0, conf_failed(&run.reader), "%s: %d", text, error);
    return error;
}

Test(tls_conf, what_is_refused)
{
    static const struct {
        const char *text, *message; /* all that is said */
    } table[] = {
        {"certificate:\n", "t:1:13: error: certificate: "},
        {"certificate: []\n", "t:1:14: error: certificate: "},
        {"certificate: {a: b}\n", "t:1:14: error: certificate: "},
        {"certificate: [[a]]\n", "t:1:15: error: certificate"},
        {"certificates: a\n", "t:1:1: error: certificates: "},
        {"certificate: a\nkey: [a, b]\n", "t:2:6: error: key: must have as many files as `certificate`"},
        {"certificate: [a, b]\nkey: a\n", "t:2:6: error: key: must have as many files as `certificate`"},
        {"key: a\n", "t:1:6: error: key: must have as many files as `certificate`"},
        {"certificate: [a, b]\nocsp: [a]\n", "t:2:7: error: ocsp: must have as many files as `certificate`"},
        {"ocsp: a\n", "t:1:7: error: ocsp: must have as many files as `certificate`"},
        {"protocols: []\n", "t:1:12: error: protocols: "},
        {"protocols: SSLv3\n", "t:1:12: error: protocols: must be TLSv1.2 or TLSv1.3"},
        {"protocols: TLSv1\n", "t:1:12: error: protocols: must be TLSv1.2 or TLSv1.3"},
        {"protocols: tlsv1.3\n", "t:1:12: error: protocols: must be TLSv1.2 or TLSv1.3"},
        {"protocols: TLSv1.3x\n", "t:1:12: error: protocols: must be TLSv1.2 or TLSv1.3"},
        {"protocols: [TLSv1.2, TLSv1.1, SSLv2]\n", "t:1:22: error: protocols"},
        {"protocols: [TLSv1.2,\n   TLSv1.4]\n", "t:2:4: error: protocols"},
        {"protocols: [TLSv1.2, \"\"]\n", "t:1:22: error: protocols"},
        {"client_verify: maybe\n", "t:1:16: error: client_verify: "},
        {"client_verify: on\n", "t:1:16: error: client_verify: needs `client_ca`"},
        {"client_verify: optional\n", "t:1:16: error: client_verify: needs `client_ca`"},
        {"client_ca: [a]\n", "t:1:12: error: client_ca: "},
        {"session_tickets: 3\n", "t:1:18: error: session_tickets: "},
        {"ciphers: [a]\n", "t:1:10: error: ciphers: "},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        cr_expect_eq(read_text(table[i].text), -EINVAL, "%s", table[i].text);
        const char *errors = conf_run_errors(&run), *end = strchr(errors, '\n');
        cr_expect_eq(strncmp(errors, table[i].message, strlen(table[i].message)), 0, "%s: %s", table[i].text, errors);
        cr_expect(end && !end[1], "%s: %s", table[i].text, errors);
        conf_run_end(&run);
    }
}

Test(tls_conf, every_mistake_is_told)
{
    cr_expect_eq(read_text("certificate: a\nkey: [b, c]\nocsp: [d, e]\nprotocols: x\nclient_verify: on\n"), -EINVAL);
    cr_expect_eq(run.reader.failed, 4, "%s", conf_run_errors(&run));
    conf_run_end(&run);
}

Test(tls_conf, what_is_not_said)
{
    cr_assert_eq(read_text("{}\n"), 0);
    cr_expect_eq(settings.certificates.n, 0);
    cr_expect_eq(settings.keys.n, 0);
    cr_expect_eq(settings.ocsp.n, 0);
    cr_assert_eq(settings.protocols.n, 2);
    cr_expect(str_eq(settings.protocols.v[0], STR("TLSv1.2")) && str_eq(settings.protocols.v[1], STR("TLSv1.3")));
    cr_expect_eq(settings.ciphers.n, 0);
    cr_expect_eq(settings.client_ca.n, 0);
    cr_expect_eq(settings.client_verify, TLS_VERIFY_OFF);
    cr_expect(settings.session_tickets);
    conf_run_end(&run);
}

Test(tls_conf, whether_clients_are_asked)
{
    static const struct {
        const char *text;
        enum tls_verify verify;
    } table[] = {
        {"client_ca: a", TLS_VERIFY_ON},
        {"{client_ca: a, client_verify: on}", TLS_VERIFY_ON},
        {"{client_ca: a, client_verify: optional}", TLS_VERIFY_OPTIONAL},
        {"{client_ca: a, client_verify: off}", TLS_VERIFY_OFF},
        {"client_verify: off", TLS_VERIFY_OFF},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        cr_expect_eq(read_text(table[i].text), 0, "%s", table[i].text);
        cr_expect_eq(settings.client_verify, (int)table[i].verify, "%s", table[i].text);
        conf_run_end(&run);
    }
}

Test(tls_conf, lists_and_lone_texts)
{
    cr_assert_eq(read_text("certificate: [a, b]\nkey:\n  - c\n  - d\nprotocols: TLSv1.3\nocsp: [e, f]\n"), 0);
    cr_assert_eq(settings.keys.n, 2);
    cr_expect(str_eq(settings.keys.v[1], STR("d")));
    cr_assert_eq(settings.protocols.n, 1);
    cr_expect(str_eq(settings.protocols.v[0], STR("TLSv1.3")));
    cr_expect_eq(tls_conf_item(run.root, STR("key"), 1)->line, 4);
    cr_expect_eq(tls_conf_item(run.root, STR("certificate"), 1)->col, 18);
    cr_expect_eq(tls_conf_item(run.root, STR("certificate"), 2), conf_find(run.root, STR("certificate")));
    cr_expect_eq(tls_conf_item(run.root, STR("protocols"), 0), conf_find(run.root, STR("protocols")));
    cr_expect_eq(tls_conf_item(run.root, STR("client_ca"), 0), run.root, "it is not there");
    conf_run_end(&run);
}
