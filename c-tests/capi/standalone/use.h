/* What a host does with a library that it has loaded: registers code, traps in it. */
#ifndef USE_H
#define USE_H

#include "api.h"
#include "memory.h"
#include "wasm_code.h"

static inline uint64_t use_register(const api_t *api, const wasm_code_t *code) {
  wasmtrap_code_desc_t desc = {0};
  desc.struct_size = sizeof desc;
  desc.start = code->start;
  desc.length = code->length;
  uint64_t id = 0;
  must(api->wasmtrap_code_register_(&desc, &id) == WASMTRAP_OK);
  return id;
}

/* Whether a load from memory that may not be touched is a trap in `code`. */
static inline int use_traps(const api_t *api, const wasm_code_t *code, uint64_t id) {
  static unsigned char *page;
  if (page == NULL) page = inaccessible_page();
  wasm_access_t access = {address_of(page), 0};
  wasmtrap_trap_t trap = {0};
  trap.struct_size = sizeof trap;
  return api->wasmtrap_call_(code->function, &access, &trap) == WASMTRAP_TRAPPED && trap.code_id == id &&
         trap.code == WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS;
}

#endif
