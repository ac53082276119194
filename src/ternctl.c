/* ternctl.c: the command line of whoever runs a tern. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "base/version.h"
#include "ctl/answer.h"
#include "ctl/call.h"
#include "ctl/complete.h"
#include "ctl/help.h"
#include "ctl/offline.h"
#include "ctl/option.h"
#include "ctl/print.h"
#include "ctl/text.h"
#include "ctl/top.h"

/* Without --timeout. A reload may have to wait until workers of an old generation have ended. */
#define QUICK (10 * NSEC_SEC)
#define LONG (600 * NSEC_SEC)

static nsec timeout_of(const struct options *options)
{
    if (options->timeout < 0)
        return options->verb->waits ? LONG : QUICK;
    return options->timeout ? options->timeout : NSEC_NEVER;
}

static enum ctl_status print_line(struct str line, enum ctl_status status)
{
    printf(STR_FMT "\n", STR_ARG(line));
    return status;
}

static enum ctl_status show(const struct options *options, struct str line)
{
    if (options->json && answer_is_fine(line))
        return print_line(line, CTL_FINE);
    struct answer *answer = answer_read(line);
    if (!answer) {
        fprintf(stderr, "ternctl: what answers at %s is no tern\n",
                options->config ? options->config : options->socket);
        return CTL_FAILED;
    }
    enum ctl_status status = answer_status(answer);
    int error = 0;
    if (options->json)
        print_line(line, status);
    else if (status == CTL_FINE)
        error = print_answer(stdout, options->verb, answer);
    else
        print_refusal(stderr, answer);
    answer_free(answer);
    if (error)
        fprintf(stderr, "ternctl: cannot print the answer: %s\n", strerror(-error));
    return error ? CTL_FAILED : status;
}

static enum ctl_status report_silence(const struct options *options)
{
    char room[TEXT_DURATION];
    nsec timeout = timeout_of(options);
    bool whole = timeout % NSEC_SEC == 0;
    struct str within = whole ? text_seconds(room, (uint64_t)(timeout / NSEC_SEC)) : text_duration(room, timeout);
    fprintf(stderr, "ternctl: no answer from the server at %s within " STR_FMT "\n", options->socket, STR_ARG(within));
    return CTL_NO_SERVER;
}

/* Who may not connect gets the status of who may, and is refused by the server. */
static enum ctl_status report(const struct options *options, int error)
{
    if (error == -ETIMEDOUT)
        return report_silence(options);
    bool refused = error == -EACCES || error == -EPERM;
    const char *what = refused ? "may not ask the server" : "no server answers";
    fprintf(stderr, "ternctl: %s at %s: %s\n", what, options->socket, call_reason(error));
    return refused ? CTL_REFUSED : CTL_NO_SERVER;
}

static enum ctl_status ask(const struct options *options)
{
    struct call call;
    struct str line;
    enum ctl_status status = CTL_FAILED;
    nsec timeout = timeout_of(options);
    int error = call_open(&call, options->socket, timeout);
    if (!error) {
        error = call_ask(&call, str_of(options->line), timeout, &line);
        if (!error)
            status = show(options, line);
        call_close(&call);
    }
    return error ? report(options, error) : status;
}

/* What is wrong with the configuration tern has said itself. */
static enum ctl_status ask_program(const struct options *options)
{
    struct offline offline;
    struct str question = str_of(options->line);
    (void)str_cut(&question, ' ');
    question.n -= str_ends(question, STR("\n"));
    int result = offline_explain(&offline, options->config, question);
    enum ctl_status status = result == CTL_USAGE ? CTL_USAGE : CTL_FAILED;
    if (result == 0)
        status = show(options, offline.line);
    else if (result < 0)
        fprintf(stderr, "ternctl: cannot run tern: %s\n", strerror(-result));
    offline_free(&offline);
    return status;
}

static enum ctl_status watch(const struct options *options)
{
    enum ctl_status status = CTL_FINE;
    int error = top_run(options, timeout_of(options), &status);
    return error ? report(options, error) : status;
}

/* What is not asked once and printed. */
static enum ctl_status run(const struct options *options)
{
    if (options->config)
        return ask_program(options);
    return options->verb->repeats ? watch(options) : ask(options);
}

/* Who has read enough of the output is no reason to fail. */
static enum ctl_status close_output(enum ctl_status status)
{
    int error = fflush(stdout) == 0 && !ferror(stdout) ? 0 : errno;
    if (error == 0 || error == EPIPE)
        return status;
    fprintf(stderr, "ternctl: cannot write to the standard output: %s\n", strerror(error));
    return status == CTL_FINE ? CTL_FAILED : status;
}

int main(int argc, char **argv)
{
    struct options options;
    char reason[1024];
    struct out why = out_on(reason, sizeof reason);
    signal(SIGPIPE, SIG_IGN);
    if (options_read(&options, argc, argv, &why) < 0) {
        fprintf(stderr, "ternctl: " STR_FMT " (ternctl %s%s--help tells how it is used)\n", STR_ARG(out_str(&why)),
                options.verb ? options.verb->name : "", options.verb ? " " : "");
        return CTL_USAGE;
    }
    enum ctl_status status = CTL_FINE;
    if (options.help && options.verb)
        help_print_verb(stdout, options.verb);
    else if (options.help)
        help_print(stdout);
    else if (options.version)
        puts("ternctl " TERN_VERSION);
    else if (options.completion)
        complete_print_bash(stdout);
    else
        status = run(&options);
    return close_output(status);
}
