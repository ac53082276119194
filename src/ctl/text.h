/* text.h: pieces of an answer, as people read them. */
#ifndef TERN_CTL_TEXT_H
#define TERN_CTL_TEXT_H

#include <stdio.h>

#include "base/clock.h"
#include "base/out.h"
#include "ctl/answer.h"

enum { TEXT_DURATION = 24 }; /* room for a duration */

/* Prints a text with a question mark for every control character, also for one that turns the direction of text. */
void text_put(FILE *f, struct str text);

/* The same with a member of an answer. */
void text_member(FILE *f, const struct answer *answer, const char *key);

/* "7 workers", "1 worker". */
void text_count(FILE *f, uint64_t n, const char *noun);

/* The two largest units of a duration from a minute on: "5m03s", "2h03m", "10d04h"; of a shorter one, one: "12us",
 * "35ms", "1.2s". What is counted in seconds has no fraction: "12s". */
struct str text_duration(char room[static TEXT_DURATION], nsec duration);
struct str text_seconds(char room[static TEXT_DURATION], uint64_t seconds);

#endif
