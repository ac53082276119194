/* folder.h: a test that reads files works in an empty folder of its own. */
#ifndef TERN_TESTS_CONF_FOLDER_H
#define TERN_TESTS_CONF_FOLDER_H

/* Makes a folder and changes into it; each test is a process, so nobody else notices. */
void folder_enter(void);

/* Removes the folder with everything in it. */
void folder_leave(void);

/* Writes a text file; a folder in its name is made. */
void folder_write(const char *name, const char *text);

#endif
