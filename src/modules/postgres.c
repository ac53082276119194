/* postgres.c: a page with what a query to PostgreSQL gives, by libpq as it is: its calls block, and suspend the green
 * thread.
 *
 *     module:
 *       file: postgres.so
 *       handler: query
 *       settings: {connect: "host=/run/postgresql dbname=shop", query: "select name, price from goods"}
 *
 * Connections are kept in a channel of slots: to take one is to receive it, and who finds none waits until one is given
 * back. A slot is empty until a connection is needed for it, and after one was lost.
 */
#include "tern.h"

#include <errno.h>
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

struct query {
    const char *connect, *text;
    int64_t connections;     /* at most */
    tern_time wait;          /* for one of them */
    struct tern_chan *slots; /* of PGconn *, NULL for an empty one */
};

/* ---- connections ---- */

static void give(struct query *q, PGconn *connection)
{
    bool good = PQstatus(connection) == CONNECTION_OK && PQtransactionStatus(connection) == PQTRANS_IDLE;
    if (!good)
        PQfinish(connection);
    PGconn *slot = good ? connection : NULL;
    (void)!tern_chan_send(q->slots, &slot, TERN_NEVER); /* there is room for all, so it does not wait */
}

static int take(struct query *q, PGconn **connection)
{
    int error = tern_chan_recv(q->slots, connection, tern_after(q->wait));
    if (error || *connection)
        return error;
    *connection = PQconnectdb(q->connect);
    if (PQstatus(*connection) == CONNECTION_OK)
        return 0;
    tern_log(NULL, TERN_ERROR, "postgres: %.*s", (int)strcspn(PQerrorMessage(*connection), "\n"),
             PQerrorMessage(*connection));
    give(q, *connection);
    return tern_cancelled() ? -ECANCELED : -ECONNREFUSED;
}

/* ---- settings ---- */

static void close_query(void *state)
{
    struct query *q = state;
    PGconn *connection;
    for (int64_t i = 0; i < q->connections; i++)
        if (tern_chan_recv(q->slots, &connection, TERN_NEVER) == 0)
            PQfinish(connection);
    tern_chan_free(q->slots);
    free(q);
}

static int make_slots(struct query *q)
{
    static PGconn *const empty = NULL;
    q->slots = tern_chan_open(sizeof(PGconn *), (size_t)q->connections);
    int error = q->slots ? 0 : -ENOMEM;
    for (int64_t i = 0; i < q->connections && !error; i++)
        error = tern_chan_send(q->slots, &empty, TERN_NEVER);
    return error;
}

static int open_query(struct tern_settings *settings, void **state)
{
    struct query *q = calloc(1, sizeof *q);
    if (!q)
        return -ENOMEM;
    q->connect = tern_setting_text(settings, "connect", NULL);
    q->text = tern_setting_text(settings, "query", NULL);
    q->connections = tern_setting_int(settings, "connections", 20, 1, 10000);
    q->wait = tern_setting_time(settings, "wait", 5 * TERN_SEC, 3600 * TERN_SEC);
    int error = make_slots(q);
    if (error)
        free(q);
    else
        *state = q;
    return error;
}

/* ---- the page ---- */

static int put_text(struct tern_request *r, const char *text)
{
    static const struct {
        char c;
        const char *text;
    } escapes[] = {{'<', "&lt;"}, {'>', "&gt;"}, {'&', "&amp;"}, {'"', "&quot;"}};
    int error = 0;
    for (; *text && !error; text++) {
        const char *escape = NULL;
        for (size_t i = 0; i < sizeof escapes / sizeof *escapes; i++)
            if (escapes[i].c == *text)
                escape = escapes[i].text;
        error = escape ? tern_write(r, escape, strlen(escape)) : tern_write(r, text, 1);
    }
    return error;
}

static int put_cell(struct tern_request *r, const char *tag, const char *text)
{
    int error = tern_printf(r, "<%s>", tag);
    if (!error)
        error = put_text(r, text);
    return error ? error : tern_printf(r, "</%s>", tag);
}

/* Row -1 is the head. */
static int put_row(struct tern_request *r, const PGresult *result, int row)
{
    int error = tern_printf(r, "<tr>");
    for (int i = 0; i < PQnfields(result) && !error; i++)
        error = row < 0 ? put_cell(r, "th", PQfname(result, i)) : put_cell(r, "td", PQgetvalue(result, row, i));
    return error ? error : tern_printf(r, "</tr>\n");
}

static int put_page(struct tern_request *r, const PGresult *result)
{
    int error = tern_header(r, "Content-Type", "text/html; charset=utf-8");
    if (!error)
        error = tern_printf(r, "<!doctype html>\n<title>A query</title>\n<table>\n");
    for (int row = -1; row < PQntuples(result) && !error; row++)
        error = put_row(r, result, row);
    return error ? error : tern_printf(r, "</table>\n");
}

static int serve_query(struct tern_request *r, void *state)
{
    struct query *q = state;
    PGconn *connection;
    int error = take(q, &connection);
    if (error)
        return error;
    PGresult *result = PQexec(connection, q->text);
    if (PQresultStatus(result) == PGRES_TUPLES_OK) {
        error = put_page(r, result);
    } else {
        tern_log(r, TERN_ERROR, "%.*s", (int)strcspn(PQerrorMessage(connection), "\n"), PQerrorMessage(connection));
        error = tern_cancelled() ? -ECANCELED : tern_fail(r, 502);
    }
    PQclear(result);
    give(q, connection);
    return error;
}

static const struct tern_handler handlers[] = {
    {.name = "query", .serve = serve_query, .open = open_query, .close = close_query},
    {.name = NULL},
};

const struct tern_module tern_module = {.abi = TERN_ABI, .name = "postgres", .handlers = handlers};
