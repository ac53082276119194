/* curl_client.c: pages of other servers, by the easy interface of libcurl as it is: its calls block.
 *
 *     settings: {timeout: 2s, ca: /etc/ssl/ca.pem, urls: ["http://127.0.0.1:8080/a", "http://127.0.0.1:8080/b"]}
 *
 * The answer is all of them, one behind the other, with the status of the first. What has come is passed on from within
 * the library's callback, which waits for the client there. A handle that is not in use is kept, with its connection,
 * for the next request.
 */
#include "tern.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>

enum { KEPT = 1000 };

struct client {
    long timeout;   /* milliseconds; 0: none */
    const char *ca; /* a file of authorities; empty: the system's */
    const char *urls[8];
    CURL *kept[KEPT];
    size_t count;
};

/* A page under way. */
struct page {
    struct tern_request *r;
    CURL *curl;
    bool begun;
};

/* ---- settings ---- */

static void close_client(void *state)
{
    struct client *client = state;
    while (client->count)
        curl_easy_cleanup(client->kept[--client->count]);
    free(client);
}

static int open_client(struct tern_settings *settings, void **state)
{
    struct client *client = calloc(1, sizeof *client);
    if (!client)
        return -ENOMEM;
    client->timeout = (long)(tern_setting_time(settings, "timeout", 0, 3600 * TERN_SEC) / TERN_MS);
    client->ca = tern_setting_text(settings, "ca", "");
    for (size_t i = 0; i + 1 < sizeof client->urls / sizeof *client->urls; i++)
        client->urls[i] = tern_setting_item(settings, "urls", i);
    *state = client;
    return 0;
}

/* ---- requests ---- */

static void begin(struct page *page)
{
    long status = 0;
    curl_easy_getinfo(page->curl, CURLINFO_RESPONSE_CODE, &status);
    if (!page->begun)
        tern_status(page->r, (int)status);
    page->begun = true;
}

static size_t pass_on(char *bytes, size_t size, size_t n, void *arg)
{
    struct page *page = arg;
    begin(page);
    return tern_write(page->r, bytes, size * n) ? 0 : size * n;
}

static int error_of(CURLcode code)
{
    if (tern_cancelled())
        return -ECANCELED;
    if (code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST)
        return -ECONNREFUSED;
    return code == CURLE_OPERATION_TIMEDOUT ? -ETIMEDOUT : -EPIPE;
}

static int get(const struct client *client, struct page *page, const char *url)
{
    curl_easy_setopt(page->curl, CURLOPT_URL, url);
    curl_easy_setopt(page->curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(page->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(page->curl, CURLOPT_TIMEOUT_MS, client->timeout);
    if (*client->ca)
        curl_easy_setopt(page->curl, CURLOPT_CAINFO, client->ca);
    curl_easy_setopt(page->curl, CURLOPT_WRITEFUNCTION, pass_on);
    curl_easy_setopt(page->curl, CURLOPT_WRITEDATA, page);
    CURLcode code = curl_easy_perform(page->curl);
    if (code == CURLE_OK) {
        begin(page);
        return 0;
    }
    tern_log(page->r, TERN_ERROR, "%s: %s", url, curl_easy_strerror(code));
    return error_of(code);
}

static int serve_client(struct tern_request *r, void *state)
{
    struct client *client = state;
    struct page page = {.r = r, .curl = client->count ? client->kept[--client->count] : curl_easy_init()};
    int error = page.curl ? 0 : -ENOMEM;
    for (size_t i = 0; client->urls[i] && !error; i++)
        error = get(client, &page, client->urls[i]);
    if (error || client->count == KEPT)
        curl_easy_cleanup(page.curl);
    else
        client->kept[client->count++] = page.curl;
    return error;
}

static int start(void)
{
    return curl_global_init(CURL_GLOBAL_DEFAULT) ? -ENOMEM : 0;
}

static const struct tern_handler handlers[] = {
    {.name = "curl", .serve = serve_client, .open = open_client, .close = close_client},
    {.name = NULL},
};

const struct tern_module tern_module = {
    .abi = TERN_ABI, .name = "curl_client", .handlers = handlers, .start = start, .stop = curl_global_cleanup};
