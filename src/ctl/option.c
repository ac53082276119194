/* option.c: see option.h. */
#include "ctl/option.h"

#include <errno.h>
#include <getopt.h>

enum { SOCKET, CONFIG, JSON, TIMEOUT, COMPLETION, HELP, VERSION, ROWS };

const struct option_row option_rows[] = {
    [SOCKET] = {"socket", 'S', "SOCKET", "the control socket of the server (default: " CTL_SOCKET ")"},
    [CONFIG] = {"config", 'c', "FILE", "explain: read this configuration, and ask no server"},
    [JSON] = {"json", '\0', NULL, "print the answer as it is: one line of JSON"},
    [TIMEOUT] = {"timeout", '\0', "TIME", "how long to wait for the answer, such as 30s or 5m; 0: for ever"},
    [COMPLETION] = {"completion", '\0', "SHELL", "print the completion for a shell: for bash"},
    [HELP] = {"help", 'h', NULL, "print this; with a verb, what that does"},
    [VERSION] = {"version", 'v', NULL, "print the version of ternctl"},
    [ROWS] = {.name = NULL},
};

static int complain(struct out *why, const char *what, const char *reason)
{
    out_put(why, str_of(what));
    out_char(why, ' ');
    out_put(why, str_of(reason));
    return -EINVAL;
}

/* ---- options ---- */

enum { LONG = 256 }; /* and the row: how getopt_long() tells a long option; a short one by its letter */

static void translate(struct option longs[static ROWS + 1], char shorts[static 2 * ROWS + 2])
{
    *shorts++ = ':'; /* a value that lacks is told from an option that is none */
    for (int i = 0; i < ROWS; i++) {
        const struct option_row *row = &option_rows[i];
        longs[i] = (struct option){row->name, row->value ? required_argument : no_argument, NULL, LONG + i};
        if (row->letter)
            *shorts++ = row->letter;
        if (row->letter && row->value)
            *shorts++ = ':';
    }
    longs[ROWS] = (struct option){.name = NULL};
    *shorts = '\0';
}

static int find_row(int found)
{
    int row = found - LONG;
    if (row < 0)
        for (row = 0; row < ROWS && option_rows[row].letter != (char)found;)
            row++;
    return row;
}

static int take(struct options *options, int row, const char *value, struct out *why)
{
    switch (row) {
    case SOCKET:
        options->socket = value;
        break;
    case CONFIG:
        options->config = value;
        break;
    case JSON:
        options->json = true;
        break;
    case TIMEOUT:
        return str_to_time(str_of(value), &options->timeout) < 0 ? complain(why, value, "is no time, such as 30s") : 0;
    case COMPLETION:
        options->completion = value;
        return strcmp(value, "bash") != 0 ? complain(why, value, "is not bash, the one shell that tern knows") : 0;
    case HELP:
        options->help = true;
        break;
    case VERSION:
        options->version = true;
        break;
    }
    return 0;
}

static int read_options(struct options *options, int argc, char **argv, struct out *why)
{
    struct option longs[ROWS + 1];
    char shorts[2 * ROWS + 2];
    translate(longs, shorts);
    opterr = 0;
    optind = 0; /* from the start, in a test that comes here twice */
    for (int found, error; (found = getopt_long(argc, argv, shorts, longs, NULL)) != -1;) {
        if (found == ':')
            return complain(why, argv[optind - 1], "lacks its value");
        if (found == '?' && optopt > 0 && optopt < LONG)
            return complain(why, (char[]){'-', (char)optopt, '\0'}, "is no option");
        if (found == '?')
            return complain(why, argv[optind - 1], optopt ? "takes no value" : "is no option");
        error = take(options, find_row(found), optarg, why);
        if (error)
            return error;
    }
    return 0;
}

/* ---- the request ---- */

static bool has_blanks(const char *word, char least)
{
    while ((unsigned char)*word >= least && *word != 0x7f)
        word++;
    return *word != '\0';
}

/* A verb, its argument, and nothing that would end the line before its end. Only what is given to a key may have a
 * blank in it. */
static int write_line(struct options *options, char **words, struct out *why)
{
    struct out line = out_on(options->line, CTL_LINE_MAX);
    struct str name = str_of(words[0]);
    options->verb = verb_find(name);
    for (char **word = words; *word; word++) {
        bool keyed = options->verb && options->verb->keys && word > words;
        if (has_blanks(*word, keyed ? ' ' : '!'))
            return complain(why, *word, "has a blank or a control character in it");
        if (word > words)
            out_char(&line, ' ');
        out_put(&line, str_of(*word));
    }
    struct str argument = str_skip(out_str(&line), name.n + 1);
    out_char(&line, '\n');
    if (line.full)
        return complain(why, "the request", "is too long");
    *line.at = '\0';
    if (!verb_check(name, argument, why))
        return -EINVAL;
    if (options->config && !options->verb->offline)
        return complain(why, options->verb->name, "does not go with -c");
    return 0;
}

int options_read(struct options *options, int argc, char **argv, struct out *why)
{
    *options = (struct options){.socket = CTL_SOCKET, .timeout = -1};
    int error = read_options(options, argc, argv, why);
    if (error)
        return error;
    if (options->help && optind < argc) {
        options->verb = verb_find(str_of(argv[optind]));
        return options->verb ? 0 : complain(why, argv[optind], "is no verb");
    }
    if (optind < argc)
        return write_line(options, argv + optind, why);
    bool enough = options->help || options->version || options->completion;
    return enough ? 0 : complain(why, "a verb", "is missing");
}
