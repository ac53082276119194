/* version.h: the version of tern, and of everything that belongs to it. */
#ifndef TERN_BASE_VERSION_H
#define TERN_BASE_VERSION_H

#define TERN_VERSION "0.1.0"

#endif
