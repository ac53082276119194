/* screen.h: a terminal that shows one thing, again and again in the same place.
 *
 * While it is open, the terminal shows another screen than the one that it had, without a cursor, and gives keys as
 * they are pressed. However the process ends, but by SIGKILL, the terminal is as before afterwards: signals that end it
 * are caught for that, and then do what they would have done.
 */
#ifndef TERN_CTL_SCREEN_H
#define TERN_CTL_SCREEN_H

#include "base/clock.h"
#include "base/out.h"

/* Whether the standard output is a terminal that can be used so. */
bool screen_possible(void);

/* Opens it: there is one in a process. */
void screen_open(void);

/* Gives the terminal back; does nothing when it is not open. */
void screen_close(void);

/* Columns of the terminal now. */
size_t screen_width(void);

/* Shows a text instead of the one before: as much of it as there is room for, in one write. */
void screen_draw(struct str text);

/* Waits until the time is up. False: somebody has had enough, and has pressed q. */
bool screen_wait(nsec deadline);

#endif
