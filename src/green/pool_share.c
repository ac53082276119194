/* pool_share.c: see pool_share.h. */
#include "green/pool_share.h"

struct green_sem *pool_turns_of_names(void)
{
    static struct green_sem turns;
    return pool_turns(&turns);
}
