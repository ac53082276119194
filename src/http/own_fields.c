/* own_fields.c: see own_fields.h. */
#include "http/own_fields.h"

#include <time.h>

#include "http/date.h"

#define BEFORE_DATE "Server: " HTTP_SERVER_NAME "\r\nDate: "

struct str http_own_fields(void)
{
    static char text[] = BEFORE_DATE "Thu, 01 Jan 1970 00:00:00 GMT\r\n";
    static time_t made;
    time_t now = time(NULL);
    if (now != made) {
        http_date_write(text + sizeof BEFORE_DATE - 1, now);
        made = now;
    }
    return (struct str){text, sizeof text - 1};
}

struct str http_date_now(void)
{
    return (struct str){http_own_fields().p + sizeof BEFORE_DATE - 1, HTTP_DATE_SIZE};
}
