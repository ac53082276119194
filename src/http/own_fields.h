/* own_fields.h: the fields that the server itself puts into every response. */
#ifndef TERN_HTTP_OWN_FIELDS_H
#define TERN_HTTP_OWN_FIELDS_H

#include "base/str.h"

#define HTTP_SERVER_NAME "tern"

/* "Server: tern\r\nDate: ...\r\n", made once a second. */
struct str http_own_fields(void);

/* The date alone, of now. Its bytes stay, and are written over when a second has passed. */
struct str http_date_now(void);

#endif
