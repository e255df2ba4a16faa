/* A region with WASMTRAP_REGION_ANY_PC makes no trap of a fault of the host's unless all that is asked for is there:
 * a protected call, a mark in that very call, for the region's own client, and a fault of the kernel's making. */
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host.h"
#include "process.h"

static unsigned char *page;
static wasmtrap_client_t other;

static void register_page(uint32_t flags, wasmtrap_client_t client) {
  wasmtrap_region_desc_t desc = {0};
  desc.struct_size = sizeof desc;
  desc.base = page;
  desc.length = page_size();
  desc.flags = flags;
  desc.client = client;
  uint64_t id;
  must(wasmtrap_region_register(&desc, &id) == WASMTRAP_OK);
}

static void set_up(void *with_another_client) {
  host_init();
  const wasmtrap_client_desc_t desc = {.struct_size = sizeof desc, .name = "another"};
  if (with_another_client != NULL) must(wasmtrap_client_open(&desc, &other) == WASMTRAP_OK);
}

static void touch(void) { *(volatile unsigned char *)(page + 16); }

static void begin(void) { must(wasmtrap_guest_access_begin(WASMTRAP_CLIENT_DEFAULT, NULL) == WASMTRAP_OK); }

static void marked_touch(void *unused) {
  (void)unused;
  begin();
  touch();
}

static void unmarked_touch(void *unused) {
  (void)unused;
  touch();
}

static void without_a_mark(void *unused) {
  set_up(unused);
  register_page(WASMTRAP_REGION_ANY_PC, 0);
  wasmtrap_call(unmarked_touch, NULL, NULL);
}

static void end_and_touch(void *unused) {
  (void)unused;
  wasmtrap_guest_access_t access;
  must(wasmtrap_guest_access_begin(WASMTRAP_CLIENT_DEFAULT, &access) == WASMTRAP_OK);
  must(wasmtrap_guest_access_end(&access) == WASMTRAP_OK);
  touch();
}

static void after_the_end(void *unused) {
  set_up(unused);
  register_page(WASMTRAP_REGION_ANY_PC, 0);
  wasmtrap_call(end_and_touch, NULL, NULL);
}

static void without_the_flag(void *unused) {
  set_up(unused);
  register_page(0, 0);
  wasmtrap_call(marked_touch, NULL, NULL);
}

static void of_another_client(void *unused) {
  (void)unused;
  set_up(page);
  register_page(WASMTRAP_REGION_ANY_PC, other);
  wasmtrap_call(marked_touch, NULL, NULL);
}

static void outside_of_a_call(void *unused) {
  set_up(unused);
  register_page(WASMTRAP_REGION_ANY_PC, 0);
  must(wasmtrap_call(marked_touch, NULL, NULL) == WASMTRAP_TRAPPED);
  touch();
}

static void call_within_a_mark(void *unused) {
  (void)unused;
  begin();
  wasmtrap_call(unmarked_touch, NULL, NULL);
}

static void in_an_inner_call(void *unused) {
  set_up(unused);
  register_page(WASMTRAP_REGION_ANY_PC, 0);
  wasmtrap_call(call_within_a_mark, NULL, NULL);
}

static void call_again(void *unused) {
  (void)unused;
  wasmtrap_call(marked_touch, NULL, NULL);
}

static void in_the_next_call(void *unused) {
  set_up(unused);
  register_page(WASMTRAP_REGION_ANY_PC, 0);
  /* In the same place. */
  must(wasmtrap_call(marked_touch, NULL, NULL) == WASMTRAP_TRAPPED);
  must(wasmtrap_call(call_again, NULL, NULL) == WASMTRAP_OK);
  wasmtrap_call(unmarked_touch, NULL, NULL);
}

static void *thread(void *unused) {
  touch();
  return unused;
}

static void start_a_thread(void *unused) {
  begin();
  pthread_t other_thread;
  must(pthread_create(&other_thread, NULL, thread, unused) == 0);
  pthread_join(other_thread, NULL);
}

static void on_another_thread(void *unused) {
  set_up(unused);
  register_page(WASMTRAP_REGION_ANY_PC, 0);
  wasmtrap_call(start_a_thread, NULL, NULL);
}

static void touch_elsewhere(void *unused) {
  (void)unused;
  begin();
  volatile const uintptr_t address = 16;
  *(volatile unsigned char *)address;
}

static void elsewhere(void *unused) {
  set_up(unused);
  register_page(WASMTRAP_REGION_ANY_PC, 0);
  wasmtrap_call(touch_elsewhere, NULL, NULL);
}

static void send(void *unused) {
  (void)unused;
  begin();
#if defined(_WIN32)
  raise(SIGSEGV);
#else
  kill(getpid(), SIGSEGV);
  for (;;) pause();
#endif
}

static void a_signal_that_was_sent(void *unused) {
  set_up(unused);
  register_page(WASMTRAP_REGION_ANY_PC, 0);
  wasmtrap_call(send, NULL, NULL);
}

static void jump_there(void *unused) {
  begin();
  void (*volatile const function)(void *) = (void (*)(void *))(uintptr_t)page;
  function(unused);
}

static void a_fetch(void *unused) {
  set_up(unused);
  register_page(WASMTRAP_REGION_ANY_PC, 0);
  wasmtrap_call(jump_there, NULL, NULL);
}

static void after_unregistering(void *unused) {
  set_up(unused);
  register_page(WASMTRAP_REGION_ANY_PC, 0);
  must(wasmtrap_call(marked_touch, NULL, NULL) == WASMTRAP_TRAPPED);
  must(wasmtrap_region_unregister_at(page) == WASMTRAP_OK);
  wasmtrap_call(marked_touch, NULL, NULL);
}

static void what_is_asked_for(void *unused) {
  set_up(unused);
  register_page(WASMTRAP_REGION_ANY_PC, 0);
  same(wasmtrap_call(marked_touch, NULL, NULL), WASMTRAP_TRAPPED, "a trap");
}

int main(void) {
  page = inaccessible_page();
  child_passes(what_is_asked_for, NULL, "with all that is asked for it is a trap");
  child_dies_of(SIGSEGV, without_a_mark, NULL, "without a mark");
  child_dies_of(SIGSEGV, after_the_end, NULL, "after the mark's end");
  child_dies_of(SIGSEGV, without_the_flag, NULL, "in a region without the flag");
  child_dies_of(SIGSEGV, of_another_client, NULL, "in another client's region");
  child_dies_of(SIGSEGV, outside_of_a_call, NULL, "outside of a protected call");
  child_dies_of(SIGSEGV, in_an_inner_call, NULL, "in an inner call, whose caller has the mark");
  child_dies_of(SIGSEGV, in_the_next_call, NULL, "in a later call, where one with a mark was");
  child_dies_of(SIGSEGV, on_another_thread, NULL, "on another thread");
  child_dies_of(SIGSEGV, elsewhere, NULL, "at another address");
  child_dies_of(SIGSEGV, a_signal_that_was_sent, NULL, "a signal that a process has sent");
  child_dies_of(SIGSEGV, a_fetch, NULL, "a jump into the region");
  child_dies_of(SIGSEGV, after_unregistering, NULL, "after the region was unregistered");
  return tap_done();
}
