/* at_load.c: a module that does something while it is loaded, which its file's name says: copies of it are called
 * crash.so, abort.so, exit.so, leave.so (with status 0) and hang.so. Any other loads. */
#include "tern.h"

#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Whatever the server, or a sanitizer, has installed for it. */
static void crash(void)
{
    signal(SIGSEGV, SIG_DFL);
    raise(SIGSEGV);
}

static void leave(void)
{
    exit(EXIT_SUCCESS);
}

static void end(void)
{
    exit(7);
}

static void hang(void)
{
    for (;;)
        pause();
}

__attribute__((constructor)) static void begin(void)
{
    static const struct {
        const char *name;
        void (*act)(void);
    } acts[] = {
        {"/crash.so", crash}, {"/abort.so", abort}, {"/exit.so", end}, {"/leave.so", leave}, {"/hang.so", hang}};
    Dl_info own;
    if (!dladdr(&tern_module, &own))
        return;
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
        if (strcmp(strrchr(own.dli_fname, '/'), acts[i].name) == 0)
            acts[i].act();
}

static int serve(struct tern_request *r, void *state)
{
    (void)state;
    return tern_printf(r, "loaded\n");
}

static const struct tern_handler handlers[] = {{.name = "serve", .serve = serve}, {.name = NULL}};

const struct tern_module tern_module = {.abi = TERN_ABI, .name = "at_load", .handlers = handlers};
