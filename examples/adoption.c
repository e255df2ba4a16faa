/* Adoption: an engine with tables and landing pads of its own, as Wasmtime has them, that gives up its signal handlers
 * and Mach ports and has the library ask it instead.
 *
 *   cc adoption.c $(pkg-config --cflags --libs wasmtrap) && ./a.out
 *
 * What to take from it: the engine registers no code and makes no protected calls. Its fault handler runs on the thread
 * that faulted, on every backend; it looks at the engine's own table and sets the registers so that the thread goes on
 * at the engine's landing pad. A fault that the table does not have goes to whoever was there before. For Wasmtime
 * itself, this is done: see adapters/wasmtime. */
#define _GNU_SOURCE
#include <string.h>
#include <sys/mman.h>

#include "check.h"

/* guest(memory, address): a load that may fault, and the landing pad: the pad returns -1. */
#if defined(__x86_64__)
static const unsigned char guest[] = {
    0x0f, 0xb6, 0x04, 0x37,             /* movzbl (%rdi,%rsi), %eax */
    0xc3,                               /* ret */
    0xb8, 0xff, 0xff, 0xff, 0xff, 0xc3, /* landing pad: mov $-1, %eax; ret */
};
enum { FAULTS_AT = 0, PAD = 5 };
#else
static const unsigned int guest[] = {
    0x38616800, /* ldrb w0, [x0, x1] */
    0xd65f03c0, /* ret */
    0x12800000, /* landing pad: mov w0, #-1 */
    0xd65f03c0, /* ret */
};
enum { FAULTS_AT = 0, PAD = 8 };
#endif

typedef struct {
  char *code;
  unsigned int faults;
} engine_t;

/* It runs where a signal handler runs: it takes no lock and allocates nothing. */
static wasmtrap_verdict_t on_fault(wasmtrap_fault_t *fault, void *user) {
  engine_t *engine = user;
  if (fault->kind != WASMTRAP_FAULT_MEMORY || fault->pc != (size_t)(engine->code + FAULTS_AT))
    return WASMTRAP_VERDICT_FORWARD;
  engine->faults++;
  fault->registers->pc = (size_t)(engine->code + PAD);
  return WASMTRAP_VERDICT_RESUME;
}

int main(void) {
  /* As Config::macos_use_mach_ports(false) in Wasmtime; nothing elsewhere. */
  wasmtrap_options_t options = {0};
  options.struct_size = sizeof options;
  options.macos_use_mach_ports = WASMTRAP_MACH_PORTS_NO;
  CHECK(wasmtrap_init(&options));

  engine_t engine = {0};
  engine.code = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
  char *memory = mmap(NULL, 1 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANON, -1, 0);
  if (engine.code == MAP_FAILED || memory == MAP_FAILED) return 2;
  if (mprotect(memory, 4096, PROT_READ | PROT_WRITE) != 0) return 2;
  memory[10] = 42;
  memcpy(engine.code, guest, sizeof guest);
  if (mprotect(engine.code, 4096, PROT_READ | PROT_EXEC) != 0) return 2;
  __builtin___clear_cache(engine.code, engine.code + sizeof guest);
  CHECK(wasmtrap_set_fault_handler(on_fault, &engine));

  int (*call)(char *memory, size_t address);
  memcpy(&call, &engine.code, sizeof call);
  const int good = call(memory, 10), bad = call(memory, 100000), again = call(memory, 10);
  printf("%d, then %d, then %d; faults that the engine was asked about: %u\n", good, bad, again, engine.faults);
  CHECK(wasmtrap_set_fault_handler(NULL, NULL));
  return 0;
}
