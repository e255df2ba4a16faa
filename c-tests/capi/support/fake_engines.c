/* What the fake engines have in common, whether their handlers are POSIX's (fake_engine.c) or vectored ones
 * (c-tests/windows/support/fake_engine_windows.c). */
#include <sys/mman.h>

#include "fake_engine.h"
#include "memory.h"
#include "tap.h"

fake_engine_t engines[ENGINES];
const uint64_t engine_readable = 42;

uint64_t engine_adopt(int number, wasmtrap_client_t client, uint32_t flags) {
  uint64_t id;
  must(wasmtrap_adopt_begin(client) == WASMTRAP_OK);
  engine_install(number);
  must(wasmtrap_adopt_end(flags, &id) == WASMTRAP_OK);
  return id;
}

const wasm_code_t *engine_compile(int number, const wasm_code_t *code) {
  fake_engine_t *const engine = &engines[number];
  must(engine->code_count < ENGINE_CODES);
  engine->codes[engine->code_count] = wasm_compile(code);
  return &engine->codes[engine->code_count++];
}

void engine_owns_everything(int number) { engines[number].owns_everything = 1; }

int engine_traps(int number) {
  fake_engine_t *const engine = &engines[number];
  if (engine->code_count == 0) engine_compile(number, &wasm_load);
  unsigned char *const page = inaccessible_page();
  wasm_access_t access = {address_of(page), 1};
  const int own = engine->own;
  const int trapped = engine_run(number, &engine->codes[0], &access);
  int good = engine->own > own;
  switch (engine->answer) {
    case ANSWER_REDIRECTS:
    case ANSWER_JUMPS: good &= trapped; break;
    case ANSWER_CHANGES_A_REGISTER: good &= !trapped && access.value == engine_readable; break;
    case ANSWER_MENDS: good &= !trapped && access.value == 0; break;
  }
  must(munmap(page, page_size()) == 0);
  return good;
}
