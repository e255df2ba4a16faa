/*
 * Every call that needs memory is made again and again, with each of its allocations failing once: the answer is
 * WASMTRAP_ERR_NO_MEMORY, nothing has changed, and the call that gets its memory works.
 */
#include <pthread.h>

#include "host.h"
#include "process.h"
#include "refusal.h"
#include "scarce_memory.h"

typedef struct attempt_t {
  const char *name;
  wasmtrap_status_t (*call)(void *output);
  void (*undo)(void *output);
} attempt_t;

static unsigned char *pages;

static wasmtrap_status_t attach(void *unused) {
  (void)unused;
  return wasmtrap_thread_attach();
}
static void detach(void *unused) {
  (void)unused;
  must(wasmtrap_thread_detach() == WASMTRAP_OK);
}

static int runs;
static void count_runs(void *unused) {
  (void)unused;
  runs++;
}
static wasmtrap_status_t call(void *unused) {
  (void)unused;
  return wasmtrap_call(count_runs, NULL, NULL);
}

static wasmtrap_status_t register_code(void *id) {
  const wasmtrap_site_t sites[] = {{0, 1}, {4, 2}, {8, 3}};
  wasmtrap_code_desc_t desc = {0};
  desc.struct_size = sizeof desc;
  desc.start = pages;
  desc.length = page_size();
  desc.sites = sites;
  desc.site_count = 3;
  return wasmtrap_code_register(&desc, id);
}
static void unregister_code(void *id) { must(wasmtrap_code_unregister(*(const uint64_t *)id) == WASMTRAP_OK); }

static wasmtrap_status_t register_region(void *id) {
  wasmtrap_region_desc_t desc = {0};
  desc.struct_size = sizeof desc;
  desc.base = pages;
  desc.length = page_size();
  return wasmtrap_region_register(&desc, id);
}
static void unregister_region(void *id) { must(wasmtrap_region_unregister(*(const uint64_t *)id) == WASMTRAP_OK); }

static wasmtrap_verdict_t forward(wasmtrap_fault_t *fault, void *user) {
  (void)fault;
  (void)user;
  return WASMTRAP_VERDICT_FORWARD;
}
static wasmtrap_status_t set_handler(void *unused) {
  (void)unused;
  return wasmtrap_set_fault_handler(forward, NULL);
}
static void remove_handler(void *unused) {
  (void)unused;
  must(wasmtrap_set_fault_handler(NULL, NULL) == WASMTRAP_OK);
}

static wasmtrap_status_t attach_chain(void *unused) {
  (void)unused;
  return wasmtrap_chain_attach(NULL, NULL);
}

/* Fails one allocation after the other, until the call does not come to the one that would fail. */
static void starve(const attempt_t *attempt) {
  uint64_t output;
  int refusals = 0, all_refused = 1;
  for (int spared = 0;; spared++) {
    fill(&output, sizeof output);
    remember_state();
    runs = 0;
    memory_fails_after(spared);
    const wasmtrap_status_t status = attempt->call(&output);
    const int failed = memory_is_enough();
    if (!failed) {
      same(status, WASMTRAP_OK, "%s: with all its memory it works", attempt->name);
      break;
    }
    /* Memory that the library can do without may be missing. */
    if (status == WASMTRAP_OK) {
      attempt->undo(&output);
      continue;
    }
    refusals++;
    all_refused &= refused(status, WASMTRAP_ERR_NO_MEMORY, NULL, NULL, attempt->name) &&
                   ok(untouched(&output, sizeof output) && runs == 0, "... and nothing was done");
    must(spared < 1000);
  }
  ok(refusals > 0 && all_refused, "%s: refused %d times before", attempt->name, refusals);
  attempt->undo(&output);
}

static void *starve_attachments(void *unused) {
  static const attempt_t attempts[] = {
      {"wasmtrap_thread_attach", attach, detach},
      {"wasmtrap_call", call, detach},
      {"wasmtrap_chain_attach", attach_chain, detach},
  };
  for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++) starve(&attempts[i]);
  return unused;
}

static void starve_all(void *unused) {
  host_init();
  static const attempt_t attempts[] = {
      {"wasmtrap_code_register", register_code, unregister_code},
      {"wasmtrap_region_register", register_region, unregister_region},
      {"wasmtrap_set_fault_handler", set_handler, remove_handler},
  };
  for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++) starve(&attempts[i]);
  starve_attachments(unused);
  pthread_t thread;
  must(pthread_create(&thread, NULL, starve_attachments, NULL) == 0);
  must(pthread_join(thread, NULL) == 0);
  ok(library_traps(), "a trap is a trap");
}

static void starve_init(void *unused) {
  (void)unused;
  for (int spared = 0;; spared++) {
    remember_state();
    memory_fails_after(spared);
    const wasmtrap_status_t status = wasmtrap_init(NULL);
    const int failed = memory_is_enough();
    if (status == WASMTRAP_OK) {
      ok(library_traps(), "wasmtrap_init: it has worked in the end");
      if (!failed) break;
      must(wasmtrap_shutdown() == WASMTRAP_OK);
    } else {
      refused(status, WASMTRAP_ERR_NO_MEMORY, NULL, NULL, "wasmtrap_init");
    }
    must(spared < 1000);
  }
}

/* Without memory even for the sentence. */
static void starve_the_sentence(void *unused) {
  (void)unused;
  memory_fails_after(0);
  const wasmtrap_status_t status = wasmtrap_shutdown();
  memory_is_enough();
  same(status, WASMTRAP_ERR_NOT_INITIALIZED, "the status is the same without memory for a sentence");
  ok(wasmtrap_last_error() != NULL, "and asking for it is harmless");
}

int main(void) {
  pages = inaccessible_page();
  child_passes(starve_init, NULL, "wasmtrap_init");
  child_passes(starve_all, NULL, "all calls that need memory");
  child_passes(starve_the_sentence, NULL, "an error");
  return tap_done();
}
