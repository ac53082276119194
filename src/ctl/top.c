/* top.c: see top.h. */
#include "ctl/top.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "ctl/call.h"
#include "ctl/print.h"
#include "ctl/sample.h"
#include "ctl/screen.h"

#define SHORTEST (100 * NSEC_MS)
#define LONGEST (3600 * NSEC_SEC)

struct top {
    const struct options *options;
    struct top_settings settings;
    nsec timeout;
    struct call call;
    pid_t server; /* that `before` is from; 0 or less: nobody knows */
    struct sample before, now;
    bool on_screen;
    uint64_t shown;
    enum ctl_status status;
};

/* ---- settings ---- */

static int read_interval(struct top_settings *settings, struct str value)
{
    int error = str_to_time(value, &settings->interval);
    return error || settings->interval < SHORTEST || settings->interval > LONGEST ? -EINVAL : 0;
}

static int read_count(struct top_settings *settings, struct str value)
{
    int error = str_to_u64(value, &settings->count);
    return error || settings->count == 0 ? -EINVAL : 0;
}

enum { SETTINGS = 2 };

const struct thread_key top_keys[SETTINGS + 1] = {
    {"interval", "a time from 100ms to 1h", NULL},
    {"count", "a number from 1 on", NULL},
    {.name = NULL},
};

static int (*const readers[SETTINGS])(struct top_settings *settings, struct str value) = {read_interval, read_count};

static int read_setting(struct top_settings *settings, struct str word, struct out *why)
{
    struct str value = word, name = str_cut(&value, '=');
    for (size_t i = 0; i < SETTINGS; i++) {
        if (!str_eq(name, str_of(top_keys[i].name)))
            continue;
        int error = readers[i](settings, value);
        if (error) {
            out_put(why, name);
            out_text(why, " takes ");
            out_put(why, str_of(top_keys[i].takes));
        }
        return error;
    }
    out_put(why, word);
    out_text(why, " is neither interval=TIME nor count=N");
    return -EINVAL;
}

int top_settings_read(struct top_settings *settings, struct str argument, struct out *why)
{
    int error = 0;
    *settings = (struct top_settings){.interval = NSEC_SEC};
    while (argument.n && !error) {
        struct str word = str_cut(&argument, ' ');
        if (word.n)
            error = read_setting(settings, word, why);
    }
    return error;
}

/* ---- a look ---- */

static int connect_to(struct top *top)
{
    int error = call_open(&top->call, top->options->socket, top->timeout);
    pid_t server = error ? 0 : call_peer(&top->call);
    if (server <= 0 || server != top->server)
        sample_free(&top->before);
    top->server = server;
    return error;
}

/* A server has little patience with who asks once in a while, and closes the connection; or another one has taken its
 * place, which counts from the start. */
static int ask(struct top *top, struct str *line)
{
    static const struct str request = STR_INIT("top\n");
    int error = top->call.fd < 0 ? -ENODATA : call_ask(&top->call, request, top->timeout, line);
    if (error != -ENODATA)
        return error;
    call_close(&top->call);
    error = connect_to(top);
    return error ? error : call_ask(&top->call, request, top->timeout, line);
}

static int fail(struct top *top, const char *why)
{
    screen_close();
    fprintf(stderr, "ternctl: %s\n", why);
    top->status = CTL_FAILED;
    return 0;
}

static int take_answer(struct top *top, const struct answer *answer)
{
    int error = answer ? 0 : -EBADMSG;
    top->status = answer ? answer_status(answer) : CTL_FINE;
    if (top->status != CTL_FINE) {
        screen_close();
        print_refusal(stderr, answer);
        return 0;
    }
    if (!error)
        error = sample_read(&top->now, answer);
    return !error ? 0 : fail(top, error == -ENOMEM ? "no memory" : "what answers is no tern that knows top");
}

static int look(struct top *top)
{
    struct str line;
    int error = ask(top, &line);
    if (error)
        return error;
    struct answer *answer = answer_read(line);
    error = take_answer(top, answer);
    answer_free(answer);
    if (!error && top->status == CTL_FINE && top->options->json)
        printf(STR_FMT "\n", STR_ARG(line));
    return error;
}

/* ---- what is shown ---- */

static int draw(struct top *top, const struct sample *before)
{
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    if (!f)
        return -ENOMEM;
    fprintf(f, "%s, every %llu ms; q ends\n\n", top->options->socket,
            (unsigned long long)(top->settings.interval / NSEC_MS));
    int error = sample_print(f, &top->now, before, screen_width());
    if (fclose(f))
        error = -ENOMEM;
    if (!error)
        screen_draw((struct str){text, size});
    free(text);
    return error;
}

static int print(struct top *top, const struct sample *before)
{
    if (top->shown)
        putchar('\n');
    return sample_print(stdout, &top->now, before, SIZE_MAX);
}

/* A first look has no rates to tell: a terminal shows it all the same, while it waits for the next. */
static int show(struct top *top)
{
    const struct sample *before = top->before.workers ? &top->before : NULL;
    int error = 0;
    if (top->on_screen)
        error = draw(top, before);
    else if (before && !top->options->json)
        error = print(top, before);
    top->shown += before || top->options->json;
    return error;
}

/* False: whoever looked looks no longer, or has seen enough. */
static bool wait(struct top *top)
{
    nsec deadline = nsec_add(clock_monotonic(), top->settings.interval);
    bool ended = fflush(stdout) || ferror(stdout) || (top->settings.count && top->shown >= top->settings.count);
    return !ended && screen_wait(deadline);
}

static int watch(struct top *top)
{
    for (bool more = true; more;) {
        int error = look(top);
        if (error || top->status != CTL_FINE)
            return error;
        if (show(top) < 0)
            return fail(top, "no memory");
        sample_free(&top->before);
        top->before = top->now;
        top->now = (struct sample){.at = 0};
        more = wait(top);
    }
    return 0;
}

int top_run(const struct options *options, nsec timeout, enum ctl_status *status)
{
    struct top top = {.options = options, .timeout = timeout, .call.fd = -1};
    char unused[1];
    struct out why = out_on(unused, sizeof unused); /* it has been checked with the rest of the line */
    struct str argument = str_of(options->line);
    argument.n -= str_ends(argument, STR("\n"));
    (void)str_cut(&argument, ' ');
    int error = top_settings_read(&top.settings, argument, &why);
    if (error)
        return error;
    top.on_screen = !options->json && screen_possible();
    if (top.on_screen)
        screen_open();
    error = watch(&top);
    screen_close();
    sample_free(&top.before);
    sample_free(&top.now);
    call_close(&top.call);
    *status = top.status;
    return error;
}
