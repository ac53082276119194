/* verb.c: see verb.h. */
#include "ctl/verb.h"

#include "ctl/thread.h"
#include "ctl/top.h"

static const char *const levels[] = {"debug", "info", "notice", "warn", "error", NULL};
static const char *const show[] = {"show", NULL};

static bool is_filter(struct str argument, struct out *why)
{
    struct thread_filter filter;
    return thread_filter_read(argument, &filter, why);
}

static bool is_thread(struct str argument, struct out *why)
{
    struct thread_id id;
    return thread_id_read(argument, &id, why);
}

static bool is_watch(struct str argument, struct out *why)
{
    struct top_settings settings;
    return top_settings_read(&settings, argument, why) == 0;
}

const struct verb verbs[] = {
    {
        .name = "status",
        .looks = true,
        .summary = "show what the server and its workers are doing",
        .help = "Shows the state of the server, where it listens, and for each worker its connections (how many of\n"
                "them wait for a request), what it has accepted and answered, how often it had to be replaced, and\n"
                "how many lines of the access log were lost.\n",
    },
    {
        .name = "threads",
        .argument = "[KEY=VALUE...]",
        .check = is_filter,
        .keys = thread_keys,
        .looks = true,
        .summary = "list the green threads of all workers",
        .help = "Lists green threads, those first that have been in their state for longest: the name of each, its\n"
                "state, what it waits for and since when, its handler, route and request, the processor time that it\n"
                "has taken, and its stack: bytes in use, and most that were. KEY=VALUE picks some of them:\n"
                "  state=ready|waiting|running|cancelled    wait=timer|client|window|descriptor|pool|lock|condition|\n"
                "  semaphore|channel|thread|turn    route=/PATH    handler=NAME    age=1s: at least\n"
                "  limit=100: at most    sort=age|cpu|stack: the largest first\n"
                "A worker that has not answered within two seconds is named at the end.\n",
    },
    {
        .name = "stack",
        .argument = "ID",
        .check = is_thread,
        .looks = true,
        .summary = "show where a green thread is",
        .help = "Shows the functions that a green thread is in, innermost first. ID is its name, as `threads` lists\n"
                "it: PID.NUMBER.\n",
    },
    {
        .name = "kill",
        .argument = "ID",
        .check = is_thread,
        .summary = "cancel a green thread, and its request with it",
        .help = "Cancels a green thread: what it waits for, and all that it waits for later, fails at once, so that\n"
                "its handler ends. A job that a thread of the pool has begun for it is waited for first. ID is its\n"
                "name, as `threads` lists it: PID.NUMBER. Threads that are the server's own are left alone.\n",
    },
    {
        .name = "stalls",
        .looks = true,
        .summary = "show the last threads that did not yield in time",
        .help = "Shows, newest first, green threads that ran for longer than timeouts.stall without a wait: when,\n"
                "for how long, in which request, what kept them, and where they were. Of each worker the last eight\n"
                "are kept.\n",
    },
    {
        .name = "reload",
        .waits = true,
        .summary = "read the configuration again",
        .help = "Reads the configuration, opens what is new, starts new workers, and lets the old ones finish what\n"
                "they are at. Waits until the new ones serve. When anything is wrong the server goes on as it was,\n"
                "and each reason is printed as FILE:LINE:COLUMN: error: TEXT; the exit status is then 4.\n",
    },
    {
        .name = "upgrade",
        .waits = true,
        .summary = "replace the running program by the one on disk",
        .help = "Starts the program at the place that the server was started from, hands the listening sockets over\n"
                "to it, waits until it serves, and lets the old workers finish what they are at. No connection is\n"
                "refused meanwhile. When the new program does not get ready, the old one goes on and says why.\n",
    },
    {
        .name = "reopen",
        .waits = true,
        .summary = "open the log files again, after a rotation",
        .help = "Opens each log file by its name again, with the mode and the owner of the one before, and lets all\n"
                "workers go on there. No line is lost, nor cut in two.\n",
    },
    {
        .name = "drain",
        .argument = "[show]",
        .words = show,
        .summary = "stop the server when its requests have ended",
        .help = "Takes no new connections, ends those that wait for a request, gives requests that have begun the\n"
                "time that timeouts.shutdown says, and then ends the server. Answers at once, with what is left: for\n"
                "each generation its workers, connections and oldest requests. With `show`, tells the same of\n"
                "whatever drains, such as the workers of before a reload, and changes nothing.\n",
    },
    {
        .name = "log",
        .argument = "[LEVEL]",
        .words = levels,
        .summary = "tell or set the least level of the error log",
        .help = "Sets the least level that is written to the error log: debug, info, notice, warn or error. It holds\n"
                "until the next reload or upgrade. Without LEVEL, tells which one holds.\n",
    },
    {
        .name = "explain",
        .argument = "[METHOD] URL",
        .offline = true,
        .looks = true,
        .summary = "tell what a request would meet, and where that stands",
        .help = "Tells which listener, site and route a request would meet, which policies and limits hold for it,\n"
                "which handler answers it, and where each of these is configured, as FILE:LINE; or why there would be\n"
                "no answer from there. METHOD is GET when it is left out. URL is one of http or https, or a path of\n"
                "the default site. With -c, no server is needed: the configuration in FILE is read and checked.\n",
    },
    {
        .name = "top",
        .argument = "[SETTING...]",
        .check = is_watch,
        .keys = top_keys,
        .repeats = true,
        .looks = true,
        .summary = "watch what the workers are doing",
        .help =
            "Shows for each worker, again and again, what it has done since the last look: requests a second and\n"
            "how long they took (half of them, 99 % and 99.9 % no longer than shown), connections, its share of\n"
            "those that were accepted, how late its loop was, its green threads by what they do, stalls and slow\n"
            "requests. q ends it. Settings: interval=TIME, 1s when it is left out; count=N, to end after N looks.\n",
    },
    {
        .name = "version",
        .looks = true,
        .summary = "tell the version of the running server",
        .help = "Tells the version and the process id of the server that runs; `ternctl --version` tells that of\n"
                "ternctl itself.\n",
    },
    {.name = NULL},
};

const struct verb *verb_find(struct str name)
{
    for (const struct verb *verb = verbs; verb->name; verb++)
        if (str_eq(name, str_of(verb->name)))
            return verb;
    return NULL;
}

static bool is_word(const char *const *words, struct str s)
{
    while (*words && !str_eq(s, str_of(*words)))
        words++;
    return *words != NULL;
}

enum { NEAR = 2 }; /* more edits than that, or than half of the letters, make another word */

/* The verb that the name may have been meant for, or NULL. */
static const struct verb *nearest(struct str name)
{
    const struct verb *best = NULL;
    unsigned least = (name.n < 2 * NEAR ? (unsigned)name.n / 2 : NEAR) + 1;
    for (const struct verb *verb = verbs; verb->name; verb++) {
        unsigned distance = str_distance(name, str_of(verb->name), least);
        if (distance < least) {
            least = distance;
            best = verb;
        }
    }
    return best;
}

static void put_quoted(struct out *o, struct str s)
{
    out_char(o, '`');
    out_put(o, s);
    out_char(o, '`');
}

static void say_unknown(struct str name, struct out *why)
{
    const struct verb *meant = nearest(name);
    put_quoted(why, name);
    out_text(why, " is no verb");
    if (meant) {
        out_text(why, "; did you mean ");
        put_quoted(why, str_of(meant->name));
        out_char(why, '?');
    }
}

static void say_words(const struct verb *verb, struct str argument, struct out *why)
{
    put_quoted(why, argument);
    if (!verb->words[1]) {
        out_text(why, " is not ");
        put_quoted(why, str_of(verb->words[0]));
        return;
    }
    out_text(why, " is not one of");
    for (const char *const *word = verb->words; *word; word++) {
        out_put(why, word == verb->words ? STR(" ") : STR(", "));
        out_put(why, str_of(*word));
    }
}

/* "[LEVEL]", but not "[METHOD] URL". */
static bool may_be_left_out(struct str argument)
{
    return str_starts(argument, STR("[")) && str_ends(argument, STR("]"));
}

const struct verb *verb_check(struct str name, struct str argument, struct out *why)
{
    const struct verb *verb = verb_find(name);
    if (!verb) {
        say_unknown(name, why);
    } else if (argument.n && !verb->argument) {
        put_quoted(why, name);
        out_text(why, " takes no argument");
    } else if (argument.n == 0 && verb->argument && !may_be_left_out(str_of(verb->argument))) {
        put_quoted(why, name);
        out_text(why, " needs ");
        out_put(why, str_of(verb->argument));
    } else if (argument.n && verb->words && !is_word(verb->words, argument)) {
        say_words(verb, argument, why);
    } else if (argument.n && verb->check && !verb->check(argument, why)) {
        return NULL;
    } else {
        return verb;
    }
    return NULL;
}
