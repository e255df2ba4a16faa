/*
 * The host of adapters/wasmtime, adopted: its programs are linked with --wrap=wasmtime_host_engine_new. The first
 * engine that they make is what installs Wasmtime's handlers.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "wasmtime_host.h"
#include "wasmtrap.h"

wasmtime_host_error_t *__real_wasmtime_host_engine_new(const wasmtime_host_config_t *config,
                                                       wasmtime_host_engine_t **engine);
wasmtime_host_error_t *__wrap_wasmtime_host_engine_new(const wasmtime_host_config_t *config,
                                                       wasmtime_host_engine_t **engine);

static int is_adopted;

static void must(wasmtrap_status_t status) {
  if (status == WASMTRAP_OK) return;
  fprintf(stderr, "%s: %s\n", wasmtrap_status_name(status), wasmtrap_last_error());
  abort();
}

/* Programs make their first engine before any other thread. */
wasmtime_host_error_t *__wrap_wasmtime_host_engine_new(const wasmtime_host_config_t *config,
                                                       wasmtime_host_engine_t **engine) {
  if (is_adopted) return __real_wasmtime_host_engine_new(config, engine);
  must(wasmtrap_init(NULL));
  must(wasmtrap_adopt_begin(0));
  wasmtime_host_error_t *const error = __real_wasmtime_host_engine_new(config, engine);
  struct sigaction wasmtimes, now;
  sigaction(SIGSEGV, NULL, &wasmtimes);
  uint64_t id;
  if (error != NULL) {
    /* Nothing was installed. */
    wasmtrap_adopt_end(0, &id);
    return error;
  }
  must(wasmtrap_adopt_end(0, &id));
  sigaction(SIGSEGV, NULL, &now);
  uint32_t displaced;
  must(wasmtrap_check(&displaced));
  if (displaced != 0 || now.sa_sigaction == wasmtimes.sa_sigaction) abort();
  is_adopted = 1;
  return NULL;
}
