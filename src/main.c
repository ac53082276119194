/* main.c: the command line. */
#include <stdio.h>
#include <unistd.h>

#include "log/log.h"
#include "proc/config.h"
#include "proc/master.h"
#include "proc/version.h"
#include "proc/worker.h"

static const char usage[] = "usage: tern [-c FILE] [-t | -T] [-l ADDRESS -r DIR] [-w WORKERS] [-q] [-v | -V] [-h]\n"
                            "  -c FILE     the configuration (default: /etc/tern/tern.yaml)\n"
                            "  -t          check the configuration and exit\n"
                            "  -T          check it, print what is in effect, and exit\n"
                            "  -l ADDRESS  listen here, such as 127.0.0.1:8080, and ...\n"
                            "  -r DIR      ... serve the files below this directory; no configuration file is read\n"
                            "  -w WORKERS  processes that serve, whatever the configuration says\n"
                            "  -q          say nothing but errors\n"
                            "  -v, -V      print the version; with what it was built\n"
                            "  -h          print this\n";

struct options {
    struct config_options config;
    bool test, print, quiet;
};

/* What is left to do after the options are read. */
enum { GO_ON = -1 };

static int misuse(const char *what, const char *why)
{
    fprintf(stderr, "tern: %s %s; tern -h tells how it is used\n", what, why);
    return EXIT_USAGE;
}

static int check_options(struct options *options, int argc, char **argv)
{
    if (optind < argc)
        return misuse(argv[optind], "is not an option");
    if (!options->config.listen != !options->config.root)
        return misuse("-l and -r", "go together");
    if (options->config.file && options->config.root)
        return misuse("-c", "does not go with -l and -r");
    if (!options->config.file)
        options->config.file = "/etc/tern/tern.yaml";
    return GO_ON;
}

static int read_options(struct options *options, int argc, char **argv)
{
    opterr = 0;
    for (int option; (option = getopt(argc, argv, ":c:tTl:r:w:qvVh")) != -1;)
        switch (option) {
        case 'c':
            options->config.file = optarg;
            break;
        case 't':
            options->test = true;
            break;
        case 'T':
            options->test = options->print = true;
            break;
        case 'l':
            options->config.listen = optarg;
            break;
        case 'r':
            options->config.root = optarg;
            break;
        case 'w':
            options->config.workers = optarg;
            break;
        case 'q':
            options->quiet = true;
            break;
        case 'v':
            puts(version_line());
            return EXIT_FINE;
        case 'V':
            version_print(stdout);
            return EXIT_FINE;
        case 'h':
            fputs(usage, stdout);
            return EXIT_FINE;
        default:
            return misuse((char[]){'-', (char)optopt, '\0'}, option == ':' ? "lacks its value" : "is no option");
        }
    return check_options(options, argc, argv);
}

static int test(const struct options *options, const struct config *config)
{
    if (options->print && config_print(config, stdout) < 0) {
        fputs("tern: cannot write to the standard output\n", stderr);
        return EXIT_FAILED;
    }
    if (!options->print && !options->quiet)
        printf("%s: fine\n", options->config.root ? "command line" : options->config.file);
    return EXIT_FINE;
}

static int run(const struct options *options, struct config *config)
{
    enum log_level level = options->quiet ? LOG_LEVEL_ERROR : (enum log_level)config->log.level;
    int error = log_open(config->log.error, level);
    if (error) {
        fprintf(stderr, "tern: cannot open the error log " STR_FMT ": %s\n", STR_ARG(config->log.error),
                strerror(-error));
        return EXIT_FAILED;
    }
    return master_run(config);
}

int main(int argc, char **argv)
{
    struct options options = {0};
    int status = read_options(&options, argc, argv);
    if (status != GO_ON)
        return status;
    struct config *config = config_load(&options.config, stderr);
    if (!config)
        return EXIT_USAGE;
    status = options.test ? test(&options, config) : run(&options, config);
    config_free(config);
    return status;
}
