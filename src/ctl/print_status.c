/* print_status.c: what the server and its workers are doing. */
#include "ctl/printers.h"
#include "ctl/table.h"
#include "ctl/text.h"

enum kind { NUMBER, SUM, WORD, DURATION }; /* a sum is a number that makes sense for all workers together, too */

static const struct field {
    struct table_column column;
    const char *key;
    enum kind kind;
} fields[] = {
    {{"WORKER", true}, "index", NUMBER},
    {{"PID", true}, "pid", NUMBER},
    {{"GENERATION", true}, "generation", NUMBER},
    {{"STATE", false}, "state", WORD},
    {{"UP", true}, "uptime_s", DURATION},
    {{"OPEN", true}, "connections", SUM},
    {{"IDLE", true}, "idle", SUM},
    {{"ACCEPTED", true}, "accepted", SUM},
    {{"REQUESTS", true}, "requests", SUM},
    {{"RESTARTS", true}, "restarts", SUM},
    {{"LOST", true}, "access_lines_lost", SUM},
};

enum { FIELDS = sizeof fields / sizeof *fields };

static void put_cell(struct table *table, size_t i, const struct answer *worker)
{
    char room[TEXT_DURATION];
    switch (fields[i].kind) {
    case WORD:
        table_put(table, i, answer_text(worker, fields[i].key));
        break;
    case DURATION:
        table_put(table, i, text_seconds(room, answer_u64(worker, fields[i].key)));
        break;
    case NUMBER:
    case SUM:
        table_put_number(table, i, answer_u64(worker, fields[i].key));
    }
}

static void add_worker(struct table *table, const struct answer *worker, uint64_t sums[static FIELDS])
{
    table_add(table);
    for (size_t i = 0; i < FIELDS; i++) {
        put_cell(table, i, worker);
        sums[i] += answer_u64(worker, fields[i].key);
    }
}

static void add_sums(struct table *table, const uint64_t sums[static FIELDS])
{
    table_add(table);
    table_put(table, 0, STR("all"));
    for (size_t i = 0; i < FIELDS; i++)
        if (fields[i].kind == SUM)
            table_put_number(table, i, sums[i]);
}

static int print_workers(FILE *f, const struct answer *answer)
{
    struct table_column columns[FIELDS];
    uint64_t sums[FIELDS] = {0};
    for (size_t i = 0; i < FIELDS; i++)
        columns[i] = fields[i].column;
    struct table table = table_of(columns, FIELDS);
    size_t count = answer_count(answer, "workers");
    for (size_t i = 0; i < count; i++)
        add_worker(&table, answer_item(answer, "workers", i), sums);
    if (count > 1)
        add_sums(&table, sums);
    int error = table_print(&table, f);
    table_free(&table);
    return error;
}

/* While the server as a whole goes on, too. */
static void hint_at_drain(FILE *f, const struct answer *answer)
{
    bool drains = false;
    for (size_t i = 0; i < answer_count(answer, "workers"); i++)
        drains |= str_eq(answer_text(answer_item(answer, "workers", i), "state"), STR("draining"));
    if (drains)
        fputs("\n`ternctl drain show` tells what keeps the workers that drain\n", f);
}

static void print_listener(FILE *f, const struct answer *listener)
{
    fputs("listening on   ", f);
    text_member(f, listener, "address");
    fputs(" (", f);
    text_count(f, answer_u64(listener, "sockets"), "socket");
    fputs(answer_bool(listener, "passed") ? ", passed)\n" : ")\n", f);
}

static void print_compute(FILE *f, const struct answer *answer)
{
    uint64_t jobs = 0, restarts = 0;
    size_t count = answer_count(answer, "compute");
    for (size_t i = 0; i < count; i++) {
        jobs += answer_u64(answer_item(answer, "compute", i), "jobs");
        restarts += answer_u64(answer_item(answer, "compute", i), "restarts");
    }
    if (count == 0)
        return;
    fprintf(f, "computing      %zu process%s, ", count, count == 1 ? "" : "es");
    text_count(f, jobs, "job");
    fputs(", ", f);
    text_count(f, restarts, "restart");
    fputc('\n', f);
}

int print_status(FILE *f, const struct answer *answer)
{
    char room[TEXT_DURATION];
    struct str up = text_seconds(room, answer_u64(answer, "uptime_s"));
    fputs("tern ", f);
    text_member(f, answer, "version");
    fprintf(f, " [%llu] is ", (unsigned long long)answer_u64(answer, "pid"));
    text_member(f, answer, "state");
    fprintf(f, ", generation %llu, up " STR_FMT "\nconfiguration  ",
            (unsigned long long)answer_u64(answer, "generation"), STR_ARG(up));
    text_member(f, answer, "config");
    fputc('\n', f);
    for (size_t i = 0; i < answer_count(answer, "listeners"); i++)
        print_listener(f, answer_item(answer, "listeners", i));
    print_compute(f, answer);
    fputc('\n', f);
    int error = print_workers(f, answer);
    if (!error)
        hint_at_drain(f, answer);
    return error;
}
