/* A page of wasmtrap_poll_page_open is readable until it is taken away; then each load of it is a trap with its code,
 * and when it is given back none is. */
#include "host.h"

int main(void) {
  host_init();
  const wasmtrap_client_desc_t desc = {.struct_size = sizeof desc, .name = "engine"};
  wasmtrap_client_t client;
  must(wasmtrap_client_open(&desc, &client) == WASMTRAP_OK);
  host_register_strict_code(&wasm_load);
  const void *page = NULL, *other = NULL;
  same(wasmtrap_poll_page_open(client, WASMTRAP_CODE_INTERRUPT, &page), WASMTRAP_OK, "a page");
  same(wasmtrap_poll_page_open(WASMTRAP_CLIENT_DEFAULT, WASMTRAP_CODE_USER, &other), WASMTRAP_OK, "another one");
  wasmtrap_trap_t trap;
  for (int i = 0; i < 2; i++) {
    same(host_load(&wasm_load, page, &trap), WASMTRAP_OK, "polling it");
    same(wasmtrap_poll_page_set(page, 1), WASMTRAP_OK, "it is taken away");
    trapped_with(host_load(&wasm_load, page, &trap), &trap, WASMTRAP_CODE_INTERRUPT, "polling it is a trap");
    trapped_with(host_load(&wasm_load, page, &trap), &trap, WASMTRAP_CODE_INTERRUPT, "... again and again");
    same(trap.fault_address, address_of(page), "... at the page");
    same(host_load(&wasm_load, other, &trap), WASMTRAP_OK, "the other page is as it was");
    same(wasmtrap_poll_page_set(page, 0), WASMTRAP_OK, "it is given back");
  }
  same(wasmtrap_poll_page_set(other, 1), WASMTRAP_OK, "the other one is taken away");
  trapped_with(host_load(&wasm_load, other, &trap), &trap, WASMTRAP_CODE_USER, "its code is its own");

  uint64_t id;
  wasmtrap_region_desc_t region = {.struct_size = sizeof region, .base = &trap, .length = sizeof trap};
  must(wasmtrap_region_register(&region, &id) == WASMTRAP_OK);
  const void *bad[] = {NULL, (const unsigned char *)page + 1, &trap, &id};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    same(wasmtrap_poll_page_set(bad[i], 1), WASMTRAP_ERR_NOT_FOUND, "no such page");
    contains(wasmtrap_last_error(), "page is", "... says the error");
    same(wasmtrap_poll_page_close(bad[i]), WASMTRAP_ERR_NOT_FOUND, "... and none to close");
  }
  const void *untouched = &id;
  same(wasmtrap_poll_page_open(client + 5, WASMTRAP_CODE_INTERRUPT, &untouched), WASMTRAP_ERR_UNKNOWN_ID, "no client");
  same(wasmtrap_poll_page_open(client, WASMTRAP_CODE_NONE, &untouched), WASMTRAP_ERR_INVALID_ARGUMENT, "no code");
  same(wasmtrap_poll_page_open(client, WASMTRAP_CODE_INTERRUPT, NULL), WASMTRAP_ERR_INVALID_ARGUMENT, "no output");
  same(address_of(untouched), address_of(&id), "the output is untouched");

  same(wasmtrap_poll_page_close(page), WASMTRAP_OK, "close");
  same(wasmtrap_poll_page_set(page, 0), WASMTRAP_ERR_NOT_FOUND, "it is closed");
  same(wasmtrap_poll_page_close(other), WASMTRAP_OK, "close the other one");
  return tap_done();
}
