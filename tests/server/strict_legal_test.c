/* What is legal and looks odd, and what real clients send: all of it is served. */
#include "harness.h"
#include "strict.h"

#include <criterion/criterion.h>

#define BY(method, target) method " " target " HTTP/1.1\r\n" HOST "\r\n"

TestSuite(strict_legal, .init = strict_begin, .fini = harness_end);

static const struct strict_row methods[] = {
    ROW("9110 15.5.6", "POST of a file", "405|405+", BY("POST", "/files/one.txt")),
    ROW("9110 15.5.6", "PUT of a file", "405|405+",
        "PUT /files/one.txt HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc"),
    ROW("9110 15.5.6", "DELETE of a file", "405|405+", BY("DELETE", "/files/one.txt")),
    ROW("9110 15.5.6", "PATCH of a file", "405|405+", BY("PATCH", "/files/one.txt")),
    ROW("9110 15.5.6", "PROPFIND of a file", "405|405+", BY("PROPFIND", "/files/one.txt")),
    ROW("9110 9.3.1", "GET", "200+", BY("GET", "/")),
    ROW("9110 9.3.2", "HEAD", "200+", BY("HEAD", "/")),
    ROW("9110 9.3.2", "HEAD of a fixed answer", "203+", BY("HEAD", "/target"), FIELD("Content-Length: 6")),
    ROW("9110 9.3.2", "HEAD of a file", "200+", BY("HEAD", "/files/one.txt"), FIELD("Content-Length: 4")),
    ROW("9110 9.3.2", "HEAD of no file", "404+", BY("HEAD", "/files/none")),
    ROW("9110 9.3.2", "HEAD of a redirect", "301+", BY("HEAD", "/old/x"), FIELD("Location: /new/x")),
    ROW("9110 9.3.2", "HEAD in HTTP/1.0", "200", "HEAD / HTTP/1.0\r\n\r\n"),
    ROW("9110 9.3.3", "POST", "200+", LENGTH("3") "\r\nabc", CONTENT("abc")),
    ROW("9110 9.3.4", "PUT", "200+", "PUT / HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc", CONTENT("abc")),
    ROW("9110 9.3.5", "DELETE", "200+", BY("DELETE", "/")),
    ROW("9110 9.3.7", "OPTIONS", "200+|204+", BY("OPTIONS", "/")),
    ROW("9110 9.3.7", "OPTIONS of a file", "200+|204+", BY("OPTIONS", "/files/one.txt")),
    ROW("9110 9.3.7", "OPTIONS with Max-Forwards", "200+|204+",
        "OPTIONS * HTTP/1.1\r\n" HOST "Max-Forwards: 0\r\n\r\n"),
    ROW("9110 9.3.7", "OPTIONS with content", "200+|204+",
        "OPTIONS / HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc"),
    ROW("5789 2", "PATCH", "200+", "PATCH / HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc", CONTENT("abc")),
    ROW("4918 9.1", "PROPFIND", "200+", BY("PROPFIND", "/")),
    ROW("3253 3.5", "VERSION-CONTROL", "200+", BY("VERSION-CONTROL", "/")),
};

Test(strict_legal, method)
{
    STRICT_RUN(methods);
}

static const struct strict_row fields[] = {
    ROW("9110 8.4", "a content coding, which is the handler's", "200+", LENGTH("3") "Content-Encoding: gzip\r\n\r\nabc",
        CONTENT("abc")),
    ROW("9110 8.3", "a media type", "200+", LENGTH("2") "Content-Type: text/x-test; a=\"b\"\r\n\r\n{}",
        FIELD("Content-Type: text/x-test; a=\"b\"")),
    ROW("9110 8.3", "a media type with 8 bits never comes back", "200+|400",
        LENGTH("2") "Content-Type: text/caf\303\251\r\n\r\n{}"),
    ROW("9110 8.3", "a media type with tabs never comes back", "200+|400",
        LENGTH("2") "Content-Type: text/plain;\ta=b\r\n\r\n{}"),
    ROW("9110 14.2", "a Range that makes no sense", "200+",
        "GET /files/one.txt HTTP/1.1\r\n" HOST "Range: x=1-\r\n\r\n"),
    ROW("9110 14.2", "a Range of a method without one", "200+", LENGTH("3") "Range: bytes=0-0\r\n\r\nabc"),
    ROW("9110 13.1", "dates that are none", "200+",
        "GET /files/one.txt HTTP/1.1\r\n" HOST "If-Modified-Since: yesterday\r\n\r\n"),
    ROW("9110 12.5", "lists that are empty", "200+", GET "Accept:\r\nAccept-Encoding:\r\nAccept-Language: ,\r\n\r\n"),
    ROW("9110 12.5", "qualities that are none", "200+",
        GET "Accept: */*;q=x, a/b;q=7\r\nAccept-Encoding: gzip;q=\r\n\r\n"),
    ROW("9110 7.6.3", "Via, Forwarded and others of proxies", "200+",
        GET "Via: 1.0 a, 1.1 b\r\nForwarded: for=192.0.2.1;host=x\r\nX-Forwarded-For: 192.0.2.1\r\n"
            "X-Forwarded-Host: other.test\r\nX-Forwarded-Proto: https\r\n\r\n"),
    ROW("9110 11.6.2", "Authorization where nobody asks", "200+", GET "Authorization: Basic ???\r\n\r\n"),
    ROW("6265 4.2", "a cookie of 4,000 bytes", "200+", GET "Cookie: a=", FILL(4000, "x", "; b=\"c\"\r\n\r\n")),
    ROW("9110 6.6.2", "Trailer without trailers", "200+", LENGTH("0") "Trailer: X\r\n\r\n"),
    ROW("9110 10.1.2", "From, Referer and User-Agent of any text", "200+",
        GET "From: <a@b>\r\nReferer: about:blank\r\nUser-Agent: \"\\ caf\303\251 (\r\n\r\n"),
    ROW("9111 5.4", "Pragma and Cache-Control", "200+", GET "Pragma: no-cache\r\nCache-Control: max-age=x\r\n\r\n"),
    ROW("9110 6.6.1", "a Date of its own", "200+", GET "Date: x\r\n\r\n"),
    ROW("9110 5.1", "fields of responses", "200+", GET "Server: x\r\nSet-Cookie: a=b\r\nLocation: //evil.test\r\n\r\n"),
    ROW("9110 5.1", "names of HTTP/2", "200+", GET "Method: x\r\nPath: y\r\nHTTP2-Settings:\r\n\r\n"),
    ROW("9110 5.1", "what would be a field of ours", "200+", GET "Injected: x\r\n\r\n"),
};

Test(strict_legal, field)
{
    STRICT_RUN(fields);
}

static const struct strict_row clients[] = {
    ROW("9112 2", "curl", "200+", "GET / HTTP/1.1\r\nHost: t:8080\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n\r\n"),
    ROW("9112 2", "curl with a form", "200+",
        "POST / HTTP/1.1\r\nHost: t:8080\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\nContent-Length: 7\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n\r\na=b&c=d",
        CONTENT("a=b&c=d")),
    ROW("9112 2", "curl with chunks", "100 200+|200+",
        "POST / HTTP/1.1\r\nHost: t\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\nTransfer-Encoding: chunked\r\n"
        "Content-Type: application/json\r\nExpect: 100-continue\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        CONTENT("{}")),
    ROW("9112 2", "wget", "200+",
        "GET / HTTP/1.1\r\nHost: t\r\nUser-Agent: Wget/1.21.3\r\nAccept: */*\r\nAccept-Encoding: identity\r\n"
        "Connection: Keep-Alive\r\n\r\n"),
    ROW("9112 2", "ab", "200+",
        "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\nHost: t\r\nUser-Agent: ApacheBench/2.3\r\nAccept: */*\r\n\r\n"),
    ROW("9112 2", "Go", "200+",
        "GET / HTTP/1.1\r\nHost: t\r\nUser-Agent: Go-http-client/1.1\r\nAccept-Encoding: gzip\r\n\r\n"),
    ROW("9112 2", "Python", "200",
        "GET / HTTP/1.1\r\nAccept-Encoding: identity\r\nHost: t\r\nUser-Agent: Python-urllib/3.11\r\n"
        "Connection: close\r\n\r\n"),
    ROW("9112 2", "Firefox", "200+",
        "GET / HTTP/1.1\r\nHost: t\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 "
        "Firefox/128.0\r\n"
        "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\nAccept-Language: en-US,en;q=0.5\r\n"
        "Accept-Encoding: gzip, deflate, br, zstd\r\nConnection: keep-alive\r\nUpgrade-Insecure-Requests: 1\r\n"
        "Sec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Site: none\r\nSec-Fetch-User: ?1\r\n"
        "Priority: u=0, i\r\n\r\n"),
    ROW("9112 2", "Chrome", "200+",
        "GET /?a[]=1&b={c}|d HTTP/1.1\r\nHost: t\r\nConnection: keep-alive\r\n"
        "sec-ch-ua: \"Chromium\";v=\"130\", \"Not?A_Brand\";v=\"99\"\r\nsec-ch-ua-mobile: ?0\r\n"
        "sec-ch-ua-platform: \"Linux\"\r\nUpgrade-Insecure-Requests: 1\r\n"
        "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0\r\n"
        "Accept: text/html,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7\r\nSec-Fetch-Site: none\r\n"
        "Sec-Fetch-Mode: navigate\r\nSec-Fetch-User: ?1\r\nSec-Fetch-Dest: document\r\n"
        "Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-US,en;q=0.9\r\n\r\n"),
    ROW("9112 2", "a load balancer's check", "200", "GET / HTTP/1.0\r\n\r\n"),
    ROW("9112 2", "another load balancer's check", "200+|204+", "OPTIONS / HTTP/1.1\r\nHost:\r\n\r\n"),
    ROW("9112 2", "a proxy that sends everything absolutely", "203+",
        "GET http://t:80/target HTTP/1.1\r\nHost: t:80\r\nProxy-Connection: Keep-Alive\r\nVia: 1.1 proxy\r\n\r\n"),
    ROW("9112 2.2", "a client that ends content with a line of its own", "200+", LENGTH("3") "\r\nabc\r\n",
        CONTENT("abc")),
};

Test(strict_legal, client)
{
    STRICT_RUN(clients);
}
