#include "suite.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static const char *const kind_names[SUITE_KINDS] = {"module", "action", "return", "trap", "exhaustion"};

static int is_right(const suite_result_t *expected, suite_value_t got) {
  got.bits >>= expected->shift;
  switch (expected->match) {
    case SUITE_8_BITS:
      return (got.bits & 0xff) == expected->bits;
    case SUITE_16_BITS:
      return (got.bits & 0xffff) == expected->bits;
    case SUITE_32_BITS:
      return got.i32 == expected->bits;
    case SUITE_64_BITS:
      return got.i64 == expected->bits;
    case SUITE_F32_CANONICAL_NAN:
      return (got.i32 & 0x7fffffff) == 0x7fc00000;
    case SUITE_F32_ARITHMETIC_NAN:
      return (got.i32 & 0x7fc00000) == 0x7fc00000;
    case SUITE_F64_CANONICAL_NAN:
      return (got.i64 & UINT64_C(0x7fffffffffffffff)) == UINT64_C(0x7ff8000000000000);
    case SUITE_F64_ARITHMETIC_NAN:
      return (got.i64 & UINT64_C(0x7ff8000000000000)) == UINT64_C(0x7ff8000000000000);
    case SUITE_ANY_FUNCTION:
      return got.bits == 1;
  }
  return 0;
}

/* The trap's message as the specification's interpreter words it. */
static void message_of(const wasmtrap_trap_t *trap, char *message, size_t size) {
  const char *name = wasmtrap_code_name(trap->code);
  if (trap->code == WASMTRAP_CODE_UNDEFINED_ELEMENT || trap->code == WASMTRAP_CODE_INDIRECT_CALL_TO_NULL) {
    snprintf(message, size, "%s %" PRIu64, name, trap->payload);
  } else {
    snprintf(message, size, "%s", name);
  }
}

/* As in the interpreter: the message must begin with what is asked for, which may leave out the element's index. */
static int is_message(const char *message, const char *expected) {
  return strncmp(message, expected, strlen(expected)) == 0;
}

typedef struct run_t {
  const suite_command_t *command;
  suite_value_t results[SUITE_MAX_RESULTS];
} run_t;

static void call(void *argument) {
  run_t *run = argument;
  run->command->function(run->command->arguments, run->results);
}

/* Whether the command came to what it must; prints why not. */
static int check(const suite_command_t *command) {
  uint64_t id;
  if (command->module != NULL && wasm_rt_wasmtrap_module_register(command->module, &id) != WASMTRAP_OK) {
    printf("failed: line %d: %s: %s\n", command->line, command->name, wasmtrap_last_error());
    return 0;
  }
  run_t run;
  memset(&run, 0, sizeof run);
  run.command = command;
  wasmtrap_trap_t trap = {.struct_size = sizeof trap};
  const wasmtrap_status_t status = wasm_rt_wasmtrap_call(call, &run, &trap);
  char message[64] = "";
  if (status == WASMTRAP_TRAPPED) message_of(&trap, message, sizeof message);

  if (status < 0) {
    printf("failed: line %d: %s: %s\n", command->line, command->name, wasmtrap_last_error());
    return 0;
  }
  if (command->trap == NULL ? message[0] != '\0' : !is_message(message, command->trap)) {
    printf("failed: line %d: %s: expected %s, got %s\n", command->line, command->name,
           command->trap == NULL ? "no trap" : command->trap, message[0] == '\0' ? "no trap" : message);
    return 0;
  }
  for (size_t i = 0; i < command->result_count; i++) {
    const suite_result_t *expected = &command->results[i];
    const suite_value_t got = run.results[expected->value];
    if (!is_right(expected, got)) {
      printf("failed: line %d: %s: result %u is %#" PRIx64 ", expected %#" PRIx64 " at bit %u (match %d)\n",
             command->line, command->name, expected->value, got.bits, expected->bits, expected->shift,
             (int)expected->match);
      return 0;
    }
  }
  return 1;
}

static struct {
  const suite_command_t *commands;
  size_t count;
} suite;

static void *run_commands(void *unused) {
  size_t passed[SUITE_KINDS] = {0}, failed = 0;
  for (size_t i = 0; i < suite.count; i++) {
    if (check(&suite.commands[i])) {
      passed[suite.commands[i].kind]++;
    } else {
      failed++;
    }
  }
  printf("counts: failed %zu", failed);
  for (int kind = 0; kind < SUITE_KINDS; kind++) printf(" %s %zu", kind_names[kind], passed[kind]);
  printf("\n");
  return unused;
}

int suite_main(const suite_command_t *commands, size_t count) {
  suite.commands = commands;
  suite.count = count;
  if (wasmtrap_init(NULL) == WASMTRAP_OK) wasm_rt_init();
  if (!wasm_rt_is_initialized()) {
    printf("failed: %s\n", wasmtrap_last_error());
    return 2;
  }
  /* A thread's stack has a guard page whatever the limits of the shell are; the first thread's may be without end. */
  pthread_t thread;
  if (pthread_create(&thread, NULL, run_commands, NULL) != 0) return 2;
  pthread_join(thread, NULL);
  return 0;
}
