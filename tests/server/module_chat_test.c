/* The example of a chat with several workers: what is said to one is heard in all, by a plain recv() on a thread of
 * each worker, which keeps nobody else waiting. */
#include "harness.h"
#include "harness_file.h"
#include "harness_pki.h"
#include "harness_response.h"
#include "harness_server.h"
#include "module_service.h"

#include <criterion/criterion.h>
#include <sys/stat.h>

enum { LISTENERS = 16 }; /* so many that no worker is likely to have none */

#define CONFIG                                                                                                         \
    MODULE_LISTEN MODULES "workers: 2\n"                                                                               \
                          "sites:\n"                                                                                   \
                          "  - routes:\n" MODULE_ROUTE("/chat/", "chat.so", "chat", "sockets: @DIR@/chat")

TestSuite(module_chat, .init = harness_begin, .fini = harness_end);

Test(module_chat, what_is_said_to_one_worker_is_heard_in_all)
{
    struct call listeners[LISTENERS];
    pki_make("ecdsa", "root");
    module_install("chat");
    file_directory("chat");
    cr_assert_eq(chmod(file_path("chat"), 0777), 0);
    struct server server = server_start(CONFIG);
    for (int i = 0; i < LISTENERS; i++) {
        listeners[i] = call_begin(HTTP_1_1, .path = "/chat/", .fields = "accept: text/event-stream\n");
        cr_assert(call_shows(&listeners[i], "\r\n\r\n"));
    }
    assert_status(ask_by(HTTP_1_1, .method = "POST", .path = "/chat/", .content = STR("good morning")), 204);
    for (int i = 0; i < LISTENERS; i++)
        cr_assert(call_shows(&listeners[i], "data: good morning\n"), "listener %d", i);
    assert_stop(&server, 0);
}
