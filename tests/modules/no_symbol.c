/* no_symbol.c: a shared object, and no module: it lacks the symbol that the server asks for. */
#include "tern.h"

extern const int tern_no_module;
const int tern_no_module = TERN_ABI;
