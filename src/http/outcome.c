/* outcome.c: see outcome.h. */
#include "http/outcome.h"

#include <errno.h>
#include <stddef.h>

const struct http_outcome *http_outcome(int error)
{
    static const struct http_outcome table[] = {
        {-EMSGSIZE, 413, "content beyond limits.body_size"},
        {-ETIMEDOUT, 408, "content too slow"},
        {-EBADMSG, 400, "malformed chunks"},
        {-EAGAIN, 503, "too much to do"},
        {-ENOMEM, 503, "no memory"},
        {-EMFILE, 503, "no descriptor left"},
        {-ENFILE, 503, "no descriptor left"},
        {-ENOBUFS, 503, "no buffer left"},
        {-ESTALE, 500, "the file has changed while it was sent"},
        {-EIO, 500, "the file could not be read to its end"},
        {-EPROTO, 500, "the handler left its answer unfinished"},
        {-EPIPE, 0, "the client is gone"},
        {-ECONNRESET, 0, "the client is gone"},
        {-ECONNABORTED, 0, "the client is gone"},
        {-ECANCELED, 0, "the server has stopped"},
    };
    static const struct http_outcome other = {0, 500, "the handler failed"};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].error == error)
            return &table[i];
    return &other;
}
