/* log.c: lines of modules in the error log. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "log/log.h"
#include "module/request.h"
#include "net/addr.h"

enum { LINE = 1024 }; /* bytes of a text; the log cuts long lines anyway */

_Static_assert((int)TERN_DEBUG == (int)LOG_LEVEL_DEBUG && (int)TERN_ERROR == (int)LOG_LEVEL_ERROR,
               "levels are the log's");

void tern_log(const struct tern_request *r, enum tern_level level, const char *format, ...)
{
    if ((enum log_level)level < log_threshold)
        return;
    int error = errno;
    char text[LINE], client[PEER_TEXT];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (!r) {
        log_at((enum log_level)level, "module: %s", text);
    } else {
        struct str peer = peer_print(r->x->peer, client), line = r->x->request.line;
        log_at((enum log_level)level, "%s: %s: client " STR_FMT ": " STR_FMT, r->module, text, STR_ARG(peer),
               STR_ARG(line));
    }
    errno = error;
}
