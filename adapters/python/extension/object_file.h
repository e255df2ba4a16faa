/*
 * Looks at a file before the dynamic linker does, which trusts what it is given: a shared object that was cut off is
 * mapped past the end of its file, and kills the process by SIGBUS.
 */
#ifndef OBJECT_FILE_H
#define OBJECT_FILE_H

#include <stddef.h>

/* 1 if `path` may be given to dlopen; else 0, and a sentence is in `why`. */
int object_file_is_whole(const char *path, char *why, size_t why_size);

#endif
