/* loader.h: the modules of this process: shared objects with code that is not ours.
 *
 * They are loaded by each process that runs them, never by the master: by a worker, a compute process, or the
 * short-lived one that tries out a configuration. A module is loaded once, and stays until the process ends.
 */
#ifndef TERN_MODULE_LOADER_H
#define TERN_MODULE_LOADER_H

#include "base/out.h"
#include "tern.h"

/* Where modules are that are named without a slash; the text must stay. */
void module_set_directory(const char *directory);

/* Loads a module, or finds it among those that are. 0; or -ENOENT, -ENOEXEC, -EEXIST: `why` says what is the matter, in
 * one line without its end; -ENOMEM. */
int module_load(const char *file, const struct tern_module **module, struct out *why)
    __attribute__((warn_unused_result));

/* The handler of a module by its name, or NULL: then `why` names those that it has. */
const struct tern_handler *module_find_handler(const struct tern_module *module, const char *name, struct out *why);

/* The job of that name of any module, or NULL. */
const struct tern_job *module_find_job(const char *name);

/* The modules, in the order in which they were loaded. False: there are no more. */
bool module_at(size_t i, const struct tern_module **module);

#endif
