/* postgres.c: a page with what a query to PostgreSQL gives, by libpq as it is: its calls block, and suspend the green
 * thread.
 *
 *     module:
 *       file: postgres.so
 *       handler: query
 *       settings: {connect: "host=/run/postgresql dbname=shop", query: "select name, price from goods"}
 *
 * Connections that nobody uses are kept in a channel: to take one is to receive it. Who finds none opens one, until
 * there are `connections`; from then on he waits for one that is given back. For one that was lost there is a NULL, so
 * that somebody opens another.
 */
#include "tern.h"

#include <errno.h>
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

struct query {
    const char *connect, *text;
    int64_t unopened;       /* connections that may be opened still */
    tern_time wait;         /* for one of them */
    struct tern_chan *kept; /* of PGconn *, NULL for one that was lost */
};

/* ---- connections ---- */

static void give(struct query *q, PGconn *connection)
{
    if (PQstatus(connection) != CONNECTION_OK || PQtransactionStatus(connection) != PQTRANS_IDLE) {
        PQfinish(connection);
        connection = NULL;
    }
    (void)!tern_chan_send(q->kept, &connection, TERN_NEVER); /* there is room for all, so it does not wait */
}

/* Notes what libpq has to say. A wait that ended because its thread has to is no trouble: -ECANCELED. */
static int complain(struct tern_request *r, const PGconn *connection)
{
    const char *why = PQerrorMessage(connection);
    if (tern_cancelled())
        return -ECANCELED;
    tern_log(r, TERN_ERROR, "%.*s", (int)strcspn(why, "\n"), why);
    return 0;
}

static int open_connection(struct tern_request *r, struct query *q, PGconn **connection)
{
    *connection = PQconnectdb(q->connect);
    if (PQstatus(*connection) == CONNECTION_OK)
        return 0;
    int error = complain(r, *connection);
    give(q, *connection);
    return error ? error : -ECONNREFUSED;
}

static int take(struct tern_request *r, struct query *q, PGconn **connection)
{
    bool may_open = q->unopened > 0;
    int error = tern_chan_recv(q->kept, connection, may_open ? tern_now() : tern_after(q->wait));
    if (error == -ETIMEDOUT && may_open) {
        q->unopened--;
        return open_connection(r, q, connection);
    }
    return error || *connection ? error : open_connection(r, q, connection);
}

/* ---- settings ---- */

static void close_query(void *state)
{
    struct query *q = state;
    PGconn *connection;
    tern_chan_close(q->kept);
    while (tern_chan_recv(q->kept, &connection, TERN_NEVER) == 0) /* what is in it, without a wait */
        PQfinish(connection);
    tern_chan_free(q->kept);
    free(q);
}

static int open_query(struct tern_settings *settings, void **state)
{
    struct query *q = calloc(1, sizeof *q);
    if (!q)
        return -ENOMEM;
    q->connect = tern_setting_text(settings, "connect", NULL);
    q->text = tern_setting_text(settings, "query", NULL);
    q->unopened = tern_setting_int(settings, "connections", 20, 1, 10000);
    q->wait = tern_setting_time(settings, "wait", 5 * TERN_SEC, 3600 * TERN_SEC);
    q->kept = tern_chan_open(sizeof(PGconn *), (size_t)q->unopened);
    if (!q->kept) {
        free(q);
        return -ENOMEM;
    }
    *state = q;
    return 0;
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
    int error = take(r, q, &connection);
    if (error)
        return error;
    PGresult *result = PQexec(connection, q->text);
    if (PQresultStatus(result) == PGRES_TUPLES_OK) {
        error = put_page(r, result);
    } else {
        error = complain(r, connection);
        if (!error)
            error = tern_fail(r, 502);
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
