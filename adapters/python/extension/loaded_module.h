/*
 * Shared objects with compiled WebAssembly, each loaded and its code registered once in the process, however many
 * interpreters, modules and instances use it. Nothing here knows of Python, or needs the GIL.
 */
#ifndef LOADED_MODULE_H
#define LOADED_MODULE_H

#include "module_interface.h"

typedef struct loaded_module_t {
  struct loaded_module_t *next;
  void *handle;
  const module_interface_t *interface;
  uint64_t code_id;
  size_t users;
} loaded_module_t;

/* Sees to what the process needs once after wasmtrap_init. */
wasmtrap_status_t loaded_module_set_up(void);

/* Loads a shared object, or counts one more user of it. NULL on failure: then *status is the library's error, which has
 * its sentence in wasmtrap_last_error, or 0, and a sentence is in `why`. Undone by loaded_module_release. */
loaded_module_t *loaded_module_open(const char *path, wasmtrap_status_t *status, char *why, size_t why_size);

/* For the last user, forgets the code and unloads it. */
void loaded_module_release(loaded_module_t *loaded);

#endif
