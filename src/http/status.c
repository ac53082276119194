/* status.c: see status.h. */
#include "http/status.h"

#define STATUSES(X)                                                                                                    \
    X(100, "Continue")                                                                                                 \
    X(101, "Switching Protocols")                                                                                      \
    X(200, "OK")                                                                                                       \
    X(201, "Created")                                                                                                  \
    X(202, "Accepted")                                                                                                 \
    X(203, "Non-Authoritative Information")                                                                            \
    X(204, "No Content")                                                                                               \
    X(205, "Reset Content")                                                                                            \
    X(206, "Partial Content")                                                                                          \
    X(300, "Multiple Choices")                                                                                         \
    X(301, "Moved Permanently")                                                                                        \
    X(302, "Found")                                                                                                    \
    X(303, "See Other")                                                                                                \
    X(304, "Not Modified")                                                                                             \
    X(307, "Temporary Redirect")                                                                                       \
    X(308, "Permanent Redirect")                                                                                       \
    X(400, "Bad Request")                                                                                              \
    X(401, "Unauthorized")                                                                                             \
    X(402, "Payment Required")                                                                                         \
    X(403, "Forbidden")                                                                                                \
    X(404, "Not Found")                                                                                                \
    X(405, "Method Not Allowed")                                                                                       \
    X(406, "Not Acceptable")                                                                                           \
    X(407, "Proxy Authentication Required")                                                                            \
    X(408, "Request Timeout")                                                                                          \
    X(409, "Conflict")                                                                                                 \
    X(410, "Gone")                                                                                                     \
    X(411, "Length Required")                                                                                          \
    X(412, "Precondition Failed")                                                                                      \
    X(413, "Content Too Large")                                                                                        \
    X(414, "URI Too Long")                                                                                             \
    X(415, "Unsupported Media Type")                                                                                   \
    X(416, "Range Not Satisfiable")                                                                                    \
    X(417, "Expectation Failed")                                                                                       \
    X(418, "")                                                                                                         \
    X(421, "Misdirected Request")                                                                                      \
    X(422, "Unprocessable Content")                                                                                    \
    X(426, "Upgrade Required")                                                                                         \
    X(428, "Precondition Required")                                                                                    \
    X(429, "Too Many Requests")                                                                                        \
    X(431, "Request Header Fields Too Large")                                                                          \
    X(451, "Unavailable For Legal Reasons")                                                                            \
    X(500, "Internal Server Error")                                                                                    \
    X(501, "Not Implemented")                                                                                          \
    X(502, "Bad Gateway")                                                                                              \
    X(503, "Service Unavailable")                                                                                      \
    X(504, "Gateway Timeout")                                                                                          \
    X(505, "HTTP Version Not Supported")                                                                               \
    X(507, "Insufficient Storage")

enum { FIRST = 100, LAST = 599 };

#define STATUS_LINE(code, reason) [(code)-FIRST] = STR_INIT("HTTP/1.1 " #code " " reason "\r\n"),
static const struct str known[LAST - FIRST + 1] = {STATUSES(STATUS_LINE)};

/* A code that the table lacks, from a configuration say, gets a line with an empty reason, made when first used. */
static struct str unknown_line(int status)
{
    static char lines[LAST - FIRST + 1][sizeof "HTTP/1.1 599 \r\n"];
    char *line = lines[status - FIRST];
    if (!line[0]) {
        memcpy(line, "HTTP/1.1 000 \r\n", sizeof lines[0]);
        for (int i = 0, rest = status; i < 3; i++, rest /= 10)
            line[11 - i] = (char)('0' + rest % 10);
    }
    return (struct str){line, sizeof lines[0] - 1};
}

struct str http_status_line(int status)
{
    if (status < FIRST || status > LAST)
        status = 500;
    struct str line = known[status - FIRST];
    return line.p ? line : unknown_line(status);
}

struct str http_status_text(int status)
{
    struct str line = http_status_line(status);
    return (struct str){line.p + sizeof "HTTP/1.1", line.n - sizeof "HTTP/1.1" - 2};
}
