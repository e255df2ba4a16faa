/*
 * What the system has for shared objects: dlopen, or LoadLibrary. Paths are as Python's file system encoding has them.
 */
#ifndef SHARED_OBJECT_H
#define SHARED_OBJECT_H

#include <stddef.h>
#include <stdio.h>

/* NULL on failure; then a sentence is in `why`. Undone by shared_object_close. */
void *shared_object_open(const char *path, char *why, size_t why_size);
/* NULL if it has none of that name. */
void *shared_object_symbol(void *handle, const char *name);
void shared_object_close(void *handle);

/* The file, to be read. NULL on failure, with errno. */
FILE *shared_object_file(const char *path);
/* A function of this Python's; NULL if it has none of that name. */
void *shared_object_of_python(const char *name);

#endif
