/* inspect.c: see inspect.h. */
#include "http/inspect.h"

struct http_inspection http_inspection;
