/* state.h: all that the master knows. Its parts are a file each, and see each other through this. */
#ifndef TERN_PROC_STATE_H
#define TERN_PROC_STATE_H

#include "log/log.h"
#include "proc/control.h"
#include "proc/generation.h"
#include "proc/notify.h"

/* reload.c: one generation takes over from another. */
struct reload {
    struct generation *coming;  /* NULL: none */
    struct generation *leaving; /* the one before, while it may still take new connections; NULL: it does not */
    bool wanted;                /* once more, when that is possible */
    struct list asked;          /* control requests about the one that is coming ... */
    struct list asked_next;     /* ... and about the next */
    char *errors;               /* what is wrong with it, a line each */
    size_t errors_size;
    FILE *errors_file;
    enum log_level level; /* before; it may be another one than is configured */
};

/* upgrade.c: another binary takes over from this one. */
struct upgrade {
    pid_t successor;          /* 0: none is on its way */
    pid_t heir;               /* the one that we have handed over to; 0: none */
    struct watch pair;        /* our end of the socket pair with it */
    struct alarm deadline;    /* by which it has to be ready */
    struct list asked;        /* control requests */
    bool wanted;              /* when no generation drains any more */
    struct watch predecessor; /* the end of the pair with the master that has started us; fd -1: there is none */
    bool in_charge;           /* we are the main process, as far as others are concerned */
    int control;              /* the control socket of the predecessor; -1: there is none */
    char *program;            /* the path this binary was started from */
    char **arguments;
    char said[MESSAGE_TEXT]; /* by the successor: why it failed, or its version */
};

/* reopen.c: control requests that wait until every worker has the new files. */
struct reopen {
    struct list asked;
    unsigned logs;
    bool busy;            /* not all have confirmed */
    bool predecessor_due; /* it has not confirmed yet */
    bool successor_waits; /* for our confirmation */
};

/* inquiry.c: questions that workers have yet to answer; ask.c: questions of theirs. */
struct inquiries {
    struct list all;
    struct list asks;
    uint32_t last; /* number */
};

/* watchdog.c: whether workers live. */
struct watchdog {
    struct alarm alarm;
    nsec period; /* between two questions; 0: none are asked */
};

struct master {
    const struct config_options *options;
    struct reactor reactor;
    struct watch signals;
    struct listeners listeners;
    struct list generations;    /* those that live, the newest first */
    struct generation *current; /* the one that serves; NULL: none yet */
    unsigned last_generation;
    size_t descriptors; /* that a process may have */
    struct notify notify;
    struct control control;
    struct reload reload;
    struct upgrade upgrade;
    struct reopen reopen;
    struct watchdog watchdog;
    struct inquiries inquiries;
    struct alarm ticket_keys; /* when they change ... */
    nsec ticket_key_made;     /* ... and when they did */
    nsec started;
    bool stopping, cutting;
    nsec stop_at;     /* while stopping: when requests are cut */
    unsigned terms;   /* how often it was told to by SIGTERM and SIGINT */
    bool handed_over; /* to a successor, while stopping */
    uint64_t cut;     /* requests, while stopping */
    int status;       /* to exit with */
};

/* ---- master.c ---- */

/* How many generations live, that of a predecessor included. */
size_t master_generations(const struct master *m);

/* Lets requests end, then ends. `why`: for the log. */
void master_stop(struct master *m, const char *why);

/* A worker was cut, or ended in another bad way, while it drained. */
void master_on_cut(struct master *m);

/* The oldest generation need not wait for idle connections any longer; its requests it may finish. */
void master_hurry(const struct master *m);

/* We are the main process now: for the service manager, for who looks for a pid, for who asks over the control
 * socket. And no longer: the successor is. */
void master_take_charge(struct master *m);
void master_hand_over(struct master *m);

/* Connections that are open now, in all generations. */
uint64_t master_connections(const struct master *m);

/* ---- reload.c ---- */

void reload_init(struct master *m);

void reload_free(struct master *m);

/* The first generation. 0 or -errno; then why has been logged. */
int reload_start(struct master *m, struct config *config) __attribute__((warn_unused_result));

/* Reads the configuration again, as soon as there are not too many generations. `request`: who is told; or NULL. */
void reload_ask(struct master *m, struct control_request *request);

/* Something has ended that it might have been waiting for. */
void reload_try(struct master *m);

/* Nothing comes of what has been asked for. */
void reload_refuse_all(struct master *m, const char *why);

/* ---- upgrade.c ---- */

/* Notes what we are, and finds our predecessor, if there is one. 0 or -ENOMEM. */
int upgrade_init(struct master *m, char **arguments) __attribute__((warn_unused_result));

/* As reload_ask and reload_try. */
void upgrade_ask(struct master *m, struct control_request *request);
void upgrade_try(struct master *m);

/* We serve: the predecessor may go. Waits for its word that the service manager knows us, since only then may we speak
 * to it. */
void upgrade_on_ready(struct master *m);

/* Tells the predecessor, if there is one, why we can't start. */
void upgrade_report(const struct master *m, struct str why);

/* Whether there is a predecessor, which is now to open its logs anew and say so. */
bool upgrade_reopen_predecessor(struct master *m);

/* The workers of a generation take no new connections any more, because the successor serves. */
void upgrade_on_retired(struct master *m);

/* The server stops: no successor is to take over from it. */
void upgrade_cancel(struct master *m);

void upgrade_free(struct master *m);

/* ---- reopen.c ---- */

void reopen_init(struct master *m);

/* Opens all logs anew, and hands them to all workers. */
void reopen_logs(struct master *m, struct control_request *request);

/* The same, asked by the server that has taken over from us. */
void reopen_for_successor(struct master *m);

/* A worker or the predecessor has confirmed, or is gone. */
void master_on_log_taken(struct master *m);

#endif
