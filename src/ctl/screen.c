/* screen.c: see screen.h. The sequences are those of ECMA-48 and of DEC's terminals, which all that are in use know. */
#include "ctl/screen.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

/* The other screen, no cursor, lines are cut rather than wrapped; and back. */
#define OPEN "\033[?1049h\033[?25l\033[?7l"
#define CLOSE "\033[?7h\033[?25h\033[?1049l"
#define HOME "\033[H"
#define END_OF_LINE "\033[K\n" /* clears the rest of the old line */
#define END_OF_TEXT "\033[J"   /* ... and, in the last one, all old lines below */

enum { LINES = 24, COLUMNS = 80, PIECE = 64 * 1024 };

static struct {
    struct termios before;
    volatile sig_atomic_t open, has_keys;
} screen;

static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

static void write_all(const char *bytes, size_t n)
{
    while (n) {
        ssize_t written = write(STDOUT_FILENO, bytes, n);
        if (written < 0 && errno != EINTR)
            return;
        bytes += written > 0 ? written : 0;
        n -= written > 0 ? (size_t)written : 0;
    }
}

bool screen_possible(void)
{
    const char *term = getenv("TERM");
    return isatty(STDOUT_FILENO) && term && *term && strcmp(term, "dumb") != 0;
}

/* ---- open and close ---- */

/* Nothing here but what a signal handler may call. */
void screen_close(void)
{
    if (!screen.open)
        return;
    screen.open = 0;
    write_all(CLOSE, sizeof CLOSE - 1);
    if (screen.has_keys)
        (void)tcsetattr(STDIN_FILENO, TCSANOW, &screen.before);
}

/* The action is the default one by now. */
static void on_end(int number)
{
    screen_close();
    (void)raise(number);
}

static void on_resize(int number)
{
    (void)number; /* the wait is over, which is enough */
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_end, .sa_flags = SA_RESETHAND};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        sigaction(ends[i], &action, NULL);
    action = (struct sigaction){.sa_handler = on_resize};
    sigaction(SIGWINCH, &action, NULL);
}

/* Keys come at once and are not shown; ^Z would leave a shell with this screen. */
static void take_keys(void)
{
    screen.has_keys = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &screen.before) == 0;
    if (!screen.has_keys)
        return;
    struct termios ours = screen.before;
    ours.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    ours.c_cc[VMIN] = 1;
    ours.c_cc[VTIME] = 0;
    ours.c_cc[VSUSP] = _POSIX_VDISABLE;
    (void)tcsetattr(STDIN_FILENO, TCSANOW, &ours);
}

void screen_open(void)
{
    take_keys();
    screen.open = 1;
    catch_signals();
    write_all(OPEN, sizeof OPEN - 1);
}

/* ---- what is shown ---- */

static struct winsize size(void)
{
    struct winsize found = {.ws_row = 0};
    (void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &found);
    found.ws_row = found.ws_row ? found.ws_row : LINES;
    found.ws_col = found.ws_col ? found.ws_col : COLUMNS;
    return found;
}

size_t screen_width(void)
{
    return size().ws_col;
}

/* The last line has no newline, which would scroll. */
void screen_draw(struct str text)
{
    static char piece[PIECE];
    struct out o = out_on(piece, sizeof piece);
    out_text(&o, HOME);
    for (unsigned lines = size().ws_row; text.n && lines; lines--) {
        struct str line = str_cut(&text, '\n');
        if (line.n + sizeof END_OF_LINE + sizeof END_OF_TEXT > out_room(&o))
            break;
        out_put(&o, line);
        out_put(&o, lines > 1 && text.n ? STR(END_OF_LINE) : STR(""));
    }
    out_text(&o, END_OF_TEXT);
    write_all(o.start, out_len(&o));
}

/* ---- keys ---- */

/* False: it was q. An end of the input is none of the output's business. */
static bool read_key(void)
{
    char key;
    ssize_t n = read(STDIN_FILENO, &key, 1);
    if (n == 0 || (n < 0 && errno != EINTR))
        screen.has_keys = 0;
    return n != 1 || char_lower(key) != 'q';
}

bool screen_wait(nsec deadline)
{
    for (nsec left; (left = deadline - clock_monotonic()) > 0;) {
        struct pollfd keys = {.fd = screen.has_keys ? STDIN_FILENO : -1, .events = POLLIN};
        int found = poll(&keys, 1, (int)(left / NSEC_MS) + 1);
        if (found < 0)
            return errno == EINTR; /* shown again at once: the terminal may have another size */
        if (found > 0 && !read_key())
            return false;
    }
    return true;
}
