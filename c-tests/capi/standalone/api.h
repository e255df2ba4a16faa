/* The library's functions, found at run time in a shared object that has them. */
#ifndef API_H
#define API_H

#include <dlfcn.h>
#include <string.h>

#include "tap.h"
#include "wasmtrap.h"

#define FUNCTION(name) __typeof__(name) *name##_;
typedef struct api_t {
#include "documented_functions.h"
} api_t;
#undef FUNCTION

/* ISO C knows no conversion from dlsym's result to a function; POSIX has the same representation for both. */
static inline void api_find(void *object, const char *name, void *function) {
  void *const found = dlsym(object, name);
  must(found != NULL);
  memcpy(function, &found, sizeof found);
}

static inline api_t api_of(void *object) {
  api_t api;
#define FUNCTION(name) api_find(object, #name, &api.name##_);
#include "documented_functions.h"
#undef FUNCTION
  return api;
}

#endif
