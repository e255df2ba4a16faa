/* A load or store out of bounds is WAMR's trap, as often as it happens, with the kernel's handlers the library's. The
 * thread's signal mask is the same after it: neither more is blocked, nor less. */
#include <signal.h>
#include <string.h>

#include "tap.h"
#include "wamr_host.h"
#include "wasmtrap.h"

static const char *description(void) {
  static char text[8192];
  must(wasmtrap_describe(text, sizeof text, NULL) == WASMTRAP_OK);
  return text;
}

int main(void) {
  sigset_t before, after;
  uint32_t displaced = ~UINT32_C(0);

  runtime_begin(NULL);
  contains(description(), "WAMR", "WAMR is a client of the library's");
  same(wasmtrap_check(&displaced), WASMTRAP_OK, "the library can say whose the handlers are");
  same(displaced, 0, "they are the library's, and the alternate stack is as large as it wants it");

  guest_t guest = guest_new("memory");
  ok(guest_call(&guest, "load", 65535) == NULL, "the last byte can be loaded");
  same_text(guest_call(&guest, "load", 65536), OUT_OF_BOUNDS, "a load past the end traps");
  same_text(guest_call(&guest, "store", -1), OUT_OF_BOUNDS, "a store 4 GiB further up traps");
  ok(guest_call(&guest, "grow", 1) == NULL, "the memory grows");
  ok(guest_call(&guest, "load", 65536) == NULL, "what trapped before can be loaded then");

  must(sigemptyset(&before) == 0 && sigaddset(&before, SIGUSR1) == 0);
  must(pthread_sigmask(SIG_BLOCK, &before, NULL) == 0 && pthread_sigmask(SIG_BLOCK, NULL, &before) == 0);
  int traps = 0;
  for (int i = 0; i < 1000; i++) {
    const char *words = guest_call(&guest, i % 2 ? "load" : "store", 1 << 20);
    traps += words != NULL && strcmp(words, OUT_OF_BOUNDS) == 0 && guest_call(&guest, "load", 0) == NULL;
  }
  same(traps, 1000, "a thousand traps, and a good load after each");
  must(pthread_sigmask(SIG_BLOCK, NULL, &after) == 0);
  int different = 0;
  for (int signal = 1; signal < 64; signal++) different += sigismember(&before, signal) != sigismember(&after, signal);
  same(different, 0, "the signal mask is what it was before the traps");
  guest_delete(&guest);
  runtime_end();
  return tap_done();
}
