#include "host.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#if defined(__linux__)
#include <ucontext.h>
#endif

#include "handlers.h"

void host_init(void) { must(wasmtrap_init(NULL) == WASMTRAP_OK); }

void host_init_with_signals(void) {
  wasmtrap_options_t options = {0};
  options.struct_size = sizeof options;
  options.backend = WASMTRAP_BACKEND_SIGNALS;
  must(wasmtrap_init(&options) == WASMTRAP_OK);
}

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

exception_ports_t exception_ports(void) {
  const char *const ports = getenv("EXCEPTION_PORTS");
#if defined(__APPLE__)
  if (ports == NULL) return PORTS_GET_MOST;
#endif
  if (ports == NULL) return NO_MACH;
  if (strcmp(ports, "none") == 0) return PORTS_REFUSED;
  if (strcmp(ports, "all") == 0) return PORTS_GET_ALL;
  must(strcmp(ports, "most") == 0);
  return PORTS_GET_MOST;
}

wasmtrap_backend_t host_default_backend(void) {
  const char *const asked_for = getenv("WASMTRAP_BACKEND");
  const int signals = asked_for != NULL && strcmp(asked_for, "signals") == 0;
  return exception_ports() >= PORTS_GET_ALL && !signals ? WASMTRAP_BACKEND_MACH_PORTS : WASMTRAP_BACKEND_SIGNALS;
}

#if !defined(_WIN32) /* There it is in c-tests/windows/support. */
/* The exceptions that XNU has for what Linux reports by signals (osfmk/i386/trap.c, user_trap; osfmk/arm64/sleh.c), by
 * the numbers of osfmk/mach/exception_types.h, kern_return.h and <machine>/exception.h. */
typedef enum second_code_t { NOTHING, FAULT_ADDRESS, PROGRAM_COUNTER } second_code_t;
static const struct exception_t {
  int signal, signal_code;
  int32_t number;
  int64_t first_code;
  second_code_t second_code;
} exceptions[] = {
    {SIGSEGV, SEGV_MAPERR, 1, 1, FAULT_ADDRESS},
    {SIGSEGV, SEGV_ACCERR, 1, 2, FAULT_ADDRESS},
    {SIGBUS, BUS_ADRERR, 1, 10, FAULT_ADDRESS},
    {SIGILL, ANY_SIGNAL_CODE, 2, 1, NOTHING},
#if defined(__x86_64__)
    {SIGSEGV, ANY_SIGNAL_CODE, 1, 13, NOTHING}, /* a general protection fault: no address */
    {SIGBUS, ANY_SIGNAL_CODE, 2, 12, NOTHING},  /* a stack segment fault: no address */
    {SIGFPE, FPE_INTDIV, 3, 1, NOTHING},
    {SIGTRAP, ANY_SIGNAL_CODE, 6, 2, NOTHING},
#else
    {SIGBUS, BUS_ADRALN, 1, 0x101, FAULT_ADDRESS},
    {SIGTRAP, ANY_SIGNAL_CODE, 6, 1, PROGRAM_COUNTER},
#endif
};

/* NULL if XNU knows no such fault (an alignment check of x86-64, which it does not turn on). */
static const struct exception_t *exception_for(int signal, int code) {
  for (size_t i = 0; i < sizeof exceptions / sizeof *exceptions; i++) {
    if (exceptions[i].signal == signal && exceptions[i].signal_code == code) return &exceptions[i];
  }
  return NULL;
}

/* Whether the signal that was seen is the right one. XNU's codes say little, and which of its two signals for memory
 * faults comes depends on the version (ux_exception, bsd/uxkern/ux_exception.c). */
static int right_signal(int signal, int code, int seen_signal, int seen_code) {
#if defined(INACCESSIBLE_PAGES_ARE_HOLES)
  const int memory_fault = signal == SIGSEGV || signal == SIGBUS;
  const int seen_memory_fault = seen_signal == SIGSEGV || seen_signal == SIGBUS;
  (void)code;
  (void)seen_code;
  return seen_signal == signal || (memory_fault && seen_memory_fault);
#else
  return seen_signal == signal && (code == ANY_SIGNAL_CODE ? seen_code > 0 : seen_code == code);
#endif
}

/* Whether the numbers that say who reported a fault are the right ones here. */
static int right_reporter(int signal, int code, int seen_signal, int seen_code, int seen_exception) {
  const struct exception_t *const exception = exception_for(signal, code);
  wasmtrap_backend_t backend = WASMTRAP_BACKEND_AUTO;
  must(wasmtrap_backend(&backend) == WASMTRAP_OK);
  const int may_be_exception = backend == WASMTRAP_BACKEND_MACH_PORTS && exception != NULL;
  if (may_be_exception && seen_exception == exception->number) return seen_signal == 0 && seen_code == 0;
  if (may_be_exception && exception_ports() != PORTS_GET_MOST) return 0;
  return seen_exception == 0 && right_signal(signal, code, seen_signal, seen_code);
}

static int right_exception_codes(int signal, int code, const wasmtrap_trap_t *trap) {
  if (trap->exception == 0) return trap->exception_code_count == 0;
  const struct exception_t *const exception = exception_for(signal, code);
  int64_t second_code = 0;
  if (exception->second_code == FAULT_ADDRESS) second_code = (int64_t)trap->fault_address;
  if (exception->second_code == PROGRAM_COUNTER) second_code = (int64_t)trap->pc;
  return trap->exception_code_count == 2 && trap->exception_codes[0] == exception->first_code &&
         trap->exception_codes[1] == second_code;
}

int host_reported_by(int signal, int code, const wasmtrap_trap_t *trap, const char *file, int line) {
  const int good = right_reporter(signal, code, trap->signal, trap->signal_code, trap->exception) &&
                   right_exception_codes(signal, code, trap);
  tap_check(good, file, line, "the record tells who reported the fault");
  if (!good) {
    tap_note("signal %d, code %d; exception %d, %u codes: %#llx, %#llx", trap->signal, trap->signal_code,
             trap->exception, trap->exception_code_count, (unsigned long long)trap->exception_codes[0],
             (unsigned long long)trap->exception_codes[1]);
  }
  return good;
}

int host_handler_told_of(int signal, int code, const wasmtrap_fault_t *fault, const char *file, int line) {
  const int good = right_reporter(signal, code, fault->signal, fault->signal_code, fault->exception);
  tap_check(good, file, line, "the handler is told who reported the fault");
  if (!good) tap_note("signal %d, code %d; exception %d", fault->signal, fault->signal_code, fault->exception);
  return good;
}

static wasmtrap_access_t told_by_exception(wasmtrap_access_t access) {
  return access == WASMTRAP_ACCESS_EXECUTE ? access : WASMTRAP_ACCESS_UNKNOWN;
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

wasmtrap_access_t if_told(int exception, wasmtrap_access_t access) {
  if (exception != 0) return told_by_exception(access);
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
wasmtrap_access_t if_told(int exception, wasmtrap_access_t access) {
  return exception != 0 ? told_by_exception(access) : access;
}
#endif
#endif

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

unsigned long attached_threads(void) {
  static const char words[] = "threads attached: ";
  char *const text = described();
  const char *const found = strstr(text, words);
  must(found != NULL);
  const unsigned long count = strtoul(found + strlen(words), NULL, 10);
  free(text);
  return count;
}
