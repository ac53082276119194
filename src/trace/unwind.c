/* unwind.c: see unwind.h.
 *
 * libdwfl is told of a process that is this one, with a single thread whose registers and memory are the capture's. A
 * process that was root may not read all that the library would of it by itself (proc(5)): what is mapped is reported
 * from /proc/self/maps, and the kernel's own code, which lies in memory only, by its address.
 */
#include "trace/unwind.h"

#include <elf.h>
#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "base/out.h"

#define BOTTOM "green_enter" /* calls the first function of a green stack */
#define VDSO "[vdso]"
#define DELETED " (deleted)"

/* ---- the process ---- */

static pid_t next_thread(Dwfl *dwfl, void *arg, void **thread)
{
    bool first = *thread == NULL;
    *thread = arg;
    return first ? dwfl_pid(dwfl) : 0;
}

static bool get_thread(Dwfl *dwfl, pid_t tid, void *arg, void **thread)
{
    (void)dwfl, (void)tid;
    *thread = arg;
    return true;
}

/* What is unwound, and how far that has come. */
struct trace {
    const struct trace_capture *capture;
    struct trace_registers registers; /* its, or with what we guess */
    Dwfl *dwfl;
    struct out *out;
    unsigned count;
    bool lost;   /* a frame lay in no code */
    bool bottom; /* was reached */
};

static bool read_memory(Dwfl *dwfl, Dwarf_Addr address, Dwarf_Word *word, void *arg)
{
    (void)dwfl;
    uint64_t value = 0;
    bool there = trace_read(((const struct trace *)arg)->capture, address, &value);
    *word = value;
    return there;
}

static bool set_registers(Dwfl_Thread *thread, void *arg)
{
    const struct trace_registers *registers = &((const struct trace *)arg)->registers;
    for (int i = 0; i < TRACE_REGISTERS; i++) {
        Dwarf_Word value = registers->values[i];
        if (trace_knows(registers, (unsigned)i) && !dwfl_thread_state_registers(thread, i, 1, &value))
            return false;
    }
    dwfl_thread_state_register_pc(thread, registers->pc);
    return true;
}

static const Dwfl_Thread_Callbacks threads = {.next_thread = next_thread,
                                              .get_thread = get_thread,
                                              .memory_read = read_memory,
                                              .set_initial_registers = set_registers};

/* ---- its files ---- */

/* Up to the end of its table of sections, which is the last thing in it. */
static size_t vdso_size(const char *image)
{
    const Elf64_Ehdr *header = (const void *)image;
    return header->e_shoff + (size_t)header->e_shnum * header->e_shentsize;
}

/* A program that was replaced while it ran still has its file, by another name. */
static int open_replaced(const char *name, char **path)
{
    static const char running[] = "/proc/self/exe";
    char target[4096];
    ssize_t n = readlink(running, target, sizeof target - 1);
    if (n < 0)
        return -1;
    target[n] = '\0';
    if (strcmp(target, name) != 0)
        return -1;
    *path = strdup(running);
    return open(running, O_RDONLY | O_CLOEXEC);
}

static int find_file(Dwfl_Module *module, void **user, const char *name, Dwarf_Addr base, char **path, Elf **elf)
{
    if (strcmp(name, VDSO) == 0) {
        char *image = (char *)(uintptr_t)base; /* NOLINT(performance-no-int-to-ptr) */
        *elf = elf_memory(image, vdso_size(image));
        return -1;
    }
    if (str_ends(str_of(name), STR(DELETED)))
        return open_replaced(name, path);
    return dwfl_linux_proc_find_elf(module, user, name, base, path, elf);
}

static int find_no_other_file(Dwfl_Module *module, void **user, const char *name, Dwarf_Addr base, const char *path,
                              const char *link, GElf_Word sum, char **found)
{
    (void)module, (void)user, (void)name, (void)base, (void)path, (void)link, (void)sum, (void)found;
    return -1;
}

static const Dwfl_Callbacks files = {.find_elf = find_file, .find_debuginfo = find_no_other_file};

static void report_vdso(Dwfl *dwfl)
{
    const char *image = (const char *)getauxval(AT_SYSINFO_EHDR); /* NOLINT(performance-no-int-to-ptr) */
    if (image)
        dwfl_report_module(dwfl, VDSO, (Dwarf_Addr)(uintptr_t)image, (Dwarf_Addr)(uintptr_t)(image + vdso_size(image)));
}

static bool report_all(Dwfl *dwfl)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    if (!maps)
        return false;
    dwfl_report_begin(dwfl);
    int error = dwfl_linux_proc_maps_report(dwfl, maps);
    report_vdso(dwfl);
    fclose(maps);
    return dwfl_report_end(dwfl, NULL, NULL) == 0 && error == 0;
}

/* ---- frames ---- */

static struct str file_of(const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;
    struct str file = str_of(slash ? slash + 1 : path);
    return str_ends(file, STR(DELETED)) ? (struct str){file.p, file.n - strlen(DELETED)} : file;
}

static void put_source(struct out *o, Dwfl_Module *module, Dwarf_Addr at)
{
    int number = 0;
    Dwfl_Line *line = dwfl_module_getsrc(module, at);
    const char *path = line ? dwfl_lineinfo(line, NULL, &number, NULL, NULL, NULL) : NULL;
    if (!path || number <= 0)
        return;
    out_text(o, " (");
    out_put(o, file_of(path));
    out_char(o, ':');
    out_u64(o, (uint64_t)number);
    out_char(o, ')');
}

/* What a compiler has put behind the name of a function that it made a copy of is of no interest. */
static void put_symbol(struct out *o, const char *name, uint64_t offset)
{
    struct str symbol = str_of(name);
    out_put(o, (struct str){symbol.p, str_find(symbol, '.')});
    out_text(o, "+0x");
    out_hex(o, offset);
}

/* `pc` is where it goes on, and `at` in what it is doing. */
static void put_frame(struct trace *trace, Dwfl_Module *module, const char *name, uint64_t offset, Dwarf_Addr pc,
                      Dwarf_Addr at)
{
    struct out *o = trace->out;
    out_char(o, '#');
    out_u64(o, trace->count);
    out_char(o, ' ');
    if (name) {
        put_symbol(o, name, offset + (pc - at));
        put_source(o, module, at);
    } else {
        out_text(o, "0x");
        out_hex(o, pc);
    }
    if (module) {
        out_text(o, " in ");
        out_put(o, file_of(dwfl_module_info(module, NULL, NULL, NULL, NULL, NULL, NULL, NULL)));
    }
    out_char(o, '\n');
}

static int on_frame(Dwfl_Frame *frame, void *arg)
{
    struct trace *trace = arg;
    char *before = trace->out->at;
    Dwarf_Addr pc;
    bool interrupted; /* rather than in a call, which ends where the next line may begin */
    if (trace->count >= TRACE_FRAMES || !dwfl_frame_pc(frame, &pc, &interrupted) || pc == 0)
        return DWARF_CB_ABORT;
    Dwarf_Addr at = interrupted ? pc : pc - 1;
    Dwfl_Module *module = dwfl_addrmodule(trace->dwfl, at);
    GElf_Off offset = 0;
    GElf_Sym symbol;
    const char *name = module ? dwfl_module_addrinfo(module, at, &offset, &symbol, NULL, NULL, NULL) : NULL;
    trace->lost = trace->lost || !module;
    trace->bottom = name && strcmp(name, BOTTOM) == 0;
    if (trace->bottom)
        return DWARF_CB_ABORT;
    put_frame(trace, module, name, offset, pc, at);
    if (trace->out->full)
        trace->out->at = before;
    trace->count++;
    return trace->out->full ? DWARF_CB_ABORT : DWARF_CB_OK;
}

static void follow(struct trace *trace)
{
    trace->out->at = trace->out->start;
    trace->out->full = false;
    trace->count = 0;
    trace->lost = trace->bottom = false;
    dwfl_getthread_frames(trace->dwfl, dwfl_pid(trace->dwfl), on_frame, trace);
}

/* Where the frame pointer is not known, code that relies on it can be left with the right one only. */
static void follow_by_guess(struct trace *trace)
{
    enum { GUESSES = 100 };
    uint64_t guess = 0;
    for (int i = 0; i < GUESSES && (guess = trace_guess_frame(trace->capture, guess)); i++) {
        trace_set(&trace->registers, TRACE_FP, guess);
        follow(trace);
        if (trace->bottom && !trace->lost)
            return;
    }
    trace->registers = trace->capture->registers;
    follow(trace);
}

static void unwind(struct trace *trace)
{
    if (!report_all(trace->dwfl) || !dwfl_attach_state(trace->dwfl, NULL, getpid(), &threads, trace))
        return;
    if (trace_knows(&trace->registers, TRACE_FP))
        follow(trace);
    else
        follow_by_guess(trace);
}

size_t trace_unwind(const struct trace_capture *capture, char *text, size_t size)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    struct out o = out_on(text, size - 1);
    pthread_mutex_lock(&lock);
    struct trace trace = {.capture = capture, .registers = capture->registers, .out = &o, .dwfl = dwfl_begin(&files)};
    if (trace.dwfl)
        unwind(&trace);
    dwfl_end(trace.dwfl);
    pthread_mutex_unlock(&lock);
    *o.at = '\0';
    return out_len(&o);
}
