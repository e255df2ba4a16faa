/* A signal handler runs with the default rights by protection keys (arch/x86/kernel/signal.c), which allow nothing for
 * all keys but the first. After a trap the thread has its own rights again, by whichever way the handler ended, and the
 * record may lie in memory that the default rights do not reach. A fault for lack of rights is a memory fault.
 *
 * c-tests/x86-64-system runs it where there are keys for certain. */
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "handlers.h"
#include "host.h"
#include "process.h"

#if defined(__linux__) && defined(__x86_64__) && defined(PKEY_DISABLE_WRITE)

static const unsigned rights[] = {0, PKEY_DISABLE_WRITE, PKEY_DISABLE_ACCESS};
static int key;
static unsigned char *page;

static void check(const char *way) {
  for (size_t i = 0; i < sizeof rights / sizeof *rights; i++) {
    must(pkey_set(key, rights[i]) == 0);
    wasmtrap_trap_t trap;
    same(host_load(&wasm_load, page, &trap), WASMTRAP_TRAPPED, "%s: a trap", way);
    same(pkey_get(key), rights[i], "%s: the rights are as before", way);
  }
  must(pkey_set(key, 0) == 0);
}

static struct sigaction below;
static void calls_the_librarys(int signal, siginfo_t *info, void *context) {
  below.sa_sigaction(signal, info, context);
  NOT_A_TAIL_CALL();
}

static wasmtrap_verdict_t answer;
static wasmtrap_verdict_t decide(wasmtrap_fault_t *fault, void *user) {
  (void)user;
  fault->trap_code = WASMTRAP_CODE_USER;
  return answer;
}

static void each_way_out(void *unused) {
  (void)unused;
  host_init();
  host_register_code(&wasm_load);
  check("by the library's handler");
  below = install_handler(SIGSEGV, calls_the_librarys, SA_ONSTACK);
  check("by another's that calls it");
  must(wasmtrap_rearm() == WASMTRAP_OK);
  check("by the library's on top of it");
  answer = WASMTRAP_VERDICT_TRAP;
  must(wasmtrap_set_fault_handler(decide, NULL) == WASMTRAP_OK);
  check("by word of the fault handler");
  answer = WASMTRAP_VERDICT_FORWARD;
  check("left to the tables by the fault handler");
}

static void forwarded(void *unused) {
  (void)unused;
  install_handler(SIGSEGV, mending_handler, SA_ONSTACK);
  host_init();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  for (size_t i = 0; i < sizeof rights / sizeof *rights; i++) {
    must(pkey_set(key, rights[i]) == 0);
    make_inaccessible(page);
    wasm_access_t access = {address_of(page), 1};
    wasm_load.function(&access);
    same(pkey_get(key), rights[i], "the rights are as before after a handler that mends the cause");
  }
}

static void record_in_protected_memory(void *unused) {
  (void)unused;
  host_init();
  host_register_code(&wasm_load);
  unsigned char *const memory = mmap(NULL, page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  must(memory != MAP_FAILED && pkey_mprotect(memory, page_size(), PROT_READ | PROT_WRITE, key) == 0);
  wasmtrap_trap_t *const trap = (wasmtrap_trap_t *)memory;
  *trap = host_new_trap();
  trap->frames = (uintptr_t *)(memory + 2048);
  trap->frames_capacity = 4;
  wasm_access_t access = {address_of(page), 0};
  same(wasmtrap_call(wasm_load.function, &access, trap), WASMTRAP_TRAPPED, "a trap");
  same(trap->code, WASMTRAP_CODE_MEMORY_OUT_OF_BOUNDS, "its code, in memory that no handler reaches");
  same(trap->fault_address, address_of(page), "its address");
  ok(trap->frame_count != 0 && trap->frames[0] == wasm_fault_pc(&wasm_load), "its frames");
}

static unsigned char *page_without_rights(void) {
  unsigned char *const memory = mmap(NULL, page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  must(memory != MAP_FAILED && pkey_mprotect(memory, page_size(), PROT_READ | PROT_WRITE, key) == 0);
  must(pkey_set(key, PKEY_DISABLE_ACCESS) == 0);
  return memory;
}

static void lack_of_rights(void *unused) {
  (void)unused;
  host_init();
  host_register_strict_code(&wasm_load);
  unsigned char *const memory = page_without_rights();
  host_register_region(memory, page_size(), WASMTRAP_CODE_USER + 3);
  wasmtrap_trap_t trap;
  trapped_with(host_load(&wasm_load, memory + 8, &trap), &trap, WASMTRAP_CODE_USER + 3, "in a region");
  same(trap.signal_code, SEGV_PKUERR, "the kernel's code");
  same(trap.fault_address, address_of(memory + 8), "the address");
  same(trap.region_offset, 8, "and where in the region");
}

static void lack_of_rights_elsewhere(void *unused) {
  (void)unused;
  host_init();
  host_register_strict_code(&wasm_load);
  wasmtrap_trap_t trap;
  host_load(&wasm_load, page_without_rights(), &trap);
}

int main(void) {
  if (exception_ports() != NO_MACH) return tap_skip_all("there are no protection keys where there is Mach");
  key = pkey_alloc(0, 0);
#if !defined(HAS_PROTECTION_KEYS)
  if (key < 0) return tap_skip_all("no protection keys on this machine");
#endif
  must(key > 0);
  page = inaccessible_page();
  child_passes(each_way_out, NULL, "rights after each way out");
  child_passes(forwarded, NULL, "rights after an earlier handler");
  child_passes(record_in_protected_memory, NULL, "a record in protected memory");
  child_passes(lack_of_rights, NULL, "a fault for lack of rights in a region");
  child_dies_of(SIGSEGV, lack_of_rights_elsewhere, NULL, "a fault for lack of rights elsewhere");
  return tap_done();
}
#else
int main(void) { return tap_skip_all("protection keys are looked at on Linux on x86-64, with glibc"); }
#endif
