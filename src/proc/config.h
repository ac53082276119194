/* config.h: one generation of configuration: the whole of it, in one arena. */
#ifndef TERN_PROC_CONFIG_H
#define TERN_PROC_CONFIG_H

#include <stdio.h>

#include "http/mime.h"
#include "http/server.h"
#include "module/compute.h"
#include "net/addr.h"
#include "proc/log_conf.h"

/* Where the configuration of a system is. The Makefile says it, as SYSCONFDIR has it. */
#ifndef TERN_SYSCONFDIR
#define TERN_SYSCONFDIR "/etc"
#endif
#define CONFIG_DIRECTORY TERN_SYSCONFDIR "/tern"
#define CONFIG_FILE CONFIG_DIRECTORY "/tern.yaml"

struct listen {
    const struct conf_node *at; /* where it stands in the configuration */
    struct str text;            /* as it was written */
    struct str name;            /* of "fd:name": a socket that is passed to us; empty: addr says where */
    struct addr addr;
    int64_t backlog;
    struct tls_context *tls; /* NULL: in the clear */
    struct http_endpoint endpoint;
};

struct config {
    struct arena arena; /* holds all of it */
    struct conf_node *tree;
    struct str modules; /* the directory of those that are named without a slash */
    struct str user, group;
    int64_t workers; /* -1: one for each usable core */
    bool pin;
    struct str control;      /* path of the control socket; empty: none */
    bool control_configured; /* rather than the default */
    int64_t threads;
    int64_t compute;                   /* compute processes, if there are ... */
    const struct compute_source *jobs; /* ... jobs for them in its modules; else NULL */
    uint64_t stack;
    struct str mime_types;
    struct mime_types types;
    bool timings; /* accounts of green threads are kept, even if nothing asks for them */
    struct listen *listen;
    size_t listen_count;
    struct log_settings log;
    struct http_server http;
};

/* What the command line says, beside or instead of a file. */
struct config_options {
    const char *file;
    const char *pid_file;      /* --pid; NULL: none */
    bool quiet;                /* -q: nothing but errors is logged */
    const char *listen, *root; /* -l and -r: no file */
    const char *workers;       /* -w; NULL: as configured */
    bool starts;               /* there is no server yet that could go on instead */
};

/* Reads the configuration. NULL: it is not usable, and why has been printed to `errors`, one line for each reason. */
struct config *config_load(const struct config_options *options, FILE *errors);

/* The table of all of it, with every handler and policy in place: to read by, and to describe. */
const struct conf_table *config_table(void);

/* Prints the effective configuration as YAML. 0 or -EIO. */
int config_print(const struct config *config, FILE *f) __attribute__((warn_unused_result));

void config_free(struct config *config);

#endif
