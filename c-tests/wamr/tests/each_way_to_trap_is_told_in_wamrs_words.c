/* Each way in which WebAssembly can trap is told in WAMR's words, and the guest goes on after each. What the processor
 * notices comes through the library, which is asked about each such fault. So it is on every thread. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"
#include "wamr_host.h"
#include "wasmtrap.h"

enum { ROUNDS = 5 };

static struct way {
  const char *name, *words;
  /* When it is a fault. Code compiled ahead of time ends the guest by touching a page that nobody may touch. */
  enum { NEVER, AHEAD_OF_TIME, ALWAYS } is_a_fault;
} ways[] = {
    {"reach_the_unreachable", "unreachable", AHEAD_OF_TIME},
    {"load_past_the_end", "out of bounds memory access", ALWAYS},
    {"load_across_the_end", "out of bounds memory access", ALWAYS},
    {"load_with_a_high_offset", "out of bounds memory access", ALWAYS},
    {"load_from_minus_one", "out of bounds memory access", ALWAYS},
    {"store_past_the_end", "out of bounds memory access", ALWAYS},
    {"store_at_the_very_end", "out of bounds memory access", ALWAYS},
    {"store_past_by_offset", "out of bounds memory access", ALWAYS},
    {"fill_past_the_end", "out of bounds memory access", AHEAD_OF_TIME},
    {"copy_past_the_end", "out of bounds memory access", AHEAD_OF_TIME},
    {"init_past_the_data", "out of bounds memory access", NEVER},
    {"call_past_the_table", "undefined element", AHEAD_OF_TIME},
    {"call_an_empty_element", "uninitialized element", AHEAD_OF_TIME},
    {"call_with_a_wrong_type", "indirect call type mismatch", AHEAD_OF_TIME},
    {"get_past_the_table", "out of bounds table access", AHEAD_OF_TIME},
    {"set_past_the_table", "out of bounds table access", AHEAD_OF_TIME},
    {"fill_past_the_table", "out of bounds table access", AHEAD_OF_TIME},
    {"copy_past_the_table", "out of bounds table access", AHEAD_OF_TIME},
    {"init_past_the_elements", "out of bounds table access", AHEAD_OF_TIME},
    {"divide_by_zero", "integer divide by zero", AHEAD_OF_TIME},
    {"remainder_by_zero", "integer divide by zero", AHEAD_OF_TIME},
    {"divide_min_by_minus_one", "integer overflow", AHEAD_OF_TIME},
    {"convert_too_large", "integer overflow", AHEAD_OF_TIME},
    {"convert_nan", "invalid conversion to integer", AHEAD_OF_TIME},
    {"ask_for_a_refusal", "refused", AHEAD_OF_TIME},
    /* The interpreters have a stack of their own for the guest. */
    {"recurse_for_ever", "wasm operand stack overflow", AHEAD_OF_TIME},
};
enum { WAYS = sizeof ways / sizeof *ways, RECURSION = WAYS - 1 };

static int ahead_of_time;
static __thread int faults;

static wasmtrap_verdict_t count(wasmtrap_fault_t *fault, void *user) {
  (void)fault;
  (void)user;
  faults++;
  return WASMTRAP_VERDICT_FORWARD;
}

/* Before WAMR, so that it is asked before WAMR: that does not come back from what it takes. */
static void count_faults(void) {
  wasmtrap_client_desc_t desc;
  wasmtrap_client_t client;
  memset(&desc, 0, sizeof desc);
  desc.struct_size = sizeof desc;
  desc.name = "counting";
  must(wasmtrap_client_open(&desc, &client) == WASMTRAP_OK);
  must(wasmtrap_client_set_fault_handler(client, count, NULL, WASMTRAP_HANDLER_ANY_FAULT) == WASMTRAP_OK);
}

static void *trap(void *thread) {
  guest_t guest = guest_new("traps");
  for (int i = 0; i < WAYS; i++) {
    const struct way *way = &ways[i];
    char expected[64];
    int good = 0, gone_on = 0;
    snprintf(expected, sizeof expected, "Exception: %s", way->words);
    faults = 0;
    for (int round = 0; round < ROUNDS; round++) {
      const char *words = guest_call(&guest, way->name, 0);
      good += words != NULL && strcmp(words, expected) == 0;
      if (round == 0) same_text(words, expected, "%s: %s", (const char *)thread, way->name);
      gone_on += guest_call(&guest, "go_on", 0) == NULL;
    }
    same(good, ROUNDS, "%s: and so each time", (const char *)thread);
    same(gone_on, ROUNDS, "%s: it goes on after it", (const char *)thread);
    const int expected_faults = way->is_a_fault + ahead_of_time >= ALWAYS ? ROUNDS : 0;
    same(faults, expected_faults, "%s: faults that come to the library", (const char *)thread);
  }
  guest_delete(&guest);
  return NULL;
}

static void *on_another_thread(void *thread) {
  must(wasm_runtime_init_thread_env());
  trap(thread);
  wasm_runtime_destroy_thread_env();
  return NULL;
}

int main(void) {
  pthread_t thread;
  if (strcmp(getenv("WAMR_SUFFIX"), "aot") == 0) {
    ahead_of_time = 1;
    /* The guest is on the thread's stack, whose end WAMR guards. */
    ways[RECURSION].words = "native stack overflow";
  }
  count_faults();
  runtime_begin(NULL);
  trap("the main thread");
  must(pthread_create(&thread, NULL, on_another_thread, "another thread") == 0);
  must(pthread_join(thread, NULL) == 0);
  runtime_end();
  return tap_done();
}
