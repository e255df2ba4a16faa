/* The calls for clients refuse what they cannot use, by name and value, and change nothing. */
#include <string.h>

#include "host.h"
#include "refusal.h"

static wasmtrap_verdict_t forward(wasmtrap_fault_t *fault, void *user) {
  (void)fault;
  (void)user;
  return WASMTRAP_VERDICT_FORWARD;
}

static void access_of_the_last(void *unused) {
  (void)unused;
  wasmtrap_guest_access_t access;
  remember_state();
  refused(wasmtrap_guest_access_begin(UINT32_MAX, &access), WASMTRAP_ERR_UNKNOWN_ID, "client 4294967295", NULL,
          "an access for it");
}

static void refuse_open(wasmtrap_client_desc_t desc, wasmtrap_status_t status, const char *argument, const char *value,
                        const char *name) {
  wasmtrap_client_t client;
  fill(&client, sizeof client);
  refused(wasmtrap_client_open(&desc, &client), status, argument, value, name);
  ok(untouched(&client, sizeof client), "%s: the output is untouched", name);
}

int main(void) {
  remember_state();
  const wasmtrap_client_desc_t good = {.struct_size = sizeof good, .name = "engine"};
  wasmtrap_client_desc_t desc = good;
  wasmtrap_client_t client = 0;
  refused(wasmtrap_client_open(NULL, &client), WASMTRAP_ERR_INVALID_ARGUMENT, "desc", "NULL", "no description");
  refused(wasmtrap_client_open(&good, NULL), WASMTRAP_ERR_INVALID_ARGUMENT, "client", "NULL", "no output");
  desc.struct_size = sizeof desc + 8;
  refuse_open(desc, WASMTRAP_ERR_STRUCT_SIZE, "desc->struct_size", "32", "a wrong size");
  desc = good;
  desc.name = NULL;
  refuse_open(desc, WASMTRAP_ERR_INVALID_ARGUMENT, "desc->name", "NULL", "no name");
  desc.name = "";
  refuse_open(desc, WASMTRAP_ERR_INVALID_ARGUMENT, "desc->name", "empty", "an empty name");
  desc = good;
  wasmtrap_options_t options = {.struct_size = 1};
  desc.options = &options;
  refuse_open(desc, WASMTRAP_ERR_STRUCT_SIZE, "desc->options->struct_size", "1", "options of a wrong size");
  options = (wasmtrap_options_t){.struct_size = sizeof options, .fault_kinds = 0x100};
  refuse_open(desc, WASMTRAP_ERR_INVALID_ARGUMENT, "fault_kinds", "0x100", "an unknown kind of fault");

  refused(wasmtrap_client_close(WASMTRAP_CLIENT_DEFAULT), WASMTRAP_ERR_INVALID_ARGUMENT, "client is 0",
          "wasmtrap_shutdown", "the default client");
  refused(wasmtrap_client_close(5), WASMTRAP_ERR_UNKNOWN_ID, "client 5", NULL, "one that was never opened");
  refused(wasmtrap_client_close(UINT32_MAX), WASMTRAP_ERR_UNKNOWN_ID, "client 4294967295", NULL, "the last number");
  refused(wasmtrap_client_set_fault_handler(5, forward, NULL, 0), WASMTRAP_ERR_UNKNOWN_ID, "client 5", NULL,
          "a handler of no client");
  refused(wasmtrap_client_set_fault_handler(0, forward, NULL, 0), WASMTRAP_ERR_NOT_INITIALIZED, "wasmtrap_init", NULL,
          "a handler of the default client, which is not open");

  must(wasmtrap_client_open(&good, &client) == WASMTRAP_OK);
  remember_state();
  refused(wasmtrap_client_set_fault_handler(client, forward, NULL, 2), WASMTRAP_ERR_INVALID_ARGUMENT, "flags", "0x2",
          "an unknown flag");
  uint64_t id = 0;
  wasmtrap_code_desc_t code = {.struct_size = sizeof code, .start = wasm_load.start, .length = wasm_load.length};
  refused(wasmtrap_code_register(&code, &id), WASMTRAP_ERR_NOT_INITIALIZED, "wasmtrap_init", NULL,
          "code of the default client, which is not open");
  code.client = client + 1;
  refused(wasmtrap_code_register(&code, &id), WASMTRAP_ERR_UNKNOWN_ID, "client 2", NULL, "code of no client");
  code.client = client;
  code.fault_kinds = WASMTRAP_FAULT_BREAKPOINT;
  refused(wasmtrap_code_register(&code, &id), WASMTRAP_ERR_INVALID_ARGUMENT, "desc->fault_kinds", "0x8",
          "a kind that the client does not take");
  wasmtrap_region_desc_t region = {.struct_size = sizeof region, .base = &id, .length = 8, .client = client + 1};
  refused(wasmtrap_region_register(&region, &id), WASMTRAP_ERR_UNKNOWN_ID, "client 2", NULL, "a region of no client");
  /* The last number is one less than that of the places that are free. */
  region.client = UINT32_MAX;
  refused(wasmtrap_region_register(&region, &id), WASMTRAP_ERR_UNKNOWN_ID, "client 4294967295", NULL,
          "a region of the last number");
  const wasmtrap_code_desc_t code_of_the_last = {
      .struct_size = sizeof code, .start = code.start, .length = code.length, .client = UINT32_MAX};
  refused(wasmtrap_code_register(&code_of_the_last, &id), WASMTRAP_ERR_UNKNOWN_ID, "client 4294967295", NULL,
          "code of it");
  const void *page = NULL;
  refused(wasmtrap_poll_page_open(UINT32_MAX, WASMTRAP_CODE_INTERRUPT, &page), WASMTRAP_ERR_UNKNOWN_ID,
          "client 4294967295", NULL, "a page of it");
  refused(wasmtrap_client_set_fault_handler(UINT32_MAX, forward, NULL, 0), WASMTRAP_ERR_UNKNOWN_ID,
          "client 4294967295", NULL, "a handler of it");
  wasmtrap_call(access_of_the_last, NULL, NULL);

  must(wasmtrap_client_close(client) == WASMTRAP_OK);
  remember_state();
  refused(wasmtrap_client_close(client), WASMTRAP_ERR_UNKNOWN_ID, "client 1", NULL, "one that was closed");
  code.fault_kinds = 0;
  refused(wasmtrap_code_register(&code, &id), WASMTRAP_ERR_UNKNOWN_ID, "client 1", NULL, "code of one that was closed");

  wasmtrap_client_t clients[WASMTRAP_MAX_CLIENTS];
  for (size_t index = 0; index < WASMTRAP_MAX_CLIENTS; index++) {
    must(wasmtrap_client_open(&good, &clients[index]) == WASMTRAP_OK);
  }
  remember_state();
  refuse_open(good, WASMTRAP_ERR_LIMIT, "64 clients", NULL, "one too many");
  refused(wasmtrap_init(NULL), WASMTRAP_ERR_LIMIT, "64 clients", NULL, "the default client as well");
  for (size_t index = 0; index < WASMTRAP_MAX_CLIENTS; index++) {
    must(wasmtrap_client_close(clients[index]) == WASMTRAP_OK);
  }
  return tap_done();
}
