/* Connections: how long they last, what is pipelined on them, and offers to speak something else. */
#include "harness.h"
#include "strict.h"

#include <criterion/criterion.h>

#define WITH(fields) GET fields "\r\n\r\n"
#define OLD(fields) "GET / HTTP/1.0\r\n" fields "\r\n\r\n"
#define GET_TARGET "GET /target HTTP/1.1\r\n" HOST "\r\n"

TestSuite(strict_connection, .init = strict_begin, .fini = harness_end);

static const struct strict_row options[] = {
    ROW("9112 9.6", "close", "200", WITH("Connection: close")),
    ROW("9112 9.6", "close, and two more requests", "200", WITH("Connection: close") GET "\r\n" GET "\r\n"),
    ROW("9112 9.6", "close, and nonsense", "200", WITH("Connection: close") "nonsense\r\n\r\n"),
    ROW("9112 9.6", "close of the second request", "200 200", GET "\r\n" WITH("Connection: close")),
    ROW("9110 7.6.1", "Close", "200", WITH("Connection: Close")),
    ROW("9110 7.6.1", "CLOSE", "200", WITH("CONNECTION: CLOSE")),
    ROW("9110 7.6.1", "a tab behind", "200", WITH("Connection: close\t")),
    ROW("9110 7.6.1", "a tab before", "200", WITH("Connection:\tclose")),
    ROW("9110 7.6.1", "no white space", "200", WITH("Connection:close")),
    ROW("9110 7.6.1", "close behind another", "200", WITH("Connection: x, close")),
    ROW("9110 7.6.1", "close behind another and a tab", "200", WITH("Connection: x,\tclose")),
    ROW("9110 7.6.1", "close before another", "200", WITH("Connection: close, x")),
    ROW("9110 7.6.1", "close between others", "200", WITH("Connection: x , close , y")),
    ROW("9110 7.6.1", "close without white space", "200", WITH("Connection: x,close,y")),
    ROW("9110 5.6.1", "close and empty elements", "200", WITH("Connection: , close ,,")),
    ROW("9110 5.2", "close on the second line", "200", WITH("Connection: x\r\nConnection: close")),
    ROW("9110 5.2", "close on the first line", "200", WITH("Connection: close\r\nConnection: x")),
    ROW("9110 5.2", "close on the last of many lines", "200", GET,
        FILL(20, "Connection: x\r\n", "Connection: close\r\n\r\n")),
    ROW("9112 9.3", "close and keep-alive", "200", WITH("Connection: close, keep-alive")),
    ROW("9112 9.3", "keep-alive and close", "200", WITH("Connection: keep-alive, close")),
    ROW("9112 9.3", "keep-alive and close on two lines", "200", WITH("Connection: keep-alive\r\nConnection: close")),
    ROW("9112 9.6", "close with content", "200", LENGTH("3") "Connection: close\r\n\r\nabc", CONTENT("abc")),
    ROW("9112 9.6", "close with content that nobody reads", "203",
        "POST /target HTTP/1.1\r\n" HOST "Connection: close\r\nContent-Length: 3\r\n\r\nabc"),
    ROW("9112 9.6", "close of HEAD", "200", "HEAD / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n"),
    ROW("9112 9.6", "close of a file", "200", "GET /files/one.txt HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n"),
    ROW("9112 9.6", "close of no file", "404", "GET /files/none HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n"),
    ROW("9112 9.3", "close in HTTP/1.2", "200", "GET / HTTP/1.2\r\n" HOST "Connection: close\r\n\r\n"),
    ROW("9112 9.3", "HTTP/1.0", "200", "GET / HTTP/1.0\r\n\r\n"),
    ROW("9112 9.3", "HTTP/1.0 and close", "200", OLD("Connection: close")),
    ROW("9112 9.3", "HTTP/1.0 and another option", "200", OLD("Connection: x")),
    ROW("9112 9.3", "HTTP/1.0, keep-alive and close", "200", OLD("Connection: keep-alive, close")),
    ROW("9112 9.3", "HTTP/1.0, and more than keep-alive", "200", OLD("Connection: keep-alives")),
    ROW("9112 9.3", "HTTP/1.0 and Keep-Alive", "200", OLD("Keep-Alive: timeout=5")),
    ROW("9112 C.2.2", "HTTP/1.0 and Proxy-Connection", "200", OLD("Proxy-Connection: keep-alive")),
    ROW("9112 C.2.2", "HTTP/1.0 and keep-alive", "200+", OLD("Connection: keep-alive"),
        FIELD("Connection: keep-alive")),
    ROW("9112 C.2.2", "HTTP/1.0 and Keep-Alive as an option", "200+", OLD("Connection: Keep-Alive"),
        FIELD("Connection: keep-alive")),
    ROW("9112 C.2.2", "HTTP/1.0 and keep-alive in a list", "200+", OLD("Connection: x,\tkeep-alive\t, y")),
    ROW("9112 9.3", "no option", "200+", GET "\r\n"),
    ROW("9112 9.3", "keep-alive", "200+", WITH("Connection: keep-alive")),
    ROW("9112 9.3", "an unknown option", "200+", WITH("Connection: x")),
    ROW("9110 7.6.1", "more than close", "200+", WITH("Connection: closed")),
    ROW("9110 7.6.1", "something before close", "200+", WITH("Connection: x-close")),
    ROW("9110 7.6.1", "an empty list", "200+", WITH("Connection:")),
    ROW("9110 7.6.1", "another name", "200+", WITH("X-Connection: close")),
    ROW("9112 C.2.2", "Proxy-Connection", "200+", WITH("Proxy-Connection: close")),
    ROW("9110 7.6.1", "the name of a field that counts", "200+", WITH("Connection: Host")),
    ROW("9110 7.6.1", "the name of a field that frames", "200+|400",
        LENGTH("3") "Connection: Content-Length\r\n\r\nabc", CONTENT("abc")),
    ROW("9110 7.6.1", "the name of a coding's field", "200+|400",
        CODING("chunked") "Connection: Transfer-Encoding\r\n\r\n3\r\nabc\r\n0\r\n\r\n", CONTENT("abc")),
};

Test(strict_connection, option)
{
    STRICT_RUN(options);
}

static const struct strict_row pipelines[] = {
    ROW("9112 9.3.2", "a bad request behind a good one", "200 400", GET "\r\nG\001T / HTTP/1.1\r\n" HOST "\r\n"),
    ROW("9112 9.3.2", "a bad request behind content", "200 400", LENGTH("3") "\r\nabc" GET "X : y\r\n\r\n"),
    ROW("9112 9.3.2", "a request after a bad one", "400", GET "X : y\r\n\r\n" GET "\r\n"),
    ROW("9112 9.3.2", "a request after one that is too large", "413", LENGTH("65537") "\r\n" GET "\r\n"),
    ROW("9112 9.3.2", "a request after an unknown version", "505", "GET / HTTP/2.0\r\n" HOST "\r\n" GET "\r\n"),
    ROW("9112 9.3.2", "two", "200 200+", GET "\r\n" GET "\r\n"),
    ROW("9112 9.3.2", "five different ones", "200 203 404 200 200+",
        GET "\r\n" GET_TARGET "GET /files/none HTTP/1.1\r\n" HOST "\r\n" LENGTH("3") "\r\nabc" CHUNKED "0\r\n\r\n"),
    ROW("9112 9.3.2", "twelve", "203 203 203 203 203 203 203 203 203 203 203 203+", "", FILL(12, GET_TARGET, "")),
    ROW("9112 9.3.2", "one behind content that nobody reads", "203 203+",
        "POST /target HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc" GET_TARGET),
    ROW("9112 9.3.2", "one behind chunks that nobody reads", "203 203+",
        "POST /target HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" GET_TARGET),
    ROW("9112 9.3.2", "different sites", "200 202 200+",
        GET "\r\nGET / HTTP/1.1\r\nHost: other.test\r\n\r\n" GET "\r\n"),
    ROW("9112 9.3.2", "different versions", "200 200+", "GET / HTTP/1.2\r\n" HOST "\r\n" OLD("Connection: keep-alive")),
    ROW("9112 9.3.2", "empty lines between", "200 200+", GET "\r\n\r\n\r\n" GET "\r\n\r\n"),
    ROW("9112 9.6", "HTTP/1.0 ends it", "200 200", GET "\r\nGET / HTTP/1.0\r\n\r\n" GET "\r\n"),
};

Test(strict_connection, pipeline)
{
    STRICT_RUN(pipelines);
}

static const struct strict_row upgrades[] = {
    ROW("9110 7.8", "Upgrade after an error", "400", WITH("Connection: upgrade\r\nUpgrade: h2c\r\nX : y")),
    ROW("9110 7.8", "Upgrade without a host", "400",
        "GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"),
    ROW("9110 7.8", "an upgrade to h2c", "200+",
        WITH("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__")),
    ROW("9110 7.8", "an upgrade to WebSocket", "200+",
        WITH("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")),
    ROW("2817 3.1", "an upgrade to TLS", "200+", WITH("Connection: Upgrade\r\nUpgrade: TLS/1.0")),
    ROW("9110 7.8", "an upgrade to something unknown", "200+", WITH("Connection: upgrade\r\nUpgrade: x/1, y")),
    ROW("9110 7.8", "an upgrade and a request", "200 203+", WITH("Connection: upgrade\r\nUpgrade: x") GET_TARGET),
    ROW("9110 7.8", "two upgrades", "200 200+",
        WITH("Connection: upgrade\r\nUpgrade: x") WITH("Connection: upgrade\r\nUpgrade: x")),
    ROW("9110 7.8", "an upgrade and close", "200", WITH("Connection: upgrade, close\r\nUpgrade: x")),
    ROW("9110 7.8", "an upgrade with content", "200+", LENGTH("3") "Connection: upgrade\r\nUpgrade: x\r\n\r\nabc",
        CONTENT("abc")),
    ROW("9110 7.8", "an upgrade with chunks", "200+",
        CODING("chunked") "Connection: upgrade\r\nUpgrade: x\r\n\r\n3\r\nabc\r\n0\r\n\r\n", CONTENT("abc")),
    ROW("9110 7.8", "an upgrade with content that nobody reads", "203+",
        "POST /target HTTP/1.1\r\n" HOST "Connection: upgrade\r\nUpgrade: x\r\nContent-Length: 3\r\n\r\nabc"),
    ROW("9110 7.8", "an upgrade of OPTIONS", "200+|204+",
        "OPTIONS * HTTP/1.1\r\n" HOST "Connection: upgrade\r\nUpgrade: TLS/1.2\r\n\r\n"),
    ROW("9110 7.8", "Upgrade without the option", "200+", WITH("Upgrade: h2c")),
    ROW("9110 7.8", "the option without Upgrade", "200+", WITH("Connection: upgrade")),
    ROW("9110 7.8", "an empty Upgrade", "200+", WITH("Connection: upgrade\r\nUpgrade:")),
    ROW("9110 7.8", "Upgrade in HTTP/1.0", "200", OLD("Connection: upgrade\r\nUpgrade: x")),
};

Test(strict_connection, upgrade)
{
    STRICT_RUN(upgrades);
}
