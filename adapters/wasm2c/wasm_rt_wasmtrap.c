/*
 * wasm-rt.h's functions for modules that trap by libwasmtrap. See wasm_rt_wasmtrap.h for how it is used.
 *
 * Allocations that fail raise WASM_RT_WASMTRAP_CODE_NO_MEMORY, and leave the object in a state that its free function
 * takes; growth that fails is the -1 of memory.grow and table.grow.
 */
#include "wasm_rt_wasmtrap.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const uint64_t WASM_PAGE = 65536;
/* wasm_rt_memory_t has its size in 32 bits: one page less than WebAssembly's 4 GiB. */
static const uint32_t MAX_PAGES = 65535;

/* Stack for what this file and the functions it calls need, with room to spare. */
enum { OWN_STACK = 8192 };

/* ---- Start and end ---- */

/* For functions that generated code calls: their faults are traps as its own are, so that the stack may end where they
 * are entered, too. */
#if defined(__APPLE__)
#define CALLED_BY_WASM __attribute__((section("__TEXT,__wasm_rt,regular,pure_instructions"), noinline))
extern const char __start_wasm_rt_code[] __asm__("section$start$__TEXT$__wasm_rt");
extern const char __stop_wasm_rt_code[] __asm__("section$end$__TEXT$__wasm_rt");
#else
#define CALLED_BY_WASM __attribute__((section("wasm_rt_code"), noinline))
extern const char __start_wasm_rt_code[] __attribute__((visibility("hidden")));
extern const char __stop_wasm_rt_code[] __attribute__((visibility("hidden")));
#endif

static const wasm_rt_wasmtrap_module_t own_code = {
    .name = "wasm-rt", .code_start = __start_wasm_rt_code, .code_stop = __stop_wasm_rt_code};
static uint64_t own_code_id;

void wasm_rt_init(void) {
  if (own_code_id == 0) wasm_rt_wasmtrap_module_register(&own_code, &own_code_id);
}

/* False after wasm_rt_init too, if wasmtrap_init was not called before it; wasmtrap_last_error says so. */
bool wasm_rt_is_initialized(void) { return own_code_id != 0; }

static void free_func_types(void);

void wasm_rt_free(void) {
  if (own_code_id != 0) wasmtrap_code_unregister(own_code_id);
  own_code_id = 0;
  free_func_types();
}

/* ---- Modules ---- */

wasmtrap_status_t wasm_rt_wasmtrap_module_register(const wasm_rt_wasmtrap_module_t *module, uint64_t *id) {
  wasmtrap_code_desc_t desc = {.struct_size = sizeof desc};
  desc.start = module->code_start;
  desc.length = (size_t)(module->code_stop - module->code_start);
  desc.flags = WASMTRAP_CODE_STRICT;
  desc.user = (void *)(uintptr_t)module;
  return wasmtrap_code_register(&desc, id);
}

wasmtrap_function_t wasm_rt_wasmtrap_module_entry(const wasm_rt_wasmtrap_module_t *module, const char *name) {
  for (size_t i = 0; i < module->entry_count; i++) {
    if (strcmp(module->entries[i].name, name) == 0) return module->entries[i].function;
  }
  return NULL;
}

const wasm_rt_wasmtrap_symbol_t *wasm_rt_wasmtrap_module_symbol(const wasm_rt_wasmtrap_module_t *module,
                                                                size_t offset) {
  size_t low = 0, high = module->symbol_count;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    const wasm_rt_wasmtrap_symbol_t *symbol = &module->symbols[middle];
    if (offset < symbol->offset) {
      high = middle;
    } else if (offset >= (size_t)symbol->offset + symbol->size) {
      low = middle + 1;
    } else {
      return symbol;
    }
  }
  return NULL;
}

/* ---- Traps ---- */

CALLED_BY_WASM void wasm_rt_wasmtrap_reserve_stack(size_t bytes) {
  /* From the top down in steps of the smallest page: the guard is met first, however small it is. */
  char area[bytes + 1];
  volatile char *reserve = area;
  for (size_t left = bytes; left > 0; left -= left < 4096 ? left : 4096) reserve[left] = 0;
  reserve[0] = 0;
}

CALLED_BY_WASM wasmtrap_code_t wasm_rt_wasmtrap_code_of(wasm_rt_trap_t trap, const char *function) {
  wasm_rt_wasmtrap_reserve_stack(OWN_STACK);
  switch (trap) {
    case WASM_RT_TRAP_NONE:
      break;
    case WASM_RT_TRAP_OOB:
      return strstr(function, "table") != NULL ? WASMTRAP_CODE_TABLE_OUT_OF_BOUNDS
                                               : WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS;
    case WASM_RT_TRAP_INT_OVERFLOW:
      return WASMTRAP_CODE_INTEGER_OVERFLOW;
    case WASM_RT_TRAP_DIV_BY_ZERO:
      return WASMTRAP_CODE_INTEGER_DIVISION_BY_ZERO;
    case WASM_RT_TRAP_INVALID_CONVERSION:
      return WASMTRAP_CODE_BAD_CONVERSION_TO_INTEGER;
    case WASM_RT_TRAP_UNREACHABLE:
      return WASMTRAP_CODE_UNREACHABLE;
    case WASM_RT_TRAP_CALL_INDIRECT:
      return WASMTRAP_CODE_UNDEFINED_ELEMENT;
    case WASM_RT_TRAP_UNCAUGHT_EXCEPTION:
      return WASMTRAP_CODE_UNCAUGHT_EXCEPTION;
#if !WASM_RT_MERGED_OOB_AND_EXHAUSTION_TRAPS
    case WASM_RT_TRAP_EXHAUSTION:
      return WASMTRAP_CODE_STACK_OVERFLOW;
#endif
  }
  return WASMTRAP_CODE_NONE;
}

CALLED_BY_WASM wasmtrap_code_t wasm_rt_wasmtrap_bad_call(const wasm_rt_funcref_table_t *table, uint32_t index) {
  wasm_rt_wasmtrap_reserve_stack(OWN_STACK);
  if (index >= table->size) return WASMTRAP_CODE_UNDEFINED_ELEMENT;
  if (table->data[index].func == NULL) return WASMTRAP_CODE_INDIRECT_CALL_TO_NULL;
  return WASMTRAP_CODE_BAD_SIGNATURE;
}

/* For hosts. Generated code has the macro of the same name. */
CALLED_BY_WASM void wasm_rt_trap(wasm_rt_trap_t trap) { wasmtrap_raise(wasm_rt_wasmtrap_code_of(trap, ""), 0); }

const char *wasm_rt_strerror(wasm_rt_trap_t trap) { return wasmtrap_code_name(wasm_rt_wasmtrap_code_of(trap, "")); }

static void raise_no_memory(uint64_t bytes) WASMTRAP_NORETURN;
static void raise_no_memory(uint64_t bytes) { wasmtrap_raise(WASM_RT_WASMTRAP_CODE_NO_MEMORY, bytes); }

/* ---- Linear memories ---- */

/*
 * A 32-bit address plus a 32-bit offset, and the width of the access: every address that generated code can form is in
 * the reservation, and all of it is the region. Behind it, in the same mapping, is a page for the region's id.
 */
static const size_t ADDRESSABLE = (size_t)1 << 33;
static const size_t GUARD = 65536;

typedef struct {
  uint64_t region_id;
} memory_record_t;

static size_t region_length(void) { return ADDRESSABLE + GUARD; }
static size_t mapping_length(void) { return region_length() + (size_t)sysconf(_SC_PAGESIZE); }
static memory_record_t *record_of(uint8_t *data) { return (memory_record_t *)(void *)(data + region_length()); }
static int make_accessible(void *start, size_t length) {
  return length == 0 || mprotect(start, length, PROT_READ | PROT_WRITE) == 0;
}

CALLED_BY_WASM void wasm_rt_allocate_memory(wasm_rt_memory_t *memory, uint32_t initial_pages, uint32_t max_pages) {
  wasm_rt_wasmtrap_reserve_stack(OWN_STACK);
  memset(memory, 0, sizeof *memory);
  const uint64_t size = initial_pages * WASM_PAGE;
  if (initial_pages > MAX_PAGES) raise_no_memory(size);
  void *mapping = mmap(NULL, mapping_length(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED) raise_no_memory(size);
  uint8_t *data = mapping;
  wasmtrap_region_desc_t desc = {.struct_size = sizeof desc};
  desc.base = data;
  desc.length = region_length();
  desc.user = memory;
  if (!make_accessible(data, size) || !make_accessible(record_of(data), sizeof(memory_record_t)) ||
      wasmtrap_region_register(&desc, &record_of(data)->region_id) != WASMTRAP_OK) {
    munmap(mapping, mapping_length());
    raise_no_memory(size);
  }
  memory->data = data;
  memory->size = (uint32_t)size;
  memory->pages = initial_pages;
  memory->max_pages = max_pages < MAX_PAGES ? max_pages : MAX_PAGES;
}

CALLED_BY_WASM uint32_t wasm_rt_grow_memory(wasm_rt_memory_t *memory, uint32_t pages) {
  wasm_rt_wasmtrap_reserve_stack(OWN_STACK);
  const uint32_t old_pages = memory->pages;
  if (pages > memory->max_pages - old_pages) return UINT32_MAX;
  if (!make_accessible(memory->data + memory->size, pages * WASM_PAGE)) return UINT32_MAX;
  memory->pages += pages;
  memory->size = (uint32_t)(memory->pages * WASM_PAGE);
  return old_pages;
}

void wasm_rt_free_memory(wasm_rt_memory_t *memory) {
  if (memory->data != NULL) {
    wasmtrap_region_unregister(record_of(memory->data)->region_id);
    munmap(memory->data, mapping_length());
  }
  memset(memory, 0, sizeof *memory);
}

/* ---- Tables ---- */

#define DEFINE_TABLE(kind)                                                                                             \
  CALLED_BY_WASM                                                                                                       \
  void wasm_rt_allocate_##kind##_table(wasm_rt_##kind##_table_t *table, uint32_t elements, uint32_t max_elements) {    \
    wasm_rt_wasmtrap_reserve_stack(OWN_STACK);                                                                         \
    memset(table, 0, sizeof *table);                                                                                   \
    table->max_size = max_elements;                                                                                    \
    if (elements == 0) return;                                                                                         \
    table->data = calloc(elements, sizeof *table->data);                                                               \
    if (table->data == NULL) raise_no_memory(elements * (uint64_t)sizeof *table->data);                                \
    table->size = elements;                                                                                            \
  }                                                                                                                    \
  void wasm_rt_free_##kind##_table(wasm_rt_##kind##_table_t *table) {                                                  \
    free(table->data);                                                                                                 \
    memset(table, 0, sizeof *table);                                                                                   \
  }                                                                                                                    \
  CALLED_BY_WASM                                                                                                       \
  uint32_t wasm_rt_grow_##kind##_table(wasm_rt_##kind##_table_t *table, uint32_t delta, wasm_rt_##kind##_t init) {     \
    wasm_rt_wasmtrap_reserve_stack(OWN_STACK);                                                                         \
    const uint32_t old_size = table->size;                                                                             \
    if (delta > table->max_size - old_size) return UINT32_MAX;                                                         \
    if (delta == 0) return old_size;                                                                                   \
    const size_t new_size = (size_t)old_size + delta;                                                                  \
    wasm_rt_##kind##_t *data = realloc(table->data, new_size * sizeof *data);                                          \
    if (data == NULL) return UINT32_MAX;                                                                               \
    for (size_t i = old_size; i < new_size; i++) data[i] = init;                                                       \
    table->data = data;                                                                                                \
    table->size = (uint32_t)new_size;                                                                                  \
    return old_size;                                                                                                   \
  }

DEFINE_TABLE(funcref)
DEFINE_TABLE(externref)

/* ---- Function types ---- */

/* Equal types of all modules have one number, from 1 up, so that a call between modules is checked by comparing two. */
typedef struct func_type_t {
  struct func_type_t *next;
  uint32_t number;
  uint32_t params;
  uint32_t results;
  wasm_rt_type_t types[];
} func_type_t;

static pthread_mutex_t func_types_lock = PTHREAD_MUTEX_INITIALIZER;
static func_type_t *func_types;

uint32_t wasm_rt_register_func_type(uint32_t params, uint32_t results, ...) {
  const size_t types_size = ((size_t)params + results) * sizeof(wasm_rt_type_t);
  func_type_t *type = malloc(sizeof *type + types_size);
  if (type == NULL) raise_no_memory(sizeof *type + types_size);
  type->params = params;
  type->results = results;
  va_list arguments;
  va_start(arguments, results);
  for (size_t i = 0; i < (size_t)params + results; i++) type->types[i] = va_arg(arguments, wasm_rt_type_t);
  va_end(arguments);

  pthread_mutex_lock(&func_types_lock);
  const func_type_t *same = func_types;
  while (same != NULL && (same->params != params || same->results != results ||
                          memcmp(same->types, type->types, types_size) != 0)) {
    same = same->next;
  }
  if (same != NULL) {
    free(type);
  } else {
    type->next = func_types;
    type->number = func_types == NULL ? 1 : func_types->number + 1;
    same = func_types = type;
  }
  const uint32_t number = same->number;
  pthread_mutex_unlock(&func_types_lock);
  return number;
}

static void free_func_types(void) {
  pthread_mutex_lock(&func_types_lock);
  while (func_types != NULL) {
    func_type_t *next = func_types->next;
    free(func_types);
    func_types = next;
  }
  pthread_mutex_unlock(&func_types_lock);
}

/* ---- Exceptions ---- */

/* The exception that a thread is throwing, and the handler it would go to: NULL outside of all try blocks of the
 * innermost wasm_rt_wasmtrap_call. 128 values are more than anybody throws, and small enough for thread-local storage,
 * which comes off the thread's stack. */
enum { MAX_EXCEPTION_SIZE = 1024 };
static __thread struct {
  jmp_buf *target;
  uint32_t tag;
  uint32_t size;
  uint8_t values[MAX_EXCEPTION_SIZE];
} exception;

uint32_t wasm_rt_register_tag(uint32_t size) {
  static uint32_t tags;
  if (size > MAX_EXCEPTION_SIZE) raise_no_memory(size);
  return __atomic_fetch_add(&tags, 1, __ATOMIC_RELAXED);
}

CALLED_BY_WASM void wasm_rt_load_exception(uint32_t tag, uint32_t size, const void *values) {
  wasm_rt_wasmtrap_reserve_stack(OWN_STACK);
  exception.tag = tag;
  exception.size = size;
  /* A rethrow hands over the very bytes that are here. */
  if (size != 0) memmove(exception.values, values, size);
}

CALLED_BY_WASM void wasm_rt_throw(void) {
  wasm_rt_wasmtrap_reserve_stack(OWN_STACK);
  if (exception.target == NULL) wasmtrap_raise(WASMTRAP_CODE_UNCAUGHT_EXCEPTION, exception.tag);
  siglongjmp(*exception.target, WASM_RT_TRAP_UNCAUGHT_EXCEPTION);
}

CALLED_BY_WASM WASM_RT_UNWIND_TARGET *wasm_rt_get_unwind_target(void) { return exception.target; }
CALLED_BY_WASM void wasm_rt_set_unwind_target(WASM_RT_UNWIND_TARGET *target) { exception.target = target; }
CALLED_BY_WASM uint32_t wasm_rt_exception_tag(void) { return exception.tag; }
CALLED_BY_WASM uint32_t wasm_rt_exception_size(void) { return exception.size; }
CALLED_BY_WASM void *wasm_rt_exception(void) { return exception.values; }

wasmtrap_status_t wasm_rt_wasmtrap_call(wasmtrap_function_t function, void *argument, wasmtrap_trap_t *trap) {
  /* A trap leaves try blocks without passing their ends: what they had set is stale afterwards. */
  jmp_buf *outer = exception.target;
  exception.target = NULL;
  const wasmtrap_status_t status = wasmtrap_call(function, argument, trap);
  exception.target = outer;
  return status;
}
