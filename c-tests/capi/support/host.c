#include "host.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#if defined(__linux__)
#include <ucontext.h>
#endif

#include "handlers.h"

void host_init(void) { must(wasmtrap_init(NULL) == WASMTRAP_OK); }

void host_init_with_kinds(uint32_t fault_kinds) {
  wasmtrap_options_t options = {0};
  options.struct_size = sizeof options;
  options.fault_kinds = fault_kinds;
  must(wasmtrap_init(&options) == WASMTRAP_OK);
}

uint64_t host_register_code_with_sites(const wasm_code_t *code, const wasmtrap_site_t *sites, size_t site_count,
                                       uint32_t flags) {
  wasmtrap_code_desc_t desc = {0};
  desc.struct_size = sizeof desc;
  desc.start = code->start;
  desc.length = code->length;
  desc.sites = sites;
  desc.site_count = site_count;
  desc.flags = flags;
  uint64_t id = 0;
  must(wasmtrap_code_register(&desc, &id) == WASMTRAP_OK);
  must(id != 0);
  return id;
}

uint64_t host_register_code(const wasm_code_t *code) { return host_register_code_with_sites(code, NULL, 0, 0); }

uint64_t host_register_code_with_site(const wasm_code_t *code, wasmtrap_code_t site_code) {
  const wasmtrap_site_t site = {(uint32_t)code->fault, site_code};
  return host_register_code_with_sites(code, &site, 1, 0);
}

uint64_t host_register_strict_code(const wasm_code_t *code) {
  return host_register_code_with_sites(code, NULL, 0, WASMTRAP_CODE_STRICT);
}

uint64_t host_register_region(const void *base, size_t length, wasmtrap_code_t code) {
  wasmtrap_region_desc_t desc = {0};
  desc.struct_size = sizeof desc;
  desc.base = base;
  desc.length = length;
  desc.code = code;
  uint64_t id = 0;
  must(wasmtrap_region_register(&desc, &id) == WASMTRAP_OK);
  must(id != 0);
  return id;
}

wasmtrap_trap_t host_new_trap(void) {
  wasmtrap_trap_t trap;
  memset(&trap, 0, sizeof trap);
  trap.struct_size = sizeof trap;
  return trap;
}

wasmtrap_status_t host_call(const wasm_code_t *code, void *argument, wasmtrap_trap_t *trap) {
  *trap = host_new_trap();
  return wasmtrap_call(code->function, argument, trap);
}

wasmtrap_status_t host_load(const wasm_code_t *load, const void *address, wasmtrap_trap_t *trap) {
  wasm_access_t access = {address_of(address), 0};
  return host_call(load, &access, trap);
}

int trapped_with(wasmtrap_status_t status, const wasmtrap_trap_t *trap, wasmtrap_code_t code, const char *name) {
  const int good = status == WASMTRAP_TRAPPED && trap->code == code;
  ok(good, "%s", name);
  if (!good) {
    tap_note("status %s, trap code %u (%s), expected %u (%s)", wasmtrap_status_name(status), trap->code,
             wasmtrap_code_name(trap->code), code, wasmtrap_code_name(code));
    if (status < 0) tap_note("%s", wasmtrap_last_error());
  }
  return good;
}

#if defined(__aarch64__) && defined(__linux__)
static volatile int kernel_tells;
static void *probed;

/* The kernel's records after the registers: each begins with a magic number and its size; the last one is 0, 0. */
static void look_for_syndrome(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)info;
  const uint32_t syndrome_record = UINT32_C(0x45535201);
  const unsigned char *record = ((ucontext_t *)context)->uc_mcontext.__reserved;
  for (uint32_t head[2];; record += head[1]) {
    memcpy(head, record, sizeof head);
    if (head[0] == syndrome_record) kernel_tells = 1;
    if (head[0] == 0 || kernel_tells) break;
  }
  make_accessible(probed);
}

wasmtrap_access_t if_told(wasmtrap_access_t access) {
  if (probed == NULL) {
    probed = inaccessible_page();
    const struct sigaction previous = install_handler(SIGSEGV, look_for_syndrome, 0);
    wasm_access_t load = {address_of(probed), 0};
    wasm_load.function(&load);
    must(sigaction(SIGSEGV, &previous, NULL) == 0);
    if (!kernel_tells) tap_note("no syndrome register in the signal context: the access is not known");
  }
  return kernel_tells ? access : WASMTRAP_ACCESS_UNKNOWN;
}
#else
wasmtrap_access_t if_told(wasmtrap_access_t access) { return access; }
#endif

/* ux_exception of XNU's bsd/uxkern/ux_exception.c. */
static int exception_of(int signal) {
  switch (signal) {
    case SIGSEGV:
    case SIGBUS: return 1;
    case SIGILL: return 2;
    case SIGFPE: return 3;
    default: return 6;
  }
}

int host_was_reported_by(int signal, int code, int seen_signal, int seen_code, int seen_exception) {
  wasmtrap_backend_t backend = WASMTRAP_BACKEND_AUTO;
  must(wasmtrap_backend(&backend) == WASMTRAP_OK);
  if (backend == WASMTRAP_BACKEND_MACH_PORTS) return seen_signal == 0 && seen_exception == exception_of(signal);
#if defined(__APPLE__)
  (void)code;
  (void)seen_code;
  return seen_exception == 0 && exception_of(seen_signal) == exception_of(signal);
#else
  return seen_exception == 0 && seen_signal == signal && (code == ANY_SIGNAL_CODE ? seen_code > 0 : seen_code == code);
#endif
}

int library_traps(void) {
  const wasm_code_t load = wasm_compile(&wasm_load);
  unsigned char *const page = inaccessible_page();
  const uint64_t id = host_register_code(&load);
  wasmtrap_trap_t trap;
  const wasmtrap_status_t status = host_load(&load, page, &trap);
  const int good = status == WASMTRAP_TRAPPED && trap.code == WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS &&
                   trap.code_id == id && trap.fault_address == (size_t)(uintptr_t)page &&
                   wasmtrap_code_unregister(id) == WASMTRAP_OK;
  munmap(page, page_size());
  munmap((void *)(uintptr_t)load.start, load.length);
  return good;
}

char *described(void) {
  size_t length = 0;
  must(wasmtrap_describe(NULL, 0, &length) == WASMTRAP_OK);
  char *text = malloc(length + 1);
  must(text != NULL);
  must(wasmtrap_describe(text, length + 1, &length) == WASMTRAP_OK);
  return text;
}
