/* print.c: see print.h. */
#include "ctl/print.h"

#include <errno.h>

#include "ctl/plain.h"
#include "ctl/print_explain.h"
#include "ctl/table.h"

/* ---- words ---- */

static void put_text(FILE *f, const struct answer *answer, const char *key)
{
    plain_put(f, answer_text(answer, key));
}

static unsigned long long number(const struct answer *answer, const char *key)
{
    return answer_u64(answer, key);
}

/* "7 workers", "1 worker". */
static void put_count(FILE *f, const struct answer *answer, const char *key, const char *noun)
{
    unsigned long long n = number(answer, key);
    fprintf(f, "%llu %s%s", n, noun, n == 1 ? "" : "s");
}

/* The two largest units of a number of seconds: "12s", "5m03s", "2h03m", "10d04h". */
static void write_duration(char cell[static TABLE_CELL], unsigned long long seconds)
{
    unsigned long long minutes = seconds / 60, hours = minutes / 60, days = hours / 24;
    if (days)
        snprintf(cell, TABLE_CELL, "%llud%02lluh", days, hours % 24);
    else if (hours)
        snprintf(cell, TABLE_CELL, "%lluh%02llum", hours, minutes % 60);
    else if (minutes)
        snprintf(cell, TABLE_CELL, "%llum%02llus", minutes, seconds % 60);
    else
        snprintf(cell, TABLE_CELL, "%llus", seconds);
}

/* ---- status ---- */

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

static void write_word(char cell[static TABLE_CELL], struct str word)
{
    for (size_t i = 0; i < word.n && i < TABLE_CELL - 1; i++)
        cell[i] = word.p[i] > ' ' && word.p[i] < 0x7f ? word.p[i] : '?';
}

static void write_cell(char cell[static TABLE_CELL], const struct field *field, const struct answer *worker)
{
    switch (field->kind) {
    case WORD:
        write_word(cell, answer_text(worker, field->key));
        break;
    case DURATION:
        write_duration(cell, number(worker, field->key));
        break;
    case NUMBER:
    case SUM:
        snprintf(cell, TABLE_CELL, "%llu", number(worker, field->key));
    }
}

static int add_worker(struct table *table, const struct answer *worker, uint64_t sums[static FIELDS])
{
    char(*row)[TABLE_CELL] = table_add(table);
    if (!row)
        return -ENOMEM;
    for (size_t i = 0; i < FIELDS; i++) {
        write_cell(row[i], &fields[i], worker);
        sums[i] += number(worker, fields[i].key);
    }
    return 0;
}

static int add_sums(struct table *table, const uint64_t sums[static FIELDS])
{
    char(*row)[TABLE_CELL] = table_add(table);
    if (!row)
        return -ENOMEM;
    snprintf(row[0], TABLE_CELL, "all");
    for (size_t i = 0; i < FIELDS; i++)
        if (fields[i].kind == SUM)
            snprintf(row[i], TABLE_CELL, "%llu", (unsigned long long)sums[i]);
    return 0;
}

static int print_workers(FILE *f, const struct answer *answer)
{
    struct table_column columns[FIELDS];
    uint64_t sums[FIELDS] = {0};
    for (size_t i = 0; i < FIELDS; i++)
        columns[i] = fields[i].column;
    struct table table = table_of(columns, FIELDS);
    size_t count = answer_count(answer, "workers");
    int error = 0;
    for (size_t i = 0; i < count && !error; i++)
        error = add_worker(&table, answer_item(answer, "workers", i), sums);
    if (count > 1 && !error)
        error = add_sums(&table, sums);
    if (!error)
        table_print(&table, f);
    table_free(&table);
    return error;
}

static void print_listener(FILE *f, const struct answer *listener)
{
    fputs("listening on   ", f);
    put_text(f, listener, "address");
    fputs(" (", f);
    put_count(f, listener, "sockets", "socket");
    fputs(answer_bool(listener, "passed") ? ", passed)\n" : ")\n", f);
}

static void print_compute(FILE *f, const struct answer *answer)
{
    unsigned long long jobs = 0, restarts = 0;
    size_t count = answer_count(answer, "compute");
    for (size_t i = 0; i < count; i++) {
        jobs += number(answer_item(answer, "compute", i), "jobs");
        restarts += number(answer_item(answer, "compute", i), "restarts");
    }
    if (count)
        fprintf(f, "computing      %zu process%s, %llu job%s, %llu restart%s\n", count, count == 1 ? "" : "es", jobs,
                jobs == 1 ? "" : "s", restarts, restarts == 1 ? "" : "s");
}

static int print_status(FILE *f, const struct answer *answer)
{
    char up[TABLE_CELL];
    write_duration(up, number(answer, "uptime_s"));
    fputs("tern ", f);
    put_text(f, answer, "version");
    fprintf(f, " [%llu] is ", number(answer, "pid"));
    put_text(f, answer, "state");
    fprintf(f, ", generation %llu, up %s\nconfiguration  ", number(answer, "generation"), up);
    put_text(f, answer, "config");
    fputc('\n', f);
    for (size_t i = 0; i < answer_count(answer, "listeners"); i++)
        print_listener(f, answer_item(answer, "listeners", i));
    print_compute(f, answer);
    fputc('\n', f);
    return print_workers(f, answer);
}

/* ---- the others ---- */

static int print_reload(FILE *f, const struct answer *answer)
{
    fprintf(f, "generation %llu serves, with ", number(answer, "generation"));
    put_count(f, answer, "workers", "worker");
    fputc('\n', f);
    return 0;
}

static int print_upgrade(FILE *f, const struct answer *answer)
{
    put_text(f, answer, "version");
    fprintf(f, " serves, as process %llu\n", number(answer, "pid"));
    return 0;
}

static int print_reopen(FILE *f, const struct answer *answer)
{
    put_count(f, answer, "logs", "log");
    fputs(" opened anew\n", f);
    return 0;
}

static int print_drain(FILE *f, const struct answer *answer)
{
    put_count(f, answer, "connections", "connection");
    fprintf(f, " left, to end within %llu s\n", number(answer, "deadline_s"));
    return 0;
}

static int print_level(FILE *f, const struct answer *answer)
{
    put_text(f, answer, "level");
    fputc('\n', f);
    return 0;
}

static int print_version(FILE *f, const struct answer *answer)
{
    fputs("tern ", f);
    put_text(f, answer, "version");
    fprintf(f, " [%llu]\n", number(answer, "pid"));
    return 0;
}

static const struct printer {
    const char *verb;
    int (*print)(FILE *f, const struct answer *answer);
} printers[] = {
    {"status", print_status}, {"reload", print_reload}, {"upgrade", print_upgrade}, {"reopen", print_reopen},
    {"drain", print_drain},   {"log", print_level},     {"version", print_version}, {"explain", print_explain},
};

int print_answer(FILE *f, const struct verb *verb, const struct answer *answer)
{
    for (size_t i = 0; i < sizeof printers / sizeof *printers; i++)
        if (strcmp(printers[i].verb, verb->name) == 0)
            return printers[i].print(f, answer);
    return -ENOENT;
}

void print_refusal(FILE *f, const struct answer *answer)
{
    for (size_t i = 0; i < answer_count(answer, "messages"); i++) {
        plain_put(f, answer_text_item(answer, "messages", i));
        fputc('\n', f);
    }
    fputs("ternctl: ", f);
    put_text(f, answer, "error");
    fputc('\n', f);
}
