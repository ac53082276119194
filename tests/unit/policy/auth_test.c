/* auth_test.c: what is refused of a configuration, who is let in, and what it costs to find out. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "green/scope.h"
#include "hashes.h"
#include "policy/auth_hash.h"
#include "policy/auth_users.h"
#include "policy/registry.h"
#include "run.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* ---- hashes that are counted, and take as long as a test wants ---- */

int __real_auth_hash_check(const char *password, const char *hash);
int __wrap_auth_hash_check(const char *password, const char *hash);

static atomic_uint made, running, most_running;
static atomic_int forced; /* instead of a result; 0: what it really is */
static unsigned pause_us;
static const char *last_hash;

int __wrap_auth_hash_check(const char *password, const char *hash)
{
    unsigned now = atomic_fetch_add(&running, 1) + 1, most = atomic_load(&most_running);
    while (now > most && !atomic_compare_exchange_weak(&most_running, &most, now))
        ;
    atomic_fetch_add(&made, 1);
    last_hash = hash;
    usleep(pause_us);
    int result = forced ? forced : __real_auth_hash_check(password, hash);
    atomic_fetch_sub(&running, 1);
    return result;
}

static char folder[] = "/tmp/tern-auth-XXXXXX", file[64];

static void begin(void)
{
    run_begin();
    cr_assert_not_null(mkdtemp(folder));
    snprintf(file, sizeof file, "%s/users", folder);
}

static void end(void)
{
    unlink(file);
    rmdir(folder);
    run_end();
}

TestSuite(auth, .init = begin, .fini = end);

static void write_file(struct str text)
{
    FILE *f = fopen(file, "w");
    cr_assert_not_null(f);
    fwrite(text.p, 1, text.n, f);
    cr_assert_eq(fclose(f), 0);
}

/* The configuration with @ replaced by the file's name. */
static const char *with_file(const char *text)
{
    static char buffer[1024];
    struct out o = out_on(buffer, sizeof buffer);
    struct str rest = str_of(text);
    while (rest.n) {
        struct str part = str_cut(&rest, '@');
        out_put(&o, part);
        if (part.p + part.n < text + strlen(text))
            out_put(&o, str_of(file));
    }
    out_char(&o, '\0');
    return buffer;
}

/* ---- configuration ---- */

struct reject {
    const char *yaml, *errors;
};

#define NO_HASH                                                                                                        \
    "not a hash of bcrypt ($2b$, $2y$), SHA-512 ($6$), SHA-256 ($5$) or yescrypt ($y$); "                              \
    "`openssl passwd -6` and `htpasswd -B` make such\n"
#define TAKES "takes `off`, or a mapping such as {file: /etc/tern/htpasswd}\n"
#define TOO_SLOW                                                                                                       \
    "a hash that takes too long to check; the most is a cost of 16 (bcrypt), of 10000000 rounds (SHA), of 11 "         \
    "(yescrypt)\n"
#define NO_USERS "has no users; list them in `users` or in a `file`\n"

static const struct reject rejects[] = {
    {"auth: on", "t:1:7: error: auth: " TAKES},
    {"auth: [a]", "t:1:7: error: auth: " TAKES},
    {"auth:", "t:1:6: error: auth: has no value\n"},
    {"auth: {}", "t:1:7: error: auth: " NO_USERS},
    {"auth: {realm: x}", "t:1:7: error: auth: " NO_USERS},
    {"auth: {users: {}}", "t:1:7: error: auth: " NO_USERS},
    {"auth: {users: [a]}", "t:1:15: error: auth.users: takes a mapping of names to hashes, not a list\n"},
    {"auth: {users: sesame}", "t:1:15: error: auth.users: takes a mapping of names to hashes, not a value\n"},
    {"auth: {users: {alice: sesame}}", "t:1:23: error: auth.users.alice: " NO_HASH},
    {"auth: {users: {alice: ''}}", "t:1:23: error: auth.users.alice: " NO_HASH},
    {"auth: {users: {alice: [a]}}", "t:1:23: error: auth.users.alice: takes a single value, not a list\n"},
    {"auth: {users: {alice: $6$salt$abc}}",
     "t:1:23: error: auth.users.alice: a hash of which something is missing or too much\n"},
    {"auth: {users: {alice: $2b$17$abcdefghijklmnopqrstuuinwY/tkBVrn3xrxQI/TgnMHhkvl85RW}}",
     "t:1:23: error: auth.users.alice: " TOO_SLOW},
    {"auth: {users: {'a:b': '" SHA512 "'}}",
     "t:1:16: error: auth.users.a:b: a name with a colon or a control character\n"},
    {"auth: {users: {\"a\\tb\": '" SHA512 "'}}",
     "t:1:16: error: auth.users.a?b: a name with a colon or a control character\n"},
    {"auth: {realm: \"a\\nb\", users: {a: '" SHA512 "'}}",
     "t:1:15: error: auth.realm: has a character that is not printable ASCII\n"},
    {"auth: {realm: \"caf\xc3\xa9\", users: {a: '" SHA512 "'}}",
     "t:1:15: error: auth.realm: has a character that is not printable ASCII\n"},
    {"auth: {user: {a: b}}", "t:1:8: error: auth.user: unknown key in auth; did you mean `users`?\n"},
    {"auth: {file: /nowhere/users}", "t:1:14: error: auth.file: /nowhere/users: No such file or directory\n"},
    {"auth: {file: /tmp}", "t:1:14: error: auth.file: /tmp: Is a directory\n"},
    {"auth: {file: /dev/null}", "t:1:14: error: auth.file: /dev/null: not a regular file\n"},
};

Test(auth, rejects)
{
    for (size_t i = 0; i < COUNT(rejects); i++) {
        cr_expect_null(run_read(&policy_auth, rejects[i].yaml, NULL), "%s", rejects[i].yaml);
        cr_expect_str_eq(run_errors(), rejects[i].errors);
    }
}

Test(auth, errors_of_a_file_are_told_by_its_lines)
{
    char expected[2048];
    write_file(STR("# staff\n\nalice:" SHA512 "\nbob\nbob:sesame\n:" SHA512 "\nb\tb:" SHA512 "\nalice:" SHA256
                   "\nb\0b:" SHA512 "\ncarol:" SHA512 " \r\ndave:" SHA512
                   "\nerin:$6$rounds=10000001$salt$GK3yib7Lb94CdPqNt0xP5RxgvpEWVn9CfnufX04biOKhvXzbBUvzy01KX.g/"
                   "08wFRTJ2aRZ.lH3NQTM08sbo9."));
    cr_expect_null(run_read(&policy_auth, with_file("auth: {file: @}"), NULL));
    snprintf(expected, sizeof expected,
             "%1$s:4:1: error: not a line of the form `name:hash`\n"
             "%1$s:5:5: error: " NO_HASH "%1$s:6:1: error: a user needs a name\n"
             "%1$s:7:1: error: a name with a colon or a control character\n"
             "%1$s:8:1: error: a second entry for this user\n"
             "%1$s:9:1: error: a name with a colon or a control character\n"
             "%1$s:10:7: error: a hash of which something is missing or too much\n"
             "%1$s:12:6: error: " TOO_SLOW,
             file);
    cr_expect_str_eq(run_errors(), expected);
}

Test(auth, a_user_is_listed_once)
{
    write_file(STR("alice:" SHA512 "\n"));
    cr_expect_null(run_read(&policy_auth, with_file("auth: {file: @, users: {alice: '" SHA256 "'}}"), NULL));
    cr_expect(strstr(run_errors(), "auth.users.alice: the file has this user too"), "%s", run_errors());
    cr_expect_null(run_read(&policy_auth, with_file("auth: {users: {alice: '" SHA256 "'}, file: @}"), NULL));
    cr_expect(strstr(run_errors(), "users:1:1: error: a second entry for this user"), "%s", run_errors());
}

Test(auth, an_empty_file_has_no_users)
{
    write_file(STR("# nobody\n\n"));
    cr_expect_null(run_read(&policy_auth, with_file("auth: {file: @}"), NULL));
    cr_expect_str_eq(run_errors(), "t:1:7: error: auth: " NO_USERS);
}

Test(auth, no_hash_is_shown)
{
    run_good(&policy_auth, "auth: {users: {alice: '" SHA512 "', bob: '" BCRYPT "'}}", NULL);
    cr_expect_str_eq(run_dump(), "auth:\n  users:\n    alice: \"***\"\n    bob: \"***\"\n  realm: Restricted\n");
    cr_expect_null(run_read(&policy_auth, "auth: {users: {alice: hunter2, bob: [hunter2]}}", NULL));
    cr_expect_null(strstr(run_errors(), "hunter2"), "%s", run_errors());
}

/* ---- requests ---- */

static int on_a_thread(void *test)
{
    (*(void (**)(void))test)();
    return 0;
}

static void run(void (*test)(void))
{
    cr_assert_eq(green_run(&(struct green_options){.stack = 256 * 1024}, on_a_thread, &test), 0);
}

#define GreenTest(name)                                                                                                \
    static void name##_body(void);                                                                                     \
    Test(auth, name)                                                                                                   \
    {                                                                                                                  \
        run(name##_body);                                                                                              \
    }                                                                                                                  \
    static void name##_body(void)

static const void *settings;

static struct run_answer ask(const char *authorization)
{
    return run_ask(&policy_auth, settings, "192.0.2.1", authorization);
}

static void expect_user(const char *authorization, const char *user)
{
    struct run_answer answer = ask(authorization);
    cr_expect_eq(answer.error, 0);
    cr_expect_eq(answer.status, 0, "%s: %d", authorization, answer.status);
    cr_expect_str_eq(answer.user, user, "%s", authorization);
}

static void expect_refused(const char *authorization)
{
    struct run_answer answer = ask(authorization);
    cr_expect_eq(answer.error, 0);
    cr_expect_eq(answer.status, 401, "%s: %d", authorization, answer.status);
    cr_expect_str_eq(answer.user, "");
}

#define ALICE_SESAME "Basic YWxpY2U6c2VzYW1l"
#define ALICE_WRONG "Basic YWxpY2U6d3Jvbmc="
#define BOB_SESAME "Basic Ym9iOnNlc2FtZQ=="
#define CAROL_SESAME "Basic Y2Fyb2w6c2VzYW1l"
#define DAVE_SESAME "Basic ZGF2ZTpzZXNhbWU="

GreenTest(who_is_nobody_is_asked)
{
    static const char *const nobody[] = {
        NULL,
        "",
        "Basic",
        "Basic ????",
        "Bearer YWxpY2U6c2VzYW1l",
        "Basic YWxpY2U6c2VzYW1lAA==", /* alice:sesame and a NUL */
        ALICE_WRONG,
        "Basic YWxpY2U6",         /* alice: */
        "Basic OnNlc2FtZQ==",     /* :sesame */
        "Basic QWxpY2U6c2VzYW1l", /* Alice:sesame */
        BOB_SESAME,
        ALICE_SESAME "\n" ALICE_SESAME, /* twice the same is two all the same */
        ALICE_SESAME "\n" BOB_SESAME,
        BOB_SESAME "\n" ALICE_SESAME,
        "\n" ALICE_SESAME,
        ALICE_SESAME "\nBearer x",
    };
    settings = run_good(&policy_auth, "auth: {realm: 'Say \"sesame\" \\o/', users: {alice: '" SHA512 "'}}", NULL);
    for (size_t i = 0; i < COUNT(nobody); i++) {
        expect_refused(nobody[i]);
        cr_expect(str_starts(str_of(ask(nobody[i]).fields),
                             STR("WWW-Authenticate: Basic realm=\"Say \\\"sesame\\\" \\\\o/\", charset=\"UTF-8\"\r\n")),
                  "%s", ask(nobody[i]).fields);
    }
}

GreenTest(who_has_a_password_is_let_in)
{
    write_file(STR("# more\r\ncarol:" YESCRYPT "\r\ndave:" SHA256));
    settings =
        run_good(&policy_auth, with_file("auth: {users: {alice: '" SHA512 "', bob: '" BCRYPT_Y "'}, file: @}"), NULL);
    expect_user(ALICE_SESAME, "alice");
    expect_user(BOB_SESAME, "bob");
    expect_user(CAROL_SESAME, "carol");
    expect_user(DAVE_SESAME, "dave");
    expect_refused(ALICE_WRONG);
}

GreenTest(names_and_passwords_may_be_of_any_language)
{
    settings = run_good(&policy_auth, "auth: {users: {\"J\xc3\xb6rg K.\": '" UMLAUT "'}}", NULL);
    expect_user("Basic SsO2cmcgSy46c8Okc2FtZTo=", "J\xc3\xb6rg K.");
}

Test(auth, off)
{
    settings = run_good(&policy_auth, "auth: off", NULL);
    expect_user(NULL, "");
    expect_user(ALICE_WRONG, "");
    cr_expect_eq(made, 0);
}

/* ---- what it costs ---- */

GreenTest(what_was_right_is_remembered)
{
    settings = run_good(&policy_auth, "auth: {users: {alice: '" SHA512 "', bob: '" SHA256 "'}}", NULL);
    for (int i = 0; i < 5; i++)
        expect_user(ALICE_SESAME, "alice");
    cr_expect_eq(made, 1);
    expect_refused(ALICE_WRONG);
    expect_refused(ALICE_WRONG);
    cr_expect_eq(made, 3, "what was wrong is not");
    expect_user(BOB_SESAME, "bob");
    cr_expect_eq(made, 4, "the same password of somebody else is another fact");
}

GreenTest(an_unknown_user_costs_as_much_as_a_known_one)
{
    settings = run_good(&policy_auth, "auth: {users: {alice: '" SHA512 "'}}", NULL);
    for (unsigned i = 1; i <= 3; i++) {
        expect_refused(BOB_SESAME);
        cr_expect_eq(made, i, "not even when somebody has this password");
        cr_expect_str_eq(last_hash, SHA512);
    }
    expect_user(ALICE_SESAME, "alice");
    expect_refused(BOB_SESAME);
    cr_expect_eq(made, 5);
}

GreenTest(an_unknown_user_always_costs_the_same)
{
    settings = run_good(&policy_auth, "auth: {users: {a: '" SHA512 "', b: '" SHA256 "', c: '" BCRYPT "'}}", NULL);
    expect_refused(DAVE_SESAME);
    const char *first = last_hash;
    for (int i = 0; i < 5; i++) {
        expect_refused(DAVE_SESAME);
        cr_expect_eq(last_hash, first);
    }
}

/* "alice:" and six digits. */
static const char *alice_with(unsigned number)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    static char field[64];
    char password[8];
    int at = sprintf(field, "Basic YWxpY2U6");
    snprintf(password, sizeof password, "%06u", number);
    for (const char *p = password; *p; p += 3) {
        unsigned word = (unsigned)p[0] << 16 | (unsigned)p[1] << 8 | (unsigned)p[2];
        for (int shift = 18; shift >= 0; shift -= 6)
            field[at++] = digits[word >> shift & 63];
    }
    field[at] = '\0';
    return field;
}

/* ---- who has to wait ---- */

enum { CROWD = 100 };

/* One of a crowd that asks at once, and what each was told. */
struct asker {
    const char *address;       /* NULL: 10.0.0.N, one of its own */
    const char *authorization; /* NULL: a wrong password of its own */
    int status;
};

static struct asker askers[CROWD];

static int ask_at_once(void *arg)
{
    struct asker *asker = arg;
    unsigned number = (unsigned)(asker - askers);
    char address[32];
    snprintf(address, sizeof address, "10.0.0.%u", number);
    struct run_answer answer = run_ask(&policy_auth, settings, asker->address ? asker->address : address,
                                       asker->authorization ? asker->authorization : alice_with(number));
    asker->status = answer.status;
    if (answer.status == 503)
        cr_expect(str_starts(str_of(answer.fields), STR("Retry-After: 10\r\n")), "%s", answer.fields);
    return answer.error;
}

/* The number of those who were told that. */
static unsigned told(int status)
{
    unsigned count = 0;
    for (size_t i = 0; i < CROWD; i++)
        count += askers[i].status == status;
    return count;
}

/* A crowd of n, all of them from an address and with credentials, or each with its own. */
static void crowd(unsigned n, const char *address, const char *authorization)
{
    struct green_scope scope;
    settings = run_good(&policy_auth, "auth: {users: {alice: '" SHA512 "'}}", NULL);
    pause_us = 1000;
    green_scope_enter(&scope);
    for (unsigned i = 0; i < CROWD; i++)
        askers[i] = (struct asker){address, authorization, -1};
    for (unsigned i = 0; i < n; i++)
        cr_assert_eq(green_scope_go(&scope, "ask", ask_at_once, &askers[i]), 0);
    cr_assert_eq(green_scope_join(&scope, NSEC_NEVER), 0);
    green_scope_leave(&scope);
    cr_expect_leq(most_running, 2, "%u at once", most_running);
    cr_expect_eq(told(-1), CROWD - n);
}

GreenTest(two_hashes_are_made_at_once)
{
    crowd(20, NULL, NULL);
    cr_expect_eq(told(401), 20);
    cr_expect_eq(made, 20);
    cr_expect_eq(most_running, 2);
}

static int crowd_of_strangers(void *arg)
{
    (void)arg;
    crowd(20, NULL, NULL);
    return 0;
}

Test(auth, one_is_made_at_once_where_there_are_two_threads)
{
    cr_assert_eq(green_run(&(struct green_options){.pool = 2}, crowd_of_strangers, NULL), 0);
    cr_expect_eq(told(401), 20);
    cr_expect_eq(most_running, 1);
}

GreenTest(two_run_and_sixty_four_wait)
{
    crowd(CROWD, NULL, NULL);
    cr_expect_eq(told(401), 66);
    cr_expect_eq(told(503), CROWD - 66);
    cr_expect_eq(made, 66);
    expect_user(ALICE_SESAME, "alice");
}

/* The next /64 is another client. */
GreenTest(a_client_has_two_of_the_places)
{
    static const char *const clients[] = {"192.0.2.7", "2001:db8::7"};
    for (size_t i = 0; i < COUNT(clients); i++) {
        unsigned before = made;
        crowd(20, clients[i], NULL);
        cr_expect_eq(told(401), 2, "%s", clients[i]);
        cr_expect_eq(told(503), 18);
        cr_expect_eq(made - before, 2);
    }
}

/* It may be a proxy. */
GreenTest(a_peer_on_the_same_machine_has_half_of_them)
{
    static const char *const clients[] = {"127.0.0.1", "::ffff:127.9.9.9", "::1", "unix"};
    for (size_t i = 0; i < COUNT(clients); i++) {
        crowd(CROWD, clients[i], NULL);
        cr_expect_eq(told(401), 33, "%s", clients[i]);
        cr_expect_eq(told(503), CROWD - 33);
    }
}

static int guess_in_a_crowd(void *arg)
{
    (void)arg;
    crowd(CROWD, "192.0.2.7", NULL);
    return 0;
}

GreenTest(who_guesses_keeps_nobody_out)
{
    struct green_scope guessing;
    green_scope_enter(&guessing);
    cr_assert_eq(green_scope_go(&guessing, "guess", guess_in_a_crowd, NULL), 0);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(green_yield(), 0);
    cr_expect_geq(told(503), 90, "the guesser's own");
    expect_user(ALICE_SESAME, "alice");
    cr_assert_eq(green_scope_join(&guessing, NSEC_NEVER), 0);
    green_scope_leave(&guessing);
}

/* As browsers do. Sixteen others wait with the first one. */
GreenTest(who_asks_the_same_at_once_is_checked_once)
{
    crowd(17, "192.0.2.7", ALICE_SESAME);
    cr_expect_eq(told(0), 17);
    cr_expect_eq(made, 1);
    crowd(17, "192.0.2.7", ALICE_WRONG);
    cr_expect_eq(told(401), 17);
    cr_expect_eq(made, 2);
    crowd(20, NULL, ALICE_WRONG);
    cr_expect_eq(told(401), 17, "whoever it is");
    cr_expect_eq(told(503), 3);
    cr_expect_eq(made, 3);
}

GreenTest(the_same_password_of_nobody_is_that_of_nobody)
{
    struct green_scope scope;
    settings = run_good(&policy_auth, "auth: {users: {alice: '" SHA512 "'}}", NULL);
    pause_us = 1000;
    askers[0] = (struct asker){"192.0.2.1", ALICE_SESAME, -1};
    askers[1] = (struct asker){"192.0.2.1", BOB_SESAME, -1};
    green_scope_enter(&scope);
    for (unsigned i = 0; i < 2; i++)
        cr_assert_eq(green_scope_go(&scope, "ask", ask_at_once, &askers[i]), 0);
    cr_assert_eq(green_scope_join(&scope, NSEC_NEVER), 0);
    green_scope_leave(&scope);
    cr_expect_eq(askers[0].status, 0);
    cr_expect_eq(askers[1].status, 401);
    cr_expect_eq(made, 1);
}

GreenTest(without_memory_nobody_is_judged)
{
    settings = run_good(&policy_auth, "auth: {users: {alice: '" SHA512 "'}}", NULL);
    forced = -ENOMEM;
    cr_expect_eq(ask(ALICE_SESAME).error, -ENOMEM);
    forced = 0;
    expect_user(ALICE_SESAME, "alice");
}

GreenTest(who_cannot_be_checked_now_is_told_to_come_again)
{
    settings = run_good(&policy_auth, "auth: {users: {alice: '" SHA512 "'}}", NULL);
    forced = -EAGAIN;
    struct run_answer answer = ask(ALICE_SESAME);
    cr_expect_eq(answer.error, 0);
    cr_expect_eq(answer.status, 503);
    cr_expect(str_starts(str_of(answer.fields), STR("Retry-After: 10\r\n")), "%s", answer.fields);
}

GreenTest(what_libcrypt_cannot_check_lets_nobody_in)
{
    settings = run_good(&policy_auth, "auth: {users: {alice: '" SHA512 "'}}", NULL);
    forced = -EINVAL;
    expect_refused(ALICE_SESAME);
    forced = -ERANGE;
    expect_refused(ALICE_SESAME);
}

/* Two that run, and one that waits for its turn, or for the answer to the first. */
static void cancel_third(const char *authorization)
{
    struct green_scope before;
    struct green *waiter;
    int result;
    settings = run_good(&policy_auth, "auth: {users: {alice: '" SHA512 "'}}", NULL);
    pause_us = 10000;
    askers[0] = askers[1] = (struct asker){NULL, NULL, -1};
    askers[2] = (struct asker){NULL, authorization, -1};
    green_scope_enter(&before);
    cr_assert_eq(green_scope_go(&before, "first", ask_at_once, &askers[0]), 0);
    cr_assert_eq(green_scope_go(&before, "second", ask_at_once, &askers[1]), 0);
    cr_assert_eq(green_yield(), 0);
    cr_assert_eq(green_spawn(&waiter, "third", ask_at_once, &askers[2]), 0);
    cr_assert_eq(green_yield(), 0);
    green_cancel(waiter);
    cr_assert_eq(green_join(waiter, &result, NSEC_NEVER), 0);
    cr_expect_eq(result, -ECANCELED);
    cr_expect_eq(askers[2].status, 0);
    cr_assert_eq(green_scope_join(&before, NSEC_NEVER), 0);
    green_scope_leave(&before);
    cr_expect_eq(told(401), 2);
    cr_expect_eq(made, 2);
    expect_user(ALICE_SESAME, "alice");
}

GreenTest(who_is_cancelled_while_he_waits_is_not_checked)
{
    cancel_third(ALICE_SESAME);
}

GreenTest(who_is_cancelled_while_another_is_checked_for_him)
{
    static char first[64];
    snprintf(first, sizeof first, "%s", alice_with(0));
    cancel_third(first);
}

/* Who waits with somebody who is cancelled is told to come again. */
GreenTest(the_one_who_is_waited_with_is_cancelled)
{
    struct green_scope scope;
    struct green *waiter;
    int result;
    settings = run_good(&policy_auth, "auth: {users: {alice: '" SHA512 "'}}", NULL);
    pause_us = 10000;
    green_scope_enter(&scope);
    for (unsigned i = 0; i < 4; i++)
        askers[i] = (struct asker){NULL, i < 2 ? NULL : ALICE_SESAME, -1};
    cr_assert_eq(green_scope_go(&scope, "first", ask_at_once, &askers[0]), 0);
    cr_assert_eq(green_scope_go(&scope, "second", ask_at_once, &askers[1]), 0);
    cr_assert_eq(green_yield(), 0);
    cr_assert_eq(green_spawn(&waiter, "third", ask_at_once, &askers[2]), 0);
    cr_assert_eq(green_yield(), 0);
    cr_assert_eq(green_scope_go(&scope, "fourth", ask_at_once, &askers[3]), 0);
    cr_assert_eq(green_yield(), 0);
    green_cancel(waiter);
    cr_assert_eq(green_join(waiter, &result, NSEC_NEVER), 0);
    cr_assert_eq(green_scope_join(&scope, NSEC_NEVER), 0);
    green_scope_leave(&scope);
    cr_expect_eq(result, -ECANCELED);
    cr_expect_eq(askers[3].status, 503);
    cr_expect_eq(made, 2);
}

GreenTest(users_with_the_same_hash_share_what_was_right)
{
    settings = run_good(&policy_auth, "auth: {users: {alice: '" BCRYPT "', bob: '" BCRYPT "'}}", NULL);
    expect_user(ALICE_SESAME, "alice");
    expect_user(BOB_SESAME, "bob");
    cr_expect_eq(made, 1);
}

GreenTest(no_more_is_remembered_than_there_is_room_for)
{
    enum { FACTS = 3000, ROOM = 1024 };
    settings = run_good(&policy_auth, "auth: {users: {alice: '" SHA512 "'}}", NULL);
    forced = 1;
    for (unsigned round = 1; round <= 2; round++)
        for (unsigned i = 0; i < FACTS; i++)
            expect_user(alice_with(i), "alice");
    cr_expect_geq(made, 2 * FACTS - ROOM, "%u made", made);
    unsigned before = made;
    expect_user(alice_with(FACTS - 1), "alice");
    cr_expect_eq(made, before, "the last one is remembered");
}
