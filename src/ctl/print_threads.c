/* print_threads.c: green threads, one, many, and those that are left when a server drains. */
#include "ctl/printers.h"
#include "ctl/table.h"
#include "ctl/text.h"

/* ---- the table ---- */

static void put_text(struct table *table, size_t column, const struct answer *thread, const char *key)
{
    table_put(table, column, answer_text(thread, key));
}

/* One that is cancelled waits or runs on until its handler has ended. */
static void put_state(struct table *table, size_t column, const struct answer *thread, const char *key)
{
    table_put(table, column, answer_bool(thread, "cancelled") ? STR("cancelled") : answer_text(thread, key));
}

static void put_number(struct table *table, size_t column, const struct answer *thread, const char *key)
{
    table_put_number(table, column, answer_u64(thread, key));
}

static void put_milliseconds(struct table *table, size_t column, const struct answer *thread, const char *key)
{
    char room[TEXT_DURATION];
    if (answer_knows(thread, key))
        table_put(table, column, text_duration(room, (nsec)answer_u64(thread, key) * NSEC_MS));
}

static void put_microseconds(struct table *table, size_t column, const struct answer *thread, const char *key)
{
    char room[TEXT_DURATION];
    if (answer_knows(thread, key))
        table_put(table, column, text_duration(room, (nsec)answer_u64(thread, key) * 1000));
}

/* "client 127.0.0.1:4242", "descriptor 12", "timer 29s": what there is left of it. */
static void put_wait(struct table *table, size_t column, const struct answer *thread, const char *key)
{
    char text[128], room[TEXT_DURATION];
    struct out o = out_on(text, sizeof text);
    struct str wait = answer_text(thread, key), peer = answer_text(thread, "peer");
    out_put(&o, wait);
    if (peer.n || answer_knows(thread, "fd"))
        out_char(&o, ' ');
    if (peer.n)
        out_put(&o, peer);
    else if (answer_knows(thread, "fd"))
        out_u64(&o, answer_u64(thread, "fd"));
    if (str_eq(wait, STR("timer")) && answer_knows(thread, "until_ms")) {
        out_char(&o, ' ');
        out_put(&o, text_duration(room, (nsec)answer_u64(thread, "until_ms") * NSEC_MS));
    }
    table_put(table, column, out_str(&o));
}

/* One that works for no handler is known by its own name. */
static void put_handler(struct table *table, size_t column, const struct answer *thread, const char *key)
{
    char text[128];
    struct out o = out_on(text, sizeof text);
    struct str handler = answer_text(thread, key);
    if (handler.n == 0) {
        out_char(&o, '(');
        out_put(&o, answer_text(thread, "name"));
        out_char(&o, ')');
        handler = out_str(&o);
    }
    table_put(table, column, handler);
}

static const struct field {
    struct table_column column;
    const char *key;
    void (*put)(struct table *table, size_t column, const struct answer *thread, const char *key);
} fields[] = {
    {{"ID", false}, "id", put_text},
    {{"STATE", false}, "state", put_state},
    {{"WAITS-FOR", false}, "wait", put_wait},
    {{"SINCE", true}, "since_ms", put_milliseconds},
    {{"HANDLER", false}, "handler", put_handler},
    {{"ROUTE", false}, "route", put_text},
    {{"CPU", true}, "cpu_us", put_microseconds},
    {{"STACK", true}, "stack", put_number},
    {{"HIGH", true}, "high_water", put_number},
    {{"REQUEST", false}, "request", put_text},
};

enum { FIELDS = sizeof fields / sizeof *fields };

static int print_table(FILE *f, const struct answer *answer)
{
    struct table_column columns[FIELDS];
    for (size_t i = 0; i < FIELDS; i++)
        columns[i] = fields[i].column;
    struct table table = table_of(columns, FIELDS);
    for (size_t row = 0; row < answer_count(answer, "threads"); row++) {
        const struct answer *thread = answer_item(answer, "threads", row);
        table_add(&table);
        for (size_t i = 0; i < FIELDS; i++)
            fields[i].put(&table, i, thread, fields[i].key);
    }
    int error = table_print(&table, f);
    table_free(&table);
    return error;
}

/* ---- the verbs ---- */

static void print_silent(FILE *f, const struct answer *answer)
{
    for (size_t i = 0; i < answer_count(answer, "silent"); i++) {
        const struct answer *worker = answer_item(answer, "silent", i);
        fprintf(f, "worker %llu [%llu] has not answered; `ternctl stalls` may tell why\n",
                (unsigned long long)answer_u64(worker, "worker"), (unsigned long long)answer_u64(worker, "pid"));
    }
}

int print_threads(FILE *f, const struct answer *answer)
{
    size_t count = answer_count(answer, "threads");
    int error = print_table(f, answer);
    if (error)
        return error;
    fprintf(f, "\n%zu of ", count);
    text_count(f, answer_u64(answer, "total"), "thread");
    fputc('\n', f);
    print_silent(f, answer);
    return 0;
}

/* "4711.52, GET / HTTP/1.1 (files, route /)" */
static void print_name(FILE *f, const struct answer *thread)
{
    struct str handler = answer_text(thread, "handler"), request = answer_text(thread, "request");
    text_member(f, thread, "id");
    if (request.n)
        fputs(", ", f);
    text_put(f, request);
    fputs(" (", f);
    text_put(f, handler.n ? handler : answer_text(thread, "name"));
    if (answer_knows(thread, "route"))
        fputs(", route ", f);
    text_member(f, thread, "route");
    fputc(')', f);
}

static const struct answer *only_thread(const struct answer *answer)
{
    return answer_item(answer, "threads", 0);
}

int print_stack(FILE *f, const struct answer *answer)
{
    const struct answer *thread = only_thread(answer);
    print_name(f, thread);
    fputs(answer_bool(thread, "cancelled") ? " is cancelled, and " : " is ", f);
    text_member(f, thread, "state");
    if (answer_knows(thread, "wait"))
        fputs(" for: ", f);
    text_member(f, thread, "wait");
    fputc('\n', f);
    for (size_t i = 0; i < answer_count(answer, "trace"); i++) {
        text_put(f, answer_text_item(answer, "trace", i));
        fputc('\n', f);
    }
    return 0;
}

int print_kill(FILE *f, const struct answer *answer)
{
    const struct answer *thread = only_thread(answer);
    bool before = answer_bool(thread, "cancelled");
    fputs(before ? "" : "cancelled ", f);
    print_name(f, thread);
    fputs(before ? " was cancelled already\n" : "\n", f);
    return 0;
}

static int print_left(FILE *f, const struct answer *generation)
{
    fprintf(f, "generation %llu drains: ", (unsigned long long)answer_u64(generation, "generation"));
    text_count(f, answer_u64(generation, "workers"), "worker");
    fputs(", ", f);
    text_count(f, answer_u64(generation, "connections"), "connection");
    fputs(", ", f);
    text_count(f, answer_u64(generation, "requests"), "request");
    fputc('\n', f);
    int error = answer_count(generation, "threads") ? print_table(f, generation) : 0;
    if (!error)
        print_silent(f, generation);
    return error;
}

int print_drain(FILE *f, const struct answer *answer)
{
    size_t count = answer_count(answer, "left");
    int error = 0;
    if (answer_knows(answer, "deadline_s")) {
        text_count(f, answer_u64(answer, "connections"), "connection");
        fprintf(f, " left, to end within %llu s\n", (unsigned long long)answer_u64(answer, "deadline_s"));
    } else if (count == 0) {
        fputs("nothing drains\n", f);
    }
    for (size_t i = 0; i < count && !error; i++)
        error = print_left(f, answer_item(answer, "left", i));
    return error;
}
