#include "engine.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "exception_server.h"
#include "host_rules.h"
#include "memory.h"

typedef struct running_t {
  exception_server_t server;
  engine_t *engine;
  engine_report_t last;
  volatile int count;
} running_t;

/* Where ENGINE_LANDS sends the thread. */
static jmp_buf landing;

static void landing_pad(void) {
#if defined(__x86_64__)
  const uint32_t mxcsr = 0x1f80;
  __asm__ volatile("fninit; ldmxcsr %0" : : "m"(mxcsr));
#endif
  longjmp(landing, 1);
}

static void note(engine_report_t *report, const exception_t *exception) {
  memset(report, 0, sizeof *report);
  report->id = exception->header.msgh_id;
  report->exception = exception->exception;
  report->code_count = exception->code_count;
  for (unsigned int i = 0; i < exception->code_count && i < 2; i++) report->codes[i] = exception->codes[i];
  if (exception->state_count > 0) report->flavor = exception->flavor;
  report->state_count = exception->state_count;
  must(exception->state_count <= sizeof report->state / sizeof *report->state);
  memcpy(report->state, exception->state, exception->state_count * sizeof *report->state);
  report->names_thread = exception->thread != MACH_PORT_NULL;
  report->names_task = exception->task != MACH_PORT_NULL;
}

#if defined(__x86_64__)
typedef x86_thread_state64_t machine_t;

static void land(machine_t *machine) {
  machine->__rip = address_of(landing_pad);
  /* As after a call, below the red zone; with the direction flag as the ABI wants it. */
  machine->__rsp = ((machine->__rsp - 128) & ~UINT64_C(15)) - 8;
  machine->__rflags &= ~UINT64_C(0x400);
}

static void skip(machine_t *machine, int exception) {
  if (exception == EXC_BAD_INSTRUCTION) machine->__rip += WASM_UNREACHABLE_SIZE;
  if (exception == EXC_ARITHMETIC) machine->__r8 = 1;
}
#else
typedef arm_thread_state64_t machine_t;

static void land(machine_t *machine) {
  machine->__pc = address_of(landing_pad);
  machine->__sp &= ~UINT64_C(15);
}

static void skip(machine_t *machine, int exception) {
  if (exception == EXC_BAD_INSTRUCTION || exception == EXC_BREAKPOINT) machine->__pc += 4;
}
#endif

static void change(const engine_t *engine, machine_t *machine, int exception) {
  if (engine->policy == ENGINE_LANDS) {
    land(machine);
  } else if (exception == EXC_BAD_ACCESS) {
    make_accessible(engine->page);
  } else {
    skip(machine, exception);
  }
}

static kern_return_t answer(exception_server_t *server, exception_t *exception) {
  running_t *const running = server->argument;
  const engine_t *const engine = running->engine;
  note(&running->last, exception);
  __atomic_add_fetch(&running->count, 1, __ATOMIC_RELEASE);
  if (engine->policy == ENGINE_DECLINES) return KERN_FAILURE;
  machine_t machine;
  if (exception->state_count > 0) {
    must(exception->state_count == STATE_WORDS);
    memcpy(&machine, exception->state, sizeof machine);
    change(engine, &machine, exception->exception);
    memcpy(exception->state, &machine, sizeof machine);
    return KERN_SUCCESS;
  }
  mach_msg_type_number_t count = STATE_WORDS;
  must(thread_get_state(engine->subject, STATE_FLAVOR, (thread_state_t)&machine, &count) == KERN_SUCCESS);
  change(engine, &machine, exception->exception);
  must(thread_set_state(engine->subject, STATE_FLAVOR, (thread_state_t)&machine, count) == KERN_SUCCESS);
  return KERN_SUCCESS;
}

static void start(engine_t *engine, engine_policy_t policy, int for_task) {
  memset(engine, 0, sizeof *engine);
  running_t *const running = calloc(1, sizeof *running);
  must(running != NULL);
  running->engine = engine;
  engine->server = running;
  engine->policy = policy;
  engine->subject = pthread_mach_thread_np(pthread_self());
  engine->page = inaccessible_page();
  if (for_task) {
    server_start_on(&running->server, new_port(), answer, NULL);
  } else {
    server_start(&running->server, answer, NULL);
  }
  running->server.argument = running;
  engine->port = running->server.receive_from;
}

void engine_start(engine_t *engine, engine_policy_t policy) { start(engine, policy, 0); }
void engine_start_for_task(engine_t *engine, engine_policy_t policy) { start(engine, policy, 1); }

void engine_stop(engine_t *engine) {
  running_t *const running = engine->server;
  server_stop(&running->server);
  free(running);
  engine->server = NULL;
}

int engine_state_flavor(void) { return STATE_FLAVOR; }

static int flavor_for(unsigned int behavior) {
  const unsigned int plain = behavior & ~(unsigned int)MACH_EXCEPTION_MASK;
  return plain == EXCEPTION_DEFAULT || plain == EXCEPTION_IDENTITY_PROTECTED ? 0 : STATE_FLAVOR;
}

kern_return_t engine_takes_thread(engine_t *engine, exception_mask_t mask, unsigned int behavior) {
  return thread_set_exception_ports(pthread_mach_thread_np(pthread_self()), mask, engine->port, (int)behavior,
                                    flavor_for(behavior));
}

kern_return_t engine_takes_task(engine_t *engine, exception_mask_t mask, unsigned int behavior) {
  return task_set_exception_ports(mach_task_self(), mask, engine->port, (int)behavior, flavor_for(behavior));
}

int engine_count(const engine_t *engine) {
  const running_t *const running = engine->server;
  return __atomic_load_n(&running->count, __ATOMIC_ACQUIRE);
}

const engine_report_t *engine_last(const engine_t *engine) {
  const running_t *const running = engine->server;
  return &running->last;
}

static machine_t machine_of(const engine_report_t *report) {
  machine_t machine;
  must(report->state_count == STATE_WORDS);
  memcpy(&machine, report->state, sizeof machine);
  return machine;
}

#if defined(__x86_64__)
size_t engine_state_pc(const engine_report_t *report) { return machine_of(report).__rip; }
size_t engine_state_sp(const engine_report_t *report) { return machine_of(report).__rsp; }
#else
size_t engine_state_pc(const engine_report_t *report) { return machine_of(report).__pc; }
size_t engine_state_sp(const engine_report_t *report) { return machine_of(report).__sp; }
#endif

void same_engine_reports(const engine_report_t *with, const engine_report_t *without, const char *name) {
  same(with->id, without->id, "%s: the same message", name);
  same(with->exception, without->exception, "the exception");
  same(with->code_count, without->code_count, "the number of codes");
  same(with->codes[0], without->codes[0], "the first code");
  same(with->codes[1], without->codes[1], "the second code");
  same(with->flavor, without->flavor, "the flavor");
  same(with->state_count, without->state_count, "the size of the state");
  same(with->names_thread, without->names_thread, "naming the thread or not");
  same(with->names_task, without->names_task, "naming the task or not");
  if (with->state_count == 0) return;
  same(engine_state_pc(with), engine_state_pc(without), "the program counter");
  same(engine_state_sp(with), engine_state_sp(without), "the stack pointer");
}

const char *const own_fault_names[OWN_FAULTS] = {"load", "illegal instruction", "breakpoint", "division"};

#if defined(__x86_64__)
int own_fault_exists(own_fault_t fault) { return fault < OWN_FAULTS; }
static const wasm_code_t *const codes[OWN_FAULTS] = {&wasm_load, &wasm_unreachable, &wasm_breakpoint, &wasm_divide};
#else
int own_fault_exists(own_fault_t fault) { return fault < OWN_DIVISION; }
static const wasm_code_t *const codes[OWN_FAULTS] = {&wasm_load, &wasm_unreachable, &wasm_breakpoint, NULL};
#endif

/* Compiled code of the engine's own, which is never registered. */
static const wasm_code_t *own_code(own_fault_t fault) {
  static wasm_code_t own[OWN_FAULTS];
  if (own[fault].start == NULL) own[fault] = wasm_compile(codes[fault]);
  return &own[fault];
}

void make_own_fault(engine_t *engine, own_fault_t fault) {
  wasm_access_t access = {fault == OWN_DIVISION ? 7 : address_of(engine->page), 0};
  if (fault == OWN_LOAD) make_inaccessible(engine->page);
  own_code(fault)->function(&access);
}

void make_clobbered_fault(engine_t *engine) {
  make_inaccessible(engine->page);
  wasm_access_t access = {address_of(engine->page), 0};
  if (setjmp(landing) == 0) wasm_clobber_and_load.function(&access);
}

void same_engine_states(const engine_report_t *with, const engine_report_t *without) {
  same(with->state_count, without->state_count, "the size of the state");
  size_t word = 0;
  while (word < with->state_count && with->state[word] == without->state[word]) word++;
  if (word == with->state_count) {
    ok(1, "every register is as it was");
  } else {
    same(with->state[word], without->state[word], "every register is as it was: word %zu of the state", word);
  }
}

int own_fault_exception(own_fault_t fault) {
  static const int exceptions[OWN_FAULTS] = {EXC_BAD_ACCESS, EXC_BAD_INSTRUCTION, EXC_BREAKPOINT, EXC_ARITHMETIC};
  return exceptions[fault];
}

size_t own_fault_pc(own_fault_t fault) {
  const int behind = fault == OWN_BREAKPOINT && WASM_BREAKPOINT_REPORTED_BEHIND;
  return wasm_fault_pc(own_code(fault)) + (behind ? WASM_BREAKPOINT_SIZE : 0);
}

const engine_behavior_t engine_behaviors[ENGINE_BEHAVIORS] = {
    {EXCEPTION_DEFAULT | MACH_EXCEPTION_CODES, "EXCEPTION_DEFAULT, 64-bit codes", 1},
    {EXCEPTION_STATE | MACH_EXCEPTION_CODES, "EXCEPTION_STATE, 64-bit codes", 0},
    {EXCEPTION_STATE_IDENTITY | MACH_EXCEPTION_CODES, "EXCEPTION_STATE_IDENTITY, 64-bit codes", 1},
    {EXCEPTION_IDENTITY_PROTECTED | MACH_EXCEPTION_CODES, "EXCEPTION_IDENTITY_PROTECTED", 0},
    {EXCEPTION_STATE_IDENTITY_PROTECTED | MACH_EXCEPTION_CODES, "EXCEPTION_STATE_IDENTITY_PROTECTED", 0},
    {EXCEPTION_DEFAULT, "EXCEPTION_DEFAULT, 32-bit codes", 1},
    {EXCEPTION_STATE, "EXCEPTION_STATE, 32-bit codes", 0},
    {EXCEPTION_STATE_IDENTITY, "EXCEPTION_STATE_IDENTITY, 32-bit codes", 1},
};

const char *engine_behavior_missing(const engine_behavior_t *behavior) {
  if (behavior->shows_ports) {
    if (kernel_kills_for_showing_ports()) return "the kernel kills this process for it";
    if (showing_ports_is_forbidden()) return "the library does not put it back here";
    if (messages_bring_read_ports()) return "developer mode is off: the state cannot be set";
  }
  if ((behavior->behavior & ~(unsigned int)MACH_EXCEPTION_MASK) == EXCEPTION_STATE) {
    if (kernel_kills_for_state()) return "the kernel kills this process for it";
    if (state_is_forbidden()) return "the library does not put it back here";
  }
  if (!kernel_knows_behavior((int)behavior->behavior)) return "this kernel does not know it";
  return NULL;
}
