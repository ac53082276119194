/* date_fuzz.c: dates of header fields: what is read is written so that it reads the same. */
#include <errno.h>
#include <stdlib.h>

#include "http/date.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const int64_t now = 1700000000;
    char text[HTTP_DATE_SIZE];
    int64_t seconds, again;
    if (n >= sizeof seconds) { /* any number of seconds has a name, though not one of its own */
        memcpy(&seconds, bytes, sizeof seconds);
        http_date_write(text, seconds);
        if (http_date_parse((struct str){text, sizeof text}, now, &again) < 0)
            abort();
    }
    int error = http_date_parse((struct str){(const char *)bytes, n}, now, &seconds);
    if (error && error != -EBADMSG)
        abort();
    if (error)
        return 0;
    http_date_write(text, seconds);
    if (http_date_parse((struct str){text, sizeof text}, now, &again) < 0 || again != seconds)
        abort();
    return 0;
}
