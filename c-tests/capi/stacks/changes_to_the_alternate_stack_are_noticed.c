/* A thread's alternate signal stack is the host's to change. One that was disabled, or replaced by one that is too
 * small, is noticed: wasmtrap_check and wasmtrap_describe tell, and wasmtrap_thread_attach mends it. Whatever the
 * thread had before is put back only as long as it is the host's last word. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "handlers.h"
#include "host.h"
#include "mapping.h"

static stack_t now(void) {
  stack_t stack;
  must(sigaltstack(NULL, &stack) == 0);
  return stack;
}

static void set(void *memory, size_t size) {
  const stack_t stack = {.ss_sp = memory, .ss_size = size};
  must(sigaltstack(&stack, NULL) == 0);
}

static void disable(void) {
  const stack_t none = {.ss_flags = SS_DISABLE};
  must(sigaltstack(&none, NULL) == 0);
}

static int overflows(void) {
  wasm_access_t access = {0, 0};
  wasmtrap_trap_t trap;
  return host_call(&wasm_recurse, &access, &trap) == WASMTRAP_TRAPPED && trap.code == WASMTRAP_CODE_STACK_OVERFLOW;
}

static uint32_t check(void) {
  uint32_t found = ~(uint32_t)0;
  must(wasmtrap_check(&found) == WASMTRAP_OK);
  return found;
}

static int is_described(const char *words) {
  char *const text = described();
  const int found = strstr(text, words) != NULL;
  free(text);
  return found;
}

static int described_as_changed(void) { return is_described("changed since the thread was attached"); }

/* Whose stack it is, and which. */
static int described_as(const char *whose) {
  const stack_t stack = now();
  char words[160];
  snprintf(words, sizeof words, "this thread's alternate signal stack: %s, %zu bytes at %#zx\n", whose, stack.ss_size,
           (size_t)stack.ss_sp);
  return is_described(words);
}

static unsigned char small[64 * 1024], larger[2 * 1024 * 1024];
/* Of the alternate stack that the library makes. */
static size_t librarys_size;

static void *disabled(void *unused) {
  (void)unused;
  ok(is_described("this thread's alternate signal stack: none; the thread gets one"), "before there is none");
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  same(check(), 0, "after attaching there is nothing to tell");
  ok(!described_as_changed(), "... nor to describe");
  ok(described_as("the library's"), "... but whose it is");
  disable();
  same(check(), WASMTRAP_CHECK_ALTERNATE_STACK, "disabled since: wasmtrap_check tells");
  ok(described_as_changed(), "... and so does the description");
  ok(is_described("this thread's alternate signal stack: none; too small"), "... that there is none");
  const wasmtrap_client_desc_t desc = {.struct_size = sizeof desc, .name = "late"};
  wasmtrap_client_t client = 0;
  must(wasmtrap_client_open(&desc, &client) == WASMTRAP_OK);
  ok(library_traps() && (now().ss_flags & SS_DISABLE) != 0, "... which nothing but attaching changes");
  must(wasmtrap_client_close(client) == WASMTRAP_OK);
  same(wasmtrap_thread_attach(), WASMTRAP_OK, "attach again");
  same(check(), 0, "... mends it");
  ok(overflows(), "... and a stack overflow is caught");
  same(wasmtrap_thread_detach(), WASMTRAP_OK, "detach");
  ok((now().ss_flags & SS_DISABLE) != 0, "... leaves none, as before");
  return NULL;
}

/* Disabled, and not mended: that was the host's last word. */
static void *disabled_to_the_end(void *own) {
  if (own != NULL) set(own, smallest_signal_stack());
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  const void *const librarys = now().ss_sp;
  ok(librarys != own && is_mapped(librarys), "attached on a stack of the library's");
  disable();
  same(wasmtrap_thread_detach(), WASMTRAP_OK, "disabled since: detach");
  ok((now().ss_flags & SS_DISABLE) != 0, "... leaves none");
  ok(!is_mapped(librarys), "... and the library's is freed");
  return NULL;
}

static void *shrunk(void *unused) {
  (void)unused;
  const size_t smallest = smallest_signal_stack();
  must(smallest <= sizeof small);
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  set(small, smallest);
  same(check(), WASMTRAP_CHECK_ALTERNATE_STACK, "replaced by a small one: wasmtrap_check tells");
  ok(described_as_changed(), "... and so does the description");
  same(wasmtrap_thread_attach(), WASMTRAP_OK, "attach again");
  ok(now().ss_sp != small && check() == 0, "... mends it");
  ok(overflows(), "... and a stack overflow is caught");
  same(wasmtrap_thread_detach(), WASMTRAP_OK, "detach");
  ok(now().ss_sp == small && now().ss_size == smallest, "... puts the small one back, which was there last");
  return NULL;
}

/* What the library would map itself is big enough, and nothing below it is. */
static void *as_big_as_the_librarys(void *unused) {
  (void)unused;
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  librarys_size = now().ss_size;
  must(librarys_size <= sizeof larger);
  ok(librarys_size >= 2 * smallest_signal_stack(), "the library's own has room for two of the kernel's frames");
  must(wasmtrap_thread_detach() == WASMTRAP_OK);
  set(larger, librarys_size);
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  ok(now().ss_sp == larger, "a stack as large as the library's own is kept");
  ok(described_as("the host's"), "... and described as the host's");
  must(wasmtrap_thread_detach() == WASMTRAP_OK);
  const size_t common[] = {8 * 1024, 16 * 1024, 24 * 1024};
  for (size_t i = 0; i < sizeof common / sizeof *common; i++) {
    if (common[i] < smallest_signal_stack()) continue;
    set(larger, common[i]);
    must(wasmtrap_thread_attach() == WASMTRAP_OK);
    ok(now().ss_sp != larger, "one of %zu bytes is not", common[i]);
    must(wasmtrap_thread_detach() == WASMTRAP_OK);
    ok(now().ss_sp == larger && now().ss_size == common[i], "... and put back by detaching");
  }
  return NULL;
}

static volatile int handled;

static void run_wasm(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)info;
  (void)context;
  handled = library_traps() && now().ss_sp == larger && library_traps();
}

/* The kernel lets nobody change a stack that is in use: it will do until the handler has returned. */
static void *attached_on_a_small_one(void *unused) {
  (void)unused;
  const size_t size = smallest_signal_stack() + 16 * 1024;
  must(size < librarys_size);
  set(larger, size);
  install_handler(SIGUSR1, run_wasm, SA_ONSTACK);
  raise(SIGUSR1);
  ok(handled, "traps in a handler on a stack that is less than the library would map");
  ok(now().ss_sp == larger, "... which is still in place");
  ok(library_traps() && now().ss_sp != larger, "the next call after it replaces it");
  ok(overflows(), "... and a stack overflow is caught");
  return NULL;
}

static volatile wasmtrap_status_t attached;
static volatile int names_the_call;

static void attach_there(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)info;
  (void)context;
  attached = wasmtrap_thread_attach();
  names_the_call = strstr(wasmtrap_last_error(), "sigaltstack") != NULL;
}

/* One on which there is little more room than for the kernel's own frame is of no use, not even for the moment. It is
 * as much as it takes to see that: the thread is attached before. (Where there is Mach it takes more.) */
static void *attached_on_one_that_is_of_no_use(void *unused) {
  (void)unused;
  if (exception_ports() != NO_MACH) {
    tap_skip("the library would run over it", "attached in a handler on a stack that is of no use");
    return NULL;
  }
  unsigned char *const memory = larger + sizeof larger / 2;
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  set(memory, smallest_signal_stack() + 4000);
  install_handler(SIGUSR1, attach_there, SA_ONSTACK);
  raise(SIGUSR1);
  same(attached, WASMTRAP_ERR_SYSTEM, "attached in a handler on a stack that is of no use: refused");
  ok(names_the_call, "... with a sentence that names the system call");
  ok(now().ss_sp == memory, "... and the stack is still in place");
  same(wasmtrap_thread_attach(), WASMTRAP_OK, "after the handler the thread is attached");
  ok(now().ss_sp != memory && overflows(), "... on another stack");
  return NULL;
}

/* The host frees its stack at the thread's end, before the library's destructor runs. */
static pthread_key_t late_key;
static unsigned char *hosts_stack;
static volatile int rounds, freed_one_is_registered;
enum { DESTRUCTOR_ROUNDS = 4 };

static void on_thread_end(void *value) {
  const stack_t stack = now();
  if ((stack.ss_flags & SS_DISABLE) == 0 && stack.ss_sp == hosts_stack) freed_one_is_registered = 1;
  if (++rounds < DESTRUCTOR_ROUNDS) must(pthread_setspecific(late_key, value) == 0);
}

static void *frees_its_own(void *disables) {
  const size_t size = smallest_signal_stack();
  hosts_stack = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  must(hosts_stack != MAP_FAILED);
  set(hosts_stack, size);
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  ok(now().ss_sp != hosts_stack, "a small stack is replaced");
  must(pthread_setspecific(late_key, hosts_stack) == 0);
  if (disables != NULL) disable();
  must(munmap(hosts_stack, size) == 0);
  return NULL;
}

static void on_a_thread(void *(*function)(void *), void *argument) {
  pthread_t thread;
  must(pthread_create(&thread, NULL, function, argument) == 0);
  must(pthread_join(thread, NULL) == 0);
}

int main(void) {
  host_init();
  host_register_code(&wasm_recurse);
  must(pthread_key_create(&late_key, on_thread_end) == 0);
  on_a_thread(disabled, NULL);
  on_a_thread(disabled_to_the_end, NULL);
  on_a_thread(disabled_to_the_end, small);
  on_a_thread(shrunk, NULL);
  on_a_thread(as_big_as_the_librarys, NULL);
  on_a_thread(attached_on_a_small_one, NULL);
  on_a_thread(attached_on_one_that_is_of_no_use, NULL);
  for (int disables = 0; disables < 2; disables++) {
    rounds = freed_one_is_registered = 0;
    on_a_thread(frees_its_own, disables ? &late_key : NULL);
    same(rounds, DESTRUCTOR_ROUNDS, "destructors ran after the library's");
    ok(!freed_one_is_registered, "and did not find the stack that the host had freed");
  }
  return tap_done();
}
