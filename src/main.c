/* main.c: the command line. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ctl/call.h"
#include "log/log.h"
#include "proc/config.h"
#include "proc/explain.h"
#include "proc/master.h"
#include "proc/order.h"
#include "proc/pidfile.h"
#include "proc/version.h"
#include "proc/worker.h"

static const char default_file[] = TERN_ETC "/tern.yaml"; /* the Makefile knows where */

static const char usage[] =
    "usage: tern [-c FILE] [-t | -T] [-l ADDRESS -r DIR] [-w WORKERS] [-q] [-v | -V] [--pid FILE]\n"
    "            [-s stop|quit|reload|reopen|upgrade] [--explain QUESTION] [-h]\n"
    "  -c FILE        the configuration (default: " TERN_ETC "/tern.yaml)\n"
    "  -t             check the configuration and exit\n"
    "  -T             check it, print what is in effect, and exit\n"
    "  -l ADDRESS     listen here, such as 127.0.0.1:8080, and ...\n"
    "  -r DIR         ... serve the files below this directory; no configuration file is read\n"
    "  --explain QUESTION\n"
    "                 check it, and tell in JSON what a request would meet: [METHOD] URL\n"
    "  -w WORKERS     processes that serve, whatever the configuration says\n"
    "  -q             say nothing but errors\n"
    "  --pid FILE     write the id of the master process to a file; with -s: read it there\n"
    "  -s VERB        tell the server that runs with this configuration: stop (at once), quit (when its\n"
    "                 requests have ended), reload, reopen (its logs) or upgrade (its binary)\n"
    "  -v, --version  print the version\n"
    "  -V             print with what it was built, too\n"
    "  -h, --help     print this\n";

struct options {
    struct config_options config;
    const char *order, *question;
    bool test, print;
};

/* What is left to do after the options are read. */
enum { GO_ON = -1 };

enum { PID = 256, EXPLAIN, HELP, VERSION }; /* long options, beside the letters */

static const struct option long_options[] = {
    {"pid", required_argument, NULL, PID},
    {"explain", required_argument, NULL, EXPLAIN},
    {"help", no_argument, NULL, HELP},
    {"version", no_argument, NULL, VERSION},
    {.name = NULL},
};

static int misuse(const char *what, const char *why)
{
    fprintf(stderr, "tern: %s %s; tern -h tells how it is used\n", what, why);
    return EXIT_USAGE;
}

static int check_options(struct options *options, int argc, char **argv)
{
    const struct config_options *config = &options->config;
    if (optind < argc)
        return misuse(argv[optind], "is not an option");
    if (!config->listen != !config->root)
        return misuse("-l and -r", "go together");
    if (config->file && config->root)
        return misuse("-c", "does not go with -l and -r");
    if (options->order && !order_find(options->order))
        return misuse(options->order, "is not one of stop, quit, reload, reopen, upgrade");
    options->test |= options->question != NULL;
    if (options->order && (options->test || config->root || config->workers))
        return misuse("-s", "goes with -c, --pid and -q only");
    if (!config->file)
        options->config.file = default_file;
    return GO_ON;
}

/* Where the value of an option goes; NULL: it has none. */
static const char **value_of(struct options *options, int option)
{
    switch (option) {
    case 'c':
        return &options->config.file;
    case 'l':
        return &options->config.listen;
    case 'r':
        return &options->config.root;
    case 'w':
        return &options->config.workers;
    case 's':
        return &options->order;
    case PID:
        return &options->config.pid_file;
    case EXPLAIN:
        return &options->question;
    default:
        return NULL;
    }
}

static int take_flag(struct options *options, int option)
{
    switch (option) {
    case 't':
        options->test = true;
        return GO_ON;
    case 'T':
        options->test = options->print = true;
        return GO_ON;
    case 'q':
        options->config.quiet = true;
        return GO_ON;
    case 'v':
    case VERSION:
        puts(version_line());
        return EXIT_FINE;
    case 'V':
        version_print(stdout);
        return EXIT_FINE;
    default:
        fputs(usage, stdout);
        return EXIT_FINE;
    }
}

static int refuse(int found, char **argv)
{
    char letter[] = {'-', (char)optopt, '\0'};
    bool is_long = optopt == 0 || optopt >= PID;
    const char *why = found == ':' ? "lacks its value" : optopt >= PID ? "takes no value" : "is no option";
    return misuse(is_long ? argv[optind - 1] : letter, why);
}

static int read_options(struct options *options, int argc, char **argv)
{
    opterr = 0;
    for (int found; (found = getopt_long(argc, argv, ":c:tTl:r:w:s:qvVh", long_options, NULL)) != -1;) {
        if (found == '?' || found == ':')
            return refuse(found, argv);
        const char **value = value_of(options, found);
        int status = GO_ON;
        if (value)
            *value = optarg;
        else
            status = take_flag(options, found);
        if (status != GO_ON)
            return status;
    }
    return check_options(options, argc, argv);
}

/* ---- what it is asked to do ---- */

/* The journal wants to know that these lines are errors. */
static void print(const char *text)
{
    struct str rest = str_of(text);
    if (!getenv("JOURNAL_STREAM") || log_open(STR("stderr"), LOG_LEVEL_NOTICE) < 0) {
        fputs(text, stderr);
        return;
    }
    while (rest.n) {
        struct str line = str_cut(&rest, '\n');
        log_error(STR_FMT, STR_ARG(line));
    }
}

/* The whole configuration, or NULL: then why has been printed, and a server that this one is to replace knows, too. */
static struct config *load(const struct config_options *options)
{
    char *text = NULL;
    size_t size;
    FILE *errors = open_memstream(&text, &size);
    if (!errors) {
        fprintf(stderr, "tern: %s\n", strerror(errno));
        return NULL;
    }
    struct config *config = config_load(options, errors);
    fclose(errors);
    print(text);
    text[strcspn(text, "\n")] = '\0';
    if (!config)
        upgrade_report_failure(text);
    free(text);
    return config;
}

static int answer(const char *question, const struct config *config)
{
    char reason[512], *text = malloc(EXPLAIN_SIZE);
    struct out why = out_on(reason, sizeof reason), o = out_on(text, text ? EXPLAIN_SIZE : 0);
    int error = text ? explain(config, str_of(question), &o, &why) : -ENOMEM;
    if (!error)
        printf(STR_FMT "\n", STR_ARG(out_str(&o)));
    else if (error == -EINVAL)
        fprintf(stderr, "tern: " STR_FMT "\n", STR_ARG(out_str(&why)));
    else
        fprintf(stderr, "tern: cannot explain that: %s\n", strerror(-error));
    free(text);
    return !error ? EXIT_FINE : error == -EINVAL ? EXIT_USAGE : EXIT_FAILED;
}

static int test(const struct options *options, const struct config *config)
{
    if (options->question)
        return answer(options->question, config);
    if (options->print && config_print(config, stdout) < 0) {
        fputs("tern: cannot write to the standard output\n", stderr);
        return EXIT_FAILED;
    }
    if (!options->print && !options->config.quiet)
        printf("%s: fine\n", options->config.root ? "command line" : options->config.file);
    return EXIT_FINE;
}

/* `where`: the pid file or the control socket that has led to the master, or has not. */
static int give_order(const struct options *options, pid_t master, const char *where)
{
    int error = master < 0 ? master : order_fits(master) ? order_send(order_find(options->order), master) : -ESRCH;
    if (!error)
        return EXIT_FINE;
    const char *why = call_reason(error);
    if (error == -ESRCH)
        why = "there is no such process, or it is no tern";
    else if (error == -EINVAL)
        why = "that is no pid file";
    fprintf(stderr, "tern: no tern answers at %s: %s\n", where, why);
    return EXIT_FAILED;
}

static int give_order_over_socket(const struct options *options, const struct config *config)
{
    if (config->control.n == 0)
        return misuse("-s", "needs --pid, since the configuration has no control socket");
    /* Who has `control` by default may not have got it: the system's own server may be there. */
    if (!config->control_configured && !str_eq(str_of(options->config.file), str_of(default_file)))
        return misuse("-s",
                      "needs --pid, or `control` in the configuration: another server may have the default socket");
    return give_order(options, order_find_master(config->control.p), config->control.p);
}

static int run(const struct options *options, struct config *config, char **arguments)
{
    enum log_level level = options->config.quiet ? LOG_LEVEL_ERROR : (enum log_level)config->log.level;
    int error = log_open(config->log.error, level);
    if (error) {
        fprintf(stderr, "tern: cannot open the error log " STR_FMT ": %s\n", STR_ARG(config->log.error),
                strerror(-error));
        upgrade_report_failure("cannot open the error log");
        config_free(config);
        return EXIT_FAILED;
    }
    return master_run(&options->config, config, arguments);
}

/* Or the first file that is opened would be taken for one of the three. */
static void open_standard_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            (void)!open("/dev/null", O_RDWR);
}

int main(int argc, char **argv)
{
    open_standard_descriptors();
    struct options options = {0};
    int status = read_options(&options, argc, argv);
    if (status != GO_ON)
        return status;
    const char *pid_file = options.config.pid_file;
    if (options.order && pid_file)
        return give_order(&options, pidfile_read(pid_file), pid_file);
    options.config.starts = !options.order && !options.test;
    struct config *config = load(&options.config);
    options.config.starts = false; /* what is read later, by a reload, need not be taken */
    if (!config)
        return EXIT_USAGE;
    if (!options.order && !options.test)
        return run(&options, config, argv);
    status = options.order ? give_order_over_socket(&options, config) : test(&options, config);
    config_free(config);
    return status;
}
