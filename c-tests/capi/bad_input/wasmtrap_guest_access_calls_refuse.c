/* wasmtrap_guest_access_begin and _end refuse what they cannot use, by name and value, and change nothing. */
#include <string.h>

#include "host.h"
#include "refusal.h"

static void refuse_begin(wasmtrap_client_t client, wasmtrap_status_t status, const char *argument, const char *value,
                         const char *name) {
  wasmtrap_guest_access_t access;
  fill(&access, sizeof access);
  refused(wasmtrap_guest_access_begin(client, &access), status, argument, value, name);
  ok(untouched(&access, sizeof access), "%s: the output is untouched", name);
}

static wasmtrap_guest_access_t outer;

static void inner_call(void *unused) {
  (void)unused;
  refused(wasmtrap_guest_access_end(&outer), WASMTRAP_ERR_INVALID_ARGUMENT, "access", "0x", "of the call further out");
}

static void call(void *unused) {
  (void)unused;
  refuse_begin(7, WASMTRAP_ERR_UNKNOWN_ID, "client 7", NULL, "a client that is not open");
  refused(wasmtrap_guest_access_end(NULL), WASMTRAP_ERR_INVALID_ARGUMENT, "access", "NULL", "no access");
  wasmtrap_guest_access_t access;
  memset(&access, 0, sizeof access);
  refused(wasmtrap_guest_access_end(&access), WASMTRAP_ERR_INVALID_ARGUMENT, "access", "0x0", "an empty one");
  same(wasmtrap_guest_access_begin(WASMTRAP_CLIENT_DEFAULT, &outer), WASMTRAP_OK, "a good one");
  same(wasmtrap_call(inner_call, NULL, NULL), WASMTRAP_OK, "an inner call returns");
  same(wasmtrap_guest_access_end(&outer), WASMTRAP_OK, "it is ended where it was begun");
}

int main(void) {
  refuse_begin(0, WASMTRAP_ERR_NOT_INITIALIZED, "wasmtrap_init", NULL, "before wasmtrap_init");
  host_init();
  must(wasmtrap_thread_attach() == WASMTRAP_OK);
  remember_state();
  refuse_begin(0, WASMTRAP_ERR_WRONG_THREAD, "protected call", NULL, "outside of a protected call");
  refused(wasmtrap_guest_access_end(&outer), WASMTRAP_ERR_WRONG_THREAD, "protected call", NULL, "the end, too");
  same(wasmtrap_call(call, NULL, NULL), WASMTRAP_OK, "the call returns");

  const wasmtrap_options_t options = {.struct_size = sizeof options, .fault_kinds = WASMTRAP_FAULT_ILLEGAL};
  const wasmtrap_client_desc_t desc = {.struct_size = sizeof desc, .name = "picky", .options = &options};
  wasmtrap_client_t client;
  must(wasmtrap_client_open(&desc, &client) == WASMTRAP_OK);
  remember_state();
  wasmtrap_region_desc_t region = {.struct_size = sizeof region, .base = &outer, .length = sizeof outer,
                                   .flags = WASMTRAP_REGION_ANY_PC, .client = client};
  uint64_t id;
  fill(&id, sizeof id);
  refused(wasmtrap_region_register(&region, &id), WASMTRAP_ERR_INVALID_ARGUMENT, "WASMTRAP_REGION_ANY_PC", "0x2",
          "a region of a client that takes no memory faults");
  ok(untouched(&id, sizeof id), "... and the id is untouched");
  return tap_done();
}
