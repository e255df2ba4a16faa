#include "loaded_module.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "object_file.h"
#include "shared_object.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static loaded_module_t *loaded_modules;

static void take_lock(void) { pthread_mutex_lock(&lock); }
static void give_lock(void) { pthread_mutex_unlock(&lock); }

static void survive_forks(void) {
#if !defined(_WIN32)
  pthread_atfork(take_lock, give_lock, give_lock);
#endif
}

wasmtrap_status_t loaded_module_set_up(void) {
  /* After wasmtrap_init, which has done the same for the library's locks: fork takes what was set up last first, and so
   * takes ours before the library's, as loaded_module_open does. */
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, survive_forks);
  take_lock();
  wasm_rt_init();
  const int done = wasm_rt_is_initialized();
  give_lock();
  return done ? WASMTRAP_OK : WASMTRAP_ERR_NOT_INITIALIZED;
}

/* The interface that a shared object has, or NULL. */
static const module_interface_t *interface_of(void *handle, const char *path, char *why, size_t why_size) {
  const module_interface_t *interface = shared_object_symbol(handle, MODULE_INTERFACE_SYMBOL);
  if (interface == NULL) {
    snprintf(why, why_size, "'%s' has no symbol %s: it is not a compiled WebAssembly module", path,
             MODULE_INTERFACE_SYMBOL);
    return NULL;
  }
  if (strncmp(interface->mark, MODULE_INTERFACE_MARK, sizeof interface->mark) != 0 ||
      interface->struct_size != sizeof *interface) {
    snprintf(why, why_size, "'%s' was made for another version of this extension", path);
    return NULL;
  }
  return interface;
}

static loaded_module_t *find(const void *handle) {
  loaded_module_t *loaded = loaded_modules;
  while (loaded != NULL && loaded->handle != handle) loaded = loaded->next;
  return loaded;
}

static loaded_module_t *add(void *handle, const char *path, wasmtrap_status_t *status, char *why, size_t why_size) {
  const module_interface_t *interface = interface_of(handle, path, why, why_size);
  if (interface == NULL) return NULL;
  loaded_module_t *loaded = calloc(1, sizeof *loaded);
  if (loaded == NULL) {
    snprintf(why, why_size, "no memory for '%s'", path);
    return NULL;
  }
  if (interface->code->layout != WASM_RT_WASMTRAP_LAYOUT) {
    snprintf(why, why_size, "'%s' was made with another wabt than this extension's runtime", path);
    free(loaded);
    return NULL;
  }
  *status = wasm_rt_wasmtrap_module_register(interface->code, &loaded->code_id);
  if (*status != WASMTRAP_OK) {
    free(loaded);
    return NULL;
  }
  loaded->handle = handle;
  loaded->interface = interface;
  loaded->next = loaded_modules;
  loaded_modules = loaded;
  return loaded;
}

loaded_module_t *loaded_module_open(const char *path, wasmtrap_status_t *status, char *why, size_t why_size) {
  *status = WASMTRAP_OK;
  if (!object_file_is_whole(path, why, why_size)) return NULL;
  take_lock();
  loaded_module_t *loaded = NULL;
  void *handle = shared_object_open(path, why, why_size);
  if (handle != NULL) {
    loaded = find(handle);
    if (loaded == NULL) loaded = add(handle, path, status, why, why_size);
    if (loaded != NULL) loaded->users++;
    /* Each opening is undone by a closing: here after a failure, or by its user. */
    else shared_object_close(handle);
  }
  give_lock();
  return loaded;
}

void loaded_module_release(loaded_module_t *loaded) {
  take_lock();
  void *handle = loaded->handle;
  if (--loaded->users == 0) {
    wasmtrap_code_unregister(loaded->code_id);
    loaded_module_t **link = &loaded_modules;
    while (*link != loaded) link = &(*link)->next;
    *link = loaded->next;
    free(loaded);
  }
  shared_object_close(handle);
  give_lock();
}
