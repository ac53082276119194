/* protocol.c: conn_serve() of conn.h: which protocol a connection speaks. */
#include "http/h1.h"

void conn_serve(struct conn *conn)
{
    if (conn->kept)
        conn->kept->protocol->serve(conn);
    else
        h1_serve(conn);
}
