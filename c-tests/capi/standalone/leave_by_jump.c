/* Has every client ask for WASMTRAP_INIT_LEAVE_BY_JUMP. What the programs promise holds all the same.
 *
 * Preloaded, or linked into a static program with --wrap of both functions (STATICALLY). */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "wasmtrap.h"

#ifdef STATICALLY
wasmtrap_status_t __real_wasmtrap_init(const wasmtrap_options_t *options);
wasmtrap_status_t __real_wasmtrap_client_open(const wasmtrap_client_desc_t *desc, wasmtrap_client_t *client);
#define wasmtrap_init __wrap_wasmtrap_init
#define wasmtrap_client_open __wrap_wasmtrap_client_open
#define FIND(name, function) ((function) = __real_##name)
wasmtrap_status_t wasmtrap_init(const wasmtrap_options_t *options);
wasmtrap_status_t wasmtrap_client_open(const wasmtrap_client_desc_t *desc, wasmtrap_client_t *client);
#else
#define FIND(name, function) find(#name, &(function))
/* The library's own function of that name, behind this object. */
static void find(const char *name, void *function) {
  void *const found = dlsym(RTLD_NEXT, name);
  if (found == NULL) abort();
  memcpy(function, &found, sizeof found);
}
#endif

/* What is too short to have flags is refused in any case. */
static const wasmtrap_options_t *with_flag(const wasmtrap_options_t *options, wasmtrap_options_t *changed) {
  if (options != NULL && options->struct_size != sizeof *options) return options;
  memset(changed, 0, sizeof *changed);
  if (options != NULL) *changed = *options;
  changed->struct_size = sizeof *changed;
  changed->flags |= WASMTRAP_INIT_LEAVE_BY_JUMP;
  return changed;
}

wasmtrap_status_t wasmtrap_init(const wasmtrap_options_t *options) {
  wasmtrap_status_t (*init)(const wasmtrap_options_t *);
  FIND(wasmtrap_init, init);
  wasmtrap_options_t changed;
  return init(with_flag(options, &changed));
}

wasmtrap_status_t wasmtrap_client_open(const wasmtrap_client_desc_t *desc, wasmtrap_client_t *client) {
  wasmtrap_status_t (*open)(const wasmtrap_client_desc_t *, wasmtrap_client_t *);
  FIND(wasmtrap_client_open, open);
  if (desc == NULL || desc->struct_size != sizeof *desc) return open(desc, client);
  wasmtrap_options_t options;
  wasmtrap_client_desc_t changed = *desc;
  changed.options = with_flag(desc->options, &options);
  return open(&changed, client);
}
