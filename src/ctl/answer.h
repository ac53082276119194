/* answer.h: what a server has answered.
 *
 * An answer is a tree; each function looks at one level of it. What is missing, or of another type than it should be,
 * reads as "" or 0: a server of another version may say less.
 */
#ifndef TERN_CTL_ANSWER_H
#define TERN_CTL_ANSWER_H

#include "base/str.h"
#include "ctl/protocol.h"

struct answer;

/* Whether a line starts as that of a tern which has done what it was asked for: for who hands it on as it is, and would
 * take longer to read a large one than the server took to make it. */
bool answer_is_fine(struct str line);

/* Reads a line. NULL: it is no object of JSON, has control characters in it, or memory is out. */
struct answer *answer_read(struct str line);

void answer_free(struct answer *answer);

/* What it comes to: CTL_FINE, or what kind of trouble it tells. */
enum ctl_status answer_status(const struct answer *answer);

struct str answer_text(const struct answer *answer, const char *key);
uint64_t answer_u64(const struct answer *answer, const char *key);
bool answer_bool(const struct answer *answer, const char *key);

/* Whether it says anything about it. */
bool answer_knows(const struct answer *answer, const char *key);

/* An object in an object, or NULL. */
const struct answer *answer_member(const struct answer *answer, const char *key);

/* Members of an array. */
size_t answer_count(const struct answer *answer, const char *key);
const struct answer *answer_item(const struct answer *answer, const char *key, size_t i);
struct str answer_text_item(const struct answer *answer, const char *key, size_t i);

/* The two numbers of item i of an array of pairs; 0 and 0: it is none. */
void answer_pair(const struct answer *answer, const char *key, size_t i, uint64_t pair[static 2]);

#endif
