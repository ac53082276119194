/* offline.h: answers without a server: the program tern reads a configuration and answers from it.
 *
 * So what checks it is what would serve it, with its modules and whatever else it was built with; and ternctl, which is
 * asked every other second by some, stays as small as it is.
 */
#ifndef TERN_CTL_OFFLINE_H
#define TERN_CTL_OFFLINE_H

#include "base/str.h"

struct offline {
    char *text;
    struct str line; /* the answer, without its newline */
};

/* Has the program explain a question (`[METHOD] URL`) by the configuration in a file: the tern beside this program, as
 * it is installed, else the one that the shell would find. What it has to say of the file goes to the standard error.
 * Its exit status, 0 with an answer; or -errno. */
int offline_explain(struct offline *offline, const char *config, struct str question)
    __attribute__((warn_unused_result));

void offline_free(struct offline *offline);

#endif
